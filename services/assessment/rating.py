"""The rating: a pure function of facts, policy and time; when it would next change by time alone; and what it hands on to dependents."""

import math
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from services.assessment.drivers import Found, found
from services.assessment.exposures import begins
from services.assessment.facts import Facts
from services.assessment.holdings import held
from services.assessment.inheritance import MAX_TIERS, origins
from services.assessment.policy import RANK, Policy, effects_of, tier_of
from services.assessment.policy.laws import duties_of
from shared.events.ratings import MAX_DRIVERS, CauseRef, Driver, Inherited, Obligation, Rating, Tier

MAX_HANDED = 50
MAX_EXPOSURES = 5
_EXPOSURES = ("exposure_list", "exposure_finding")
_DIGITS = 6


def rate(facts: Facts, policy: Policy, now: datetime, cause: CauseRef) -> Rating:
    """The rating at `now`; drivers by what decides, their points as they count in the score: 1 - (1 - a)(1 - b)..."""
    all_found = found(facts, policy, now)
    if not all_found:
        return Rating(
            tier="low", score=0.0, policy_version=policy.version, as_of=now, cause=cause, obligations=_obligations((), "low", policy)
        )
    score = _score(((one.driver.code, one.driver.points) for one in all_found), policy)
    tier = _tier(score, all_found, policy)
    counted = [(_with_duties(driver, one), one.likely) for driver, one in zip(_as_counted(all_found, policy), all_found, strict=True)]
    drivers = [driver for driver, _ in sorted(counted, key=lambda one: _order(one[0], one[1], policy))]
    return Rating(
        tier=tier,
        score=score,
        policy_version=policy.version,
        as_of=now,
        cause=cause,
        drivers=tuple(drivers[:MAX_DRIVERS]),
        obligations=_obligations(drivers, tier, policy),
    )


def _with_duties(driver: Driver, one: Found) -> Driver:
    """With what laws ask because of it."""
    duties = duties_of(driver, one.region)
    return msgspec.structs.replace(driver, laws=duties) if duties else driver


def next_change(facts: Facts, policy: Policy, now: datetime) -> datetime | None:
    """When time alone next moves the tier or ends a fact, to the second and never early; None where nothing fades.

    Weights only fall and lowest tiers only end with their fact, so that up to the first end, or the first exposure that begins to hold, the tier moves
    at most downward: halving finds where.
    """
    if not facts.matches:
        return None
    all_found = found(facts, policy, now)
    turns = [one.fade.end for one in all_found if one.fade is not None] + begins(facts, now)
    if not turns:
        return None
    first = min(turns)

    def tier_at(seconds: int) -> Tier:
        then = now + timedelta(seconds=seconds)
        points = ((one.driver.code, one.driver.points if one.fade is None else one.fade.at(then)) for one in all_found)
        return _tier(_score(points, policy), all_found, policy)

    last = math.ceil((first - now).total_seconds())
    same, moved, today = 0, last - 1, tier_at(0)
    if moved <= 0 or tier_at(moved) == today:
        return now + timedelta(seconds=last)
    while moved - same > 1:
        middle = (same + moved) // 2
        if tier_at(middle) == today:
            same = middle
        else:
            moved = middle
    return now + timedelta(seconds=moved)


def handed_on(facts: Facts, rating: Rating, policy: Policy) -> tuple[Inherited, ...]:
    """What dependents see of this supplier: its own risk at 0 hops, then what it inherited, each origin once and never itself.

    Exposures of its goods and places go along, also where they leave it at low, and beyond the hops that a risk goes.
    Its own is what its owners' shares make of it, too; what counts by these is not handed on beside. `tier` is what the origin makes of this supplier,
    and nobody but itself makes it prohibited. Scores are rounded to hundredths and chains hold the origin's events only, so that in a circle of
    suppliers the vectors come to rest instead of telling each other of every second's decay.
    """
    own = rating if not facts.inherited else rate(_alone(facts), policy, rating.as_of, rating.cause)
    out: dict[str, Inherited] = {}
    for origin in origins(facts, policy, held(facts, policy)) if facts.inherited else ():
        further = MAX_TIERS if origin.risk.exposures else policy.upstream.hops
        if origin.distance < further and not origin.by_share:
            tier: Tier = "critical" if origin.risk.tier == "prohibited" else origin.risk.tier
            out[origin.supplier_id] = msgspec.structs.replace(origin.risk, hops=origin.distance, tier=tier)
    exposures = tuple(driver.signal for driver in own.drivers if driver.code in _EXPOSURES and driver.signal)[:MAX_EXPOSURES]
    if own.tier != "low" or exposures:
        main = own.drivers[0]
        told = {handed.link for handed in facts.inherited.values()}
        chain = tuple(link for link in main.chain if link not in told)
        out[facts.supplier_id] = Inherited(
            supplier_id=facts.supplier_id,
            score=round(own.score, 2),
            tier=own.tier,
            hops=0,
            chain=chain,
            signal=main.signal,
            exposures=exposures,
        )
    damping = policy.upstream.damping
    return tuple(
        sorted(out.values(), key=lambda risk: (risk.tier != "prohibited", -risk.score * damping**risk.hops, risk.supplier_id))[:MAX_HANDED]
    )


def _alone(facts: Facts) -> Facts:
    """Without others' risks, but with who owns it."""
    owned = {via: msgspec.structs.replace(handed, inherited=()) for via, handed in facts.inherited.items() if handed.owned}
    return msgspec.structs.replace(facts, inherited=owned)


def _score(points: Iterable[tuple[str, float]], policy: Policy) -> float:
    """1 - (1 - a)(1 - b)..., with weak list matches, and what is inherited, each held to their ceiling together."""
    left = weak = inherited = 1.0
    for code, weight in points:
        if code == "list_weak":
            weak *= 1 - weight
        elif code in _INHERITED:
            inherited *= 1 - weight
        else:
            left *= 1 - weight
    weak = max(weak, 1 - policy.points.list_match.weak_together_at_most)
    inherited = max(inherited, 1 - policy.upstream.together_at_most)
    return round(1 - left * weak * inherited, _DIGITS)


_INHERITED = ("upstream", "upstream_prohibited")


def _as_counted(all_found: list[Found], policy: Policy) -> list[Driver]:
    """Drivers with their points scaled down where a ceiling holds their kind."""
    drivers = [one.driver for one in all_found]
    out = []
    for codes, ceiling in (
        (("list_weak",), policy.points.list_match.weak_together_at_most),
        (_INHERITED, policy.upstream.together_at_most),
    ):
        logs = {i: -math.log1p(-min(d.points, 1 - 1e-9)) for i, d in enumerate(drivers) if d.code in codes}
        total, most = sum(logs.values()), -math.log1p(-min(ceiling, 1 - 1e-9))
        if total > most:
            drivers = [
                msgspec.structs.replace(d, points=-math.expm1(-logs[i] * most / total)) if i in logs else d for i, d in enumerate(drivers)
            ]
    for driver in drivers:
        out.append(msgspec.structs.replace(driver, points=round(driver.points, _DIGITS)))
    return out


def _tier(score: float, all_found: list[Found], policy: Policy) -> Tier:
    tier = tier_of(policy, score)
    for one in all_found:
        least = one.driver.tier
        if least is not None and RANK[least] > RANK[tier]:
            tier = least
    return tier


def _order(driver: Driver, likely: float, policy: Policy) -> tuple[int, float, float, str, str, str, str]:
    """By the tier that the driver alone would give, then by its points, then the likeliest entry. Of equal ones by what they are about, which is the same on
    every system."""
    alone = max(RANK[driver.tier or "low"], RANK[tier_of(policy, driver.points)])
    about = driver.signal.id if driver.signal else ""
    return (-alone, -driver.points, -likely, driver.code, about, driver.supplier_id or "", driver.chain[0].id if driver.chain else "")


def _obligations(drivers: Iterable[Driver], tier: Tier, policy: Policy) -> tuple[Obligation, ...]:
    """Duties that arise, each code once with its soonest date, and the review that the tier asks for."""
    codes = {driver.code for driver in drivers}
    out: dict[str, Obligation] = {}
    for duty in policy.obligations:
        if RANK[tier] < RANK[duty.from_tier] or (duty.drivers and codes.isdisjoint(duty.drivers)):
            continue
        known = out.get(duty.code)
        if known is None or (duty.due_days is not None and (known.due_days is None or duty.due_days < known.due_days)):
            out[duty.code] = Obligation(code=duty.code, text=duty.text, kind=duty.kind, due_days=duty.due_days)
    review = effects_of(policy, tier).review
    if review is not None:
        text = f"Reviewed by an {review.by} within {review.days} {'day' if review.days == 1 else 'days'}"
        out["review"] = Obligation(code="review", text=text, kind="review", due_days=review.days)
    return tuple(out.values())
