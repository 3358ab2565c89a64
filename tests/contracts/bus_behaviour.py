"""What every bus promises. An adapter's tests inherit this class and give the fixture `adapter` (see store_behaviour)."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import pytest

from shared.bus.port import Bus, Consumer
from shared.clock import FakeClock
from shared.events.envelope import Payload, Record
from shared.events.ratings import ExposurePropagated
from shared.ids import RandomIds
from shared.kernel.aggregate import Aggregate, Decided, Item, Message
from shared.kernel.kernel import Kernel
from shared.kernel.reactor import Reaction, Reactor, cause_of
from shared.store.port import Collection, Commit, Store
from tests.contracts.store_behaviour import Adapter, write

P = 4  # partitions of every adapter under test


class Teller:
    """A service that publishes: writes documents with their events, as the kernel does."""

    def __init__(self, store: Store, bus: Bus) -> None:
        self.store, self.bus = store, bus
        self._versions: Counter[str] = Counter()

    async def tell(self, topic: str, *subjects: str, partition: int | None = None, data: bytes = b"{}", key: bool = False) -> None:
        """One event a subject, in one commit; `partition` None: to all of them."""
        told: dict[str, int] = Counter(subjects)
        writes = []
        for subject in told:
            partitions = tuple(range(P)) if partition is None else (partition,)
            known = self._versions[subject]
            one = write(
                subject, known, topic=topic, partitions=partitions, data=data, key=f"t/{subject}" if key else None,
                events=told[subject], kind="other",
            )  # fmt: skip
            self._versions[subject] += 1
            writes.append(one)
        assert await self.store.commit(Commit(writes)) == []
        await self.bus.publish([r for w in writes for r in w.rows])


async def drain(consumer: Consumer, limit: int = 500) -> list[Record]:
    found: list[Record] = []
    while batch := await consumer.poll(limit, 0):
        found += batch
    return found


def subjects(records: Sequence[Record]) -> list[str]:
    return [r.meta.subject for r in records]


class Sum(msgspec.Struct, frozen=True):
    total: int
    at: datetime


def _count(state: Sum | None, message: Message, now: datetime) -> Decided[Sum] | None:
    """Counts what it is told: a message that has its effect twice shows."""
    told: Payload = ExposurePropagated(supplier_id="s", prohibited=False)
    return Decided(Sum((state.total if state else 0) + 1, now), [told])


SUMS: Aggregate[Sum] = Aggregate("sum", Sum, _count)


class BusBehaviour:
    """Onboarding tells on `suppliers`, intelligence on `signals`; screening reads."""

    @pytest.fixture
    async def onboarding(self, adapter: Adapter) -> Teller:
        return Teller(*await adapter.open("onboarding"))

    @pytest.fixture
    async def intelligence(self, adapter: Adapter) -> Teller:
        return Teller(*await adapter.open("intelligence"))

    @pytest.fixture
    async def reader(self, adapter: Adapter) -> tuple[Store, Bus]:
        return await adapter.open("screening", [Collection("sum")])

    async def test_order_within_a_partition(self, onboarding: Teller, reader: tuple[Store, Bus]) -> None:
        for i in range(60):
            await onboarding.tell("suppliers", f"s{i}", "twice", "twice", partition=i % P)
        consumer = await reader[1].consumer("g", ["suppliers"])
        found = await drain(consumer, 17)
        assert len(found) == 180
        for p in range(P):
            mine = [r for r in found if r.partition == p]
            assert [r.position for r in mine] == sorted({r.position for r in mine})
            assert [r.meta.subject for r in mine if r.meta.subject != "twice"] == [f"s{i}" for i in range(p, 60, P)]
            twice = [(r.meta.sequence, r.meta.n) for r in mine if r.meta.subject == "twice"]
            assert twice == sorted(twice)
        assert await drain(consumer) == []

    async def test_a_broadcast_comes_from_every_partition(self, intelligence: Teller, reader: tuple[Store, Bus]) -> None:
        await intelligence.tell("signals", *(f"e{i}" for i in range(10)))
        whole = await drain(await reader[1].consumer("all", ["signals"], range(P)))
        assert Counter((r.partition, r.meta.subject) for r in whole) == {(p, f"e{i}"): 1 for p in range(P) for i in range(10)}
        some = await drain(await reader[1].consumer("some", ["signals"], [1, 3]))
        assert {r.partition for r in some} == {1, 3}
        assert len(await drain(await reader[1].consumer("first", ["signals"]))) == 10

    async def test_a_poll_gives_at_most_its_limit(self, onboarding: Teller, reader: tuple[Store, Bus]) -> None:
        for p in range(P):
            await onboarding.tell("suppliers", *(f"s{p}-{i}" for i in range(8)), partition=p)
        for limit in (1, 3, 5):
            consumer, found = await reader[1].consumer("g", ["suppliers"]), list[str]()
            while batch := await consumer.poll(limit, 0):
                assert len(batch) <= limit
                found += subjects(batch)
            assert len(found) == len(set(found)) == 8 * P

    async def test_no_partition_waits_for_a_busy_one(self, onboarding: Teller, reader: tuple[Store, Bus]) -> None:
        for p in range(P):
            await onboarding.tell("suppliers", *(f"s{p}-{i:02}" for i in range(30)), partition=p)
        consumer = await reader[1].consumer("g", ["suppliers"])
        seen = {r.partition for _ in range(24) for r in await consumer.poll(3, 0)}
        assert seen == set(range(P))

    async def test_more_than_a_window_in_slices(self, onboarding: Teller, intelligence: Teller, reader: tuple[Store, Bus]) -> None:
        """Suppliers, of which there are very many, never hold up a signal for more than their slice."""
        for at in range(0, 5000, 500):
            await onboarding.tell("suppliers", *(f"s{i}" for i in range(at, at + 500)), partition=at // 500 % P)
        consumer = await reader[1].consumer("g", ["signals", "suppliers"], slices={"suppliers": 100})
        found: list[Record] = []
        for round_ in range(400):
            if round_ == 3:
                await intelligence.tell("signals", "urgent")
            batch = await consumer.poll(500, 0)
            assert sum(r.topic == "suppliers" for r in batch) <= 100
            if round_ == 3:
                assert batch[0].meta.subject == "urgent"
            if not batch:
                break
            found += batch
        assert len({r.meta.subject for r in found if r.topic == "suppliers"}) == 5000 == len(found) - 1
        assert await consumer.lag() == 0

    async def test_positions_come_with_the_effects(self, adapter: Adapter, onboarding: Teller, reader: tuple[Store, Bus]) -> None:
        store, bus = reader
        await onboarding.tell("suppliers", *(f"s{i}" for i in range(6)), partition=2)
        consumer = await bus.consumer("g", ["suppliers"])
        first = await consumer.poll(4, 0)
        done = first[:2] if len(first) > 1 else first
        await store.commit(Commit(consumed=consumer.consumed(done)))
        await consumer.committed(done)
        assert await consumer.poll(4, 0) != first
        await consumer.rewind()
        assert subjects(await drain(consumer)) == [f"s{i}" for i in range(len(done), 6)]
        _, other = await adapter.open("screening", [Collection("sum")])
        assert subjects(await drain(await other.consumer("g", ["suppliers"]))) == [f"s{i}" for i in range(len(done), 6)]
        assert len(await drain(await bus.consumer("another", ["suppliers"]))) == 6

    async def test_lag(self, onboarding: Teller, reader: tuple[Store, Bus]) -> None:
        consumer = await reader[1].consumer("g", ["suppliers"])
        assert await consumer.lag() == 0
        await onboarding.tell("suppliers", *(f"s{i}" for i in range(7)), partition=1)
        assert await consumer.lag() == 7
        got = await consumer.poll(3, 0)
        assert await consumer.lag() == 7 - len(got)

    async def test_the_backlog_is_that_of_the_group_furthest_behind(self, onboarding: Teller, reader: tuple[Store, Bus]) -> None:
        assert await onboarding.bus.backlog("suppliers") == 0
        await onboarding.tell("suppliers", *(f"s{i}" for i in range(9)), partition=1)
        for group, done in (("quick", 7), ("slow", 2)):
            consumer = await reader[1].consumer(group, ["suppliers"])
            records = (await drain(consumer))[:done]
            await reader[0].commit(Commit(consumed=consumer.consumed(records)))
            await consumer.committed(records)
        assert await onboarding.bus.backlog("suppliers") == 7

    async def test_a_replay_up_to_a_position(self, intelligence: Teller, reader: tuple[Store, Bus]) -> None:
        store, bus = reader
        await intelligence.tell("signals", *(f"e{i}" for i in range(2500)))
        consumer = await bus.consumer("g", ["signals"], [0, 1])
        found = [r for r in await drain(consumer) if r.partition == 0]
        upto = {name.removeprefix("g/"): at for name, at in consumer.consumed(found[:2200]).items()}
        assert subjects([r async for r in bus.replay("signals", [0, 1], upto)]) == subjects(found[:2200])
        assert [r async for r in bus.replay("signals", [0, 1], {})] == []
        since = {name.removeprefix("g/"): at for name, at in consumer.consumed(found[:1100]).items()}
        assert subjects([r async for r in bus.replay("signals", [0, 1], upto, since)]) == subjects(found[1100:2200])
        assert [r async for r in bus.replay("signals", [0, 1], upto, upto)] == []
        await store.commit(Commit())

    async def test_a_nudge_wakes_who_waits(self, onboarding: Teller, reader: tuple[Store, Bus]) -> None:
        consumer = await reader[1].consumer("g", ["suppliers"])
        await consumer.poll(10, 0)
        took = []
        for i in range(5):
            waiting = asyncio.create_task(consumer.poll(10, 5.0))
            await asyncio.sleep(0.02)
            began = time.monotonic()
            await onboarding.tell("suppliers", f"s{i}", partition=0)
            assert subjects(await waiting) == [f"s{i}"]
            took.append(time.monotonic() - began)
        assert sorted(took)[2] < 0.1  # seconds; a poll alone finds it after 0.25

    async def test_a_poll_waits_no_longer_than_asked(self, reader: tuple[Store, Bus]) -> None:
        consumer = await reader[1].consumer("g", ["suppliers"])
        began = time.monotonic()
        assert await consumer.poll(10, 0.3) == []
        assert 0.25 < time.monotonic() - began < 2.0

    async def test_all_again_from_the_beginning_changes_nothing(
        self, adapter: Adapter, onboarding: Teller, reader: tuple[Store, Bus]
    ) -> None:
        """More messages than any window holds come again, and have no second effect."""
        for at in range(0, 3000, 250):  # each subject in one partition, as its key says
            p = at // 250 % P
            await onboarding.tell("suppliers", *(f"s{p}-{i % 10}" for i in range(250)), partition=p)
        first = await _sums(*reader)
        assert sum(total for total, _ in first.values()) == 3000
        await adapter.forget("screening", "sums")
        store, bus = await adapter.open("screening", [Collection("sum")])
        assert len(await drain(await bus.consumer("sums", ["suppliers"]))) == 3000
        assert await _sums(store, bus) == first

    async def test_a_half_done_batch_is_finished(self, adapter: Adapter, onboarding: Teller, reader: tuple[Store, Bus]) -> None:
        """The effects are there, how far the input is read is not: each message has its effect once."""
        await onboarding.tell("suppliers", *(f"s{i % 7}" for i in range(100)), partition=3)
        store, bus = reader
        kernel = Kernel("screening", store, bus, FakeClock(), RandomIds())
        records = await drain(await bus.consumer("sums", ["suppliers"]))
        await kernel.apply_many([_item(r) for r in records[:61]])
        store, bus = await adapter.open("screening", [Collection("sum")])
        found = await _sums(store, bus)
        assert sum(total for total, _ in found.values()) == 100


def _item(record: Record) -> Item:
    return Item(SUMS, "t", record.meta.subject, Message(None, cause_of(record)))


async def _sums(store: Store, bus: Bus) -> dict[str, tuple[int, int]]:
    """Counts with a reactor until nothing waits: subject -> (total, version)."""

    async def react(records: Sequence[Record]) -> list[Item]:
        return [_item(r) for r in records]

    reactor = Reactor(Kernel("screening", store, bus, FakeClock(), RandomIds()), Reaction("sums", ("suppliers",), react, batch=300))
    await reactor.start()
    while await reactor.step(0):
        pass
    found: dict[str, tuple[int, int]] = {}
    async for stored in store.documents("sum"):
        state: Any = SUMS.decoder.decode(stored.state)
        found[stored.id] = (state.total, stored.version)
    return found
