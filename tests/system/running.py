"""A real system for a test: `duewatch up` on a folder and a port of its own, stopped at the end."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

DUEWATCH = Path(sys.executable).parent / "duewatch"
_READY_S = 60.0
_END_S = 30.0


@dataclass(frozen=True)
class System:
    """A running system: its address, its folder, its process (the leader of its own group)."""

    url: str
    data: Path
    process: subprocess.Popen[bytes]

    @property
    def admin_token(self) -> str:
        """Of roles operator and admin."""
        return (self.data / "admin-token").read_text().strip()

    def client(self, token: str | None = None) -> httpx.Client:
        """With the admin token, or another."""
        headers = {"Authorization": f"Bearer {token or self.admin_token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60, trust_env=False)

    def token(self, *roles: str, subject: str = "ada", tenant: str = "default") -> str:
        """A token with these roles."""
        with self.client() as client:
            answer = client.post("/v1/tokens", json={"roles": roles, "subject": subject, "tenant": tenant, "ttl_s": 3600})
            assert answer.status_code == 201, answer.text
            return str(answer.json()["token"])

    def kill(self) -> None:
        """All its processes at once, as a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def free_port() -> int:
    """Below the range from which outgoing connections take theirs: a client must not come to own it while the system is down."""
    while True:
        port = random.randrange(15_000, 30_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@contextmanager
def running(data: Path, *, port: int | None = None, **environment: str) -> Iterator[System]:
    """Starts a system on the folder `data`, waits until it is ready, and ends it with SIGTERM; `environment` are further variables."""
    port = port or free_port()
    own = {name: value for name, value in os.environ.items() if not name.startswith("DUEWATCH_")}
    own |= {"DUEWATCH_EGRESS_ALLOW": "127.0.0.0/8", **environment}
    data.mkdir(parents=True, exist_ok=True)
    with (data / "test.log").open("ab") as log:
        command = [DUEWATCH, "up", "--data", data, "--port", str(port)]
        process = subprocess.Popen(command, stdout=log, stderr=log, env=own, start_new_session=True)
    system = System(f"http://127.0.0.1:{port}", data, process)
    try:
        _wait(system)
        yield system
    finally:
        process.terminate()
        try:
            process.wait(_END_S)
        finally:
            with suppress(ProcessLookupError):  # what a test left, or an end that did not come
                os.killpg(process.pid, signal.SIGKILL)


def _wait(system: System) -> None:
    end = time.monotonic() + _READY_S
    while True:
        with suppress(httpx.TransportError):
            if httpx.get(f"{system.url}/health/ready", trust_env=False).status_code == 200:
                return
        going_on = system.process.poll() is None and time.monotonic() < end
        assert going_on, (system.data / "test.log").read_text()[-4000:]
        time.sleep(0.05)
