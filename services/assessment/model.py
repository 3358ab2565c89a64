"""One supplier's assessment: facts, rating and the gate's view of it, moved by what the other services tell. Pure."""

from datetime import datetime
from typing import Any

import msgspec

from services.assessment.facts import (
    Facts,
    dependencies,
    with_audit,
    with_case,
    with_inherited,
    with_match,
    with_screened,
    without_match,
)
from services.assessment.gate import GateView, effects
from services.assessment.holdings import told_of_owners
from services.assessment.policy import Policy
from services.assessment.policy.laws import in_short
from services.assessment.rating import handed_on, next_change, rate
from shared.events.envelope import Payload
from shared.events.followup import AuditChanged, CaseChanged
from shared.events.matches import MatchEvent, MatchWithdrawn, SupplierScreened
from shared.events.ratings import (
    CauseRef,
    ExposurePropagated,
    Inherited,
    Link,
    Owned,
    Rating,
    RatingChanged,
    RatingDriversChanged,
    RatingReassessed,
    RatingTold,
    Tier,
)
from shared.kernel.aggregate import Aggregate, Decided, Index, Message


class Told(msgspec.Struct, frozen=True):
    """An event about a supplier, with the policy to rate by. `also`: what newly found dependencies hand on."""

    supplier_id: str
    payload: Payload
    link: Link
    policy: Policy
    also: tuple[tuple[ExposurePropagated, Link], ...] = ()


class Rerate(msgspec.Struct, frozen=True):
    """Time has passed, or the policy is another."""

    policy: Policy


class Assessment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`revision` is the document's version: a decision names it, so that the rating can be read as it was. `told_*`: what others know."""

    facts: Facts
    rating: Rating
    gate: GateView
    revision: int
    handed: tuple[Inherited, ...] = ()
    owned: tuple[Owned, ...] = ()
    told_tier: Tier | None = None
    told_grounds: tuple[str, ...] = ()
    rerate_at: datetime | None = None


def _decide(state: Assessment | None, message: Message, now: datetime) -> Decided[Assessment] | None:
    body = message.body
    if isinstance(body, Rerate):
        if state is None or (state.rating.policy_version == body.policy.version and (not state.rerate_at or state.rerate_at > now)):
            return None
        facts, policy = state.facts, body.policy
    else:
        assert isinstance(body, Told)
        before = state.facts if state else Facts(supplier_id=body.supplier_id)
        facts, policy = _facts(before, message.cause.source.rpartition("/")[2], body, now), body.policy
        if facts == before:
            return None
    cause = message.cause
    heard = isinstance(body, Told) and isinstance(body.payload, ExposurePropagated)
    return _rated(state, facts, policy, CauseRef(id=cause.id, type=cause.type, time=cause.time or now), now, heard=heard)


def _facts(facts: Facts, subject: str, told: Told, now: datetime) -> Facts:
    """The facts with what was told; `subject` is the match, audit or case told of."""
    payload, link = told.payload, told.link
    match payload:
        case SupplierScreened():
            facts = with_screened(facts, payload, link)
            for handed, way in told.also:
                facts = with_inherited(facts, handed, way)
            return facts
        case MatchWithdrawn():
            return without_match(facts, subject)
        case MatchEvent():
            return with_match(facts, subject, payload.match, link, link.time or now)
        case AuditChanged():
            return with_audit(facts, subject, payload, link)
        case CaseChanged():
            return with_case(facts, subject, payload, link)
        case ExposurePropagated():
            return with_inherited(facts, payload, link)
    return facts


def _rated(state: Assessment | None, facts: Facts, policy: Policy, cause: CauseRef, now: datetime, *, heard: bool) -> Decided[Assessment]:
    rating = rate(facts, policy, now, cause)
    handed = handed_on(facts, rating, policy)
    before = (state.handed, state.owned) if state else ((), ())
    owned = told_of_owners(facts, policy, before[1], state.revision + 1 if state else 1, heard=heard)
    new = Assessment(
        facts=facts,
        rating=rating,
        gate=effects(rating, policy, facts.status),
        revision=state.revision + 1 if state else 1,
        handed=handed,
        owned=owned,
        told_tier=state.told_tier if state else None,
        told_grounds=state.told_grounds if state else (),
        rerate_at=next_change(facts, policy, now),
    )
    events: list[Payload] = [RatingReassessed(rating=rating, previous_tier=state.rating.tier if state else None)]
    if facts.version:  # who is not screened yet is nobody's business: refs and country come with the screening
        grounds = _grounds(rating)
        if rating.tier != (new.told_tier or "low"):
            events.append(_told(RatingChanged, facts, rating, new.told_tier))
        elif grounds != new.told_grounds:
            events.append(_told(RatingDriversChanged, facts, rating, new.told_tier))
        new = msgspec.structs.replace(new, told_tier=rating.tier, told_grounds=grounds)
    if (handed, owned) != before:
        events.append(handing_on(facts.supplier_id, new))
    return Decided(new, events)


def handing_on(supplier_id: str, state: Assessment) -> ExposurePropagated:
    """What those hear who buy from the supplier or are owned by it."""
    prohibited = state.rating.tier == "prohibited"
    return ExposurePropagated(
        supplier_id=supplier_id, prohibited=prohibited, revision=state.revision, inherited=state.handed, owned=state.owned
    )


def _grounds(rating: Rating) -> tuple[str, ...]:
    """What duties rest on: signals and the duties themselves, the policy's and those of laws."""
    signals = {f"signal {d.signal.id}" for d in rating.drivers if d.signal and not d.supplier_id}
    laws = {f"law {duty}" for d in rating.drivers for duty in d.laws}
    return tuple(sorted(signals | laws | {f"duty {o.code}" for o in rating.obligations}))


def _told(kind: type[RatingTold], facts: Facts, rating: Rating, previous: Tier | None) -> RatingTold:
    """As partners hear it, too: without the owners' names, which stand in the paths of the rating itself."""
    return kind(
        supplier_id=facts.supplier_id,
        external_refs=facts.refs,
        country=facts.country,
        tier=rating.tier,
        previous_tier=previous,
        cause=rating.cause,
        policy_version=rating.policy_version,
        drivers=tuple(msgspec.structs.replace(driver, paths=()) if driver.paths else driver for driver in rating.drivers),
        obligations=rating.obligations,
    )


def rating_view(rating: Rating) -> dict[str, Any]:
    """A rating as the API gives it. `legal_obligations`: what laws ask for because of any of the drivers, each once, with the drivers that bring it."""
    view: dict[str, Any] = msgspec.to_builtins(rating)
    drivers = [{"obligations": in_short(driver.pop("laws", ())), **driver} for driver in view.pop("drivers", ())]
    legal: dict[str, dict[str, Any]] = {}
    for driver in drivers:
        for duty in driver["obligations"]:
            known = legal.setdefault(duty["id"], {**duty, "drivers": []})
            known["drivers"] = [*known["drivers"], *({driver["code"]} - set(known["drivers"]))]
    return {"obligations": [], **view, "drivers": drivers, "legal_obligations": list(legal.values())}


ASSESSMENT = Aggregate(
    kind="assessment",
    state=Assessment,
    decide=_decide,
    wake=lambda s: s.rerate_at,
    rings=False,  # a rating needs the policy, which an alarm does not bring: see reactions.Fading
    indexes=(
        Index("tier", lambda s: s.rating.tier),
        Index("external_ref", lambda s: [f"{r.system}:{r.number}" for r in s.facts.refs], many=True),
        Index("dependency", lambda s: sorted(dependencies(s.facts)), many=True),
    ),
)
