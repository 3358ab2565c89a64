"""Facts to drivers: each fact that matters, with its points at a time, its lowest tier, and the events that led to it, nearest first.

Texts are plain language and name no person but as an official list does; owners' names stand in a driver's paths alone.
"""

import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from services.assessment.exposures import assessed_countries, ends, holds
from services.assessment.facts import AuditFact, CaseFact, Facts, MatchFact
from services.assessment.holdings import Held, held, line_of
from services.assessment.inheritance import Origin, exposed_by, origins
from services.assessment.listings import ACTIVE, counts_by_share, signal_link
from services.assessment.policy import INDICATORS, DriverCode, Fading, Policy
from shared.events.matches import Match, SignalRef
from shared.events.ratings import Driver, Link, OwnerPath, Tier

_DAY = timedelta(days=1)


class Fade(NamedTuple):
    """How a fact's weight goes: `points` when it was new, halved every `half_life_days`, nothing from `end` on."""

    points: float
    since: datetime
    half_life_days: float
    end: datetime

    def at(self, now: datetime) -> float:
        if now >= self.end:
            return 0.0
        return self.points * math.exp2(-max((now - self.since) / _DAY, 0.0) / self.half_life_days)


class Found(NamedTuple):
    """A driver; how it fades, which region it is of, for laws that name one, and how likely its list entry names the party."""

    driver: Driver
    fade: Fade | None = None
    region: str = ""
    likely: float = 0.0


def found(facts: Facts, policy: Policy, now: datetime) -> list[Found]:
    """All drivers at `now`, in no order; points as they stand alone."""
    out = list(_places(facts, policy, now))
    for fact in facts.matches.values():
        if fact.match.state in ACTIVE and (one := _match(fact, policy, now)) is not None:
            out.append(one)
    holding = held(facts, policy) if facts.owners or facts.matches else None
    if holding is not None:
        out += _holdings(holding, policy)
    if facts.inherited:
        out += _inherited(facts, policy, holding)
    for audit in facts.audits.values():
        out += _audit(audit, policy)
    for case in facts.cases.values():
        out += _case(case, policy)
    return out


def _places(facts: Facts, policy: Policy, now: datetime) -> Iterator[Found]:
    """The heaviest region and the heaviest country, of seat, sites and origins; a country by the policy's own word or by an assessment of it."""
    links = (facts.screened,) if facts.screened else ()
    if weights := policy.points.regions:
        told = [place.region for place in facts.places] + [good.region for good in facts.goods]
        if region := max((r for r in told if r in weights), key=lambda r: (weights[r], r), default=None):
            driver = _driver("region", f"A site or a sourced good is in {region}", weights[region], None, links)
            yield Found(driver, region=region)
    countries: list[Found] = []
    if weights := policy.points.countries:
        here = {facts.country, *(place.country for place in facts.places), *(good.origin for good in facts.goods)}
        if country := max((c for c in here if c in weights), key=lambda c: (weights[c], c), default=None):
            text = f"Seat, a site or a sourced good is in {country}, a country of higher risk"
            countries.append(Found(_driver("country", text, weights[country], None, links)))
    for fact, weight in assessed_countries(facts, policy, now):
        text = f"A site or a sourced good is in {_entry(fact.match.signal)}"
        countries.append(Found(_of(fact, "country", text, weight)))
    if countries:
        yield max(countries, key=lambda one: (one.driver.points, one.driver.text))


def _match(fact: MatchFact, policy: Policy, now: datetime) -> Found | None:
    match = fact.match
    if match.signal.source.kind in ("finding", "hotspot"):
        return _finding(fact, policy, now)
    if match.about == "exposure":
        if match.signal.advancement is not None or not holds(match.signal, now):
            return None  # an assessment of a country counts among places
        points = policy.points.exposure
        listed = match.signal.source.list or ""
        weight = _weakened(match, points.by_list.get(listed, points.list_entry), policy)
        text = f"A sourced good or place falls under {_entry(match.signal)}"
        return Found(_of(fact, "exposure_list", text, weight), _until(fact, weight))
    return None if counts_by_share(fact, policy) else _listed(fact, policy)


def _until(fact: MatchFact, weight: float) -> Fade | None:
    """An exposure does not fade, it ends with its last day."""
    end = ends(fact.match.signal)
    return None if end is None else Fade(weight, fact.since, math.inf, end)


def _listed(fact: MatchFact, policy: Policy) -> Found:
    """A list entry that names the supplier, or possibly an owner (a surely listed owner counts by its share)."""
    match, points, least = fact.match, policy.points.list_match, policy.at_least
    who = "an owner of the supplier" if match.party == "owner" else "the supplier"
    entry = _entry(match.signal)
    if match.strength == "weak" and match.state != "confirmed":
        driver = _of(fact, "list_weak", f"Possibly {who} is {entry}; nobody has decided yet", points.weak, least.list_weak)
    elif match.signal.source.list in points.review_only_lists:
        text = f"{entry} names {who}; the list restricts but does not forbid"
        driver = _of(fact, "list_review", text, points.review_only, least.list_review)
    elif match.state == "confirmed":
        driver = _of(fact, "list_confirmed", f"{entry} is {who}, confirmed by a person", points.confirmed, least.list_confirmed)
    else:
        driver = _of(fact, "list_strong", f"{entry} names {who}", points.strong, least.list_strong)
    return Found(driver, likely=match.score)


def _finding(fact: MatchFact, policy: Policy, now: datetime) -> Found | None:
    """A verified finding about a party or an exposure, or a hot-spot, which is an exposure: its weight fades, then it is forgotten."""
    match, party = fact.match, fact.match.about == "party"
    fading: Fading = policy.fading.party_finding if party else policy.fading.exposure_finding
    known = [indicator for indicator in match.signal.source.indicators if indicator in INDICATORS]
    weights = policy.points.finding.indicators
    known.sort(key=lambda indicator: (-weights[indicator], indicator))
    weight = policy.points.exposure.finding if not party else _together([weights[i] for i in known] or [policy.points.finding.unspecified])
    weight = _weakened(match, weight, policy)
    code: DriverCode
    tier: Tier | None = None
    words = ", ".join(indicator.replace("_", " ") for indicator in known) or "an abuse"
    if not party:
        what = "lies in a hot-spot of findings and matches" if match.signal.source.kind == "hotspot" else "falls under a verified finding"
        code, text = "exposure_finding", f"A sourced good, a place or the group {what}: {words}"
    elif match.party == "owner":
        code, text, weight = "owner_finding", f"A verified finding names an owner: {words}", weight * policy.upstream.damping
    elif match.state == "confirmed":
        code, text, tier = (
            "finding_confirmed",
            f"A verified finding is about the supplier, confirmed by a person: {words}",
            policy.at_least.finding_confirmed,
        )
    elif match.strength == "strong":
        code, text = "finding_strong", f"A verified finding names the supplier: {words}"
    else:
        code, text = "finding_weak", f"A verified finding is possibly about the supplier: {words}"
    fade = Fade(weight, fact.since, fading.half_life_days, fact.since + timedelta(days=fading.expires_days))
    if now >= fade.end:
        return None
    return Found(_of(fact, code, text, fade.at(now), tier, tuple(known)), fade)


def _holdings(holding: Held, policy: Policy) -> Iterator[Found]:
    """The 50 % rule: one driver for the shares together, one where a share is unknown."""
    share, line = holding.share, line_of(policy)
    if holding.paths:
        text = f"Blocked owners hold {share.percent:f} % together"
        if any(len(path.steps) > 1 for path in holding.paths):
            text += ", in part through other owners" if any(len(path.steps) == 1 for path in holding.paths) else ", through other owners"
        text += f"; from {line:f} % on the supplier counts as blocked itself" if share.blocked else f", below the line of {line:f} %"
        if share.over:
            text += ". The shares as told add up to more than 100 %: look at them"
        code: DriverCode = "blocked_share" if share.blocked else "owner_share"
        points = policy.points.list_match.strong if share.blocked else policy.points.owner_share * float(share.percent / line)
        tier = policy.at_least.blocked_share if share.blocked else policy.at_least.owner_share
        yield Found(_driver(code, text, points, tier, holding.chain, holding.signal, paths=holding.paths))
    if holding.unknown:
        yield _unknown(holding, policy)


def _unknown(holding: Held, policy: Policy) -> Found:
    """A share, or a chain of owners, that nobody knows the end of: never counted, always asked for."""
    first = holding.unknown[0]
    if first.signal is None:
        text = "Its owners' owners are more, or further away, than are followed, and some of them are blocked; find out"
    elif len(first.steps) == 1:
        text = "A listed owner's share is not known; find out"
    else:
        text = "A share in the chain of owners up to a blocked one is not known; find out"
    tier = policy.at_least.owner_share_unknown
    return Found(
        _driver("owner_share_unknown", text, policy.points.owner_share, tier, holding.unknown_chain, first.signal, paths=holding.unknown)
    )


def _inherited(facts: Facts, policy: Policy, holding: Held | None) -> Iterator[Found]:
    all_origins = origins(facts, policy, holding)
    for origin, signal in exposed_by(all_origins):
        text = f"A good or place of a supplier {_steps(origin)} up the chain falls under {_entry(signal)}"  # its weight is in that supplier's risk
        yield Found(_driver("exposure_upstream", text, 0.0, None, origin.links, signal, supplier_id=origin.supplier_id))
    for origin in all_origins:
        if not origin.points and not origin.prohibited_upstream:
            continue
        far = _steps(origin)
        code: DriverCode = "upstream_prohibited" if origin.prohibited_upstream else "upstream"
        tier = policy.at_least.upstream_prohibited if origin.prohibited_upstream else None
        text = (
            f"It buys from a supplier that is prohibited; the reason lies {far} away"
            if tier
            else f"A linked supplier or owner, {far} away, is at risk"
        )
        yield Found(_driver(code, text, origin.points, tier, origin.links, origin.risk.signal, supplier_id=origin.supplier_id))


def _steps(origin: Origin) -> str:
    return "one step" if origin.distance == 1 else f"{origin.distance} steps"


def _audit(fact: AuditFact, policy: Policy) -> Iterator[Found]:
    weights, counts = policy.points.non_conformities, fact.open_non_conformities
    kinds = [
        ("minor", counts.minor),
        ("major", counts.major),
        ("critical", counts.critical),
        ("business critical", counts.business_critical),
    ]
    if worst := [f"{n} {kind}" for kind, n in reversed(kinds) if n > 0]:
        left = (1 - weights.minor) ** counts.minor * (1 - weights.major) ** counts.major
        left *= (1 - weights.critical) ** counts.critical * (1 - weights.business_critical) ** counts.business_critical
        yield Found(_driver("non_conformity", f"Open non-conformities of an audit: {', '.join(worst)}", 1 - left, None, (fact.link,)))
    if fact.overdue:
        yield Found(
            _driver(
                "audit_overdue", "An audit or its corrective action is overdue", policy.points.follow_up.audit_overdue, None, (fact.link,)
            )
        )


def _case(fact: CaseFact, policy: Policy) -> Iterator[Found]:
    weights = policy.points.follow_up
    if fact.state == "reopened":
        yield Found(
            _driver("case_reopened", "A remediation case was reopened: it has happened again", weights.case_reopened, None, (fact.link,))
        )
    if fact.overdue:
        yield Found(_driver("case_overdue", "Remediation is overdue", weights.case_overdue, None, (fact.link,)))


def _weakened(match: Match, weight: float, policy: Policy) -> float:
    return weight * policy.points.weak_share if match.strength == "weak" and match.state != "confirmed" else weight


def _together(weights: list[float]) -> float:
    left = 1.0
    for weight in weights:
        left *= 1 - weight
    return 1 - left


def _entry(signal: SignalRef) -> str:
    """The entry as its list has it: an official publication, so its name may stand here."""
    if signal.source.kind == "finding":
        return "a verified finding"
    return f"{signal.name or 'an entry'} on list {signal.source.list or 'unknown'}"


def _of(fact: MatchFact, code: DriverCode, text: str, points: float, tier: Tier | None = None, indicators: tuple[str, ...] = ()) -> Driver:
    return _driver(code, text, points, tier, (*fact.links, signal_link(fact.match.signal)), fact.match.signal, indicators=indicators)


def _driver(
    code: DriverCode,
    text: str,
    points: float,
    tier: Tier | None,
    chain: tuple[Link, ...],
    signal: SignalRef | None = None,
    *,
    supplier_id: str | None = None,
    indicators: tuple[str, ...] = (),
    paths: tuple[OwnerPath, ...] = (),
) -> Driver:
    return Driver(
        code=code,
        text=text,
        points=points,
        tier=tier,
        chain=chain,
        signal=signal,
        supplier_id=supplier_id,
        indicators=indicators,
        paths=paths,
    )
