"""Hot-spots counted by Faust on a real broker, what takes long: killed at any moment, with a second worker, and after the tables were lost."""

import asyncio
import signal

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from pymongo import AsyncMongoClient

from services.hotspots.service import SERVICE
from services.runtime.backends import mongo_store
from shared.bus.kafka_topics import KafkaTopics
from shared.events.hotspots import HotspotClosed, HotspotDetected
from shared.settings import Settings
from shared.store.mongo import MongoStore
from shared.store.port import DeadLetter
from tests.faults.hotspots_on_kafka import P, World, world

__all__ = ["world"]
_LONG_S = 90  # members come and go


async def test_killed_at_any_moment_it_tells_each_hot_spot_once(world: World) -> None:
    worker = world.worker()
    await worker.ready()
    for n in range(20):
        for k in range(3):
            await world.finding(10 * n + k, hs=f"{5201 + n}00")
        if n in (5, 11):
            worker.end(signal.SIGKILL)
            worker = world.worker()
    told = await world.told(20, _LONG_S)
    assert sorted(t.spot.hs or "" for t in told if isinstance(t, HotspotDetected) and t.spot.kind == "good_origin") == [
        str(5201 + n) for n in range(20)
    ]  # fmt: skip


async def test_a_second_worker_takes_its_share_and_both_know_all(world: World) -> None:
    first = world.worker()
    await first.ready()
    for n in range(8):
        await world.supplier(n, hs=f"{5201 + n}00")
        await world.confirmed(n, "us_ofac_sdn")
        await world.finding(n, hs=f"{5201 + n}00")
    assert await world.told(1, 4) != []  # the sector: eight findings and a publisher
    second = world.worker()
    await second.ready()
    await first.ready()
    for n in range(8):
        await world.finding(100 + n, hs=f"{5201 + n}00")
    told = await world.told(9, _LONG_S)
    assert sorted(t.spot.hs or "" for t in told if t.spot.kind == "good_origin") == [str(5201 + n) for n in range(8)]
    second.end(signal.SIGKILL)  # and its share goes back
    for n in range(8):
        await world.finding(100 + n, hs=f"{5201 + n}00", live=False)
    told = await world.told(17, _LONG_S)
    assert sorted(t.spot.hs or "" for t in told if isinstance(t, HotspotClosed) and t.spot.kind == "good_origin") == [
        str(5201 + n) for n in range(8)
    ]  # fmt: skip


async def test_what_the_kernel_has_counted_the_stream_goes_on_with(world: World) -> None:
    kernel = world.worker(hotspots="kernel")
    await kernel.ready()
    await world.supplier(1)
    await world.finding(1)
    assert await world.told(1, 4) == []
    assert kernel.end() == 0
    await world.worker().ready()
    await world.confirmed(1, "us_ofac_sdn")  # of a supplier that is in no table
    await world.finding(2)
    (opened,) = await world.told(1)
    assert isinstance(opened, HotspotDetected)
    assert set(opened.evidence) == {"fnd_1", "fnd_2", "mat_1"}


@pytest.mark.parametrize("gone", [(), ("matches",)], ids=["", "but what is kept no more"])
async def test_tables_and_offsets_that_were_lost_are_rebuilt_from_the_topics_without_a_second_effect(
    world: World, gone: tuple[str, ...]
) -> None:
    worker = world.worker()
    await worker.ready()
    await world.supplier(1)
    await world.confirmed(1, "us_ofac_sdn")
    for n in (1, 2):
        await world.finding(n)
    before = await world.told(1)
    assert len(before) == 1
    assert worker.end() == 0
    admin = AIOKafkaAdminClient(**world.settings.connection())
    await admin.start()
    own = [t for t in await admin.list_topics() if t.startswith(f"{world.settings.prefix}hotspots-")]
    assert len(own) == 4  # two changelogs, sightings, dead letters that are tried again
    await admin.delete_topics([*own, *(world.settings.prefix + topic for topic in gone)])
    await admin.close()
    await asyncio.sleep(1)
    await KafkaTopics(world.settings, P).apply(("suppliers", *gone))
    await world.forget()
    await world.worker().ready()
    await asyncio.sleep(3)
    assert await world.told(1) == before
    await world.finding(2, live=False)
    assert [type(t) for t in await world.told(2)] == [HotspotDetected, HotspotClosed]


async def test_what_cannot_be_read_is_a_dead_letter_and_its_partition_moves_on(world: World) -> None:
    worker = world.worker()
    await worker.ready()
    await world.finding(1)
    world.bus.spoiled = b'{"signal": 7}'
    await world.finding(2)
    world.bus.spoiled = None
    for n in (3, 4):
        await world.finding(n)
    assert len(await world.told(1)) == 1
    store = mongo_store(client := AsyncMongoClient(world.store_url), SERVICE, Settings(bus=world.bus_url, store=world.store_url))
    letters = [one for one in await _letters(store) if one.tenant == world.tenant]
    assert [(one.group, one.topic, one.state, one.error.partition(" ")[0]) for one in letters] == [
        ("hotspots", "signals", "dead", "ValidationError")
    ]  # fmt: skip
    await store.mark_dead_letter(letters[0].id, "replaying")
    async with asyncio.timeout(30):
        while not any(one.attempts and one.state == "dead" and one.at > letters[0].at for one in await _letters(store)):
            await asyncio.sleep(0.2)
    await client.close()


async def _letters(store: MongoStore) -> list[DeadLetter]:
    found: list[DeadLetter] = []
    while page := await store.dead_letters(after=found[-1].id if found else ""):
        found += page
    return found
