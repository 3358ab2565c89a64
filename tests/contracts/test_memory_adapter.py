"""The in-memory pair of the fault tests: both suites, and the crashes that it can show."""

import random
from collections.abc import Sequence

import pytest

from shared.store.port import Collection, Commit
from tests.contracts.bus_behaviour import BusBehaviour
from tests.contracts.bus_setting import Teller, drain, subjects
from tests.contracts.handles_behaviour import TwoHandles
from tests.contracts.store_behaviour import OTHERS, THINGS, StoreBehaviour, versions, write
from tests.faults.memory import Memory, MemoryStore
from tests.faults.memory_bus import MemoryBus


class InMemory:
    def __init__(self) -> None:
        self.memory = Memory()

    async def open(self, service: str, collections: Sequence[Collection] = (THINGS, OTHERS)) -> tuple[MemoryStore, MemoryBus]:
        return MemoryStore(self.memory, service, collections), MemoryBus(self.memory, service)

    async def forget(self, service: str, group: str) -> None:
        for positions in (self.memory.offsets, self.memory.databases[service].positions):
            for name in [n for n in positions if n.startswith(group + "/")]:
                del positions[name]


@pytest.fixture
def adapter() -> InMemory:
    return InMemory()


class TestMemoryStore(StoreBehaviour):
    async def test_a_crash_cuts_a_commit_anywhere(self, adapter: InMemory) -> None:
        """What was written is some of it, in no order; positions never without all of it."""
        seen = set()
        for steps in range(8):
            memory = Memory(rng=random.Random(steps))
            store = MemoryStore(memory, "onboarding", [THINGS])
            running = store.commit(Commit([write(f"d{i}") for i in range(5)], {"g/x/0": 1}))
            for _ in range(steps):
                try:
                    running.send(None)
                except StopIteration:
                    break
            running.close()
            written = tuple(v is not None for v in await versions(store, *(f"d{i}" for i in range(5))))
            assert sum(written) == min(5, max(0, steps - 1))
            assert bool(await store.positions("")) == (steps == 7)
            seen.add(written)
        assert len(seen) == 6


class TestMemoryHandles(TwoHandles):
    pass


class TestMemoryBus(BusBehaviour):
    async def test_what_a_crash_left_unpublished_is_published_again(self, adapter: InMemory) -> None:
        store, bus = await adapter.open("onboarding")
        one = write("a", kind="other", topic="suppliers", events=2)
        await store.commit(Commit([one]))
        consumer = await bus.consumer("g", ["suppliers"])
        assert await drain(consumer) == []
        publishing = bus.publish(one.rows)
        publishing.send(None)
        publishing.send(None)  # the first is sent
        publishing.close()
        assert [r.meta.n for r in await drain(consumer)] == [0]
        await bus.recover()
        assert [r.meta.n for r in await drain(consumer)] == [0, 1]
        await bus.recover()
        assert await drain(consumer) == []

    async def test_a_later_version_never_goes_before_an_earlier_one(self, adapter: InMemory) -> None:
        store, bus = await adapter.open("onboarding")
        first, second = write("a", kind="other", topic="suppliers"), write("a", 1, kind="other", topic="suppliers")
        await store.commit(Commit([first]))
        await store.commit(Commit([second]))
        await bus.publish(second.rows)
        await bus.publish(first.rows)
        found = await drain(await bus.consumer("g", ["suppliers"]))
        assert [r.meta.sequence for r in found] == [1, 2, 1]

    async def test_effects_without_their_offsets_come_again(self, adapter: InMemory, onboarding: Teller) -> None:
        await onboarding.tell("suppliers", "a", "b", partition=0)
        store, bus = await adapter.open("screening")
        consumer = await bus.consumer("g", ["suppliers"])
        records = await consumer.poll(10, 0)
        await store.commit(Commit(consumed=consumer.consumed(records)))
        await consumer.close()
        again = await bus.consumer("g", ["suppliers"])
        assert subjects(await drain(again)) == ["a", "b"]
        await again.committed(records)
        assert await drain(await bus.consumer("g", ["suppliers"])) == []
