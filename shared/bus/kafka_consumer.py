"""Reads partitions for a group. Offsets are the group's in Kafka, committed after the effects.

Positions are offsets behind a record. aiokafka fetches ahead in a task of its own, which may die without a word: that something waits by the
broker's own account and does not come is taken as the sign of it, and the client is replaced.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import CommitFailedError, IllegalStateError
from aiokafka.structs import TopicPartition

from shared.bus.kafka_buffer import Buffer
from shared.bus.kafka_group import Listener, Membership, Nothing, moved
from shared.bus.kafka_looks import Looker
from shared.bus.kafka_reach import Making, Pauses, reaching
from shared.bus.kafka_records import record
from shared.bus.kafka_settings import KafkaSettings
from shared.bus.port import Keeper
from shared.errors import Unavailable
from shared.events.envelope import Record
from shared.events.topics import TOPICS

log = logging.getLogger("duewatch.kafka")
_SHORTEST_S = 0.001  # that aiokafka can wait
_LIMIT_S = 15.0  # for an answer of the broker, and for records that it says it has
_LOOK_EVERY_S = 5.0  # at the broker's account, where waits are in vain
_IDLE_S = 0.25  # a member without partitions looks so often whether it has some
_FETCH_BYTES = 512 * 1024  # of a partition, in one answer
_FETCH_WAIT_S = 1.0  # how long the broker holds back an answer without records, while all partitions are waited for
_BUSY_WAIT_S = 0.1  # while there is something to do


class KafkaConsumer:
    """See shared.bus.port.Consumer. Made by KafkaBus; connects at its first use. The group's members share the partitions."""

    def __init__(
        self, settings: KafkaSettings, looker: Looker, membership: Membership, group: str, topics: Sequence[str],
        slices: Mapping[str, int], keeper: Keeper | None, settle: Callable[[], Awaitable[None]],
    ) -> None:  # fmt: skip
        self._settings, self._looker, self._membership, self._group = settings, looker, membership, group
        self._names = {settings.prefix + topic: topic for topic in topics}
        self._keeper: Keeper = keeper or Nothing()
        self._settle = settle
        self._once = {
            settings.prefix + topic for topic in topics if TOPICS[topic].broadcast and keeper is None
        }  # of these the first partition
        self._buffer = Buffer(list(self._names), {settings.prefix + t: n for t, n in slices.items()})
        self._client: AIOKafkaConsumer | None = None
        self._listener = Listener()
        self._numbers: frozenset[int] = frozenset()  # that the keeper keeps
        self._at: dict[TopicPartition, int] = {}  # what was handed out, of the partitions read here
        self._done: dict[TopicPartition, int] = {}  # what was committed, or where it began
        self._pauses = Pauses()
        self._connecting = Making(self._connect)
        self._stopping: set[asyncio.Task[None]] = set()
        self._look_at = 0.0
        self.closed = False

    async def join(self) -> None:
        """Gets its partitions, and its keeper what they hold; where that cannot be now, the polls see to it."""
        with suppress(Unavailable):
            await self._ready(_now() + _LIMIT_S)

    async def poll(self, limit: int, wait_s: float) -> list[Record]:
        end = _now() + wait_s
        client = await self._ready(end)
        if client is None:
            return []
        await self._draw(client, 0.0)
        while not self._buffer and (left := end - _now()) > _SHORTEST_S and not self._moving():
            await self._draw(client, left)
        if (not wait_s or (not self._buffer and _now() > self._look_at)) and (before := self._buffer.before()):
            await self._look(client, before)
            self._look_at = _now() + _LOOK_EVERY_S
        if self._moving():
            return []
        taken = self._buffer.take(limit)
        for message in taken:
            self._at[TopicPartition(message.topic, message.partition)] = message.offset + 1
        self._resume(client)
        return [record(self._names[m.topic], m) for m in taken]

    async def _look(self, client: AIOKafkaConsumer, topics: Sequence[str]) -> None:
        """Waits for what the broker has of these topics, should it have something. For who does not wait, and where a wait was in vain: who
        has something to do gets what is newer with the next poll, as it comes, and the broker is not asked before each batch."""
        ends = await self._looker.ends([p for p in self._at if p.topic in topics and not self._buffer.has(p)])
        until = _now() + _LIMIT_S
        while not self._moving() and await self._behind(client, ends):
            if _now() > until:
                self._drop(client)
                raise Unavailable("Kafka has records and does not send them")
            await self._draw(client, _LIMIT_S)

    async def _behind(self, client: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> bool:
        """Does the broker have something of a partition of which nothing is here?"""
        async with self._reaching(client, "say where the reader is"):
            places = [(place, end) for place, end in ends.items() if not self._buffer.has(place)]
            return any([await client.position(place) < end for place, end in places])

    async def _draw(self, client: AIOKafkaConsumer, wait_s: float) -> None:
        """What was fetched, into the buffer; waits so long for something."""
        if self._moving():  # aiokafka would wait for the end of it, however long
            await self._listener.wait(wait_s)
            return
        if not self._at:  # more members than partitions
            await asyncio.sleep(min(wait_s, _IDLE_S))
            return
        _fetch_waits(client, _FETCH_WAIT_S if wait_s and not self._buffer else _BUSY_WAIT_S)
        async with self._reaching(client, "send records", wait_s + _LIMIT_S):
            found = await client.getmany(timeout_ms=int(wait_s * 1000))
        if found:
            _fetch_waits(client, _BUSY_WAIT_S)
        for place in found.keys() & self._at.keys():
            self._buffer.add(place, found[place])
            if self._buffer.full(place):
                client.pause(place)

    def _resume(self, client: AIOKafkaConsumer) -> None:
        client.resume(*(place for place in client.paused() & self._at.keys() if self._buffer.low(place)))

    async def _ready(self, end: float) -> AIOKafkaConsumer | None:
        """The client, connected, at its partitions; None where these are still being dealt out when time is up."""
        client = await self._connected()
        await self._listener.wait(end - _now())
        if self._listener.news:
            await self._dealt(client)
        return None if self._moving() else client

    def _moving(self) -> bool:
        """Are partitions being dealt out, or were they since the last poll? What is here is then no longer to be handed out."""
        return self._listener.news or not self._listener.here.is_set()

    async def _connected(self) -> AIOKafkaConsumer:
        if self.closed:
            raise Unavailable("This reader was closed")
        return self._client or await self._connecting.get()

    async def _connect(self) -> AIOKafkaConsumer:
        await self._pauses.wait()
        client = AIOKafkaConsumer(
            **self._settings.connection(), **self._membership.options(), group_id=self._settings.prefix + self._group,
            enable_auto_commit=False, auto_offset_reset="earliest",
            fetch_max_wait_ms=int(_BUSY_WAIT_S * 1000), max_partition_fetch_bytes=_FETCH_BYTES,
        )  # fmt: skip
        try:
            async with self._reaching(client, "let a reader in"):
                self._listener = Listener()
                client.subscribe(list(self._names), listener=self._listener)
                await client.start()
        except asyncio.CancelledError:
            self._stop(client)
            raise
        self._pauses.succeeded()
        self._client = client
        return client

    async def _dealt(self, client: AIOKafkaConsumer) -> None:
        """Takes over what was dealt out; where that fails, the next poll does."""
        self._listener.news = False
        self._buffer.clear()
        try:
            async with self._reaching(client, "say where the group is"):
                begin = await self._begin(client)
            numbers = frozenset(place.partition for place in begin)
            lost, won = moved(self._numbers, numbers, begin, self._at, lambda place: place.partition)
            if lost:
                self._numbers -= lost
                await self._keeper.revoked(lost)
            self._at, self._done = dict(begin), dict(begin)
            if won:
                await self._settle()
                await self._keeper.assigned(won, self.positions())
                self._numbers |= won
        except BaseException:
            self._listener.news = True
            raise

    async def _begin(self, client: AIOKafkaConsumer) -> dict[TopicPartition, int]:
        """Goes to where each partition begins: behind what is committed, at the earliest where nothing is. Never where aiokafka stands: a
        poll that was waiting when the partitions were dealt out may have had records of them already, which were dropped."""
        dealt = client.assignment()
        places = sorted(place for place in dealt if not place.partition or place.topic not in self._once)
        committed = await asyncio.gather(*(client.committed(place) for place in places))
        begin = dict(zip(places, committed, strict=True))
        begin |= await client.beginning_offsets([place for place, at in begin.items() if at is None])
        client.pause(*(dealt - begin.keys()))
        for place, at in begin.items():
            client.seek(place, at)
        return begin

    def consumed(self, records: Sequence[Record]) -> dict[str, int]:
        """Of a group without a keeper Kafka's account does: nobody asks for another (ADR 0013)."""
        if isinstance(self._keeper, Nothing):
            return {}
        return {f"{self._group}/{r.topic}/{r.partition}": r.position for r in records}

    def positions(self) -> dict[str, int]:
        return {f"{self._names[place.topic]}/{place.partition}": at for place, at in self._done.items()}

    async def committed(self, records: Sequence[Record]) -> None:
        """In Kafka; Unavailable where it did not happen, and then the records come again."""
        offsets = {TopicPartition(self._settings.prefix + r.topic, r.partition): r.position for r in records}
        if not offsets:
            return
        client = await self._connected()
        if self._moving():
            raise Unavailable("The group's partitions are being dealt out")
        async with self._reaching(client, "keep the group's offsets"):
            await client.commit(offsets)
        self._done.update(offsets)

    async def rewind(self) -> None:
        """Without asking the broker, so that who waits for it can do so."""
        self._buffer.clear()
        self._at = dict(self._done)
        client = self._client
        if client is None or self._moving():
            return
        for place in set(self._at) & client.assignment():
            client.seek(place, self._at[place])
        self._resume(client)

    async def lag(self) -> int:
        """Offsets, not records: of a compacted topic some may be gone."""
        await self._connected()
        if self._moving():
            raise Unavailable("The group's partitions are being dealt out")
        ends = await self._looker.ends(list(self._done))
        return sum(max(0, end - self._done[place]) for place, end in ends.items() if place in self._done)  # some may be another's by now

    async def close(self) -> None:
        self.closed = True
        await self._connecting.stop()
        client, self._client = self._client, None
        if client is not None:
            if not self._membership.lasting:
                client._coordinator._group_instance_id = None  # aiokafka never lets a member with a name say that it leaves
            self._stop(client)
        if self._stopping:
            await asyncio.wait(self._stopping, timeout=_LIMIT_S)

    @asynccontextmanager
    async def _reaching(self, client: AIOKafkaConsumer, what: str, seconds: float = _LIMIT_S) -> AsyncIterator[None]:
        """Where the broker does not answer, or not well, the client is replaced; not where only its partitions are others now."""
        try:
            async with reaching(seconds, what):
                yield
        except Unavailable as error:
            if not isinstance(error.__cause__, CommitFailedError | IllegalStateError):
                self._drop(client)
            raise

    def _drop(self, client: AIOKafkaConsumer) -> None:
        """Lets a client go that failed; the next call makes another, after a pause."""
        if self._client is client:
            self._client = None
            self._buffer.clear()
        self._pauses.failed()
        self._stop(client)

    def _stop(self, client: AIOKafkaConsumer) -> None:
        """In the background: it takes as long as the broker takes to answer."""
        task = asyncio.create_task(_ended(client))
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)


def _fetch_waits(client: AIOKafkaConsumer, seconds: float) -> None:
    """An empty fetch costs the broker and us, ten a second of each reader what an idle system uses. But partitions that are paused, or of which
    something is not drawn yet, are not asked for before it is answered: who is busy may wait for silent ones. aiokafka takes the time at its start only."""
    client._fetcher._fetch_max_wait_ms = int(seconds * 1000)


async def _ended(client: AIOKafkaConsumer) -> None:
    """Stops it; one whose tasks have died raises their error halfway, and would leave its connections open."""
    try:
        await client.stop()
    except Exception as error:
        log.warning("a reader that failed did not end well: %s", type(error).__name__)
        for part in (client._fetcher, client._client):
            with suppress(Exception):
                await part.close()


def _now() -> float:
    return asyncio.get_running_loop().time()
