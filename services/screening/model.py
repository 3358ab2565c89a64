"""A match of one supplier with one signal as the world moves it, and the mark that a supplier has been screened. Pure."""

from datetime import datetime
from typing import NamedTuple

import msgspec

from services.screening.reviews import Approve, Review, approved, reviewed
from services.screening.state import Carried, Judged, MatchDocument, MatchRanked, Sides
from shared.events.matches import Match, MatchChanged, MatchOpened, MatchState, MatchWithdrawn, SupplierScreened
from shared.events.suppliers import Profile, Status
from shared.ids import derive
from shared.kernel.aggregate import Aggregate, Decided, Index, Message

LIVE: frozenset[MatchState] = frozenset({"open", "escalated", "confirmed", "cleared"})


class Former(NamedTuple):
    """The same pair as it was while the list had the party under another id."""

    match_id: str
    signal_id: str


class Touched(msgspec.Struct, frozen=True, kw_only=True):
    """Screening found the pair; `content` digests what of both sides matters for a review of it, `alike` the same by the supplier's other names.

    `bought`: the supplier is one that things are bought from. `former`, newest first: where a review of it may lie, and what lies there.
    """

    match: Match
    content: str
    sides: Sides
    alike: tuple[str, ...] = ()
    bought: bool = True
    former: tuple[Former, ...] = ()
    carried: Carried | None = None


class Untouched(msgspec.Struct, frozen=True):
    """Screening finds the pair no more."""

    sides: Sides


class Rank(msgspec.Struct, frozen=True):
    """Its place in the queue is to be looked at: how it is made has changed."""


def match_id(tenant: str, supplier_id: str, signal_id: str, party: str) -> str:
    """One id a pair and party (the supplier itself: ""; an owner: its folded name)."""
    return derive("mat", tenant, supplier_id, signal_id, party)


def _decide_match(state: MatchDocument | None, message: Message, now: datetime) -> Decided[MatchDocument] | None:
    decided = _decided(state, message, now)
    if decided is None:
        return None
    return Decided(msgspec.structs.replace(decided.state, rank=decided.state.ranked()), decided.events)


def _decided(state: MatchDocument | None, message: Message, now: datetime) -> Decided[MatchDocument] | None:
    body = message.body
    if isinstance(body, Touched):
        return _touched(state, body, now)
    if isinstance(body, Untouched):
        return _untouched(state, body.sides, now)
    assert state is not None  # whoever asks has loaded it
    match body:
        case Review():
            return reviewed(state, body, now)
        case Approve():
            return approved(state, body, now)
        case Rank():
            return None if state.rank == state.ranked() else Decided(state, [MatchRanked(rank=state.ranked())])
    raise TypeError(type(body).__name__)


def _touched(state: MatchDocument | None, found: Touched, now: datetime) -> Decided[MatchDocument] | None:
    if state is None:
        opened = MatchDocument(
            match=found.match, content=found.content, sides=found.sides, opened_at=now, updated_at=now, alike=found.alike, bought=found.bought
        )  # fmt: skip
        new = _carried(opened, found.carried) or opened
        return Decided(new, [MatchOpened(match=new.match)])
    if _is_old(found.sides, state.sides):
        return None
    before = state.match
    if _says_the_same(found.sides, state.sides):  # what people would be told is that words have become rarer or more frequent
        return _ranked_again(state, msgspec.structs.replace(state, bought=found.bought, sides=found.sides))
    kept = msgspec.structs.replace(
        found.match, state=before.state, reviewed_by=before.reviewed_by, agreed_by=before.agreed_by, reason_code=before.reason_code,
        carried_from=before.carried_from,
    )  # fmt: skip
    new = msgspec.structs.replace(
        state, match=kept, content=found.content, alike=found.alike, sides=found.sides, bought=found.bought, updated_at=now
    )
    same_content = found.content == state.content or found.content in state.alike
    if not same_content:  # what was proposed was said of another party
        new = msgspec.structs.replace(new, proposal=None)
    if settled := _carried(new, found.carried):
        return Decided(settled, [MatchChanged(match=settled.match)])
    if before.state in LIVE and _same(kept, before) and found.content == state.content:
        return _ranked_again(state, new)
    if judged := state.judgement_of(found.content):
        return _settled_again(new, judged)
    if before.state in ("cleared", "withdrawn"):
        new = new.with_match(state="open", reviewed_by="", agreed_by="", reason_code="", carried_from="")
    if new.match.state == "open" and before.state != "open":
        return Decided(msgspec.structs.replace(new, confirmed_by=""), [MatchOpened(match=new.match)])
    return Decided(new, [MatchChanged(match=new.match)])


def _ranked_again(state: MatchDocument, new: MatchDocument) -> Decided[MatchDocument] | None:
    """Nothing is to be told of the pair; whether things are bought from the supplier moves its place in the queue."""
    return None if new.bought == state.bought else Decided(new, [MatchRanked(rank=new.ranked())])


def _settled_again(state: MatchDocument, judged: Judged) -> Decided[MatchDocument]:
    """What people settled of this content holds."""
    new = _as_judged(state, judged)
    return Decided(new, [MatchChanged(match=new.match)])


def _as_judged(state: MatchDocument, judged: Judged) -> MatchDocument:
    said = [one for one in (judged, state.judged, *state.earlier) if one is not None]
    return msgspec.structs.replace(
        state.with_match(state=judged.state, reviewed_by=judged.reviewed_by, agreed_by=judged.agreed_by, reason_code=judged.reason_code),
        judged=judged,
        earlier=tuple(dict.fromkeys(one for one in said if one != judged)),
        proposal=None,
        note=judged.note or state.note,
        reviewed_at=judged.at or state.reviewed_at,
    )


def _carried(state: MatchDocument, carried: Carried | None) -> MatchDocument | None:
    """What was settled under the id that the list gave the party before, where nobody has said anything under this one and the content is the same."""
    if carried is None or state.reviewed_at is not None or state.proposal is not None:
        return None
    judged = next((one for one in carried.judged if one.holds(state.content)), None)
    if judged is None:
        return None
    settled = _as_judged(state, judged).with_match(carried_from=carried.signal_id)
    return msgspec.structs.replace(settled, confirmed_by=carried.confirmed_by)


def _same(one: Match, other: Match) -> bool:
    """Equal but for which event told of the signal last, and for the wording: why they match reads a little different from either side."""
    return _bare(one) == _bare(other)


def _bare(match: Match) -> Match:
    signal = msgspec.structs.replace(match.signal, event_id="", event_type="", event_time=None)
    return msgspec.structs.replace(match, signal=signal, why=())


def _is_old(found: Sides, known: Sides) -> bool:
    """Is nothing new about either side or the settings? The same pair compared again may score otherwise, for rarity goes by what is listed just now: a message
    that comes again must not act again by it."""
    if found[:2] == known[:2]:
        return found.settings <= known.settings
    return found.supplier < known.supplier or found.signal < known.signal


def _says_the_same(found: Sides, known: Sides) -> bool:
    """Was the pair compared already as both sides are now, by the same settings? Only what is listed beside them may have moved the score."""
    return found[1:] == known[1:] and found.profile != ""


def _untouched(state: MatchDocument | None, sides: Sides, now: datetime) -> Decided[MatchDocument] | None:
    if state is None or state.match.state == "withdrawn" or _is_old(sides, state.sides) or _says_the_same(sides, state.sides):
        return None
    gone = msgspec.structs.replace(state.with_match(state="withdrawn"), sides=sides, proposal=None, updated_at=now)
    return Decided(gone, [MatchWithdrawn(match=gone.match)])


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
        Index("rank", lambda s: s.rank or None, ordered=True),
    ),
)
SCREENING = Aggregate(kind="screening", state=Screening, decide=_decide_screening)
