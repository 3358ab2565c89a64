"""Fixtures for tests on a real broker, which tests/infra gives as `kafka`."""

import uuid
from collections.abc import AsyncIterator, Sequence

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import TopicPartition

from shared.bus.kafka import KafkaBus
from shared.bus.kafka_settings import KafkaSettings
from shared.bus.kafka_topics import KafkaTopics
from shared.store.port import Collection
from tests.contracts.bus_setting import P
from tests.contracts.store_behaviour import OTHERS, THINGS
from tests.faults.memory import Memory, MemoryStore

TOPICS_USED = ("suppliers", "signals", "ratings")


@pytest.fixture
async def settings(kafka: str) -> AsyncIterator[KafkaSettings]:
    """With a prefix of its own, so that tests never meet."""
    mine = KafkaSettings.parse(f"kafka://{kafka}/?prefix=test-{uuid.uuid4().hex[:12]}.")
    yield mine
    admin = AIOKafkaAdminClient(**mine.connection())
    await admin.start()
    await admin.delete_topics([t for t in await admin.list_topics() if t.startswith(mine.prefix)])
    await admin.close()


async def forgotten(settings: KafkaSettings, group: str) -> None:
    """A group goes back to the beginning of everything."""
    consumer = AIOKafkaConsumer(**settings.connection(), group_id=settings.prefix + group, enable_auto_commit=False)
    places = [TopicPartition(settings.prefix + topic, p) for topic in TOPICS_USED for p in range(P)]
    consumer.assign(places)
    await consumer.start()
    await consumer.commit(dict.fromkeys(places, 0))
    await consumer.stop()


class OnKafka:
    """The log on the broker, documents in memory. Every handle has clients of its own, as a process has."""

    def __init__(self, settings: KafkaSettings) -> None:
        self.settings = settings
        self._memory = Memory()
        self._buses: list[KafkaBus] = []

    async def open(
        self, service: str, collections: Sequence[Collection] = (THINGS, OTHERS), *, delivery_s: float = 30.0
    ) -> tuple[MemoryStore, KafkaBus]:
        bus = KafkaBus(self.settings, P, delivery_s=delivery_s)
        self._buses.append(bus)
        return MemoryStore(self._memory, service, collections), bus

    async def forget(self, service: str, group: str) -> None:
        await forgotten(self.settings, group)

    async def close(self) -> None:
        for bus in self._buses:
            await bus.close()


@pytest.fixture
async def adapter(settings: KafkaSettings) -> AsyncIterator[OnKafka]:
    await KafkaTopics(settings, P).apply(TOPICS_USED)
    opened = OnKafka(settings)
    yield opened
    await opened.close()
