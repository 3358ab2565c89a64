"""What is behind the ports: files on this machine, or Kafka and MongoDB. The settings say which; nothing else knows."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Protocol

from pymongo.uri_parser import parse_uri
from pymongo.write_concern import WriteConcern

from services.runtime.processes import READS
from shared.bus.embedded import EmbeddedBus
from shared.bus.kafka import KafkaBus
from shared.bus.kafka_group import Membership
from shared.bus.kafka_settings import KafkaSettings
from shared.bus.nudge import Nudges
from shared.bus.port import Bus
from shared.errors import Unavailable
from shared.events.topics import waited_for
from shared.kernel.addressing import addressed_again
from shared.kernel.journal import JournalRow
from shared.kernel.service import Service, Task
from shared.settings import Settings
from shared.store.embedded import EmbeddedStore
from shared.store.mongo import MongoStore, closed
from shared.store.mongo_lease import Lease
from shared.store.mongo_reach import reaching
from shared.store.port import Store

log = logging.getLogger("duewatch.backends")
_RELAY_EVERY_S = 2.0
_ANSWER_S = 3.0  # until a server that is asked whether it is there counts as gone
_UNTOLD_S = 2.0  # what is not told by then was left by a writer that died, or that the bus refused

Upkeep = Callable[[], Awaitable[None]]


class Backend(Protocol):
    """Opens the stores and buses of one process."""

    def store(self, service: Service) -> Store:
        """A service's store."""
        ...

    def bus(self, service: Service) -> Bus:
        """The bus as a service reads and writes it, whose store was opened before."""
        ...

    def upkeep(self, service: Service) -> Upkeep | None:
        """What one process of a service does for it for ever, beside its reactions."""
        ...

    def alone(self, service: Service, task: Task) -> Upkeep:
        """A task that one copy of its service does at a time."""
        ...

    async def missing(self) -> list[str]:
        """What does not answer now: "store", "bus"."""
        ...

    async def close(self) -> None:
        """Lets go of what stores and buses share."""
        ...


class Files:
    """The embedded runtime: a file a service."""

    def __init__(self, settings: Settings, nudges: Nudges) -> None:
        self._settings, self._nudges = settings, nudges
        self._stores: dict[str, EmbeddedStore] = {}

    def store(self, service: Service) -> Store:
        made = self._stores[service.name] = EmbeddedStore(self._settings.data / f"{service.name}.db", service.collections())
        return made

    def bus(self, service: Service) -> Bus:
        return EmbeddedBus(self._settings.data, self._nudges, self._stores[service.name], self._settings.partitions)

    def upkeep(self, service: Service) -> Upkeep | None:
        return None

    def alone(self, service: Service, task: Task) -> Upkeep:
        """There are no copies."""
        return task.run

    async def missing(self) -> list[str]:
        return []

    async def close(self) -> None:
        """Nothing is shared."""


class _TellingBus(KafkaBus):
    """After it has published, the store knows that its documents' events are told, and who waits in this machine for something in that store
    looks at once: who waits for events has Kafka.

    What was saved before and is told to nobody, because its writer died or the log was away, goes first: a release's marker must not overtake
    its changes.
    """

    def __init__(self, settings: KafkaSettings, partitions: int, membership: Membership, store: MongoStore, nudges: Nudges) -> None:
        super().__init__(settings, partitions, membership=membership)
        self._store, self._nudges = store, nudges
        self._readers = {store.name, *(name for name, read in READS.items() if store.name in read)}
        self._left, self._telling_first = True, asyncio.Lock()

    async def publish(self, rows: Sequence[JournalRow]) -> None:
        if self._left:
            async with self._telling_first:
                if self._left:
                    await self.tell_late(0.0)
                    self._left = False
        try:
            await self._tell(rows)
        except Unavailable:
            self._store.left(rows)
            self._left = True
            raise

    async def _tell(self, rows: Sequence[JournalRow]) -> None:
        await super().publish([row for row in rows if row.topic])
        self._store.told(rows)
        if waited_for(row.topic for row in rows):
            self._nudges.send(self._readers)

    async def settle(self) -> None:
        await self.tell_late(0.0)

    async def tell_late(self, older_s: float) -> int:
        """Publishes what was written so long ago and not told; of how many documents."""
        address = partial(addressed_again, partitions=self.partitions)
        return await self._store.recover(self._tell, older_s, address, others=not older_s)


class Servers:
    """The distributed runtime: Kafka and MongoDB."""

    def __init__(self, settings: Settings, nudges: Nudges) -> None:
        self._settings, self._nudges = settings, nudges
        self._kafka, self._client = KafkaSettings.parse(settings.bus), mongo_client(settings)
        self._membership = Membership(instance=settings.instance) if settings.instance else Membership.passing()
        self._stores: dict[str, MongoStore] = {}
        self._buses: dict[str, _TellingBus] = {}

    def store(self, service: Service) -> Store:
        made = self._stores[service.name] = mongo_store(self._client, service, self._settings)
        return made

    def bus(self, service: Service) -> Bus:
        store, partitions = self._stores[service.name], self._settings.partitions
        made = self._buses[service.name] = _TellingBus(self._kafka, partitions, self._membership, store, self._nudges)
        return made

    def upkeep(self, service: Service) -> Upkeep | None:
        bus = self._buses[service.name]

        async def relay() -> None:
            """Tells what was written and not told: the bus was away, or the writer died."""
            while True:
                try:
                    if told := await bus.tell_late(_UNTOLD_S):
                        log.info("events of %d documents were told late", told, extra={"service": service.name})
                except Unavailable:
                    log.warning("events wait to be told", extra={"service": service.name})
                await asyncio.sleep(_RELAY_EVERY_S)

        return relay

    def alone(self, service: Service, task: Task) -> Upkeep:
        database = self._client.get_database(database_of(self._settings, service.name), write_concern=WriteConcern("majority"))
        lease, bus = Lease(database, task.name, self._membership.instance), self._buses[service.name]

        async def work() -> None:
            await bus.settle()  # what the last holder left untold
            await task.run()

        async def held() -> None:
            await lease.hold(work)

        return held

    async def missing(self) -> list[str]:
        async def store() -> None:
            async with reaching():
                await self._client.admin.command("ping")

        async def bus() -> None:
            await next(iter(self._buses.values())).answers()

        return [name for name, ask in (("store", store), ("bus", bus)) if not await _in_time(ask())]

    async def close(self) -> None:
        await closed(self._client)


async def _in_time(asking: Awaitable[None]) -> bool:
    try:
        async with asyncio.timeout(_ANSWER_S):
            await asking
    except (Unavailable, TimeoutError):
        return False
    return True


def backend(settings: Settings, nudges: Nudges) -> Backend:
    """The one that the settings choose."""
    return Servers(settings, nudges) if settings.distributed else Files(settings, nudges)


def mongo_client(settings: Settings) -> Any:
    """A client by the driver that the settings name; it connects when it is first asked something."""
    if settings.mongo_driver == "motor":
        from motor.motor_asyncio import AsyncIOMotorClient  # only where it is chosen

        return AsyncIOMotorClient(settings.store)
    from pymongo import AsyncMongoClient

    return AsyncMongoClient(settings.store)


def mongo_store(client: Any, service: Service, settings: Settings) -> MongoStore:
    """A service's store."""
    return MongoStore(client, service.name, service.collections(), database=database_of(settings, service.name))


def database_of(settings: Settings, service: str) -> str:
    """A service's database, whose name begins with that in the store's address, else with `duewatch`."""
    return f"{parse_uri(settings.store)['database'] or 'duewatch'}_{service}"
