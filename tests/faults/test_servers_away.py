"""Kafka or MongoDB is away: a process says so, and goes on when they are back. Servers of the test's own, so that it may stop them."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.onboarding.service import SERVICE
from services.runtime.backends import Servers
from shared.bus.nudge import Nudges
from shared.settings import Settings
from tests.infra import Unavailable
from tests.infra.fixtures import had_or_skipped
from tests.infra.kafka import LocalKafka
from tests.infra.mongo import LocalMongo

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]  # as in test_mongo_adapter.py
_END_S = 15.0  # compose grants twenty seconds, Kubernetes thirty


@pytest.fixture
def kafka_of_ours(tmp_path: Path) -> LocalKafka:
    return LocalKafka(tmp_path / "kafka")


@pytest.fixture
def mongo_of_ours(tmp_path: Path) -> LocalMongo:
    return LocalMongo(tmp_path / "mongo")


@pytest.fixture
async def servers(kafka_of_ours: LocalKafka, mongo_of_ours: LocalMongo, tmp_path: Path) -> AsyncIterator[Servers]:
    for name, server in (("kafka", kafka_of_ours), ("mongo", mongo_of_ours)):
        try:
            await asyncio.to_thread(server.start)
        except Unavailable as error:
            had_or_skipped(name, error)
    settings = Settings(data=tmp_path, bus=f"kafka://{kafka_of_ours.address}", store=mongo_of_ours.address)
    nudges = Nudges(tmp_path / "run", "test")
    made = Servers(settings, nudges)
    store, bus = made.store(SERVICE), made.bus(SERVICE)
    yield made
    await bus.close()
    await store.close()
    await made.close()
    nudges.close()
    await asyncio.to_thread(kafka_of_ours.kill)
    await asyncio.to_thread(mongo_of_ours.kill)


async def until_missing(servers: Servers, wanted: list[str]) -> None:
    async with asyncio.timeout(60):
        while (found := await servers.missing()) != wanted:
            assert set(found) <= {"store", "bus"}
            await asyncio.sleep(0.2)


async def test_who_is_away_is_named_until_it_is_back(servers: Servers, kafka_of_ours: LocalKafka, mongo_of_ours: LocalMongo) -> None:
    assert await servers.missing() == []
    mongo_of_ours.freeze()
    await until_missing(servers, ["store"])
    mongo_of_ours.thaw()
    await until_missing(servers, [])
    await asyncio.to_thread(kafka_of_ours.kill)
    await until_missing(servers, ["bus"])
    await asyncio.to_thread(kafka_of_ours.start)
    await until_missing(servers, [])


async def test_who_ends_while_both_are_away_ends_all_the_same(
    servers: Servers, kafka_of_ours: LocalKafka, mongo_of_ours: LocalMongo
) -> None:
    store, bus = servers.store(SERVICE), servers.bus(SERVICE)
    assert await servers.missing() == [], "both have been asked something, so there are sessions and connections to end"
    await asyncio.gather(asyncio.to_thread(kafka_of_ours.kill), asyncio.to_thread(mongo_of_ours.kill))
    async with asyncio.timeout(_END_S):
        await bus.close()
        await store.close()
        await servers.close()
