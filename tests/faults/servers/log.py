"""The log past the product, by clients of our own: what is on it, what a test puts there, and where groups are."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord, TopicPartition

from shared.bus.kafka_records import Message
from shared.events.topics import GROUPS, TOPICS

PREFIX, PARTITIONS = "duewatch.", 4
PLACES = [TopicPartition(PREFIX + topic, number) for topic in TOPICS for number in range(PARTITIONS)]
Heard = Callable[[TopicPartition, "list[ConsumerRecord[bytes, bytes]]"], object]
_RESET_S = 60.0  # a group whose members were killed has them until their session is over
_T = TypeVar("_T")


class Log:
    """Of one broker, by its address."""

    def __init__(self, address: str) -> None:
        self._address = address

    def read(
        self, heard: Heard, since: Mapping[TopicPartition, int] | None = None, places: Sequence[TopicPartition] = PLACES
    ) -> dict[TopicPartition, int]:
        """All of these partitions from behind these offsets to where they end now; gives where that is."""

        async def run(consumer: AIOKafkaConsumer) -> dict[TopicPartition, int]:
            for place in places:
                consumer.seek(place, (since or {}).get(place, 0))
            ends = await consumer.end_offsets(places)
            while any([await consumer.position(place) < end for place, end in ends.items()]):
                for place, messages in (await consumer.getmany(timeout_ms=1000)).items():
                    heard(place, [m for m in messages if m.offset < ends[place]])
            return dict(ends)

        return self._with_consumer(run, places)

    def messages(self, topics: Iterable[str] = TOPICS) -> list[Message]:
        """All that is there, to be put there again: each partition's in its order."""
        found: list[Message] = []

        def heard(place: TopicPartition, messages: "list[ConsumerRecord[bytes, bytes]]") -> None:
            found.extend(Message(place.topic.removeprefix(PREFIX), place.partition, m.key, m.value, list(m.headers)) for m in messages)

        self.read(heard, places=[place for place in PLACES if place.topic.removeprefix(PREFIX) in set(topics)])
        return found

    def put(self, messages: Iterable[Message]) -> list[int]:
        """Produces them in this order; their offsets."""

        async def run() -> list[int]:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._address, acks="all", max_batch_size=512 * 1024, max_request_size=4 * 1024 * 1024
            )
            await producer.start()
            try:
                sent = [await producer.send(PREFIX + m.topic, m.value, m.key, m.partition, headers=m.headers) for m in messages]
                return [(await one).offset for one in sent]
            finally:
                await producer.stop()

        return asyncio.run(run())

    def waiting(self) -> int:
        """Of all topics, how many offsets the group furthest behind has not committed."""

        async def run(consumer: AIOKafkaConsumer) -> int:
            admin = AIOKafkaAdminClient(bootstrap_servers=self._address)
            await admin.start()
            try:
                offsets = [await admin.list_consumer_group_offsets(PREFIX + group) for group in GROUPS]
            finally:
                await admin.close()
            ends = await consumer.end_offsets(PLACES)
            behind = [{p: ends[p] - at.offset for p, at in of.items() if p in ends and at.offset >= 0} for of in offsets]
            return sum(max(sum(of.get(p, 0) for p in PLACES if p.topic == PREFIX + topic) for of in behind) for topic in TOPICS)

        return self._with_consumer(run, PLACES)

    def to_the_beginning(self, group: str, topics: Sequence[str]) -> None:
        """A group whose members have ended begins anew."""
        places = [TopicPartition(PREFIX + topic, number) for topic in topics for number in range(PARTITIONS)]

        async def run(consumer: AIOKafkaConsumer) -> None:
            end = time.monotonic() + _RESET_S
            while True:
                try:
                    return await consumer.commit(dict.fromkeys(places, 0))
                except KafkaError:
                    if time.monotonic() > end:
                        raise
                    await asyncio.sleep(0.5)

        self._with_consumer(run, places, group_id=PREFIX + group, enable_auto_commit=False)

    def _with_consumer(self, run: Callable[[AIOKafkaConsumer], Awaitable[_T]], places: Sequence[TopicPartition], **options: Any) -> _T:
        @asynccontextmanager
        async def started() -> Any:
            consumer = AIOKafkaConsumer(bootstrap_servers=self._address, auto_offset_reset="earliest", **options)
            consumer.assign(places)
            await consumer.start()
            try:
                yield consumer
            finally:
                await consumer.stop()

        async def all_of_it() -> _T:
            async with started() as consumer:
                return await run(consumer)

        return asyncio.run(all_of_it())
