"""The distributed system under faults: servers and services that a test kills, freezes and starts again, and what it is asked over HTTP.

One world serves all tests of a file. They keep apart by tenants of their own, and leave everything running.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from tests.faults.servers.log import PREFIX, Log
from tests.infra.distributed import SERVICES, Distributed, distributed
from tests.infra.kafka import LocalKafka
from tests.infra.mongo import LocalMongo
from tests.system.running import free_port

DATABASE = "duewatch"
SCREENING = [name for name in SERVICES if name.startswith("screening")]
_PATIENCE_S = 90.0
_SHARE = "0.9"  # the tests' releases swap most of their list
_HEADS_S = "1"  # heads are signed while things go wrong, too


class World:
    """`kafka` and `mongo` are the servers, `system` the services' processes by name."""

    def __init__(self, kafka: LocalKafka, mongo: LocalMongo, system: Distributed) -> None:
        self.kafka, self.mongo, self.system = kafka, mongo, system
        self.log = Log(kafka.address)

    def kill(self, name: str) -> None:
        """Ends a process as a crash would (SIGKILL)."""
        process = self.system.processes[name]
        process.kill()
        process.wait()

    def restart(self, name: str) -> None:
        """Kills it, and starts it where it was."""
        self.kill(name)
        self.system.start(name)

    def skew(self, name: str, seconds: float) -> None:
        """Starts a process anew on a machine whose clock is wrong by so much."""
        self.kill(name)
        self.system.start(name, (sys.executable, "-m", "tests.faults.servers.skewed", str(seconds)))

    def ready(self, name: str) -> None:
        """Until this process says that it is."""
        end = time.monotonic() + _PATIENCE_S
        while True:
            with suppress(httpx.TransportError):
                if httpx.get(f"{self.system.address(name)}/health/ready", timeout=5, trust_env=False).status_code == 200:
                    return
            assert time.monotonic() < end, f"{name} is not ready"
            time.sleep(0.05)

    def rss_mb(self, name: str) -> tuple[float, float]:
        """Resident memory of a process: now, and the most since `forget_peak` (proc(5))."""
        text = Path(f"/proc/{self.system.processes[name].pid}/status").read_text()
        now, peak = (int(line.split()[1]) / 1024 for kind in ("VmRSS", "VmHWM") for line in text.splitlines() if line.startswith(kind))
        return now, peak

    def forget_peak(self, name: str) -> None:
        """The most memory is counted from now on."""
        Path(f"/proc/{self.system.processes[name].pid}/clear_refs").write_text("5")

    def caller(self, tenant: str) -> "Caller":
        """Somebody of a tenant who has all roles that a test needs."""
        with self.operator() as operator:
            return Caller(self.system.url, operator.token(tenant))

    def operator(self) -> "Caller":
        """Whose token was written at the first start."""
        return Caller(self.system.url, (self.system.folder / "admin-token").read_text().strip())


class Caller:
    """Asks until it is answered, as a client must: with the same Idempotency-Key, however often nobody answers or somebody is away."""

    def __init__(self, url: str, token: str) -> None:
        self._client = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30, trust_env=False)

    def __enter__(self) -> "Caller":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def token(self, tenant: str) -> str:
        roles = ["operator", "admin", "buyer", "analyst", "auditor", "case_worker", "partner"]
        made = self.ask("POST", "/v1/tokens", json={"roles": roles, "subject": "staff", "tenant": tenant, "ttl_s": 28_800})
        return str(made.json()["token"])

    def ask(self, method: str, path: str, key: str = "", *, known: bool = True, **given: Any) -> httpx.Response:
        """The answer; fails with what was refused, or where nobody has answered for long. Where it need not be known yet, 404 is an answer, too."""
        end, headers = time.monotonic() + _PATIENCE_S, {**given.pop("headers", {}), **({"Idempotency-Key": key} if key else {})}
        while True:
            answer = None
            with suppress(httpx.TransportError):
                answer = self._client.request(method, path, headers=headers, **given)
                if answer.status_code < 500:
                    assert answer.is_success or (answer.status_code == 404 and not known), answer.text
                    return answer
            assert time.monotonic() < end, answer.text if answer is not None else f"{method} {path}: no answer"
            time.sleep(0.1)

    def get(self, path: str) -> Any:
        """The answer's JSON."""
        return self.ask("GET", path).json()


@contextmanager
def running(folder: Path) -> Iterator[World]:
    """Servers of our own, which may be told to fail (mongod's fail points), and the system on them, until the block ends."""
    with ExitStack() as stack:
        kafka = stack.enter_context(LocalKafka(folder / "kafka"))
        mongo = stack.enter_context(LocalMongo(folder / "mongo", ["--setParameter", "enableTestCommands=1"]))
        servers = {"DUEWATCH_BUS": f"kafka://{kafka.address}/?prefix={PREFIX}", "DUEWATCH_STORE": mongo.address}
        own = {"DUEWATCH_LIST_SHRINK_SHARE": _SHARE, "DUEWATCH_HEAD_EVERY_S": _HEADS_S}
        system = stack.enter_context(distributed(folder / "system", free_port(), servers, **own))
        yield World(kafka, mongo, system)
