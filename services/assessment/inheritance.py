"""What a supplier inherits: the risks of whom it buys from and of its owners.

Risks travel as a distance vector: each names its origin and how far that is, the shortest way counts, nobody inherits from itself, and a limit of
hops ends what a circle of suppliers would tell itself for ever. What blocks an owner comes by its share instead (`holdings`) and is that
supplier's own risk for whoever buys from it.

Exposures of a supplier's goods and places go further than its risk: a law that bans a good asks for its whole chain. They go with the goods, so from
whom it buys only, never from who owns it, up to `MAX_TIERS`.
"""

import msgspec

from services.assessment.facts import Facts
from services.assessment.holdings import Held
from services.assessment.policy import Policy
from shared.events.matches import SignalRef
from shared.events.ratings import Inherited, Link

MAX_TIERS = 10  # beyond any chain that people know; ends what a circle of suppliers would tell itself for ever


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """One risk elsewhere, as it reaches this supplier: `distance` in hops by the shortest way, `points` after damping.

    Points are 0 beyond the limit, and for what blocks an owner: that counts by the owner's share (`by_share`), not twice.
    """

    supplier_id: str
    risk: Inherited
    distance: int
    points: float
    prohibited_upstream: bool
    by_share: bool
    links: tuple[Link, ...]


def origins(facts: Facts, policy: Policy, holding: Held | None) -> list[Origin]:
    """Every risk that reaches this supplier, one per origin. `holding`: by whom it is held."""
    best: dict[str, Origin] = {}
    upstream = frozenset(facts.upstream)
    limit, damping = policy.upstream.hops, policy.upstream.damping
    for via in sorted(facts.inherited):
        handed = facts.inherited[via]
        for told in handed.inherited:
            risk, distance = _along(told, upstream=via in upstream), told.hops + 1
            if risk is None:
                continue
            by_share = holding is not None and via not in upstream and _by_share(risk, holding, policy)
            stops = risk.supplier_id == via and risk.tier == "prohibited" and via in upstream
            if risk.supplier_id == facts.supplier_id or (distance > limit and not stops and not risk.exposures):
                continue
            points = 0.0 if by_share or distance > limit else risk.score * damping**distance
            new = Origin(
                supplier_id=risk.supplier_id,
                risk=risk,
                distance=distance,
                points=points,
                prohibited_upstream=stops,
                by_share=by_share,
                links=(handed.link, *risk.chain),
            )
            old = best.get(risk.supplier_id)
            best[risk.supplier_id] = new if old is None else _merged(old, new)
    return list(best.values())


def _along(risk: Inherited, *, upstream: bool) -> Inherited | None:
    """What of a risk comes this way; a supplier without any but its exposures is of no interest to whom it owns."""
    if upstream:
        return risk if risk.hops < MAX_TIERS else None
    return None if risk.tier == "low" else msgspec.structs.replace(risk, exposures=()) if risk.exposures else risk


def exposed_by(found: list[Origin]) -> list[tuple[Origin, SignalRef]]:
    """Exposures up the supply chain, each once, by the nearest supplier that has it."""
    nearest: dict[str, tuple[Origin, SignalRef]] = {}
    for origin in sorted(found, key=lambda o: (o.distance, o.supplier_id)):
        for signal in origin.risk.exposures:
            nearest.setdefault(signal.id, (origin, signal))
    return list(nearest.values())


def _by_share(risk: Inherited, holding: Held, policy: Policy) -> bool:
    """Is the risk that the origin is blocked, or no more than that it may be?"""
    return risk.supplier_id in holding.blocked or (risk.supplier_id in holding.maybe and risk.score <= policy.points.owner_share)


def _merged(one: Origin, other: Origin) -> Origin:
    """The way that stops purchases leads the chain; the shorter one, with its points, counts. Exposures hold by whichever way they come."""
    lead, rest = (other, one) if (other.prohibited_upstream, -other.distance) > (one.prohibited_upstream, -one.distance) else (one, other)
    exposures = lead.risk.exposures or rest.risk.exposures
    return msgspec.structs.replace(
        lead,
        risk=lead.risk if exposures == lead.risk.exposures else msgspec.structs.replace(lead.risk, exposures=exposures),
        distance=min(one.distance, other.distance),
        points=max(lead.points, rest.points),
        by_share=one.by_share and other.by_share,
    )
