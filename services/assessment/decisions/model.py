"""The gate's decisions, kept as given, and overrides, which need two people, a reason and an end. Pure."""

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from shared.errors import Conflict, Forbidden, Invalid, NotFound
from shared.events.envelope import Payload, event
from shared.events.ratings import Decision, DecisionsTaken, DecisionWord, Effect, Tier
from shared.kernel.aggregate import Aggregate, Alarm, Decided, Index, Message

LONGEST_OVERRIDE = timedelta(days=90)


class Take(msgspec.Struct, frozen=True):
    """The answers of one call."""

    decisions: tuple[Decision, ...]


class Decisions(msgspec.Struct, frozen=True, kw_only=True):
    """One call's answers, as they were given."""

    decisions: tuple[Decision, ...]
    taken_at: datetime
    asked_by: str


def _take(state: Decisions | None, message: Message, now: datetime) -> Decided[Decisions] | None:
    assert isinstance(message.body, Take)
    if state is not None:
        return None
    taken, by = message.body.decisions, message.cause.actor
    return Decided(Decisions(decisions=taken, taken_at=now, asked_by=by), [DecisionsTaken(decisions=taken, asked_by=by)])


DECISIONS = Aggregate(kind="decisions", state=Decisions, decide=_take)

OverrideState = Literal["proposed", "active", "rejected", "revoked", "expired"]


class Propose(msgspec.Struct, frozen=True):
    """Somebody asks that the gate say otherwise for a supplier, rated `tier` today, and an effect."""

    supplier_id: str
    tier: Tier
    effect: Effect
    decision: DecisionWord
    reason: str
    expires_at: datetime
    by: str


class Approve(msgspec.Struct, frozen=True):
    """Somebody else agrees, or does not."""

    approved: bool
    reason: str
    by: str


class Revoke(msgspec.Struct, frozen=True):
    """It holds no more."""

    reason: str
    by: str


class Override(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An exception to what the rating says, until it expires. `tier`: the rating that the two people knew; a worse one was not forgiven."""

    supplier_id: str
    tier: Tier = "low"
    effect: Effect
    decision: DecisionWord
    reason: str
    expires_at: datetime
    proposed_by: str
    proposed_at: datetime
    state: OverrideState = "proposed"
    decided_by: str = ""
    decided_reason: str = ""
    decided_at: datetime | None = None


@event("override.changed.v1", None)
class OverrideChanged(Payload, frozen=True, kw_only=True):
    """An override was proposed, approved, rejected, revoked, or has expired."""

    override: Override


def _override(state: Override | None, message: Message, now: datetime) -> Decided[Override] | None:
    body = message.body
    if isinstance(body, Propose):
        return None if state else _proposed(body, now)
    if state is None:
        raise NotFound("There is no such override")
    match body:
        case Approve():
            if body.by == state.proposed_by:
                raise Forbidden("Who proposed an override cannot approve it; somebody else must")
            if state.state != "proposed":
                raise Conflict("The override is decided already")
            if state.expires_at <= now:
                raise Conflict("The override has expired; propose another")
            new = _moved(state, "active" if body.approved else "rejected", body.by, body.reason, now)
        case Revoke():
            if state.state not in ("proposed", "active"):
                raise Conflict("The override has ended already")
            new = _moved(state, "revoked", body.by, body.reason, now)
        case Alarm():
            new = msgspec.structs.replace(state, state="expired")
        case _:
            raise TypeError(type(body).__name__)
    return Decided(new, [OverrideChanged(override=new)])


def _proposed(body: Propose, now: datetime) -> Decided[Override]:
    if not now < body.expires_at <= now + LONGEST_OVERRIDE:
        message = f"a time to come, at most {LONGEST_OVERRIDE.days} days ahead"
        raise Invalid("An override must end", errors=[{"field": "expires_at", "message": message}])
    new = Override(
        supplier_id=body.supplier_id,
        tier=body.tier,
        effect=body.effect,
        decision=body.decision,
        reason=body.reason,
        expires_at=body.expires_at,
        proposed_by=body.by,
        proposed_at=now,
    )
    return Decided(new, [OverrideChanged(override=new)])


def _moved(state: Override, to: OverrideState, by: str, reason: str, now: datetime) -> Override:
    return msgspec.structs.replace(state, state=to, decided_by=by, decided_reason=reason, decided_at=now)


OVERRIDE = Aggregate(
    kind="override",
    state=Override,
    decide=_override,
    wake=lambda s: s.expires_at if s.state in ("proposed", "active") else None,
    indexes=(
        Index("supplier_id", lambda s: s.supplier_id),
        Index("state", lambda s: s.state),
        Index("active_for", lambda s: [s.supplier_id] if s.state == "active" else [], many=True),
    ),
)
