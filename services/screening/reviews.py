"""What people say of a match: by one person, or by two where it forbids dealings or lets them go on. Pure."""

from datetime import datetime
from typing import Final

import msgspec

from services.screening.consequence import consequence
from services.screening.state import Judged, MatchDocument, MatchProposalDecided, MatchProposed, Outcome, Said
from shared.errors import Conflict, Forbidden, Invalid
from shared.events.matches import MatchReviewed
from shared.kernel.aggregate import Decided

CLEARING: Final = (
    "different_name", "different_country", "different_identifier", "different_birth_date", "different_address", "different_business",
    "same_name_only", "not_the_good", "other",
)  # fmt: skip
REASON_CODES: Final = ("same_party", *CLEARING[:-1], "insufficient_information", "other")
_UNSAID: Final[dict[Outcome, str]] = {"confirmed": "same_party", "escalated": "insufficient_information"}
_REMEMBERED: Final = 8  # contents of a pair


class Review(msgspec.Struct, frozen=True):
    """A person's decision."""

    outcome: Outcome
    reason_code: str
    note: str
    reviewer: str


class Approve(msgspec.Struct, frozen=True):
    """A second person agrees to what was proposed, or does not."""

    approved: bool
    reason: str
    by: str


def reason_of(outcome: Outcome, code: str | None, note: str) -> str:
    """The reason to keep; Invalid where it is missing or none that such an outcome can have. What is `other` needs words."""
    found = code or _UNSAID.get(outcome, "")
    allowed = CLEARING if outcome == "cleared" else REASON_CODES
    if found not in allowed:
        raise Invalid("A reason is needed", errors=[{"field": "reason_code", "message": f"one of {', '.join(allowed)}"}])
    if found == "other" and outcome != "escalated" and not note.strip():
        raise Invalid("A reason is needed", errors=[{"field": "note", "message": "Say what the other reason is"}])
    return found


def takes_two(state: MatchDocument, outcome: Outcome) -> bool:
    """Would it forbid dealings for good, or let them go on with a party that a blocking list surely names, or that people said it does?"""
    if consequence(state.match) != "prohibiting":
        return False
    if outcome == "confirmed" or state.match.state == "confirmed":
        return True
    return outcome == "cleared" and (state.match.strength == "strong" or bool(state.confirmed_by))


def reviewed(state: MatchDocument, review: Review, now: datetime) -> Decided[MatchDocument]:
    """The review acts; or it is a proposal, or the second person's word that a proposal waited for."""
    if state.match.state == "withdrawn":
        raise Conflict("The match was withdrawn; there is nothing to review")
    said = Said(
        outcome=review.outcome,
        reason_code=reason_of(review.outcome, review.reason_code, review.note),
        note=review.note,
        by=review.reviewer,
        at=now,
    )
    _not_by_who_confirmed(state, said.outcome, said.by)
    waiting = state.proposal
    if waiting is not None and waiting.by != said.by:
        if waiting.outcome != said.outcome:
            raise Conflict("Somebody has proposed otherwise; agree to it or refuse it first")
        return _agreed(state, waiting, said.by, said.note or said.reason_code, now)
    if not takes_two(state, said.outcome):
        return _settled(state, said, "", now)
    told = MatchProposed(match=state.match, outcome=said.outcome, reason_code=said.reason_code, note=said.note)
    return Decided(msgspec.structs.replace(state, proposal=said, updated_at=now), [told])


def approved(state: MatchDocument, word: Approve, now: datetime) -> Decided[MatchDocument]:
    """What was proposed acts, or is no more: by somebody else than who proposed it."""
    waiting = state.proposal
    if waiting is None:
        raise Conflict("Nothing is proposed; it was decided already, or the match has changed since")
    if word.by == waiting.by:
        raise Forbidden("Who proposed a review cannot decide about it; somebody else must")
    if not word.approved:
        told = MatchProposalDecided(match=state.match, outcome=waiting.outcome, approved=False, reason=word.reason)
        return Decided(msgspec.structs.replace(state, proposal=None, updated_at=now), [told])
    _not_by_who_confirmed(state, waiting.outcome, word.by)
    return _agreed(state, waiting, word.by, word.reason, now)


def _agreed(state: MatchDocument, waiting: Said, by: str, reason: str, now: datetime) -> Decided[MatchDocument]:
    told = MatchProposalDecided(match=state.match, outcome=waiting.outcome, approved=True, reason=reason)
    settled = _settled(state, waiting, by, now)
    return Decided(settled.state, [told, *settled.events])


def _not_by_who_confirmed(state: MatchDocument, outcome: Outcome, by: str) -> None:
    if outcome == "cleared" and state.confirmed_by == by:
        raise Forbidden("Who confirmed a match cannot clear it; somebody else must")


def _settled(state: MatchDocument, said: Said, agreed_by: str, now: datetime) -> Decided[MatchDocument]:
    match = msgspec.structs.replace(
        state.match, state=said.outcome, reviewed_by=said.by, agreed_by=agreed_by, reason_code=said.reason_code, carried_from=""
    )
    judged, earlier = None, tuple[Judged, ...]()
    if said.outcome != "escalated":  # who doubts, doubts what was settled before, too
        judged = Judged(
            content=state.content, state=said.outcome, reviewed_by=said.by, reason_code=said.reason_code, agreed_by=agreed_by,
            alike=state.alike, note=said.note, at=now,
        )  # fmt: skip
        before = (state.judged, *state.earlier) if state.judged else state.earlier
        earlier = tuple(one for one in before if one.state == said.outcome and not one.holds(state.content))[:_REMEMBERED]
    new = msgspec.structs.replace(
        state,
        match=match,
        judged=judged,
        earlier=earlier,
        proposal=None,
        confirmed_by={"confirmed": said.by, "escalated": state.confirmed_by, "cleared": ""}[said.outcome],
        note=said.note,
        reviewed_at=now,
        updated_at=now,
    )
    return Decided(new, [MatchReviewed(match=match)])
