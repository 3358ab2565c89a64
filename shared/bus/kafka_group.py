"""Members of a group that share partitions: who gets which, and how a member learns of it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata
from aiokafka.structs import TopicPartition

Hook = Callable[[frozenset[int]], Awaitable[None]]
_VERSION = 0


async def _nothing(_: frozenset[int]) -> None:
    """Where a member keeps nothing by partition."""


@dataclass(frozen=True, kw_only=True)
class Membership:
    """How a process belongs to a group that shares its partitions.

    `instance` names the process for good (static membership): one that comes back under its name within `session_s` gets its
    partitions back at once, and no other member is disturbed. `assigned` and `revoked` are called with partition numbers that are new
    to this member or no longer its own, by the poll that finds it so: first what is lost, then what is won, before the first record.
    """

    instance: str
    session_s: float = 10.0
    assigned: Hook = _nothing
    revoked: Hook = _nothing


class SameNumbers(AbstractPartitionAssignor):  # type: ignore[misc]  # aiokafka ships no types
    """Deals out partition numbers: the same number of all topics goes to the same member, whose state on it needs all of them."""

    name = "duewatch-same-numbers"

    @classmethod
    def assign(
        cls, cluster: ClusterMetadata, members: Mapping[str, ConsumerProtocolMemberMetadata]
    ) -> dict[str, ConsumerProtocolMemberAssignment]:
        """By the order of the members' names, which begin with their instance's: one that comes back changes nothing."""
        topics = sorted({topic for member in members.values() for topic in member.subscription})
        partitions = {topic: cluster.partitions_for_topic(topic) or set() for topic in topics}
        names = sorted(members)
        dealt: dict[str, dict[str, list[int]]] = {name: {} for name in names}
        for number in sorted(set().union(*partitions.values())):
            for topic in topics:
                if number in partitions[topic]:
                    dealt[names[number % len(names)]].setdefault(topic, []).append(number)
        return {name: ConsumerProtocolMemberAssignment(_VERSION, sorted(mine.items()), b"") for name, mine in dealt.items()}

    @classmethod
    def metadata(cls, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
        """What a member says of itself."""
        return ConsumerProtocolMemberMetadata(_VERSION, sorted(topics), b"")

    @classmethod
    def on_assignment(cls, assignment: ConsumerProtocolMemberAssignment) -> None:
        """Nothing is kept."""


class Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # as above
    """Hears of assignments in aiokafka's own task and does nothing there, so that heartbeats go on while a hook rebuilds."""

    def __init__(self) -> None:
        self.here = asyncio.Event()  # cleared while partitions are dealt out
        self.news = False  # since the last poll

    async def wait(self, seconds: float) -> None:
        """Until partitions are dealt out, at most so long."""
        if not self.here.is_set() and seconds > 0:
            try:
                async with asyncio.timeout(seconds):
                    await self.here.wait()
            except TimeoutError:
                pass

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """All are taken before they are dealt out anew."""
        self.here.clear()

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Those of this member."""
        self.news = True
        self.here.set()
