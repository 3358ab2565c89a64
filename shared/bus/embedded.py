"""The log in the files of the services: a topic is what its owner's journal says, in the order of its commits.

A reader follows `seq > mine` with a connection of its own; its position is stored with its effects, in its own service's file, so
effects come once without a guard. Nudges make it quick; polling makes it certain.
"""

import sqlite3
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from pathlib import Path

import msgspec

from shared.bus.nudge import Nudges, Waiter
from shared.bus.port import Keeper
from shared.events.envelope import Meta, Record
from shared.events.topics import TOPICS, waited_for
from shared.kernel.journal import JournalRow
from shared.store.port import DeadLetter, Store
from shared.store.schema import connect

_POLL_S = 0.25
_meta = msgspec.json.Decoder(Meta)
_READ = (
    "SELECT l.seq, j.meta, j.data FROM log l JOIN journal j ON j.seq = l.seq"
    " WHERE l.topic = ? AND l.partition = ? AND l.seq > ? ORDER BY l.seq LIMIT ?"
)


class _Log:
    """Reads the topics in one service's file, once that is there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None

    def _open(self) -> sqlite3.Connection | None:
        if self._db is None and self._path.exists():
            db = connect(self._path, write=False)
            if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'log_key'").fetchone():
                self._db = db
            else:  # its owner is still making the tables
                db.close()
        return self._db

    def read(self, topic: str, partition: int, after: int, limit: int) -> list[Record]:
        db = self._open()
        if db is None:
            return []
        return [
            Record(topic=topic, partition=partition, position=seq, meta=_meta.decode(meta), data=data or b"null")
            for seq, meta, data in db.execute(_READ, (topic, partition, after, limit))
        ]

    def count(self, topic: str, partition: int, after: int) -> int:
        db = self._open()
        sql = "SELECT count(*) FROM log WHERE topic = ? AND partition = ? AND seq > ?"
        return int(db.execute(sql, (topic, partition, after)).fetchone()[0]) if db else 0

    def positions(self, beginning: str) -> list[tuple[str, int]]:
        """What has been consumed in this service, of the names that begin so."""
        db = self._open()
        sql = "SELECT name, position FROM consumed WHERE name >= ? AND name < ?"
        return db.execute(sql, (beginning, f"{beginning}\uffff")).fetchall() if db else []

    def close(self) -> None:
        if self._db is not None:
            self._db.close()


def position_name(group: str, topic: str, partition: int) -> str:
    """How a group's place in a partition is called among a store's positions."""
    return f"{group}/{topic}/{partition}"


class EmbeddedConsumer:
    """See shared.bus.port.Consumer."""

    def __init__(self, bus: "EmbeddedBus", store: Store, group: str, places: Sequence[tuple[str, int]], slices: Mapping[str, int]) -> None:
        self._bus, self._store, self._group, self._places = bus, store, group, list(places)
        self._positions: dict[tuple[str, int], int] = {}  # what was handed out
        self._done: dict[tuple[str, int], int] = {}  # what was committed
        self._slices = slices
        self._turn = 0
        self._topics = list(dict.fromkeys(t for t, _ in self._places))
        self._waiter = Waiter(bus.nudges)

    async def rewind(self) -> None:
        stored = await self._store.positions(self._group + "/")
        self._positions = {(t, p): stored.get(position_name(self._group, t, p), 0) for t, p in self._places}
        self._done = dict(self._positions)

    async def poll(self, limit: int, wait_s: float) -> list[Record]:
        end = time.monotonic() + wait_s
        while True:
            self._waiter.clear()
            found = self._look(limit)
            left = end - time.monotonic()
            if found or left <= 0:
                for record in found:
                    self._positions[record.topic, record.partition] = record.position
                return found
            await self._waiter.wait(min(left, _POLL_S))

    def _look(self, limit: int) -> list[Record]:
        """Topics first named first; the partitions of one evenly, so that a broadcast record comes from all of them together."""
        found: list[Record] = []
        self._turn += 1
        for topic in self._topics:
            partitions = [p for t, p in self._places if t == topic]
            left = min(limit - len(found), self._slices.get(topic, limit))
            share = max(1, left // len(partitions))
            if left < len(partitions):  # another one's turn to be the first
                at = self._turn % len(partitions)
                partitions = [*partitions[at:], *partitions[:at]]
            for partition in partitions:
                if left > 0:
                    read = self._bus.log(topic).read(topic, partition, self._positions[topic, partition], min(share, left))
                    found, left = found + read, left - len(read)
        return found

    def consumed(self, records: Sequence[Record]) -> dict[str, int]:
        return {position_name(self._group, r.topic, r.partition): r.position for r in records}

    async def committed(self, records: Sequence[Record]) -> None:
        """The positions were stored with the effects."""
        self._done |= {(r.topic, r.partition): r.position for r in records}

    def positions(self) -> dict[str, int]:
        return {f"{topic}/{partition}": at for (topic, partition), at in self._done.items()}

    async def lag(self) -> int:
        return sum(self._bus.log(t).count(t, p, self._done[t, p]) for t, p in self._places)

    async def close(self) -> None:
        """Nothing of it is open."""


class EmbeddedBus:
    """See shared.bus.port.Bus. `store` is the reading service's own, where positions are kept."""

    slice = 100  # more makes nothing quicker: a commit costs little (ADR 0021)

    def __init__(self, folder: Path, nudges: Nudges, store: Store, partitions: int) -> None:
        self.partitions, self.nudges = partitions, nudges
        self._folder, self._store = folder, store
        self._logs: dict[str, _Log] = {}

    def log(self, topic: str) -> _Log:
        """The file that a topic is in."""
        owner = TOPICS[topic].owner
        if owner not in self._logs:
            self._logs[owner] = _Log(self._folder / f"{owner}.db")
        return self._logs[owner]

    async def publish(self, rows: Sequence[JournalRow]) -> None:
        """The commit was the publishing; whoever waits is nudged."""
        if waited_for(row.topic for row in rows):
            self.nudges.send()

    async def bury(self, letter: DeadLetter) -> None:
        """The store has it."""

    async def consumer(
        self, group: str, topics: Sequence[str], slices: Collection[str] = (), keeper: Keeper | None = None
    ) -> EmbeddedConsumer:
        """All partitions: one process of the embedded runtime reads for a group."""
        places = [(t, p) for t in topics for p in range(1 if TOPICS[t].broadcast and keeper is None else self.partitions)]
        consumer = EmbeddedConsumer(self, self._store, group, places, dict.fromkeys(slices, self.slice))
        await consumer.rewind()
        if keeper is not None:
            await keeper.assigned(frozenset(range(self.partitions)), consumer.positions())
        return consumer

    async def behind(self, group: str, topic: str) -> int:
        """Read from the files of all services, for each keeps its own positions."""
        at: dict[str, int] = {}
        for path in self._folder.glob("*.db"):
            at |= dict(self._logs.setdefault(path.stem, _Log(path)).positions(f"{group}/{topic}/"))
        return sum(self.log(topic).count(topic, p, at.get(position_name(group, topic, p), 0)) for p in range(self.partitions))

    async def replay(
        self, topic: str, partitions: Sequence[int], upto: Mapping[str, int], since: Mapping[str, int] | None = None
    ) -> AsyncIterator[Record]:
        for partition in partitions:
            place = f"{topic}/{partition}"
            after, end = (since or {}).get(place, 0), upto.get(place, 0)
            while records := self.log(topic).read(topic, partition, after, 1000):
                for record in records:
                    if record.position > end:
                        break
                    yield record
                after = records[-1].position
                if after >= end:
                    break

    async def close(self) -> None:
        for log in self._logs.values():
            log.close()
