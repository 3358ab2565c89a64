"""Kafka and MongoDB together, as the distributed runtime has them, under the suite of every bus."""

import asyncio
import gc
import secrets
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from pymongo import AsyncMongoClient

from services.runtime.backends import Servers
from services.runtime.deployment import topics_of
from shared.bus.kafka_settings import KafkaSettings
from shared.bus.nudge import Nudges
from shared.bus.port import Bus
from shared.kernel.aggregate import Aggregate
from shared.kernel.service import Service
from shared.settings import Settings
from shared.store.mongo import MongoStore, closed
from shared.store.port import Collection, Commit
from tests.contracts.bus_behaviour import BusBehaviour
from tests.contracts.bus_setting import drain, subjects
from tests.contracts.kafka_handles import forgotten
from tests.contracts.store_behaviour import OTHERS, THINGS, write

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # as in test_mongo_adapter.py


class OnServers:
    """Composed as a process composes them, for services of the test's own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._opened: list[tuple[Nudges, Servers, MongoStore, Bus]] = []

    async def open(self, service: str, collections: Sequence[Collection] = (THINGS, OTHERS)) -> tuple[MongoStore, Bus]:
        nudges = Nudges(self._settings.data / "run", f"{service}-{len(self._opened)}")
        servers = Servers(self._settings, nudges)
        one = Declared(service, tuple(collections))
        store: Any = servers.store(one)
        await store.migrate()
        bus = servers.bus(one)
        self._opened.append((nudges, servers, store, bus))
        return store, bus

    def nudges(self, number: int) -> Nudges:
        """Of the handle that was opened behind so many others."""
        return self._opened[number][0]

    async def forget(self, service: str, group: str) -> None:
        await forgotten(KafkaSettings.parse(self._settings.bus), group)

    async def close(self) -> None:
        for nudges, servers, store, bus in self._opened:
            await bus.close()
            await store.close()
            await servers.close()
            nudges.close()


class Declared(Service):
    """A service that is nothing but its collections."""

    def __init__(self, name: str, collections: tuple[Collection, ...]) -> None:
        super().__init__(name, tuple[Aggregate[Any], ...]())
        object.__setattr__(self, "_collections", collections)

    def collections(self) -> list[Collection]:
        return list(self.__dict__["_collections"])


@pytest.fixture
async def adapter(kafka: str, mongo: str, tmp_path: Any) -> AsyncIterator[OnServers]:
    name = f"t{secrets.token_hex(4)}"
    settings = Settings(data=tmp_path, bus=f"kafka://{kafka}/?prefix={name}.", store=mongo.replace("/?", f"/{name}?"))
    await topics_of(settings).apply(["suppliers", "signals", "ratings", "decisions"])
    made = OnServers(settings)
    yield made
    await made.close()
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.delete_topics([topic for topic in await admin.list_topics() if topic.startswith(f"{name}.")])
    await admin.close()
    client: Any = AsyncMongoClient(mongo)
    for database in await client.list_database_names():
        if database.startswith(name):
            await client.drop_database(database)
    await closed(client)
    gc.collect()  # here, where the warning of a socket left open is not an error


class TestServersBus(BusBehaviour):
    async def test_what_was_left_untold_is_told_before_the_next_record_is_read(self, adapter: OnServers) -> None:
        """A process died between its commit and its publishing: what it did comes before what is done on the same records again."""
        store, _ = await adapter.open("onboarding")
        assert await store.commit(Commit([write("a", topic="suppliers")])) == []
        _, bus = await adapter.open("onboarding")
        await bus.consumer("g", ["ratings"])
        _, elsewhere = await adapter.open("screening")
        assert subjects(await drain(await elsewhere.consumer("other", ["suppliers"]))) == ["a"]

    async def test_what_nobody_waits_for_wakes_nobody(self, adapter: OnServers) -> None:
        """Others than who looks into that store: its service's processes, and those that read it, too. Who waits for events has Kafka."""
        store, bus = await adapter.open("assessment")
        for service in ("assessment", "gate", "screening"):
            await adapter.open(service)
        woken = {number: asyncio.Event() for number in range(4)}
        for number, event in woken.items():
            adapter.nudges(number).add(event)
        for topic, wakes in (("decisions", set[int]()), ("ratings", {0, 1, 2})):
            one = write(topic, topic=topic)
            assert await store.commit(Commit([one])) == []
            await bus.publish(one.rows)
            await asyncio.sleep(0.05)  # a datagram would be there already; the loop looks for it
            assert {number for number, event in woken.items() if event.is_set()} == wakes
