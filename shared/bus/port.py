"""The event log as a port. What is promised stands in tests/contracts/bus_behaviour.py; what is not there is not promised."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from shared.events.envelope import Record
from shared.kernel.journal import JournalRow


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

    async def rewind(self) -> None:
        """Back to behind what was last committed: what was polled since comes again."""
        ...

    async def lag(self) -> int:
        """How many records are waiting."""
        ...

    async def close(self) -> None:
        """Lets go of everything."""
        ...


class Bus(Protocol):
    """Publishes and reads events."""

    partitions: int

    async def publish(self, rows: Sequence[JournalRow]) -> None:
        """Rows that a store has committed: afterwards readers find them, and whoever waits is nudged."""
        ...

    async def consumer(
        self, group: str, topics: Sequence[str], partitions: Sequence[int] | None = None, slices: Mapping[str, int] | None = None
    ) -> Consumer:
        """A reader for a group, from behind what the group has committed; None: all partitions (of a broadcast topic, the first).

        `slices`: of these topics at most so many records a poll, so that they never hold up those named before them for long.
        """
        ...

    async def backlog(self, topic: str) -> int:
        """How many records of a topic the group furthest behind has still to handle: who produces in bulk waits while it is long."""
        ...

    def replay(
        self, topic: str, partitions: Sequence[int], upto: Mapping[str, int], since: Mapping[str, int] | None = None
    ) -> AsyncIterator[Record]:
        """The records of a topic up to positions as `consumed` names them, without the group: to rebuild a reader's state.

        From the topic's beginning, or from behind positions that are not ahead of these.
        """
        ...

    async def close(self) -> None:
        """Lets go of everything."""
        ...
