"""The bus of the in-memory pair: see memory.py."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from shared.bus.embedded import position_name
from shared.events.envelope import Record
from shared.events.topics import TOPICS
from shared.kernel.journal import JournalRow
from tests.faults.memory import Memory

_Subject = tuple[str, str, str]  # kind, tenant, id


class MemoryConsumer:
    """See shared.bus.port.Consumer."""

    def __init__(self, bus: "MemoryBus", group: str, places: Sequence[tuple[str, int]], slices: Mapping[str, int]) -> None:
        self._bus, self._memory, self._group, self._places, self._slices = bus, bus.memory, group, list(places), slices
        self._topics = list(dict.fromkeys(t for t, _ in self._places))
        self._positions: dict[tuple[str, int], int] = {}

    async def rewind(self) -> None:
        self._positions = {(t, p): self._memory.offsets.get(position_name(self._group, t, p), 0) for t, p in self._places}

    async def poll(self, limit: int, wait_s: float) -> list[Record]:
        end = asyncio.get_running_loop().time() + wait_s
        while True:
            await self._memory.step()
            found = self._look(limit)
            left = end - asyncio.get_running_loop().time()
            if found or left <= 0:
                for record in found:
                    self._positions[record.topic, record.partition] = record.position
                return found
            await self._memory.wait(left)

    def _look(self, limit: int) -> list[Record]:
        """Topics first named first. With a generator any leading part of what waits, from any of the partitions."""
        found: list[Record] = []
        rng = self._memory.rng
        self._places.append(self._places.pop(0))  # another one's turn to be the first
        for topic in self._topics:
            places = [place for place in self._places if place[0] == topic]
            if rng:
                rng.shuffle(places)
            left = min(limit - len(found), self._slices.get(topic, limit))
            for place in places:
                waiting = self._memory.log[place][self._positions[place] :][:left]
                if rng and waiting:
                    waiting = waiting[: rng.randint(0 if found else 1, len(waiting))]
                found += waiting
                left -= len(waiting)
        return found

    def consumed(self, records: Sequence[Record]) -> dict[str, int]:
        return {position_name(self._group, r.topic, r.partition): r.position for r in records}

    async def committed(self, records: Sequence[Record]) -> None:
        await self._memory.step("committed")
        if not self._memory.together:
            self._memory.offsets.update(self.consumed(records))

    async def lag(self) -> int:
        return sum(len(self._memory.log[place]) - at for place, at in self._positions.items())

    async def close(self) -> None:
        """Nothing is held."""


class MemoryBus:
    """See shared.bus.port.Bus. `again` says whether an event is sent twice, as a producer does that missed the broker's answer."""

    def __init__(self, memory: Memory, service: str, again: Callable[[], bool] = lambda: False) -> None:
        self.memory, self.partitions, self._service, self._again = memory, memory.partitions, service, again

    async def publish(self, rows: Sequence[JournalRow]) -> None:
        sent: set[bytes] = set()
        for row in rows:
            await self.memory.step("publish")
            if row.topic and row.hash not in sent and not self.memory.together:
                self._send(row, sent)
        await self.memory.step("publish")
        pending = self.memory.databases[self._service].pending
        pending[:] = [r for r in pending if r.hash not in sent]
        self.memory.moved()

    def _send(self, row: JournalRow, sent: set[bytes]) -> None:
        """One event to its partitions; what an earlier version of the same aggregate has not published yet goes before it."""
        pending = self.memory.databases[self._service].pending
        earlier = [r for r in pending if _subject(r) == _subject(row) and _place(r) < _place(row) and r.hash not in sent]
        for one in [*earlier, row, *([row] if self._again() else [])]:
            sent.add(one.hash)
            self.memory.append(one)
        self.memory.moved()

    async def recover(self) -> None:
        """What a crash left unpublished, in the order of its commits."""
        await self.publish(list(self.memory.databases[self._service].pending))

    async def consumer(
        self, group: str, topics: Sequence[str], partitions: Sequence[int] | None = None, slices: Mapping[str, int] | None = None
    ) -> MemoryConsumer:
        places = []
        for topic in topics:
            mine = partitions if partitions is not None else range(1 if TOPICS[topic].broadcast else self.partitions)
            places += [(topic, p) for p in mine]
        consumer = MemoryConsumer(self, group, places, slices or {})
        await consumer.rewind()
        return consumer

    async def backlog(self, topic: str) -> int:
        await self.memory.step()
        behind: dict[str, int] = defaultdict(int)
        for name, at in self.memory.offsets.items():
            group, its_topic, partition = name.split("/")
            if its_topic == topic:
                behind[group] += len(self.memory.log[topic, int(partition)]) - at
        return max(behind.values(), default=0)

    async def replay(
        self, topic: str, partitions: Sequence[int], upto: Mapping[str, int], since: Mapping[str, int] | None = None
    ) -> AsyncIterator[Record]:
        for partition in partitions:
            place = f"{topic}/{partition}"
            for record in self.memory.log[topic, partition][(since or {}).get(place, 0) : upto.get(place, 0)]:
                yield record

    async def close(self) -> None:
        """Nothing is held."""


def _subject(row: JournalRow) -> _Subject:
    return row.kind, row.tenant, row.subject


def _place(row: JournalRow) -> tuple[int, int]:
    return row.version, row.n
