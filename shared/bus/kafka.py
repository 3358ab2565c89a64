"""The log on Kafka. What it is made of: kafka_settings, kafka_records (rows to messages and back), kafka_producer, kafka_consumer, kafka_group,
kafka_backlog; the topics are made by kafka_topics."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

from shared.bus.kafka_backlog import Looker, replay
from shared.bus.kafka_consumer import KafkaConsumer
from shared.bus.kafka_group import Membership
from shared.bus.kafka_producer import Producer
from shared.bus.kafka_records import messages
from shared.bus.kafka_settings import KafkaSettings
from shared.events.envelope import Record
from shared.events.topics import TOPICS
from shared.kernel.journal import JournalRow

DELIVERY_S = 30.0


class KafkaBus:
    """See shared.bus.port.Bus. Whatever needs the broker raises Unavailable where it does not answer in time; the next call tries anew.

    `delivery_s`: how long a publish may take. Where that is over the events may be there or not, and may be published again.
    """

    def __init__(self, settings: KafkaSettings, partitions: int, *, delivery_s: float = DELIVERY_S) -> None:
        self.partitions = partitions
        self._settings = settings
        self._producer = Producer(settings, delivery_s)
        self._looker = Looker(settings)
        self._consumers: list[KafkaConsumer] = []

    async def publish(self, rows: Sequence[JournalRow]) -> None:
        await self._producer.send([message for row in rows for message in messages(row)])

    async def consumer(
        self, group: str, topics: Sequence[str], partitions: Sequence[int] | None = None, slices: Mapping[str, int] | None = None
    ) -> KafkaConsumer:
        places = []
        for topic in topics:
            mine = partitions if partitions is not None else range(1 if TOPICS[topic].broadcast else self.partitions)
            places += [(topic, p) for p in mine]
        return self._kept(KafkaConsumer(self._settings, self._looker, group, places, topics, slices or {}))

    async def member(
        self, group: str, topics: Sequence[str], membership: Membership, slices: Mapping[str, int] | None = None
    ) -> KafkaConsumer:
        """A reader that shares all partitions of these topics with the group's other members; its number of a broadcast topic, too."""
        return self._kept(KafkaConsumer(self._settings, self._looker, group, [], topics, slices or {}, membership))

    def _kept(self, consumer: KafkaConsumer) -> KafkaConsumer:
        self._consumers = [known for known in self._consumers if not known.closed]
        self._consumers.append(consumer)
        return consumer

    async def answers(self) -> None:
        """Returns when the broker has answered; Unavailable where it does not."""
        await self._looker.answers()

    async def backlog(self, topic: str) -> int:
        return await self._looker.backlog(topic)

    def replay(
        self, topic: str, partitions: Sequence[int], upto: Mapping[str, int], since: Mapping[str, int] | None = None
    ) -> AsyncIterator[Record]:
        return replay(self._settings, topic, partitions, upto, since or {})

    async def close(self) -> None:
        await asyncio.gather(*(consumer.close() for consumer in self._consumers))
        await self._looker.close()
        await self._producer.close()
