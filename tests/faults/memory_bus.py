"""The bus of the in-memory pair: see memory.py."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence

from shared.bus.embedded import position_name
from shared.bus.kafka_group import Nothing, moved
from shared.bus.port import Keeper
from shared.errors import Unavailable
from shared.events.envelope import Record
from shared.events.topics import TOPICS
from shared.kernel.journal import JournalRow
from shared.store.port import DeadLetter
from tests.faults.memory import Memory

_Subject = tuple[str, str, str]  # kind, tenant, id
_Place = tuple[str, int]  # topic, partition


class MemoryConsumer:
    """See shared.bus.port.Consumer. The group's members share the partitions, as on Kafka; where all is together, each has all."""

    def __init__(self, bus: "MemoryBus", group: str, topics: Sequence[str], slices: Mapping[str, int], keeper: Keeper | None) -> None:
        self._memory, self._group, self._topics, self._slices = bus.memory, group, list(topics), slices
        self._keeper, self._once = keeper or Nothing(), keeper is None
        self._numbers: frozenset[int] = frozenset()
        self._generation = -1
        self._places: list[_Place] = []
        self._positions: dict[_Place, int] = {}
        self._done: dict[_Place, int] = {}

    async def rewind(self) -> None:
        self._positions = dict(self._done)

    def positions(self) -> dict[str, int]:
        return {f"{topic}/{partition}": at for (topic, partition), at in self._done.items()}

    def _moving(self) -> bool:
        return self._generation != self._memory.generations[self._group]

    async def join(self) -> None:
        """Takes over what is dealt out, as a poll does."""
        self._generation = self._memory.generations[self._group]
        dealt = self._memory.dealt(self._group, self)
        self._places = [(t, p) for t in self._topics for p in sorted(dealt) if not p or not (self._once and TOPICS[t].broadcast)]
        begin = {(t, p): self._memory.offsets.get(position_name(self._group, t, p), 0) for t, p in self._places}
        lost, won = moved(self._numbers, dealt, begin, self._positions, lambda place: place[1])
        try:
            if lost:
                self._numbers -= lost
                await self._keeper.revoked(lost)
            self._positions, self._done = dict(begin), dict(begin)
            if won:
                await self._keeper.assigned(won, self.positions())
                self._numbers |= won
        except BaseException:
            self._generation = -1
            raise

    async def poll(self, limit: int, wait_s: float) -> list[Record]:
        end = asyncio.get_running_loop().time() + wait_s
        while True:
            await self._memory.step()
            if self._moving():
                await self.join()
            found = [] if self._moving() else self._look(limit)
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
        self._places = [*self._places[1:], *self._places[:1]]  # another one's turn to be the first
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
        if self._moving():
            raise Unavailable("The group's partitions are being dealt out")
        self._done |= {(r.topic, r.partition): r.position for r in records}
        if not self._memory.together:
            self._memory.offsets.update({position_name(self._group, r.topic, r.partition): r.position for r in records})

    async def lag(self) -> int:
        return sum(len(self._memory.log[place]) - at for place, at in self._done.items())

    async def close(self) -> None:
        self._memory.leave(self._group, self)


class MemoryBus:
    """See shared.bus.port.Bus. `again` says whether an event is sent twice, as a producer does that missed the broker's answer."""

    slice = 100

    def __init__(self, memory: Memory, service: str, again: Callable[[], bool] = lambda: False) -> None:
        self.memory, self.partitions, self._service, self._again = memory, memory.partitions, service, again
        self._consumers: list[tuple[str, MemoryConsumer]] = []

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

    async def bury(self, letter: DeadLetter) -> None:
        """The store has it."""

    async def consumer(
        self, group: str, topics: Sequence[str], slices: Collection[str] = (), keeper: Keeper | None = None
    ) -> MemoryConsumer:
        made = MemoryConsumer(self, group, topics, dict.fromkeys(slices, self.slice), keeper)
        self._consumers.append((group, made))
        self.memory.enter(group, made)
        await made.join()
        return made

    def leave(self) -> None:
        """Its process has died."""
        for group, consumer in self._consumers:
            self.memory.leave(group, consumer)
        self._consumers = []

    async def behind(self, group: str, topic: str) -> int:
        at = [self.memory.offsets.get(position_name(group, topic, p), 0) for p in range(self.partitions)]
        return sum(len(self.memory.log[topic, p]) - at[p] for p in range(self.partitions))

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
