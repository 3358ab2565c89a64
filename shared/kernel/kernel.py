"""The one way to change anything: load, seen before?, decide, one commit, publish.

Messages of one aggregate are folded into one write. A lost race reloads and decides again. What is decided is pure; what is here is not.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from shared.bus.port import Bus
from shared.clock import Clock
from shared.errors import Conflict, DuewatchError, PreconditionFailed, TooLarge, Unavailable
from shared.events.envelope import Meta, encode
from shared.faults import crash_point
from shared.ids import Ids, derive
from shared.kernel.addressing import address
from shared.kernel.aggregate import Aggregate, Alarm, Document, Item, Outcome
from shared.kernel.fence import may_commit
from shared.kernel.folding import Folded, Place, apart, place_of
from shared.kernel.journal import JournalRow, link, payload_digest
from shared.store.port import Commit, DeadLetter, Key, Store, Stored, Write
from shared.telemetry import tracing
from shared.telemetry.metrics import count_events

_RACES = 200  # of so many writers at once on one thing each gets its turn: every round one of them wins
LARGEST = 3_000_000  # bytes of a state or of an event's data: what the log and the store take, with what comes beside it
_INBOX_KEPT_S = 7 * 86400  # longer than any client retries


class _Notes(msgspec.Struct, omit_defaults=True):
    marks: dict[str, list[int]] = {}
    inbox: dict[str, list[Any]] = {}
    trace: str = ""


_notes = msgspec.json.Decoder(_Notes)


def document(aggregate: Aggregate[Any], stored: Stored) -> Document[Any]:
    """A stored document with its state decoded."""
    notes = _notes.decode(stored.notes) if stored.notes else _Notes()
    state = aggregate.decoder.decode(stored.state)
    return Document(
        aggregate.kind, stored.tenant, stored.id, stored.version, state, stored.head, notes.marks, notes.inbox, stored.wake_at, notes.trace
    )


def trace_of(stored: Stored) -> str:
    """The traceparent that a document keeps; see Aggregate.goes_on."""
    return _notes.decode(stored.notes).trace if stored.notes else ""


class Kernel:
    """Of one service in one process."""

    def __init__(self, service: str, store: Store, bus: Bus, clock: Clock, ids: Ids) -> None:
        self.service, self.store, self.bus, self.clock, self.ids = service, store, bus, clock, ids

    async def get(self, aggregate: Aggregate[Any], tenant: str, id_: str) -> Document[Any] | None:
        """One document as it stands."""
        stored = (await self.store.load(aggregate.kind, [(tenant, id_)])).get((tenant, id_))
        return document(aggregate, stored) if stored else None

    async def execute(self, item: Item) -> Outcome:
        """One command; raises what its decision raised."""
        outcome = (await self.apply_many([item]))[0]
        if outcome.error is not None:
            raise outcome.error
        return outcome

    async def apply_many(
        self,
        items: Sequence[Item],
        *,
        consumed: dict[str, int] | None = None,
        dead: Sequence[DeadLetter] = (),
        replayed: Sequence[str] = (),
        strict: bool = False,
    ) -> list[Outcome]:
        """Many messages in one commit, folded by aggregate; an outcome for each, in the order asked.

        A refused message (DuewatchError) is an outcome and harms no other; with `strict` it is raised and nothing is consumed, nor written but
        what stood beside a write that lost its race: that is known by its watermarks when it comes again.
        """
        if trace := tracing.current():
            items = [_traced(item, trace) for item in items]
        outcomes: list[Outcome] = [Outcome() for _ in items]
        left, alone, races = list(enumerate(items)), set[Place](), 0
        first = True
        while races < _RACES:
            present, left = apart(left, alone)
            folded = await self._fold(present, strict, first)
            writes = [f for f in folded if f.rows]
            commit = Commit([self._write(f) for f in writes])
            if not left:  # else there is more to do before all of it is done
                commit.consumed, commit.dead, commit.replayed = consumed or {}, list(dead), list(replayed)
            may_commit()
            lost = await self.store.commit(commit) if commit else []
            gone = {(x.kind, x.tenant, x.id): x for x in lost}
            kept = [row for f in writes if f.place not in gone for row in f.rows]
            if kept:
                crash_point("before-nudge")
                await self.bus.publish(kept)
                count_events([row.type for row in kept])
            done = not lost and not left
            for f in folded:
                why = gone.get(f.place)
                if why is None:
                    for at, outcome in f.outcomes:
                        outcomes[at] = outcome
                elif why.reason == "version":
                    left += f.items
                elif len(f.items) > 1 and not strict:  # whose of them it was shows when each is written by itself
                    alone.add(f.place)
                    left += f.items
                else:
                    refusal = Conflict("Another one already has this value", errors=[{"field": why.field, "message": "is taken"}])
                    if strict:
                        raise refusal
                    outcomes[f.items[0][0]] = Outcome(f.stored, error=refusal)
            if done:
                return outcomes
            first = False
            races += any(x.reason == "version" for x in lost)
            left.sort(key=lambda pair: pair[0])
        raise Unavailable("Too many writers at once on the same thing; try again")

    async def _fold(self, items: Sequence[tuple[int, Item]], strict: bool, first: bool) -> list[Folded]:
        folded: dict[Place, Folded] = {}
        for at, item in items:
            key = place_of(item)
            if key not in folded:
                folded[key] = Folded(item.aggregate, key)
            folded[key].items.append((at, item))
        by_kind: dict[str, list[Key]] = {}
        for (kind, tenant, id_), f in folded.items():
            if not (first and all(item.fresh for _, item in f.items)):
                by_kind.setdefault(kind, []).append((tenant, id_))
        for kind, keys in by_kind.items():
            for (tenant, id_), stored in (await self.store.load(kind, keys)).items():
                f = folded[kind, tenant, id_]
                f.stored = document(f.aggregate, stored)
        now = self.clock.now()
        for f in folded.values():
            f.document = f.stored
            for at, item in f.items:
                f.outcomes.append((at, self._decide(f, item, now, strict)))
        return list(folded.values())

    def _decide(self, f: Folded, item: Item, now: datetime, strict: bool) -> Outcome:
        d, message = f.document, item.message
        cause = message.cause
        if isinstance(message.body, Alarm) and not _due(d, now):
            return Outcome(d)  # put off or taken back by somebody who was quicker
        if d is not None:
            if cause.source and (cause.sequence, cause.n) <= tuple(d.marks.get(cause.source, (0, -1))):
                return Outcome(d)  # seen before
            if message.key and message.key in d.inbox:
                digest, answer, _at = d.inbox[message.key]
                if digest != message.digest:
                    return Outcome(d, error=Conflict("This Idempotency-Key was used with another body"))
                return Outcome(d, answer=answer.encode())
        try:
            if message.expected is not None and (d is None or d.version != message.expected):
                raise PreconditionFailed
            decided = item.aggregate.decide(d.state if d else None, message, now)
        except DuewatchError as refusal:
            if strict:
                raise
            return Outcome(d, error=refusal)
        if decided is None:
            return Outcome(d)
        if not decided.events:
            raise AssertionError(f"{item.aggregate.kind} changed its state without an event")
        try:
            f.document = self._next(f, item, decided.state, list(decided.events), now)
        except TooLarge as refusal:
            if strict:
                raise
            return Outcome(d, error=refusal)
        answer = f.document.inbox[message.key][1].encode() if message.key else None
        return Outcome(f.document, changed=True, answer=answer)

    def _next(self, f: Folded, item: Item, state: Any, events: list[Any], now: datetime) -> Document[Any]:
        a, d, cause = item.aggregate, f.document, item.message.cause
        version = d.version + 1 if d else 1
        head = d.head if d else b""
        partitionkey = a.key(state) if a.key else item.id
        encoded = encode(state)
        rows: list[JournalRow] = []
        for n, event in enumerate(events):
            row = self._row(item, event, version, n, head, partitionkey, now, encoded if n == len(events) - 1 else b"")
            head = row.hash
            rows.append(row)
        if len(encoded) > LARGEST or any(len(row.data or b"") > LARGEST for row in rows):
            raise TooLarge(f"What this makes of it is larger than {LARGEST // 1_000_000} MB")
        f.encoded = encoded
        f.rows += rows
        marks = d.marks if d else {}
        if cause.source:
            marks = {**marks, cause.source: [cause.sequence, cause.n]}
        wake = a.wake(state) if a.wake else None
        trace = cause.traceparent if a.goes_on or (a.wake and a.rings) else ""
        inbox, at = d.inbox if d else {}, wake.timestamp() if wake else None
        made = Document(a.kind, item.tenant, item.id, version, state, head, marks, inbox, at, trace)
        if item.message.key:
            answer = item.message.answer(made).decode() if item.message.answer else ""
            kept = {k: v for k, v in made.inbox.items() if v[2] > now.timestamp() - _INBOX_KEPT_S}
            made.inbox = {**kept, item.message.key: [item.message.digest, answer, now.timestamp()]}
        return made

    def _row(
        self, item: Item, event: Any, version: int, n: int, head: bytes, partitionkey: str, now: datetime, stands: bytes
    ) -> JournalRow:
        cause, kind = item.message.cause, item.aggregate.kind
        data, salt = encode(event), self.ids.salt()
        meta = encode(
            Meta(
                id=derive("evt", cause.id, kind, item.tenant, item.id, str(n)),
                source=f"/services/{self.service}",
                type=event.type,
                subject=item.id,
                time=now,
                tenant=item.tenant,
                sequence=version,
                n=n,
                kind=kind,
                causationid=cause.id,
                causationtype=cause.type,
                correlationid=cause.correlation or cause.id,
                partitionkey=partitionkey,
                actor=cause.actor,
                traceparent=cause.traceparent,
                state=payload_digest(salt, stands).hex() if stands else "",
            )
        )
        digest = payload_digest(salt, data)
        place = address(kind, item.tenant, item.id, event.topic, partitionkey, self.bus.partitions)
        return JournalRow(kind, item.tenant, item.id, version, n, event.type, meta, data, salt, digest, link(head, meta, digest), *place)

    @staticmethod
    def _write(f: Folded) -> Write:
        d, before = f.document, f.stored
        assert d is not None
        notes = encode(_Notes(marks=d.marks, inbox=d.inbox, trace=d.traceparent)) if d.marks or d.inbox or d.traceparent else b""
        single, many, moved = {}, {}, before is None
        for index in f.aggregate.indexes:
            value = index.get(d.state)
            if index.many:
                many[index.name] = tuple(value)
                moved = moved or (before is not None and tuple(index.get(before.state)) != many[index.name])
            else:
                single[index.name] = value
        expected = before.version if before else 0
        return Write(
            d.kind, d.tenant, d.id, expected, d.version, f.encoded, d.head, notes, d.wake_at, single, many if moved else None, f.rows
        )


def _due(d: Document[Any] | None, now: datetime) -> bool:
    return d is not None and d.wake_at is not None and d.wake_at <= now.timestamp()


def _traced(item: Item, trace: str) -> Item:
    """What is done now causes it, unless its cause names a step of its own."""
    if item.message.cause.traceparent:
        return item
    cause = msgspec.structs.replace(item.message.cause, traceparent=trace)
    return msgspec.structs.replace(item, message=msgspec.structs.replace(item.message, cause=cause))
