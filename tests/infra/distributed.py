"""`make distributed`: the whole distributed system on this machine without Docker. Kafka and MongoDB as the tests start them, each service a
process of its own, two screening workers, the gateway in front; all of it in one folder, ended together. The next start goes on there.
"""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from tests.infra.kafka import LocalKafka
from tests.infra.local import HOST, free_ports
from tests.infra.mongo import LocalMongo
from tests.infra.priority import step_back

DUEWATCH = Path(sys.executable).with_name("duewatch")
SERVICES = (
    "onboarding",
    "intelligence",
    "screening-1",
    "screening-2",
    "hotspots",
    "assessment",
    "gate",
    "audits",
    "remediation",
    "partners",
)
_ANSWERING = ("gate", "gateway")  # whom procurement waits for; all others step back where processors are short
_READY_S, _END_S = 120.0, 20.0


class Distributed:
    """A running system: where the gateway answers, and its processes by name, which is their service's, with a number where it has copies."""

    def __init__(self, folder: Path, port: int, servers: Mapping[str, str], **environment: str) -> None:
        self.folder, self.url = folder, f"http://{HOST}:{port}"
        self._port, self._own = port, environment
        self._environment = {**os.environ, **servers, "DUEWATCH_DATA": str(folder), "DUEWATCH_HOST": HOST, **environment}
        self._ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def set_up(self) -> None:
        """Makes what Kafka and MongoDB lack."""
        for command in (("topics", "apply"), ("store", "migrate")):
            subprocess.run([DUEWATCH, *command], env=self._environment, check=True, stdout=subprocess.DEVNULL)

    def start(self, name: str, program: Sequence[str | Path] = (DUEWATCH,), **more: str) -> None:
        """Starts one process; its output goes to a log of its name. `program`: what stands in for the command line; `more`: settings of its own."""
        if name not in self._ports:
            self._ports[name] = self._port if name == "gateway" else free_ports(1)[0]
        environment = {**self._environment, "DUEWATCH_PORT": str(self._ports[name]), "DUEWATCH_INSTANCE": name}
        service = name.partition("-")[0]
        if name == "gateway":  # a copy that was added may be gone again
            addresses = {one.partition("-")[0]: f"http://{HOST}:{self._ports[one]}" for one in SERVICES}
            environment["DUEWATCH_SERVICES"] = ",".join(f"{one}={address}" for one, address in addresses.items())
        environment |= more
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [*program, "serve", service], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self.processes[name] = process
        if service not in _ANSWERING:
            step_back(process.pid)

    def address(self, name: str) -> str:
        """Where a process answers."""
        return f"http://{HOST}:{self._ports.get(name, self._port)}"

    def wait(self) -> None:
        """Until the gateway says that every service is ready; RuntimeError where one ends, or it takes too long."""
        end = time.monotonic() + _READY_S
        while True:
            ended = [name for name, process in self.processes.items() if process.poll() is not None]
            if ended or time.monotonic() > end:
                raise RuntimeError(f"Not ready: {', '.join(ended) or 'it takes too long'}; see the logs in {self.folder}")
            try:
                with urllib.request.urlopen(f"{self.url}/health/ready", timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)

    def end(self) -> None:
        """Asks all to end, and ends those that do not."""
        for process in self.processes.values():
            process.terminate()
        end = time.monotonic() + _END_S
        for process in self.processes.values():
            try:
                process.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def distributed(folder: Path, port: int, servers: Mapping[str, str], **environment: str) -> Iterator[Distributed]:
    """A system on servers that run, until the block ends; `environment`: further settings."""
    folder.mkdir(parents=True, exist_ok=True)
    system = Distributed(folder, port, servers, **environment)
    try:
        system.set_up()
        for name in (*SERVICES, "gateway"):
            system.start(name)
        system.wait()
        yield system
    finally:
        system.end()


def main() -> None:
    """Runs until told to end."""
    folder, port = Path("build/distributed").absolute(), int(os.environ.get("DUEWATCH_PORT", "8080"))

    def end(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    with ExitStack() as stack:
        try:
            kafka, mongo = LocalKafka(folder / "kafka"), LocalMongo(folder / "mongo")
            for server in (kafka, mongo):
                server.start()
                stack.callback(server.stop)
            servers = {"DUEWATCH_BUS": f"kafka://{kafka.address}", "DUEWATCH_STORE": mongo.address}
            system = stack.enter_context(distributed(folder, port, servers))
            print(
                f"Duewatch is ready at {system.url}",
                f"  admin token  {folder}/admin-token",
                f"  logs         {folder}/*.log",
                sep="\n",
                flush=True,
            )
            signal.pause()
        except KeyboardInterrupt:
            print("Ending.", flush=True)


if __name__ == "__main__":
    main()
