"""The two runtimes as the benchmarks see them: how a system is started, and whose processes it is made of."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.figures import cpu_s, main_cpu_s, rss_mb
from tests.infra.distributed import distributed
from tests.infra.kafka import LocalKafka
from tests.infra.mongo import LocalMongo
from tests.system.running import System, free_port, running

_WORKER = "services.runtime.worker"


@dataclass(frozen=True)
class Measured:
    """A running system; `processes`: the ids of all that work for it, by name; `answering`: which of them answer a request to the gate; `servers`:
    which of them are not Duewatch's own."""

    system: System
    processes: Mapping[str, int]
    answering: tuple[str, ...]
    servers: tuple[str, ...] = ()

    def gate_cpu_s(self) -> float:
        """Processor time of those who answer for the gate."""
        return sum(cpu_s(self.processes[name]) for name in self.answering)

    def cpu(self) -> dict[str, float]:
        """Processor seconds so far, by process."""
        return {name: cpu_s(pid) for name, pid in self.processes.items()}

    def beside_s(self) -> float:
        """Processor seconds of Duewatch's own processes in threads beside their first: on the embedded runtime those that write SQLite's files."""
        return sum(cpu_s(pid) - main_cpu_s(pid) for name, pid in self.processes.items() if name not in self.servers)

    def rss(self) -> dict[str, float]:
        """Resident MB by process; pages that processes share count for each."""
        return {name: rss_mb(pid) for name, pid in self.processes.items()}


@dataclass(frozen=True)
class Runtime:
    """`start` starts a system on a folder, again where it was ended; `suffix` is that of its figures; `settings` are its variables, `servers` the ids of the
    processes that these name."""

    suffix: str
    note: str
    start: Callable[[Path], AbstractContextManager[Measured]]
    settings: Mapping[str, str] = field(default_factory=dict)
    servers: Mapping[str, int] = field(default_factory=dict)


@contextmanager
def _embedded(folder: Path) -> Iterator[Measured]:
    with running(folder) as system:
        processes = {"front": system.process.pid, **_workers(system.process.pid)}
        yield Measured(system, processes, ("front",))


EMBEDDED = Runtime("", "embedded", _embedded)


@contextmanager
def kafka_and_mongo(folder: Path) -> Iterator[Runtime]:
    """The distributed runtime, on a broker and a mongod of its own until the block ends."""
    with LocalKafka(folder / "kafka") as kafka, LocalMongo(folder / "mongo") as mongo:
        servers = {"DUEWATCH_BUS": f"kafka://{kafka.address}", "DUEWATCH_STORE": mongo.address, "DUEWATCH_EGRESS_ALLOW": "127.0.0.0/8"}
        pids = {"kafka": kafka.pid, "mongod": mongo.pid}

        @contextmanager
        def start(folder: Path) -> Iterator[Measured]:
            with distributed(folder, free_port(), servers) as found:
                own = {name: process.pid for name, process in found.processes.items()}
                system = System(found.url, found.folder, found.processes["gateway"])
                yield Measured(system, own | pids, ("gateway", "gate"), tuple(pids))

        yield Runtime("_kafka", "Kafka and MongoDB, a process a service, through the gateway", start, servers, pids)


def _workers(leader: int) -> dict[str, int]:
    """The front's children by the name that their command line ends with."""
    found = {}
    for child in Path(f"/proc/{leader}/task/{leader}/children").read_text().split():
        words = Path(f"/proc/{child}/cmdline").read_text().split("\0")
        if _WORKER in words:
            found[words[words.index(_WORKER) + 1]] = int(child)
    return found
