"""Apache Kafka, one broker that is its own controller (KRaft)."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.infra import downloads, ready
from tests.infra.local import HOST, Local, ports_of

_LARGEST = 8 * 1024 * 1024  # bytes of one record batch
# A small heap, for a process and a container. With its own regions of 1 MB each batch of an import would begin a collection of all of it.
HEAP = ("-Xmx512m", "-XX:G1HeapRegionSize=4m")
_SEGMENT = 64 * 1024 * 1024  # bytes of a log segment: Kafka's own 1 GiB would be laid out for every partition's indexes


def settings(listeners: str, advertised: str, controller: str) -> dict[str, str]:
    """A broker's properties for tests, the same for a process and a container: one node, nothing replicated, no waiting for more members.

    `listeners` and `advertised` are Kafka's lists; `controller` is host:port of the controller's listener.
    """
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{controller}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "listeners": listeners,
        "advertised.listeners": advertised,
        "auto.create.topics.enable": "false",
        "group.initial.rebalance.delay.ms": "0",
        "log.segment.bytes": str(_SEGMENT),
        "message.max.bytes": str(_LARGEST),
        "replica.fetch.max.bytes": str(_LARGEST),
        "offsets.topic.num.partitions": "5",
        "offsets.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "5",
        "transaction.state.log.replication.factor": "1",
    }


class LocalKafka(Local):
    """A broker of Java on this machine. `properties` add to or replace those of `settings`.

    After `kill`, `start` takes about 12 s: the controller keeps the broker's former self for broker.session.timeout.ms (9 s). After `stop`, 3 s.
    """

    name = "Kafka"

    def __init__(self, folder: Path, properties: Mapping[str, str] | None = None) -> None:
        super().__init__(folder)
        self._port, self._controller = ports_of(folder, 2)
        self._properties = dict(properties or {})

    @property
    def address(self) -> str:
        return f"{HOST}:{self._port}"

    def _prepare(self) -> tuple[Sequence[str], Mapping[str, str]]:
        parts = downloads.kafka()
        data = self.folder / "data"
        if not data.exists():
            shutil.copytree(parts / "formatted", data)
        own = f"PLAINTEXT://{self.address}"
        controller = f"{HOST}:{self._controller}"
        given = settings(f"{own},CONTROLLER://{controller}", own, controller) | {"log.dirs": str(data)} | self._properties
        file = self.folder / "server.properties"
        file.write_text("".join(f"{name}={value}\n" for name, value in given.items()), encoding="utf-8")
        # The first compiler alone: such a broker lives for minutes, in which the second one costs more than it gains. Measured, for an imported
        # supplier of 50,000: 161 us of processor with both, 85 without.
        java = ["java", *HEAP, "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.showDateTime=true"]
        return [*java, "-cp", f"{parts / 'libs'}/*", "kafka.Kafka", str(file)], {}

    def _wait(self, deadline: float) -> None:
        ready.kafka(self.address, deadline, self.gone)
