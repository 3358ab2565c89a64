"""What the servers hold, read past the product: every service's journal, and every partition of the log. Grows by what came since the last look."""

import hashlib
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec
from aiokafka.structs import ConsumerRecord, TopicPartition
from bson import Timestamp
from pymongo import MongoClient

from services.runtime.processes import MODULES, load
from shared.bus.kafka_records import record
from shared.events.envelope import CATALOGUE, Meta, encode
from shared.events.topics import TOPICS
from shared.kernel.service import Service
from shared.store.mongo_layout import first
from tests.faults.invariants import Effect
from tests.faults.servers.log import PARTITIONS, PREFIX
from tests.faults.servers.world import DATABASE, World

SERVICES: dict[str, Service] = {service.name: service for service in load(MODULES)}
_meta = msgspec.json.Decoder(Meta)
Place = tuple[str, bytes]  # "topic/partition", and the digest of an event's attributes and data


class Entry(NamedTuple):
    """One of a journal."""

    cause: str
    made: tuple[str, str, str, int]  # kind, tenant, id, version
    type: str


class Ledger:
    """Of one world. `saved` and `told` say what should be and what is on Kafka."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.client = MongoClient[dict[str, Any]](world.mongo.address)
        self.entries: dict[str, list[Entry]] = defaultdict(list)
        self.saved: set[Place] = set()
        self.told: dict[Place, str] = {}  # with the event's id
        self.logs: dict[str, list[Meta]] = defaultdict(list)
        self._last: dict[str, Any] = {}
        self._at: dict[TopicPartition, int] = {}

    def database(self, service: str) -> Any:
        """A service's database."""
        return self.client[f"{DATABASE}_{service}"]

    def states(self, service: str, kind: str, tenant: str) -> dict[str, Any]:
        """id -> state of all documents of a kind that a tenant has."""
        (aggregate,) = (a for a in SERVICES[service].aggregates if a.kind == kind)
        return {one["i"]: aggregate.decoder.decode(one["s"]) for one in self.database(service)[kind].find({"t": tenant})}

    def effects(self, service: str) -> Iterator[Effect]:
        """Each cause with the versions of aggregates that it made."""
        return ((entry.cause, entry.made) for entry in self.entries[service])

    @contextmanager
    def failing(self, times: int, data: dict[str, Any]) -> Iterator[Callable[[], int]]:
        """So many commands of anybody fail as `data` says (mongod's fail point failCommand), until the block ends; gives how many have."""
        admin = self.client.admin

        def entered() -> int:
            return int(admin.command({"getParameter": 1, "failpoint.failCommand": 1})["failpoint.failCommand"]["timesEntered"])

        before = entered()
        admin.command({"configureFailPoint": "failCommand", "mode": {"times": times}, "data": data})
        try:
            yield lambda: entered() - before
        finally:
            admin.command({"configureFailPoint": "failCommand", "mode": "off"})

    def untold(self) -> int:
        """Batches with events that are not known to be on the bus; not those that their writer died before."""
        written = {"again": {"$exists": False}}
        return sum(int(self.database(service)["outbox"].count_documents(written)) for service in SERVICES)

    def dead_letters(self) -> list[dict[str, Any]]:
        """Of all services."""
        return [letter for service in SERVICES for letter in self.database(service)["dead_letter"].find()]

    def written(self, service: str) -> int:
        """How many documents and entries of the journal there are: it grows with whatever a service writes."""
        return sum(int(one.count_documents({})) for one in self._collections(service))

    def about(self, service: str) -> int:
        """The same by the server's own account, which is no look at any of them, and may be off where mongod was killed."""
        return sum(int(one.estimated_document_count()) for one in self._collections(service))

    def _collections(self, service: str) -> list[Any]:
        kinds = (collection.kind for collection in SERVICES[service].collections())
        return [self.database(service)[name] for name in ("journal", *kinds)]

    def read(self) -> None:
        """What has come. To be called when nothing is being written, for a writer that is slower would be passed over."""
        for service in SERVICES:
            self._journal(service)
        self._at = self._world.log.read(self._heard, self._at)

    def _journal(self, service: str) -> None:
        behind = {"ts": {"$gt": self._last.get(service, Timestamp(0, 0))}}
        found = [(one["ts"], one) for one in self.database(service)["journal"].find(behind)]
        for kind in (collection.kind for collection in SERVICES[service].collections()):
            found += [(made["ts"], one) for made in self.database(service)[kind].find(behind) for one in first(kind, made)]
        for ts, one in sorted(found, key=itemgetter(0)):
            self._last[service], meta = ts, _meta.decode(one["meta"])
            self.entries[service].append(Entry(meta.causationid, (one["kind"], one["tenant"], one["subject"], one["version"]), one["type"]))
            topic = TOPICS.get(CATALOGUE[one["type"]].topic or "")
            if topic is not None:
                mine = [zlib.crc32(meta.partitionkey.encode()) % PARTITIONS]
                numbers = range(PARTITIONS) if topic.broadcast else mine
                self.saved |= {(f"{topic.name}/{number}", _digest(meta, one["data"])) for number in numbers}

    def _heard(self, place: TopicPartition, messages: "list[ConsumerRecord[bytes, bytes]]") -> None:
        topic = place.topic.removeprefix(PREFIX)
        for message in messages:
            found = record(topic, message)
            self.logs[f"{topic}/{place.partition}"].append(found.meta)
            self.told[f"{topic}/{place.partition}", _digest(found.meta, found.data)] = found.meta.id


def _digest(meta: Meta, data: bytes | None) -> bytes:
    return hashlib.blake2b(encode(meta) + b"\n" + (data or b"null"), digest_size=16).digest()
