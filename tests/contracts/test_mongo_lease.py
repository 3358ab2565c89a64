"""Who of several processes does a piece of work, by a lease on a real MongoDB."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient

from shared.clock import FakeClock
from shared.errors import Unavailable
from shared.events.envelope import Payload
from shared.events.ratings import ExposurePropagated
from shared.ids import RandomIds
from shared.kernel.aggregate import Aggregate, Cause, Decided, Item, Message
from shared.kernel.kernel import Kernel
from shared.store import mongo_lease
from shared.store.mongo import closed
from shared.store.mongo_lease import Lease
from shared.store.port import Collection
from tests.faults.memory import Memory, MemoryStore
from tests.faults.memory_bus import MemoryBus

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # as in test_mongo_adapter.py


@pytest.fixture(params=[AsyncMongoClient, AsyncIOMotorClient], ids=["pymongo", "motor"])
async def database(request: pytest.FixtureRequest, mongo: str) -> AsyncIterator[Any]:
    client = request.param(mongo)
    found = client.get_database(f"t{secrets.token_hex(4)}")
    yield found
    await client.drop_database(found.name)
    await closed(client)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("_HELD_S", 1.5), ("_MARGIN_S", 0.5), ("_LOOK_S", 0.05), ("_RENEW_S", 0.2)):
        monkeypatch.setattr(mongo_lease, name, seconds)


class Worker:
    """Works until it is stopped, and says when it does."""

    def __init__(self, database: Any, holder: str) -> None:
        self.lease = Lease(database, "releases", holder)
        self.at_work = asyncio.Event()
        self.stopped = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    async def _work(self) -> None:
        self.at_work.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.stopped.set()

    def start(self) -> "Worker":
        self.task = asyncio.create_task(self.lease.hold(self._work))
        return self

    async def end(self) -> None:
        assert self.task
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


async def soon(event: asyncio.Event) -> None:
    async with asyncio.timeout(10):
        await event.wait()


async def test_one_at_a_time_and_the_next_when_it_ends(database: Any, short: None) -> None:
    one = Worker(database, "one").start()
    await soon(one.at_work)
    two = Worker(database, "two").start()
    await asyncio.sleep(2.0)  # longer than a lease that is not renewed
    assert not two.at_work.is_set()
    await one.end()
    await soon(two.at_work)
    await two.end()
    assert await database["lease"].count_documents({}) == 0


async def test_one_that_says_nothing_any_more_is_replaced(database: Any, short: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stops by itself before the other begins: a process that is cut off, whose store does not answer it."""
    one = Worker(database, "one").start()
    await soon(one.at_work)

    async def cut_off() -> bool:
        await asyncio.sleep(60)
        return True

    monkeypatch.setattr(one.lease, "take", cut_off)
    two = Worker(database, "two").start()
    await soon(two.at_work)
    assert one.stopped.is_set()
    await two.end()
    await one.end()


async def test_one_that_was_frozen_writes_nothing_when_it_wakes(database: Any, short: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its clock says that too long has passed before anything else does."""
    kernel = _kernel()
    results: list[str] = []
    go = asyncio.Event()

    async def work() -> None:
        await kernel.execute(_item("before"))
        await go.wait()
        try:
            await kernel.execute(_item("after"))
        except Unavailable:
            results.append("refused")

    lease = Lease(database, "releases", "one")
    working = asyncio.create_task(lease.hold(work))
    while await kernel.get(NOTES, "t", "before") is None:
        await asyncio.sleep(0.01)
    monotonic = mongo_lease.time.monotonic
    monkeypatch.setattr(mongo_lease.time, "monotonic", lambda: monotonic() + 60)
    go.set()
    await working
    monkeypatch.setattr(mongo_lease.time, "monotonic", monotonic)
    assert results == ["refused"]
    assert await kernel.get(NOTES, "t", "after") is None
    await kernel.execute(_item("other"))  # what is no such work needs no lease


async def test_it_comes_back_under_its_name_and_goes_on_at_once(database: Any, short: None) -> None:
    assert await Lease(database, "releases", "one").take()  # and dies
    assert not await Lease(database, "releases", "two").take()
    assert await Lease(database, "imports", "two").take()
    assert await Lease(database, "releases", "one").take()


async def test_two_of_one_name_do_not_work_both(database: Any, short: None, caplog: pytest.LogCaptureFixture) -> None:
    """A mistake of whoever runs them: the later one works, the other says what is wrong."""
    one = Worker(database, "same").start()
    await soon(one.at_work)
    two = Worker(database, "same").start()
    await soon(two.at_work)
    await soon(one.stopped)
    assert "another process runs under the name" in caplog.text
    await asyncio.sleep(1.0)
    assert not two.stopped.is_set()
    await one.end()
    await two.end()


async def test_what_the_work_raises_is_raised_and_the_lease_is_free(database: Any, short: None) -> None:
    async def work() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await Lease(database, "releases", "one").hold(work)
    assert await Lease(database, "releases", "two").take()


def _decide(state: dict[str, int] | None, _message: Message, _now: Any) -> Decided[dict[str, int]]:
    told: Payload = ExposurePropagated(supplier_id="s", prohibited=False)
    return Decided({"n": (state or {}).get("n", 0) + 1}, [told])


NOTES: Aggregate[dict[str, int]] = Aggregate("note", dict, _decide)


def _kernel() -> Kernel:
    memory = Memory()
    store = MemoryStore(memory, "s", [Collection("note")])
    return Kernel("s", store, MemoryBus(memory, "s"), FakeClock(), RandomIds())


def _item(id_: str) -> Item:
    return Item(NOTES, "t", id_, Message(None, Cause(f"cmd_{id_}", "test")))
