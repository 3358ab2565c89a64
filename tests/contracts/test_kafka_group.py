"""Members of one group that share partitions, on a real broker."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable

import pytest
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata

from shared.bus.kafka import KafkaBus
from shared.bus.kafka_consumer import KafkaConsumer
from shared.bus.kafka_group import Membership, SameNumbers, moved
from shared.errors import Unavailable
from shared.events.envelope import Record
from tests.contracts.bus_setting import Hears, P, Teller
from tests.contracts.kafka_handles import OnKafka, adapter, settings

__all__ = ["adapter", "settings"]
_SESSION_S = 6.0  # the shortest that a broker takes unless told otherwise


class Member:
    """A process of the group: handles what it gets, and knows its partitions by what it hears."""

    def __init__(self, name: str, *, lasting: bool = True) -> None:
        self.hears = Hears()
        self.records: list[Record] = []
        self.bus: KafkaBus | None = None
        self.consumer: KafkaConsumer | None = None
        self.membership = Membership(instance=name, lasting=lasting, session_s=_SESSION_S)

    @property
    def numbers(self) -> frozenset[int]:
        return self.hears.numbers

    async def begin(self, adapter: OnKafka) -> None:
        self.bus = KafkaBus(adapter.settings, P, membership=self.membership)
        self.consumer = await self.bus.consumer("g", ["signals", "suppliers"], keeper=self.hears)

    async def run(self, adapter: OnKafka) -> None:
        await self.begin(adapter)
        assert self.consumer is not None
        while True:
            try:
                records = await self.consumer.poll(50, 0.2)
                assert {r.partition for r in records} <= self.numbers
                await self.consumer.committed(records)
                self.records += records
            except Unavailable:
                await self.consumer.rewind()

    async def end(self, running: "asyncio.Task[None] | None" = None) -> None:
        if running is not None:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        assert self.bus is not None
        await self.bus.close()


async def _until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("lasting", [True, False])
async def test_members_share_and_one_that_ends_is_replaced(adapter: OnKafka, lasting: bool) -> None:
    """One with a lasting name never says that it leaves: as one that is killed. The other's place is taken at once."""
    onboarding, intelligence = Teller(*await adapter.open("onboarding")), Teller(*await adapter.open("intelligence"))

    async def tell(name: str) -> None:
        for p in range(P):
            await onboarding.tell("suppliers", *(f"{name}{p}-{i}" for i in range(20)), partition=p)
        await intelligence.tell("signals", name)

    one, two = Member("one", lasting=lasting), Member("two")
    running = [asyncio.create_task(one.run(adapter))]
    await _until(lambda: len(one.numbers) == P)
    running.append(asyncio.create_task(two.run(adapter)))
    await _until(lambda: len(one.numbers) == len(two.numbers) == P // 2)
    await tell("both")
    await _until(lambda: len(one.records) + len(two.records) >= P * 21)
    seen = Counter((r.topic, r.partition, r.position) for m in (one, two) for r in m.records)
    assert set(seen.values()) == {1}
    assert one.numbers | two.numbers == set(range(P))

    await one.end(running[0])
    began = time.monotonic()
    await tell("alone")
    await _until(lambda: len(two.numbers) == P)
    await _until(lambda: sum(r.meta.subject.startswith("alone") for r in two.records) >= P * 21)
    assert {(r.topic, r.partition, r.position) for r in two.records if r.meta.subject.startswith("alone")} == {
        (topic, p, at) for p in range(P) for topic, last in (("suppliers", range(21, 41)), ("signals", range(2, 3))) for at in last
    }
    assert time.monotonic() - began < (3 * _SESSION_S if lasting else _SESSION_S - 1.0)
    await two.end(running[1])


async def test_an_instance_that_comes_back_has_its_partitions_at_once(adapter: OnKafka) -> None:
    onboarding = Teller(*await adapter.open("onboarding"))
    one, two = Member("one"), Member("two")
    running = [asyncio.create_task(m.run(adapter)) for m in (one, two)]
    await _until(lambda: len(one.numbers) == len(two.numbers) == P // 2)
    await one.end(running[0])
    again = Member("one")
    began = time.monotonic()
    running[0] = asyncio.create_task(again.run(adapter))
    await _until(lambda: again.numbers == one.numbers)
    for p in range(P):
        await onboarding.tell("suppliers", f"s{p}", partition=p)
    await _until(lambda: len(again.records) == len(two.records) == P // 2)
    assert time.monotonic() - began < _SESSION_S / 2
    await again.end(running[0])
    await two.end(running[1])


async def test_who_was_busy_while_another_read_its_partitions_and_left_hears_of_it(adapter: OnKafka) -> None:
    """Between two polls they went and came back, and what was read of them meanwhile is in the other's memory only."""
    onboarding = Teller(*await adapter.open("onboarding"))
    one, two = Member("one"), Member("two", lasting=False)
    await one.begin(adapter)
    assert one.consumer is not None
    assert (one.numbers, one.hears.times) == (set(range(P)), 1)
    running = asyncio.create_task(two.run(adapter))
    await _until(lambda: len(two.numbers) == P // 2)
    for p in range(P):
        await onboarding.tell("suppliers", f"s{p}", partition=p)
    await _until(lambda: len(two.records) == P // 2)
    theirs = two.numbers
    await two.end(running)
    found: list[Record] = []
    async with asyncio.timeout(20):
        while len(found) < P // 2 or one.hears.times == 1:
            found += await one.consumer.poll(50, 0.2)
    assert {r.partition for r in found} == set(range(P)) - theirs
    assert (one.hears.times, one.hears.last) == (2, theirs)
    assert {one.hears.upto[f"suppliers/{p}"] for p in theirs} == {1}
    await one.end()


def test_what_moves() -> None:
    """Numbers held and dealt, where each begins, where this member stands -> lost, won."""

    def of(held: str, dealt: str, begin: dict[str, int], at: dict[str, int]) -> tuple[str, str]:
        lost, won = moved(frozenset(map(int, held)), frozenset(map(int, dealt)), begin, at, lambda place: int(place[-1]))
        return "".join(map(str, sorted(lost))), "".join(map(str, sorted(won)))

    assert of("", "01", {"s0": 0, "s1": 7}, {}) == ("", "01")
    assert of("01", "12", {"s1": 3, "s2": 9}, {"s0": 5, "s1": 4}) == ("0", "2")
    assert of("01", "01", {"s0": 5, "s1": 4}, {"s0": 5, "s1": 4}) == ("", "")
    assert of("01", "01", {"s0": 6, "s1": 4, "t1": 0}, {"s0": 5, "s1": 4, "t1": 0}) == ("0", "0")
    assert of("01", "1", {"s1": 5}, {"s0": 5, "s1": 4}) == ("01", "1")


def test_the_same_number_goes_to_the_same_member() -> None:
    class Cluster:
        def partitions_for_topic(self, topic: str) -> set[int] | None:
            return {"suppliers": {0, 1, 2, 3}, "signals": {0, 1, 2, 3, 4}}.get(topic)

    def dealt(*names: str) -> dict[str, dict[str, list[int]]]:
        members = {n: ConsumerProtocolMemberMetadata(0, ["suppliers", "signals", "missing"], b"") for n in names}
        return {name: dict(found.assignment) for name, found in SameNumbers.assign(Cluster(), members).items()}

    assert dealt("b", "a") == {"a": {"suppliers": [0, 2], "signals": [0, 2, 4]}, "b": {"suppliers": [1, 3], "signals": [1, 3]}}
    assert dealt("a") == {"a": {"suppliers": [0, 1, 2, 3], "signals": [0, 1, 2, 3, 4]}}
    many = dealt("a", "b", "c", "d", "e", "f")
    assert many["f"] == {}
    assert many["e"] == {"signals": [4]}
