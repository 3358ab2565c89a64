"""What every bus promises. An adapter's tests inherit this class and give the fixture `adapter` (see store_behaviour)."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import pytest

from shared.bus.port import Bus
from shared.clock import FakeClock
from shared.events.envelope import Payload, Record
from shared.events.ratings import ExposurePropagated
from shared.ids import RandomIds
from shared.kernel.aggregate import Aggregate, Decided, Item, Message
from shared.kernel.kernel import Kernel
from shared.kernel.reactor import Reaction, Reactor, cause_of
from shared.store.port import Collection, Commit, Store
from tests.contracts.bus_setting import Hears, P, Teller, again, drain, subjects
from tests.contracts.store_behaviour import Adapter


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
        whole = await drain(await reader[1].consumer("all", ["signals"], keeper=Hears()))
        assert Counter((r.partition, r.meta.subject) for r in whole) == {(p, f"e{i}"): 1 for p in range(P) for i in range(10)}
        first = await reader[1].consumer("first", ["signals"])
        read = await drain(first)
        assert (len(read), await first.lag()) == (10, 10)
        await first.committed(read)
        assert await first.lag() == 0

    async def test_a_keeper_hears_what_it_keeps_and_where_that_begins(
        self, onboarding: Teller, intelligence: Teller, reader: tuple[Store, Bus]
    ) -> None:
        await intelligence.tell("signals", "e")
        await onboarding.tell("suppliers", *(f"s{i}" for i in range(5)), partition=2)
        hears = Hears()
        consumer = await reader[1].consumer("g", ["signals", "suppliers"], keeper=hears)
        begin = hears.upto
        assert (hears.numbers, begin, consumer.positions()) == (set(range(P)), consumer.positions(), begin)
        assert begin.keys() == {f"{topic}/{p}" for topic in ("signals", "suppliers") for p in range(P)}
        records = await drain(consumer)
        await reader[0].commit(Commit(consumed=consumer.consumed(records)))
        await consumer.committed(records)
        told = [r for r in records if (r.topic, r.partition) == ("suppliers", 2)]
        assert consumer.positions() == begin | {f"signals/{p}": _last(records, "signals", p) for p in range(P)} | {
            "suppliers/2": told[-1].position
        }
        hears = Hears()
        consumer = await again(consumer, reader[1], "g", ["signals", "suppliers"], hears)
        assert (hears.numbers, hears.upto["suppliers/2"]) == (set(range(P)), told[-1].position)
        assert await drain(consumer) == []

    async def test_a_poll_gives_at_most_its_limit(self, onboarding: Teller, reader: tuple[Store, Bus]) -> None:
        for p in range(P):
            await onboarding.tell("suppliers", *(f"s{p}-{i}" for i in range(8)), partition=p)
        for limit in (1, 3, 5):
            consumer, found = await reader[1].consumer("g", ["suppliers"]), list[str]()
            while batch := await consumer.poll(limit, 0):
                assert len(batch) <= limit
                found += subjects(batch)
            await consumer.close()
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
        consumer = await reader[1].consumer("g", ["signals", "suppliers"], slices=["suppliers"])
        found: list[Record] = []
        for round_ in range(400):
            if round_ == 3:
                await intelligence.tell("signals", "urgent")
            batch = await consumer.poll(500, 0)
            assert sum(r.topic == "suppliers" for r in batch) <= reader[1].slice
            if round_ == 3:
                assert batch[0].meta.subject == "urgent"
            if not batch:
                break
            found += batch
        assert len({r.meta.subject for r in found if r.topic == "suppliers"}) == 5000 == len(found) - 1
        assert await consumer.poll(1, 0) == []

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
        await consumer.close()
        _, other = await adapter.open("screening", [Collection("sum")])
        assert subjects(await drain(await other.consumer("g", ["suppliers"]))) == [f"s{i}" for i in range(len(done), 6)]
        assert len(await drain(await bus.consumer("another", ["suppliers"]))) == 6

    async def test_lag(self, onboarding: Teller, reader: tuple[Store, Bus]) -> None:
        consumer = await reader[1].consumer("g", ["suppliers"])
        assert await consumer.lag() == 0
        await onboarding.tell("suppliers", *(f"s{i}" for i in range(7)), partition=1)
        assert await consumer.lag() == 7
        got = await consumer.poll(3, 0)
        assert await consumer.lag() == 7  # what is under way is not done
        await reader[0].commit(Commit(consumed=consumer.consumed(got)))
        await consumer.committed(got)
        assert await consumer.lag() == 7 - len(got)

    async def test_how_far_a_group_is_behind_as_others_see_it(self, onboarding: Teller, reader: tuple[Store, Bus]) -> None:
        """Also one that has not read yet; another group's place says nothing of it."""
        bus, elsewhere = reader[1], onboarding.bus
        assert await elsewhere.behind("g", "suppliers") == 0
        await onboarding.tell("suppliers", *(f"s{i}" for i in range(9)), partition=1)
        await onboarding.tell("suppliers", *(f"t{i}" for i in range(3)), partition=2)
        assert await elsewhere.behind("g", "suppliers") == 12
        consumer = await bus.consumer("g", ["suppliers"])
        records = [r for r in await drain(consumer) if r.partition == 1][:4]
        await reader[0].commit(Commit(consumed=consumer.consumed(records)))
        await consumer.committed(records)
        for asked in (bus, elsewhere):
            assert (await asked.behind("g", "suppliers"), await asked.behind("other", "suppliers")) == (8, 12)

    async def test_a_replay_up_to_a_position(self, intelligence: Teller, reader: tuple[Store, Bus]) -> None:
        store, bus = reader
        await intelligence.tell("signals", *(f"e{i}" for i in range(2500)))
        consumer = await bus.consumer("g", ["signals"], keeper=Hears())
        found = [r for r in await drain(consumer) if r.partition == 0]
        upto = {"signals/0": found[2199].position}
        assert subjects([r async for r in bus.replay("signals", [0, 1], upto)]) == subjects(found[:2200])
        assert [r async for r in bus.replay("signals", [0, 1], {})] == []
        since = {"signals/0": found[1099].position}
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
        consumer = await bus.consumer("sums", ["suppliers"])
        assert len(await drain(consumer)) == 3000
        await consumer.close()
        assert await _sums(store, bus) == first

    async def test_a_half_done_batch_is_finished(self, adapter: Adapter, onboarding: Teller, reader: tuple[Store, Bus]) -> None:
        """The effects are there, how far the input is read is not: each message has its effect once."""
        await onboarding.tell("suppliers", *(f"s{i % 7}" for i in range(100)), partition=3)
        store, bus = reader
        kernel = Kernel("screening", store, bus, FakeClock(), RandomIds())
        consumer = await bus.consumer("sums", ["suppliers"])
        records = await drain(consumer)
        await consumer.close()
        await kernel.apply_many([_item(r) for r in records[:61]])
        store, bus = await adapter.open("screening", [Collection("sum")])
        found = await _sums(store, bus)
        assert sum(total for total, _ in found.values()) == 100


def _last(records: Sequence[Record], topic: str, partition: int) -> int:
    return max(r.position for r in records if (r.topic, r.partition) == (topic, partition))


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
    assert reactor.consumer
    await reactor.consumer.close()
    found: dict[str, tuple[int, int]] = {}
    async for stored in store.documents("sum"):
        state: Any = SUMS.decoder.decode(stored.state)
        found[stored.id] = (state.total, stored.version)
    return found
