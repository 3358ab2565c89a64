"""What a supplier inherits: the risks of whom it buys from, and the shares of owners that are blocked (50 % rule).

Risks travel as a distance vector: each names its origin and how far that is, the shortest way counts, nobody inherits from itself, and a limit of
hops ends what a circle of suppliers would tell itself for ever. `prohibited` travels along holdings only, from the origin that is blocked, so that
two suppliers that own each other do not keep each other blocked after the origin is released.
"""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

import msgspec

from services.assessment.facts import Facts, Handed, MatchFact
from services.assessment.policy import Policy
from shared.events.matches import SignalRef
from shared.events.ratings import Inherited, Link

ACTIVE = frozenset(("open", "escalated", "confirmed"))


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """One risk elsewhere, as it reaches this supplier: `distance` in hops by the shortest way, `points` after damping.

    Points are 0 beyond the limit, and for what blocks an owner: that counts by the owner's share, not twice.
    """

    supplier_id: str
    risk: Inherited
    distance: int
    points: float
    prohibited_upstream: bool
    links: tuple[Link, ...]


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """A blocked owner's share in percent, None where nobody told; `roots`: origin -> distance, where the owner is itself a supplier."""

    percent: Decimal | None
    links: tuple[Link, ...]
    signal: SignalRef | None
    roots: dict[str, tuple[int, Inherited]] = {}


def signal_link(signal: SignalRef) -> Link:
    """The event by which the world's word came in."""
    service = "hotspots" if signal.source.kind == "hotspot" else "intelligence"
    return Link(service=service, type=signal.event_type, id=signal.event_id, time=signal.event_time, subject=signal.id)


def origins(facts: Facts, policy: Policy) -> list[Origin]:
    """Every risk that reaches this supplier, one per origin."""
    best: dict[str, Origin] = {}
    upstream = frozenset(facts.upstream)
    limit, damping = policy.upstream.hops, policy.upstream.damping
    for via in sorted(facts.inherited):
        handed = facts.inherited[via]
        blocked = _roots(facts, policy, handed)
        for risk in handed.inherited:
            distance = risk.hops + 1
            by_share = risk.supplier_id in blocked and via not in upstream
            stops = risk.supplier_id in blocked and not by_share
            if risk.supplier_id == facts.supplier_id or (distance > limit and not stops):
                continue
            points = 0.0 if by_share or distance > limit else risk.score * damping**distance
            new = Origin(
                supplier_id=risk.supplier_id,
                risk=risk,
                distance=distance,
                points=points,
                prohibited_upstream=stops,
                links=(handed.link, *risk.chain),
            )
            old = best.get(risk.supplier_id)
            best[risk.supplier_id] = new if old is None else _merged(old, new)
    return list(best.values())


def _merged(one: Origin, other: Origin) -> Origin:
    """The way that stops purchases leads the chain; the shorter one, with its points, counts."""
    lead, rest = (other, one) if (other.prohibited_upstream, -other.distance) > (one.prohibited_upstream, -one.distance) else (one, other)
    return msgspec.structs.replace(lead, distance=min(one.distance, other.distance), points=max(lead.points, rest.points))


def _roots(facts: Facts, policy: Policy, handed: Handed) -> dict[str, tuple[int, Inherited]]:
    """Why the dependency itself is prohibited: origin -> (distance from here, risk); empty where it is not, or only because of this supplier."""
    return {
        risk.supplier_id: (risk.hops + 1, risk)
        for risk in handed.inherited
        if risk.tier == "prohibited" and risk.supplier_id != facts.supplier_id and risk.hops < policy.owners.hops
    }


def blocked_holdings(facts: Facts, policy: Policy) -> list[Holding]:
    """Shares held by owners that a strong or confirmed list match names, or that are prohibited suppliers; each owner once.

    A match names its owner by name: two owners of one name are both taken for it, the cautious reading. An owner whom the profile no longer
    holds counts by the share that the match saw, until screening withdraws it.
    """
    listed = _listed_owners(facts, policy)
    found: list[Holding] = []
    named: set[str] = set()
    for owner in facts.owners:
        name = _folded(owner.name)
        handed = facts.inherited.get(owner.supplier_id) if owner.supplier_id else None
        roots = _roots(facts, policy, handed) if handed else {}
        if name in listed:
            named.add(name)
            told = _share(owner.percent)
            holding = listed[name]
            found.append(msgspec.structs.replace(holding, percent=told if told is not None else holding.percent, roots=roots))
        elif handed and roots:
            nearest = min(roots.values(), key=lambda root: (root[0], root[1].supplier_id))[1]
            links = (handed.link, *nearest.chain)
            found.append(Holding(percent=_share(owner.percent), links=links, signal=nearest.signal, roots=roots))
    found += [holding for name, holding in listed.items() if name not in named]
    return sorted(found, key=lambda holding: -(holding.percent or 0))


def blocked_share(holdings: list[Holding]) -> Decimal:
    """Percent of the supplier that blocked owners hold together, as far as shares are known."""
    return sum((holding.percent for holding in holdings if holding.percent is not None), Decimal(0))


def roots_of(holdings: list[Holding]) -> Iterator[tuple[str, int, Inherited]]:
    """(origin, distance, risk) of every holding that comes from a prohibited supplier."""
    for holding in holdings:
        for origin, (distance, risk) in holding.roots.items():
            yield origin, distance, risk


def counts_as_blocked(fact: MatchFact, policy: Policy) -> bool:
    """Does this match make an owner a blocked person?"""
    match = fact.match
    return (
        match.party == "owner"
        and match.about == "party"
        and match.state in ACTIVE
        and match.signal.source.kind == "list_entry"
        and match.signal.source.list not in policy.points.list_match.review_only_lists
        and (match.strength == "strong" or match.state == "confirmed")
    )


def _listed_owners(facts: Facts, policy: Policy) -> dict[str, Holding]:
    """Folded name -> its holding as the matches tell: the links of a confirmed match, else of the first; the largest share that any of them saw."""
    found: dict[str, Holding] = {}
    for match_id in sorted(facts.matches, key=lambda key: (facts.matches[key].match.state != "confirmed", key)):
        fact = facts.matches[match_id]
        if not counts_as_blocked(fact, policy):
            continue
        name, signal, percent = _folded(fact.match.party_name), fact.match.signal, _share(fact.match.owner_percent)
        known = found.get(name)
        if known is None:
            found[name] = Holding(percent=percent, links=(*fact.links, signal_link(signal)), signal=signal)
        elif percent is not None and (known.percent is None or percent > known.percent):
            found[name] = msgspec.structs.replace(known, percent=percent)
    return found


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())


def _share(told: Decimal | str | None) -> Decimal | None:
    """A share in percent; what is no number from 0 to 100 is not known."""
    try:
        percent = None if told is None else Decimal(told)
    except InvalidOperation:
        return None
    return percent if percent is not None and percent.is_finite() and 0 <= percent <= 100 else None
