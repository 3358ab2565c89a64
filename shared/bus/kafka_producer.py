"""One idempotent producer for the process.

aiokafka sends a batch of an idempotent producer again and again until the broker has it: it never gives up, nor may it, for a gap in a
partition's sequence would have all later batches refused. So the deadline is ours. A publish that misses it is told so, but its batches stay with
the producer, and nothing newer is sent before they are through: otherwise they could come after what was published later, and a
compacted topic would keep the older event. Only when they are not through a deadline later, or the producer fails, is it thrown away.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from itertools import zip_longest

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder

from shared.bus.kafka_reach import Making, Pauses, reaching
from shared.bus.kafka_records import Message
from shared.bus.kafka_settings import KafkaSettings
from shared.bus.kafka_topics import LARGEST_MESSAGE
from shared.errors import Unavailable

log = logging.getLogger("duewatch.kafka")
_BATCH = 512 * 1024  # bytes; a publish of some hundred events goes in one
_STARTING_S = 30.0
_ENDING_S = 1.0


class Producer:
    """Started at its first use. `deadline_s`: how long one `send` may take."""

    def __init__(self, settings: KafkaSettings, deadline_s: float) -> None:
        self._settings, self._deadline_s = settings, deadline_s
        self._lock = asyncio.Lock()
        self._producer: AIOKafkaProducer | None = None
        self._starting = Making(self._start)
        self._ending: asyncio.Task[None] | None = None
        self._pauses = Pauses()
        self._late: list[asyncio.Future[object]] = []
        self._late_since = 0.0

    async def send(self, messages: Sequence[Message]) -> None:
        """Until the cluster has them all; Unavailable where that is not known, and then they may be sent again."""
        sent: list[asyncio.Future[object]] = []
        used: AIOKafkaProducer | None = None
        try:
            async with reaching(self._deadline_s, "take the events"):
                async with self._lock:  # what is asked first is sent first
                    used = await self._open()
                    await _through(self._late)
                    self._late = []
                    async for future in _queued(used, self._settings.prefix, messages):
                        sent.append(future)
                await _through(sent)
        except Unavailable as error:
            if used is not None:
                self._missed(used, sent, failed=not isinstance(error.__cause__, TimeoutError))
            raise

    async def _open(self) -> AIOKafkaProducer:
        """The one there is, or a new one once its predecessor can send nothing more."""
        return self._producer or await self._starting.get()

    async def _start(self) -> AIOKafkaProducer:
        if self._ending is not None:
            await self._ending
            self._ending = None
        await self._pauses.wait()
        producer = AIOKafkaProducer(
            **self._settings.connection(), enable_idempotence=True, acks="all", linger_ms=0, max_batch_size=_BATCH, max_request_size=LARGEST_MESSAGE
        )  # fmt: skip
        try:
            async with asyncio.timeout(_STARTING_S):
                await producer.start()
        except BaseException:
            self._pauses.failed()
            await producer.stop()
            raise
        self._pauses.succeeded()
        self._producer = producer
        return producer

    def _missed(self, producer: AIOKafkaProducer, sent: list[asyncio.Future[object]], failed: bool) -> None:
        """Keeps what is late, or throws the producer away."""
        if self._producer is not producer:  # another publish has done so
            return
        now = asyncio.get_running_loop().time()
        if not self._late:
            self._late_since = now
        self._late += [f for f in sent if not f.done()]
        if failed or (self._late and now - self._late_since >= self._deadline_s):
            log.warning("the producer is replaced: %s", "it failed" if failed else "its events do not get through")
            for future in self._late:
                future.add_done_callback(asyncio.Future.exception)  # which nobody waits for any more
            self._producer, self._late = None, []
            self._pauses.failed()
            self._ending = asyncio.create_task(_end(producer))

    async def close(self) -> None:
        """Waits a little for what is on its way."""
        await self._starting.stop()
        producer, self._producer = self._producer, None
        if self._ending is not None:
            await self._ending
        if producer is not None:
            try:
                async with asyncio.timeout(_ENDING_S):
                    await producer.flush()
            except TimeoutError:
                log.warning("the producer ends before all its events were acknowledged")
            await _end(producer)


def _by_place(messages: Iterable[Message]) -> dict[tuple[str, int], list[Message]]:
    """By topic and partition, in their order."""
    found: dict[tuple[str, int], list[Message]] = {}
    for m in messages:
        found.setdefault((m.topic, m.partition), []).append(m)
    return found


async def _queued(producer: AIOKafkaProducer, prefix: str, messages: Sequence[Message]) -> AsyncIterator[asyncio.Future[object]]:
    """One that is alone in its partition joins what waits there, so that many small publishes go as one. `send` makes a future of each message,
    which costs more than the message: several come in batches of their own, each of which waits until the one before is on its way.

    The partitions go on together, or a reader would have a broadcast event from one of them long before it has it from the others.
    """
    several: list[tuple[str, int, Iterator[BatchBuilder]]] = []
    for (topic, partition), part in _by_place(messages).items():
        if len(part) == 1:
            m = part[0]
            yield await producer.send(prefix + topic, m.value, m.key, partition, headers=m.headers)
        else:
            several.append((prefix + topic, partition, _batches(producer, part)))
    for turn in zip_longest(*(batches for _, _, batches in several)):
        for (topic, partition, _), batch in zip(several, turn, strict=True):
            if batch is not None:
                yield await producer.send_batch(batch, topic, partition=partition)


def _batches(producer: AIOKafkaProducer, messages: Iterable[Message]) -> Iterator[BatchBuilder]:
    """As few as take them all."""
    batch = producer.create_batch()
    for m in messages:
        if not _added(batch, m):
            yield batch
            batch = producer.create_batch()
            _added(batch, m)
    yield batch


def _added(batch: BatchBuilder, m: Message) -> bool:
    """Not where it is full; an empty one takes any message."""
    return batch.append(timestamp=None, key=m.key, value=m.value, headers=m.headers) is not None


async def _through(futures: Sequence[asyncio.Future[object]]) -> None:
    """Waits for all without cancelling any, and raises the first failure."""
    if futures:
        await asyncio.wait(futures)
        failures = [f.exception() for f in futures]  # of all: one that nobody asks for is reported as lost
        for failure in failures:
            if failure is not None:
                raise failure


async def _end(producer: AIOKafkaProducer) -> None:
    """Stops it without waiting for what it holds: aiokafka's own `stop` waits for the broker, and may send it later than its successor does."""
    sender = producer._sender.sender_task
    for _ in range(2):  # told once it finishes the request it is in, told twice it lets go of that, too
        if sender is not None and not sender.done():
            sender.cancel()
            await asyncio.wait([sender], timeout=_ENDING_S)
    producer._message_accumulator.fail_all(KafkaError("The producer was replaced"))
    await producer.stop()
