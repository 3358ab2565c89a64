"""Who publishes, who reads and who keeps in the tests of buses."""

from collections import Counter
from collections.abc import Mapping, Sequence

from shared.bus.port import Bus, Consumer, Keeper
from shared.events.envelope import Record
from shared.store.port import Commit, Store
from tests.contracts.store_behaviour import write

P = 4  # partitions of every adapter under test


class Teller:
    """A service that publishes: writes documents with their events, as the kernel does."""

    def __init__(self, store: Store, bus: Bus) -> None:
        self.store, self.bus = store, bus
        self._versions: Counter[str] = Counter()

    async def tell(self, topic: str, *subjects: str, partition: int | None = None, data: bytes = b"{}", key: bool = False) -> None:
        """One event a subject, in one commit; `partition` None: to all of them."""
        told: dict[str, int] = Counter(subjects)
        writes = []
        for subject in told:
            partitions = tuple(range(P)) if partition is None else (partition,)
            known = self._versions[subject]
            one = write(
                subject, known, topic=topic, partitions=partitions, data=data, key=f"t/{subject}" if key else None,
                events=told[subject], kind="other",
            )  # fmt: skip
            self._versions[subject] += 1
            writes.append(one)
        assert await self.store.commit(Commit(writes)) == []
        await self.bus.publish([r for w in writes for r in w.rows])


async def drain(consumer: Consumer, limit: int = 500) -> list[Record]:
    found: list[Record] = []
    while batch := await consumer.poll(limit, 0):
        found += batch
    return found


def subjects(records: Sequence[Record]) -> list[str]:
    return [r.meta.subject for r in records]


class Hears:
    """A keeper that notes what it hears."""

    def __init__(self) -> None:
        self.numbers: frozenset[int] = frozenset()
        self.last: frozenset[int] = frozenset()  # assigned last
        self.times = 0
        self.upto: dict[str, int] = {}

    async def assigned(self, partitions: frozenset[int], upto: Mapping[str, int]) -> None:
        assert not self.numbers & partitions
        self.numbers, self.upto = self.numbers | partitions, dict(upto)
        self.times, self.last = self.times + 1, partitions

    async def revoked(self, partitions: frozenset[int]) -> None:
        assert self.numbers >= partitions
        self.numbers -= partitions


async def again(consumer: Consumer, bus: Bus, group: str, topics: Sequence[str], keeper: Keeper | None = None) -> Consumer:
    """The group's reader, closed and opened again: two at once would share its partitions."""
    await consumer.close()
    return await bus.consumer(group, topics, keeper=keeper)
