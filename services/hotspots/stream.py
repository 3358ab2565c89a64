"""Hot-spots on Kafka: a Faust app over the same fold as the embedded runtime's. See ADR 0011.

    suppliers, matches -> watched (table: what is known of a supplier) -> sightings -> windows (table: the fold of a spot) -> kernel
    signals ------------------------------------------------------------^

Both tables live in memory and are kept by their changelogs. The kernel hears of a window only once so many sources speak there that a hot-spot
may open, move or close: it keeps the document and its journal, publishes, and rings the alarm when it cools. Everything may happen twice: tables and
documents put together what they know with what they hear, and an event's id is derived from its cause.
"""

import asyncio
import logging
import zlib
from typing import Any

import msgspec
from faust.types import EventT, StreamT

from services.hotspots.fold import Observation, current, judged, merged
from services.hotspots.heard import GROUP, TOPICS, concerns, of_record, says_nothing
from services.hotspots.model import HOTSPOT, WATCHED, Seen
from services.hotspots.sightings import Watched, by_spot, learned, sightings, spot_id, supplier_of, unheard, word_of
from services.hotspots.stream_consumer import App
from services.hotspots.stream_settings import app_settings
from shared.bus.kafka_records import record as record_of
from shared.bus.kafka_settings import KafkaSettings
from shared.errors import DuewatchError
from shared.events.envelope import Meta, Record, encode
from shared.events.hotspots import Spot
from shared.events.matches import MatchEvent
from shared.events.suppliers import SupplierEvent
from shared.kernel.aggregate import Aggregate, Cause, Item, Message
from shared.kernel.reactor import TRANSIENT, cause_of, letter_of
from shared.kernel.service import Context

log = logging.getLogger("duewatch.hotspots")
_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _ATTEMPTS = 0.1, 30.0, 5
_REPLAYS_S = 5.0


class Sighted(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was seen at one spot, on its way to that spot's window."""

    tenant: str
    spot: Spot
    observations: tuple[Observation, ...]
    cause: Cause


class Window(msgspec.Struct, frozen=True, omit_defaults=True):
    """The fold of one spot. `told`: the kernel has heard of it, and must hear what becomes of it."""

    observations: dict[str, Observation]
    told: bool = False


_sighted, _window, _watched = msgspec.json.Decoder(Sighted), msgspec.json.Decoder(Window), msgspec.json.Decoder(Watched)
_record = msgspec.json.Decoder(Record)


class Stream:
    """One run of the app in this process; another one is made for the next run, since Faust's apps do not start twice."""

    def __init__(self, ctx: Context, watcher: Any) -> None:
        self.ctx, self.policy = ctx, watcher.policy
        kafka = KafkaSettings.parse(ctx.settings.bus)
        self._prefix, self._partitions = kafka.prefix, ctx.settings.partitions
        self.app = App(**app_settings(kafka, GROUP, self._partitions, ctx.folder, ctx.settings.instance), passes_over=self._passes_over)
        self._watched = self.app.Table("watched", key_type=bytes, value_type=bytes, partitions=self._partitions)
        self._windows = self.app.Table("windows", key_type=bytes, value_type=bytes, partitions=self._partitions)
        self._sightings = self.app.topic(f"{self.app.conf.id}-sightings", **_RAW, internal=True, partitions=self._partitions)
        topics = {name: self.app.topic(self._prefix + name, **_RAW) for name in ("signals", "suppliers", "matches")}
        self.app.agent(self.app.topic(*(self._prefix + name for name in ("suppliers", "matches")), **_RAW), name="suppliers")(
            self._suppliers
        )
        self.app.agent(topics["signals"], name="findings")(self._findings)
        self._again = self.app.topic(f"{self.app.conf.id}-again", **_RAW, internal=True, partitions=self._partitions)
        self.app.agent(self._again, name="again")(self._repeated)
        self.app.agent(self._sightings, name="windows")(self._fold)
        self.app.timer(interval=_REPLAYS_S)(self._replays)

    # ---- what is heard ----

    def _passes_over(self, record: Any) -> bool:
        topic = record.topic.removeprefix(self._prefix)
        return topic in TOPICS and says_nothing(topic, record.partition, record.headers, record.value)

    async def _suppliers(self, stream: StreamT[bytes]) -> None:
        async for event in stream.events():
            await self._guarded(self._record(event), self._of_supplier)

    async def _findings(self, stream: StreamT[bytes]) -> None:
        async for event in stream.events():
            if event.message.partition == 0:  # the same record stands in every partition
                await self._guarded(self._record(event), self._of_finding)

    async def _repeated(self, stream: StreamT[bytes]) -> None:
        async for event in stream.events():
            record = _record.decode(event.value)
            if await self._guarded(record, self._of_finding if record.topic == "signals" else self._of_supplier):
                letter_id = event.key.decode()
                await self._patiently(lambda letter_id=letter_id: self.ctx.kernel.apply_many([], replayed=[letter_id]))

    def _record(self, event: EventT[bytes]) -> Record:
        return record_of(event.message.topic.removeprefix(self._prefix), event.message)

    async def _of_supplier(self, record: Record) -> None:
        payload = record.payload()
        assert isinstance(payload, SupplierEvent | MatchEvent)
        tenant, supplier = record.meta.tenant, supplier_of(payload, record.meta)
        word, key = word_of(payload, record.meta, self.policy), f"{tenant}\x1f{supplier}".encode()
        kept = self._watched.get(key)
        if word is None:
            return
        if kept is not None:
            known = _watched.decode(kept)
        else:
            first = isinstance(payload, SupplierEvent) and record.meta.sequence == 1  # an import's, so that it costs no look
            known = (None if first else await self._of_kernel(WATCHED, tenant, supplier)) or unheard(supplier)
        new = learned(known, word)
        if new != known:
            self._watched[key] = encode(new)
        await self._send(record, sightings(new))

    async def _of_finding(self, record: Record) -> None:
        await self._send(record, of_record(record, record.payload(), self.policy))

    async def _send(self, record: Record, found: Any) -> None:
        """Sent before the input counts as read: Faust waits for all that was sent before it commits."""
        cause, tenant = msgspec.structs.replace(cause_of(record), source=""), record.meta.tenant
        together: dict[Spot, list[Observation]] = dict(by_spot(found))
        for spot, news in together.items():
            key = spot_id(tenant, spot).encode()
            sighted = Sighted(tenant, spot, tuple(news), cause)
            await self._sightings.send(key=key, value=encode(sighted), partition=zlib.crc32(key) % self._partitions)

    # ---- the windows ----

    async def _fold(self, stream: StreamT[bytes]) -> None:
        async for event in stream.events():
            await self._patiently(lambda event=event: self._of_window(event))

    async def _of_window(self, event: EventT[bytes]) -> None:
        sighted = _sighted.decode(event.value)
        rule, now = self.policy.rule(sighted.spot.kind), self.ctx.clock.now()
        key = spot_id(sighted.tenant, sighted.spot).encode()
        kept = self._windows.get(key)
        known = _window.decode(kept) if kept is not None else Window({})
        together = merged(known.observations, current(sighted.observations, rule, now))
        if together == known.observations:
            return
        together = {one.id: one for one in current(together.values(), rule, now)}
        told = known.told or judged(together, rule, now).closes_at is not None
        if not told and (kept is None or not all(one.live for one in sighted.observations)):
            told = await self._of_kernel(HOTSPOT, sighted.tenant, key.decode()) is not None
        if told:  # before the table: who dies in between hears the same again
            body = Seen(sighted.spot, tuple(together.values()), rule)
            await self.ctx.kernel.apply_many([Item(HOTSPOT, sighted.tenant, key.decode(), Message(body, sighted.cause))], strict=True)
        self._windows[key] = encode(Window(together, told))

    async def _of_kernel(self, kind: Aggregate[Any], tenant: str, id_: str) -> Any:
        """What the kernel's document knows where a table knows nothing: it was lost, or the kernel counted before."""
        found = await self._patiently(lambda: self.ctx.kernel.get(kind, tenant, id_))
        return found.state if found is not None else None

    # ---- what goes wrong ----

    async def _guarded(self, record: Record, do: Any) -> bool:
        """One record; what breaks at every attempt is put aside as a dead letter, and its partition moves on. Was it handled?"""
        if not concerns(record):
            return True
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                await do(record)
                return True
            except msgspec.MsgspecError as error:
                reason: Exception = error
                break
            except (AssertionError, LookupError, TypeError, ValueError, DuewatchError) as error:
                reason = error
                await asyncio.sleep(_FIRST_PAUSE_S * 2**attempt)
        log.error("%s gives up on %s: %s", GROUP, record.meta.id, type(reason).__name__)
        letter = letter_of(GROUP, record, reason, self.ctx.clock.now(), attempt)
        await self._patiently(lambda: self.ctx.kernel.apply_many([], dead=[letter]))
        await self._patiently(lambda: self.ctx.bus.bury(letter))
        return False

    async def _replays(self) -> None:
        """Dead letters that somebody asked to be tried again go by a topic of their own to who holds the table of their partition, until done."""
        try:
            letters = [one for one in await self.ctx.kernel.store.dead_letters(state="replaying") if one.group == GROUP]
            for letter in letters:
                meta = msgspec.json.decode(letter.meta, type=Meta)
                record = Record(topic=letter.topic, partition=letter.partition, position=letter.position, meta=meta, data=letter.data)
                await self._again.send(key=letter.id.encode(), value=encode(record), partition=letter.partition)
        except TRANSIENT as error:
            log.warning("%s tries dead letters later: %s", GROUP, type(error).__name__)

    async def _patiently(self, do: Any) -> Any:
        """Until the store is there: to lose what was heard is no way out, nor is to hold the partition any other way."""
        pause = _FIRST_PAUSE_S
        while True:
            try:
                return await do()
            except TRANSIENT as error:
                log.warning("%s waits for its store: %s", GROUP, type(error).__name__)
                await asyncio.sleep(pause)
                pause = min(_LONGEST_PAUSE_S, pause * 2)


_RAW: dict[str, Any] = {"key_type": bytes, "value_type": bytes, "key_serializer": "raw", "value_serializer": "raw"}
