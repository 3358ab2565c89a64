"""Looks at the log without a group: its ends, where the groups are, and what it says up to a position."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError
from aiokafka.structs import TopicPartition

from shared.bus.kafka_reach import Making, Pauses, reaching
from shared.bus.kafka_records import record
from shared.bus.kafka_settings import KafkaSettings
from shared.errors import Unavailable
from shared.events.envelope import Record

_LIMIT_S = 15.0
_MADE_S = 0.1
_AT_ONCE = 1000
_FETCH_BYTES = 512 * 1024  # of a partition


_Clients = tuple[AIOKafkaAdminClient, AIOKafkaConsumer]


class Looker:
    """Connects at its first use; after a failure anew. On connections of its own: the broker answers one request of a connection after
    another, and holds back the answer to a reader's fetch while there is nothing to fetch."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._connecting = Making(self._connect)
        self._pauses = Pauses()
        self._clients: _Clients | None = None

    async def ends(self, places: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """The offset behind the last record of each."""
        async with self._looking("say what is waiting") as (_, consumer):
            found: dict[TopicPartition, int] = await consumer.end_offsets(places) if places else {}
        return found

    async def answers(self) -> None:
        """Asks the cluster for its brokers; not for what it knows of every topic, which takes both sides a few ms to write and read."""
        async with self._looking("answer") as (admin, _):
            await admin.describe_topics([])

    async def behind(self, group: str, topic: str, partitions: int) -> int:
        """How many offsets of a topic a group is behind; all of a partition where it has committed nothing."""
        places = [TopicPartition(self._settings.prefix + topic, p) for p in range(partitions)]
        async with self._looking("say how far a group is") as (admin, consumer):
            known = await _committed(admin, self._settings.prefix + group)
            begins, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        at = {place: known[place].offset if place in known else -1 for place in places}
        return sum(max(0, ends[place] - max(at[place], begins[place])) for place in places)

    @asynccontextmanager
    async def _looking(self, what: str) -> AsyncIterator[_Clients]:
        async with reaching(_LIMIT_S, what):
            clients = self._clients or await self._connecting.get()
        try:
            async with reaching(_LIMIT_S, what):
                yield clients
        except Unavailable:
            if self._clients is clients:
                self._clients = None
                await _stop(clients)
            raise

    async def _connect(self) -> _Clients:
        await self._pauses.wait()
        options = self._settings.connection()
        clients = AIOKafkaAdminClient(**options), AIOKafkaConsumer(**options)
        try:
            for client in clients:
                await client.start()
        except BaseException:
            self._pauses.failed()
            await _stop(clients)
            raise
        self._pauses.succeeded()
        self._clients = clients
        return clients

    async def close(self) -> None:
        """Lets go of the connections."""
        await self._connecting.stop()
        clients, self._clients = self._clients, None
        if clients is not None:
            await _stop(clients)


async def _stop(clients: _Clients) -> None:
    await clients[0].close()
    await clients[1].stop()


async def _committed(admin: AIOKafkaAdminClient, group: str) -> Any:
    """Where a group is; on a new cluster once the topic of all groups' offsets is there, which the first question has made."""
    while True:
        try:
            return await admin.list_consumer_group_offsets(group)
        except GroupCoordinatorNotAvailableError:
            await asyncio.sleep(_MADE_S)


async def replay(
    settings: KafkaSettings, topic: str, partitions: Sequence[int], upto: Mapping[str, int], since: Mapping[str, int]
) -> AsyncIterator[Record]:
    """See shared.bus.port.Bus. In order within a partition; the partitions as they come."""
    names = {TopicPartition(settings.prefix + topic, p): f"{topic}/{p}" for p in partitions}
    ends = {place: upto.get(name, 0) for place, name in names.items() if upto.get(name, 0) > since.get(name, 0)}
    if not ends:
        return
    consumer = AIOKafkaConsumer(**settings.connection(), auto_offset_reset="earliest", max_partition_fetch_bytes=_FETCH_BYTES)
    try:
        async with reaching(_LIMIT_S, "begin a replay"):
            consumer.assign(list(ends))
            await consumer.start()
            for place in ends:
                consumer.seek(place, since.get(names[place], 0))
            written = await consumer.end_offsets(list(ends))
            ends = {place: min(end, written[place]) for place, end in ends.items()}
        while True:
            async with reaching(_LIMIT_S, "go on with a replay"):
                left = [place for place, end in ends.items() if await consumer.position(place) < end]
            if not left:
                return
            consumer.pause(*(place for place in ends if place not in left))
            async with reaching(_LIMIT_S + 1.0, "go on with a replay"):
                found = await consumer.getmany(*left, timeout_ms=int(_LIMIT_S * 1000), max_records=_AT_ONCE)
            for place, messages in found.items():
                for message in messages:
                    if message.offset < ends[place]:
                        yield record(topic, message)
            if not found and [place for place in left if await consumer.position(place) < ends[place]]:
                raise Unavailable("A replay does not go on")
    finally:
        await consumer.stop()
