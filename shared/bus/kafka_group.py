"""Members of a group that share partitions: who gets which, and how a member learns of it."""

import asyncio
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata
from aiokafka.structs import TopicPartition

_VERSION = 0
_Place = TypeVar("_Place")
_LONGEST_HOOK_MS = 3_600_000  # a rebuild may take longer than aiokafka lets pass between two polls
_BEAT_S = 1.0  # how soon a member learns that partitions are dealt out anew


@dataclass(frozen=True, kw_only=True)
class Membership:
    """How a process belongs to the groups that it reads for.

    `instance` names the process (static membership): one that comes back under its name within `session_s`, be it after kill -9, gets its
    partitions back at once, and no other member is disturbed. One that is not `lasting` will not come back, and says so when it ends.
    """

    instance: str
    lasting: bool = True
    session_s: float = 10.0

    @classmethod
    def passing(cls) -> "Membership":
        """Of a process that has no name."""
        return cls(instance=secrets.token_hex(8), lasting=False)

    def options(self) -> dict[str, Any]:
        """As aiokafka wants it."""
        return {
            "group_instance_id": self.instance,
            "session_timeout_ms": int(self.session_s * 1000),
            "heartbeat_interval_ms": int(min(_BEAT_S, self.session_s / 4) * 1000),
            "max_poll_interval_ms": _LONGEST_HOOK_MS,
            "partition_assignment_strategy": (SameNumbers,),
        }


class Nothing:
    """The keeper of who keeps nothing; see shared.bus.port.Keeper."""

    async def assigned(self, partitions: frozenset[int], upto: Mapping[str, int]) -> None:
        """Nothing."""

    async def revoked(self, partitions: frozenset[int]) -> None:
        """Nothing."""


def moved(
    held: frozenset[int], dealt: frozenset[int], begin: Mapping[_Place, int], at: Mapping[_Place, int], number: Callable[[_Place], int]
) -> tuple[frozenset[int], frozenset[int]]:
    """The partition numbers lost and won by a member that held some, read on to `at`, and now begins elsewhere.

    A number may be both: dealt to another member and back while this one was busy, or away. What the group has committed then lies
    beyond where this member stood, and what it keeps in memory lacks what came between.
    """
    overtaken = {number(place) for place, position in begin.items() if position > at.get(place, position)}
    lost = held - dealt | (held & overtaken)
    return lost, dealt - (held - lost)


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
