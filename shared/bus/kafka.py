"""The log on Kafka. What it is made of: kafka_settings, kafka_records (rows to messages and back), kafka_producer, kafka_consumer, kafka_group,
kafka_looks; the topics are made by kafka_topics."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence

from shared.bus.kafka_consumer import KafkaConsumer
from shared.bus.kafka_group import Membership
from shared.bus.kafka_looks import Looker, replay
from shared.bus.kafka_producer import Producer
from shared.bus.kafka_records import buried, messages
from shared.bus.kafka_settings import KafkaSettings
from shared.bus.port import Keeper
from shared.events.envelope import Record
from shared.kernel.journal import JournalRow
from shared.store.port import DeadLetter

DELIVERY_S = 30.0


class KafkaBus:
    """See shared.bus.port.Bus. Whatever needs the broker raises Unavailable where it does not answer in time; the next call tries anew.

    `delivery_s`: how long a publish may take. Where that is over the events may be there or not, and may be published again.
    """

    slice = 600  # a commit costs all who take part 13 ms of processor time, as much as matching 80 suppliers (ADR 0021)

    def __init__(
        self, settings: KafkaSettings, partitions: int, *, membership: Membership | None = None, delivery_s: float = DELIVERY_S
    ) -> None:
        self.partitions = partitions
        self._settings, self._membership = settings, membership or Membership.passing()
        self._producer = Producer(settings, delivery_s)
        self._looker = Looker(settings)
        self._consumers: list[KafkaConsumer] = []

    async def publish(self, rows: Sequence[JournalRow]) -> None:
        await self._producer.send([message for row in rows for message in messages(row)])

    async def settle(self) -> None:
        """Called before partitions that were another's, or this one's in an earlier life, are read on: nothing that was done on their records
        may still be untold, or what follows would be heard of first."""

    async def bury(self, letter: DeadLetter) -> None:
        """On a topic of the group's, as the message was, with what was wrong in its headers."""
        await self._producer.send([buried(letter)])

    async def consumer(
        self, group: str, topics: Sequence[str], slices: Collection[str] = (), keeper: Keeper | None = None
    ) -> KafkaConsumer:
        """A process reads for a group once: two readers of one process would take each other's name."""
        made = KafkaConsumer(
            self._settings, self._looker, self._membership, group, topics, dict.fromkeys(slices, self.slice), keeper, self.settle
        )
        self._consumers = [known for known in self._consumers if not known.closed]
        self._consumers.append(made)
        await made.join()
        return made

    async def answers(self) -> None:
        """Returns when the broker has answered; Unavailable where it does not."""
        await self._looker.answers()

    async def behind(self, group: str, topic: str) -> int:
        return await self._looker.behind(group, topic, self.partitions)

    def replay(
        self, topic: str, partitions: Sequence[int], upto: Mapping[str, int], since: Mapping[str, int] | None = None
    ) -> AsyncIterator[Record]:
        return replay(self._settings, topic, partitions, upto, since or {})

    async def close(self) -> None:
        await asyncio.gather(*(consumer.close() for consumer in self._consumers))
        await self._looker.close()
        await self._producer.close()
