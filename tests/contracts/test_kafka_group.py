"""Members of one group that share partitions, on a real broker."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable

from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata

from shared.bus.kafka_consumer import KafkaConsumer
from shared.bus.kafka_group import Membership, SameNumbers
from shared.errors import Unavailable
from shared.events.envelope import Record
from tests.contracts.bus_behaviour import P, Teller
from tests.contracts.kafka_handles import OnKafka, adapter, settings

__all__ = ["adapter", "settings"]
_SESSION_S = 6.0  # the shortest that a broker takes unless told otherwise


class Member:
    """A process of the group: handles what it gets, and knows its partitions by the hooks."""

    def __init__(self, name: str) -> None:
        self.numbers: set[int] = set()
        self.records: list[Record] = []
        self.consumer: KafkaConsumer | None = None
        self.membership = Membership(instance=name, session_s=_SESSION_S, assigned=self._won, revoked=self._lost)

    async def _won(self, numbers: frozenset[int]) -> None:
        assert not self.numbers & numbers
        self.numbers |= numbers

    async def _lost(self, numbers: frozenset[int]) -> None:
        assert self.numbers >= numbers
        self.numbers -= numbers

    async def run(self, adapter: OnKafka) -> None:
        _, bus = await adapter.open("screening")
        self.consumer = await bus.member("g", ["signals", "suppliers"], self.membership)
        while True:
            try:
                records = await self.consumer.poll(50, 0.2)
                assert {r.partition for r in records} <= self.numbers
                await self.consumer.committed(records)
                self.records += records
            except Unavailable:
                await self.consumer.rewind()


async def _until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.02)


async def test_members_share_and_one_that_is_killed_is_replaced(adapter: OnKafka) -> None:
    onboarding, intelligence = Teller(*await adapter.open("onboarding")), Teller(*await adapter.open("intelligence"))

    async def tell(name: str) -> None:
        for p in range(P):
            await onboarding.tell("suppliers", *(f"{name}{p}-{i}" for i in range(20)), partition=p)
        await intelligence.tell("signals", name)

    one, two = Member("one"), Member("two")
    running = [asyncio.create_task(one.run(adapter))]
    await _until(lambda: len(one.numbers) == P)
    running.append(asyncio.create_task(two.run(adapter)))
    await _until(lambda: len(one.numbers) == len(two.numbers) == P // 2)
    await tell("both")
    await _until(lambda: len(one.records) + len(two.records) >= P * 21)
    seen = Counter((r.topic, r.partition, r.position) for m in (one, two) for r in m.records)
    assert set(seen.values()) == {1}
    assert one.numbers | two.numbers == set(range(P))

    running[0].cancel()  # as killed: a member with an instance's name never says that it leaves
    await asyncio.gather(running[0], return_exceptions=True)
    assert one.consumer is not None
    await one.consumer.close()
    began = time.monotonic()
    await tell("alone")
    await _until(lambda: len(two.numbers) == P)
    await _until(lambda: sum(r.meta.subject.startswith("alone") for r in two.records) >= P * 21)
    assert {(r.topic, r.partition, r.position) for r in two.records if r.meta.subject.startswith("alone")} == {
        (topic, p, at) for p in range(P) for topic, last in (("suppliers", range(21, 41)), ("signals", range(2, 3))) for at in last
    }
    assert time.monotonic() - began < 3 * _SESSION_S
    running[1].cancel()
    await asyncio.gather(running[1], return_exceptions=True)


async def test_an_instance_that_comes_back_has_its_partitions_at_once(adapter: OnKafka) -> None:
    onboarding = Teller(*await adapter.open("onboarding"))
    one, two = Member("one"), Member("two")
    running = [asyncio.create_task(m.run(adapter)) for m in (one, two)]
    await _until(lambda: len(one.numbers) == len(two.numbers) == P // 2)
    running[0].cancel()
    await asyncio.gather(running[0], return_exceptions=True)
    assert one.consumer is not None
    await one.consumer.close()
    again = Member("one")
    began = time.monotonic()
    running[0] = asyncio.create_task(again.run(adapter))
    await _until(lambda: again.numbers == one.numbers)
    for p in range(P):
        await onboarding.tell("suppliers", f"s{p}", partition=p)
    await _until(lambda: len(again.records) == len(two.records) == P // 2)
    assert time.monotonic() - began < _SESSION_S / 2
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


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
