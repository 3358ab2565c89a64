"""The event log as a port. What is promised stands in tests/contracts/bus_behaviour.py; what is not there is not promised."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Protocol

from shared.events.envelope import Record
from shared.kernel.journal import JournalRow
from shared.store.port import DeadLetter


class Consumer(Protocol):
    """Reads some partitions of some topics on behalf of a group, in order within a partition, at least once."""

    async def poll(self, limit: int, wait_s: float) -> list[Record]:
        """What is waiting, at most `limit`, topics first named first; waits up to `wait_s` seconds (never for more) where nothing is."""
        ...

    def consumed(self, records: Sequence[Record]) -> dict[str, int]:
        """The positions to be stored with the effects of these records, which must be all of the last poll's or a leading part of it."""
        ...

    async def committed(self, records: Sequence[Record]) -> None:
        """Their effects are stored: they need not come again."""
        ...

    def positions(self) -> dict[str, int]:
        """Behind what was last committed, "topic/partition" -> position; of partitions that are not this reader's any more nothing is said."""
        ...

    async def rewind(self) -> None:
        """Back to behind what was last committed: what was polled since comes again."""
        ...

    async def lag(self) -> int:
        """How many records are not committed yet: those that were handed out wait, too, until their effects are stored."""
        ...

    async def close(self) -> None:
        """Lets go of everything."""
        ...


class Keeper(Protocol):
    """Who keeps something in memory by partition, of all topics of a group together."""

    async def assigned(self, partitions: frozenset[int], upto: Mapping[str, int]) -> None:
        """These are the reader's from now on; called before it hands out the first record of them, which is the one behind `upto`
        ("topic/partition" -> position, as `replay` takes them)."""
        ...

    async def revoked(self, partitions: frozenset[int]) -> None:
        """These are not any more: another copy reads them, or has read of them what this one has not."""
        ...


class Bus(Protocol):
    """Publishes and reads events."""

    partitions: int
    slice: int  # records, see `consumer`: enough of them that a commit's own cost does not tell beside theirs

    async def publish(self, rows: Sequence[JournalRow]) -> None:
        """Rows that a store has committed: afterwards readers find them, and whoever waits is nudged."""
        ...

    async def bury(self, letter: DeadLetter) -> None:
        """Tells who watches the bus of a message that a group gave up, and that its store keeps; may be told again."""
        ...

    async def consumer(self, group: str, topics: Sequence[str], slices: Collection[str] = (), keeper: Keeper | None = None) -> Consumer:
        """A reader for a group, from behind what the group has committed.

        Where several processes read for one group, each gets its share of the partitions, the same numbers of all topics. Of a broadcast
        topic the group reads the first partition; with a `keeper`, who hears which numbers fall to it, all of them. `slices`: of these
        topics a poll gives at most a `slice`, so that they never hold up those named before them for long.
        """
        ...

    async def behind(self, group: str, topic: str) -> int:
        """How many records of a topic a group has still to handle, of all partitions: asked by who does not read for it. Who produces in
        bulk waits while it is much."""
        ...

    def replay(
        self, topic: str, partitions: Sequence[int], upto: Mapping[str, int], since: Mapping[str, int] | None = None
    ) -> AsyncIterator[Record]:
        """The records of a topic up to positions ("topic/partition" -> position), without the group: to rebuild a reader's state.

        From the topic's beginning, or from behind positions that are not ahead of these.
        """
        ...

    async def close(self) -> None:
        """Lets go of everything."""
        ...
