"""A match of one supplier with one signal, its review by a person, and the mark that a supplier has been screened. Pure."""

from datetime import datetime
from typing import Any, Literal, NamedTuple

import msgspec

from shared.errors import Conflict, Forbidden, Invalid
from shared.events.envelope import Meta, decode
from shared.events.matches import (
    Match,
    MatchChanged,
    MatchEvent,
    MatchOpened,
    MatchReviewed,
    MatchState,
    MatchWithdrawn,
    SupplierScreened,
)
from shared.events.suppliers import Profile, Status
from shared.ids import derive
from shared.kernel.aggregate import Aggregate, Decided, Document, Index, Message
from shared.kernel.journal import JournalRow

LIVE: frozenset[MatchState] = frozenset({"open", "escalated", "confirmed", "cleared"})
REASON_CODES = (
    "same_party", "different_name", "different_country", "different_business", "different_identifier", "different_address",
    "not_the_good", "insufficient_information", "other",
)  # fmt: skip


class Sides(NamedTuple):
    """The versions of both sides that were held against each other."""

    supplier: int
    signal: int


class Touched(msgspec.Struct, frozen=True):
    """Screening found the pair; `content` digests what of both sides matters for a review of it."""

    match: Match
    content: str
    sides: Sides


class Untouched(msgspec.Struct, frozen=True):
    """Screening finds the pair no more."""

    sides: Sides


class Review(msgspec.Struct, frozen=True):
    """A person's decision."""

    outcome: Literal["confirmed", "cleared", "escalated"]
    reason_code: str
    note: str
    reviewer: str


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What a person last settled, and the content that it was said of."""

    content: str
    state: Literal["confirmed", "cleared"]
    reviewed_by: str
    reason_code: str


class MatchDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`judged` holds while the content is the same, though the pair be withdrawn and come back. The note stays in this service.

    `confirmed_by`: who may not clear it, escalated in between or not, until it is opened anew.

    `sides`: the versions that it was last found, or not found, with. Who compares an older version of either side, because messages come again,
    has nothing to say: a watermark of one side cannot tell that, for what a message means depends on the other side, too.
    """

    match: Match
    content: str
    sides: Sides
    opened_at: datetime
    updated_at: datetime
    judged: Judged | None = None
    confirmed_by: str = ""
    note: str = ""
    reviewed_at: datetime | None = None


def match_id(tenant: str, supplier_id: str, signal_id: str, party: str) -> str:
    """One id a pair and party (the supplier itself: ""; an owner: its folded name)."""
    return derive("mat", tenant, supplier_id, signal_id, party)


def _decide_match(state: MatchDocument | None, message: Message, now: datetime) -> Decided[MatchDocument] | None:
    match message.body:
        case Touched() as found:
            return _touched(state, found, now)
        case Untouched():
            return _untouched(state, message.body.sides, now)
        case Review() as review:
            return _reviewed(state, review, now)
    raise TypeError(type(message.body).__name__)


def _touched(state: MatchDocument | None, found: Touched, now: datetime) -> Decided[MatchDocument] | None:
    if state is None:
        opened = MatchDocument(match=found.match, content=found.content, sides=found.sides, opened_at=now, updated_at=now)
        return Decided(opened, [MatchOpened(match=found.match)])
    if _is_old(found.sides, state.sides):
        return None
    before, judged = state.match, state.judged
    kept = msgspec.structs.replace(found.match, state=before.state, reviewed_by=before.reviewed_by, reason_code=before.reason_code)
    if before.state in LIVE and _same(kept, before) and found.content == state.content:
        return None
    if judged is not None and judged.content == found.content:
        kept = msgspec.structs.replace(kept, state=judged.state, reviewed_by=judged.reviewed_by, reason_code=judged.reason_code)
    elif before.state in ("cleared", "withdrawn"):
        kept = msgspec.structs.replace(kept, state="open", reviewed_by="", reason_code="")
    new = msgspec.structs.replace(state, match=kept, content=found.content, sides=found.sides, updated_at=now)
    reopened = kept.state == "open" and before.state != "open"
    if reopened:
        new = msgspec.structs.replace(new, confirmed_by="")
    return Decided(new, [MatchOpened(match=kept) if reopened else MatchChanged(match=kept)])


def _same(one: Match, other: Match) -> bool:
    """Equal but for which event told of the signal last, and for the wording: why they match reads a little different from either side."""
    return _bare(one) == _bare(other)


def _bare(match: Match) -> Match:
    signal = msgspec.structs.replace(match.signal, event_id="", event_type="", event_time=None)
    return msgspec.structs.replace(match, signal=signal, why=())


def _is_old(found: Sides, known: Sides) -> bool:
    """Is nothing new about either side? The same pair compared again may score otherwise, for rarity goes by what is listed just now: a message
    that comes again must not act again by it."""
    return found == known or found.supplier < known.supplier or found.signal < known.signal


def _untouched(state: MatchDocument | None, sides: Sides, now: datetime) -> Decided[MatchDocument] | None:
    if state is None or state.match.state == "withdrawn" or _is_old(sides, state.sides):
        return None
    gone = msgspec.structs.replace(state.match, state="withdrawn")
    return Decided(msgspec.structs.replace(state, match=gone, sides=sides, updated_at=now), [MatchWithdrawn(match=gone)])


def _reviewed(state: MatchDocument | None, review: Review, now: datetime) -> Decided[MatchDocument]:
    assert state is not None  # the API loads it first
    if state.match.state == "withdrawn":
        raise Conflict("The match was withdrawn; there is nothing to review")
    check_reason(review.reason_code)
    if review.outcome == "cleared" and state.confirmed_by == review.reviewer:
        raise Forbidden("Who confirmed a match cannot clear it; somebody else must")
    reviewed = msgspec.structs.replace(state.match, state=review.outcome, reviewed_by=review.reviewer, reason_code=review.reason_code)
    new = msgspec.structs.replace(
        state,
        match=reviewed,
        judged=None
        if review.outcome == "escalated"
        else Judged(content=state.content, state=review.outcome, reviewed_by=review.reviewer, reason_code=review.reason_code),
        confirmed_by={"confirmed": review.reviewer, "escalated": state.confirmed_by, "cleared": ""}[review.outcome],
        note=review.note,
        reviewed_at=now,
        updated_at=now,
    )
    return Decided(new, [MatchReviewed(match=reviewed)])


def check_reason(code: str) -> None:
    """Invalid where it is none of REASON_CODES."""
    if code not in REASON_CODES:
        raise Invalid("Unknown reason", errors=[{"field": "reason_code", "message": f"one of {', '.join(REASON_CODES)}"}])


class Screened(msgspec.Struct, frozen=True):
    """A version of a supplier has been held against all signals."""

    supplier_version: int
    profile: Profile
    status: Status
    matches: int


class Screening(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The last version of a supplier that was screened."""

    supplier_version: int
    matches: int


def _decide_screening(state: Screening | None, message: Message, _now: datetime) -> Decided[Screening] | None:
    found = message.body
    assert isinstance(found, Screened)
    if state is not None and found.supplier_version <= state.supplier_version:
        return None
    told = SupplierScreened(
        supplier_id=message.cause.source.rpartition("/")[2],
        supplier_version=found.supplier_version,
        profile=found.profile,
        status=found.status,
        matches=found.matches,
    )
    return Decided(Screening(supplier_version=found.supplier_version, matches=found.matches), [told])


MATCH = Aggregate(
    kind="match",
    state=MatchDocument,
    decide=_decide_match,
    key=lambda s: s.match.supplier_id,
    indexes=(
        Index("supplier_id", lambda s: s.match.supplier_id),
        Index("signal_id", lambda s: s.match.signal.id),
        Index("state", lambda s: s.match.state),
        Index("strength", lambda s: s.match.strength),
    ),
)
SCREENING = Aggregate(kind="screening", state=Screening, decide=_decide_screening)


def view(found: Document[MatchDocument]) -> dict[str, Any]:
    """A match as the API gives it."""
    state, match = found.state, found.state.match
    source = match.signal.source
    return {
        "id": found.id,
        "version": found.version,
        "supplier_id": match.supplier_id,
        "state": match.state,
        "score": match.score,
        "strength": match.strength,
        "about": match.about,
        "party": match.party,
        "party_name": match.party_name,
        "signal": {
            "id": match.signal.id, "kind": source.kind, "list": source.list, "uid": source.uid, "release_id": source.release_id,
            "finding_id": source.finding_id, "name": match.signal.name, "schema": match.signal.schema, "programs": source.programs,
        },
        "why": [msgspec.to_builtins(reason) for reason in match.why],
        "reviewed_by": match.reviewed_by or None,
        "reason_code": match.reason_code or None,
        "note": state.note or None,
        "reviewed_at": state.reviewed_at,
        "opened_at": state.opened_at,
        "updated_at": state.updated_at,
    }  # fmt: skip


def happened(row: JournalRow) -> dict[str, Any]:
    """One entry of a match's journal as the API gives it: what happened, when, by whom, and how the pair stood then."""
    meta = msgspec.json.decode(row.meta, type=Meta)
    entry: dict[str, Any] = {"version": row.version, "time": meta.time, "type": row.type, "actor": meta.actor or None}
    told = decode(row.type, row.data) if row.data is not None else None
    if isinstance(told, MatchEvent):
        match = told.match
        entry |= {"state": match.state, "score": match.score, "strength": match.strength, "reason_code": match.reason_code or None}
    return entry
