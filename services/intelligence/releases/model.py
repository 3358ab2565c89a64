"""A release of a list, from its receipt to the marker behind its last change; and the entries that it moves. Pure."""

from datetime import datetime
from typing import Any, Literal

import msgspec

from services.intelligence.lists import clusters
from shared.errors import Conflict, NotFound
from shared.events.intelligence import Counts, ReleaseMoved, ReleaseState
from shared.events.signals import ReleaseAccepted, ReleasePublished, Signal, SignalChanged, SignalPublished, SignalWithdrawn, sweep_id
from shared.kernel.aggregate import Aggregate, Decided, Document, Index, Message

Refusal = Literal["guard", "older", "unreadable", "base"]  # `older` than the one in force; `base`: a delta upon another version
GUARDED = ("guard", "older")  # only what a guard refuses can be let in
MAX_UNREAD_TOLD = 50


class Receive(msgspec.Struct, frozen=True):
    list: str
    sha256: str
    size: int
    source: Literal["upload", "pull"]
    step: int = 0  # of several that came together, and follow each other


class UnreadRow(msgspec.Struct, frozen=True):
    """A row of the primary file that became no entry: where it stands, from 1, and why; never what it says."""

    row: int
    reason: str


class Named(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a release says of itself: its day (ISO 8601), its version, the version that it is a delta upon; and the layout it was read in."""

    dated: str = ""
    version: str = ""
    base: str = ""
    layout: str = ""


class Judge(msgspec.Struct, frozen=True):
    """What comparing found: `state` with the counts, why where it is refused, and the first `MAX_UNREAD_TOLD` rows that could not be read."""

    state: Literal["accepted", "unchanged", "refused"]
    counts: Counts
    reason: str = ""
    refusal: Refusal | None = None
    unread: tuple[UnreadRow, ...] = ()
    named: Named = Named()


class LetIn(msgspec.Struct, frozen=True):
    """A named person accepts what a guard refused."""

    reason: str


class Done(msgspec.Struct, frozen=True):
    """All its changes are published."""


class Seen(msgspec.Struct, frozen=True):
    """The publisher's files came again and are still these, be it under a newer day or version."""

    named: Named = Named()


class Supersede(msgspec.Struct, frozen=True):
    """Another release acts from now on."""

    by: str


class Release(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`published`: the marker is behind its last change. `accepted_by`: who let it in past a guard. `seen_at`: when the same came again."""

    list: str
    state: ReleaseState
    sha256: str
    size: int
    source: Literal["upload", "pull"]
    loaded_by: str
    received_at: datetime
    step: int = 0
    counts: Counts = Counts()
    accepted_at: datetime | None = None
    published: bool = False
    reason: str = ""
    refusal: Refusal | None = None
    accepted_by: str = ""
    accepted_because: str = ""
    superseded_by: str = ""
    seen_at: datetime | None = None
    unread: tuple[UnreadRow, ...] = ()
    named: Named = Named()


def _moved(new: Release, reason: str = "") -> ReleaseMoved:
    return ReleaseMoved(list=new.list, state=new.state, sha256=new.sha256, counts=new.counts, reason=reason)


def _decide(state: Release | None, message: Message, now: datetime) -> Decided[Release] | None:
    body = message.body
    if isinstance(body, Receive):
        if state is not None:  # a repeat, of which the inbox knows no more
            if (state.list, state.sha256) != (body.list, body.sha256):
                raise Conflict("This Idempotency-Key was used with another body")
            return None
        new = Release(
            list=body.list, state="received", sha256=body.sha256, size=body.size, source=body.source,
            loaded_by=message.cause.actor, received_at=now, step=body.step,
        )  # fmt: skip
        return Decided(new, [_moved(new)])
    if state is None:
        raise NotFound("There is no such release")
    match body:
        case Judge():
            return _judged(state, body, message.cause.correlation, now)
        case LetIn(reason):
            if state.state != "refused" or state.refusal not in GUARDED:
                raise Conflict("Only a release that a guard refused can be let in")
            new = msgspec.structs.replace(
                state, state="received", reason="", refusal=None, accepted_by=message.cause.actor, accepted_because=reason
            )
            return Decided(new, [_moved(new, reason)])
        case Done():
            if state.published or state.state != "accepted":
                return None
            new = msgspec.structs.replace(state, published=True)
            return Decided(new, [_moved(new)])
        case Seen(named):
            kept = msgspec.structs.replace(
                state.named, dated=named.dated or state.named.dated, version=named.version or state.named.version
            )
            new = msgspec.structs.replace(state, seen_at=now, named=kept)
            return Decided(new, [_moved(new)])
        case Supersede(by):
            if state.superseded_by:
                return None
            new = msgspec.structs.replace(state, superseded_by=by)
            return Decided(new, [_moved(new)])
    raise TypeError(type(body).__name__)


def _judged(state: Release, judge: Judge, release_id: str, now: datetime) -> Decided[Release] | None:
    if state.state != "received":
        return None
    new = msgspec.structs.replace(
        state, state=judge.state, counts=judge.counts, reason=judge.reason, refusal=judge.refusal, unread=judge.unread, named=judge.named
    )
    if judge.state != "accepted":
        return Decided(new, [_moved(new, judge.reason)])
    c = judge.counts
    new = msgspec.structs.replace(new, accepted_at=now)
    told = ReleaseAccepted(
        list=state.list,
        sweep_id=sweep_id(release_id),
        entries=c.entries,
        added=c.added,
        modified=c.modified,
        deleted=c.deleted,
        accepted_at=now,
    )
    return Decided(new, [told])


RELEASE = Aggregate(
    kind="release",
    state=Release,
    decide=_decide,
    indexes=(
        Index("list", lambda s: s.list),
        Index("state", lambda s: s.state),
        Index("in_force", lambda s: s.list if s.state == "accepted" and not s.superseded_by else None),
        Index("todo", lambda s: 1 if s.state == "received" or (s.state == "accepted" and not s.published) else None),
    ),
    goes_on=True,
)


class Marker(msgspec.Struct, frozen=True):
    """Stands behind a release's last change in the log; an aggregate of its own, so that its event comes last in their common commit."""

    signals: int


class Mark(msgspec.Struct, frozen=True):
    list: str
    signals: int


def _mark(state: Marker | None, message: Message, _now: datetime) -> Decided[Marker] | None:
    body = message.body
    assert isinstance(body, Mark)
    if state is not None:
        return None
    told = ReleasePublished(list=body.list, sweep_id=sweep_id(message.cause.correlation), signals=body.signals)
    return Decided(Marker(body.signals), [told])


MARKER = Aggregate(kind="release_marker", state=Marker, decide=_mark)


class Publish(msgspec.Struct, frozen=True):
    """An entry as a release holds it; what its signal was `formerly` adds to what is known of that."""

    signal: Signal


class Withdraw(msgspec.Struct, frozen=True):
    """A release holds it no more."""

    release_id: str


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An entry of a list; its signal names the release in which it last changed."""

    signal: Signal
    live: bool = True
    withdrawn_in: str | None = None


def _entry(state: Entry | None, message: Message, _now: datetime) -> Decided[Entry] | None:
    match message.body:
        case Publish(signal):
            former = dict.fromkeys((*signal.formerly, *(state.signal.formerly if state else ())))
            signal = msgspec.structs.replace(signal, formerly=tuple(former))
            if state is None or not state.live:
                return Decided(Entry(signal=signal), [SignalPublished(signal=signal)])
            if state.signal.digest == signal.digest and state.signal.formerly == signal.formerly:
                return None
            return Decided(Entry(signal=signal), [SignalChanged(signal=signal)])
        case Withdraw(release_id):
            if state is None or not state.live:
                return None
            gone = msgspec.structs.replace(state, live=False, withdrawn_in=release_id)
            return Decided(gone, [SignalWithdrawn(signal=state.signal, release_id=release_id, reason="removed by its publisher")])
    raise TypeError(type(message.body).__name__)


SAME = "same"  # what an entry has in common with others of the same party

ENTRY = Aggregate(
    kind="entry",
    state=Entry,
    decide=_entry,
    indexes=(
        Index("list", lambda s: s.signal.source.list if s.live else None),
        Index(SAME, lambda s: clusters.keys(s.signal) if s.live else (), many=True),
    ),
)


def entry_id(list_id: str, uid: str) -> str:
    """One id an entry of a list, over all releases."""
    return f"{list_id}:{uid}"


def view(found: Document[Release]) -> dict[str, Any]:
    """A release as the API gives it."""
    s = found.state
    may_be_let_in = s.state == "refused" and s.refusal in GUARDED
    return {
        "id": found.id,
        "list": s.list,
        "state": s.state,
        "layout": s.named.layout or None,
        "dated": s.named.dated or None,
        "version": s.named.version or None,
        "base": s.named.base or None,
        "records": s.counts.records,
        "entries": s.counts.entries,
        "reasons": s.counts.reasons,
        "quarantined": s.counts.quarantined,
        "unread": [{"row": u.row, "reason": u.reason} for u in s.unread],
        "attached": s.counts.attached,
        "added": s.counts.added,
        "modified": s.counts.modified,
        "deleted": s.counts.deleted,
        "sweep_id": sweep_id(found.id) if s.state == "accepted" else None,
        "accepted_at": s.accepted_at,
        "published": s.published,
        "reason": s.reason or None,
        "refusal": s.refusal,
        "may_be_let_in": may_be_let_in,
        "let_in_by": {"role": "operator", "command": f"duewatch lists accept {s.list} {found.id} --reason WHY"} if may_be_let_in else None,
        "accepted_by": s.accepted_by or None,
        "accepted_because": s.accepted_because or None,
        "superseded_by": s.superseded_by or None,
        "received_at": s.received_at,
        "seen_at": s.seen_at,
        "loaded_by": s.loaded_by,
        "source": s.source,
        "sha256": s.sha256,
        "size": s.size,
    }
