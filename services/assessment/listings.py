"""Which matches make a party a blocked person: the supplier itself, or one of its owners."""

from decimal import Decimal, InvalidOperation

import msgspec

from services.assessment.facts import Facts, MatchFact
from services.assessment.policy import Policy
from shared.events.matches import SignalRef
from shared.events.ratings import Link

ACTIVE = frozenset(("open", "escalated", "confirmed"))


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """A party as a list names it: the entry, the events that led to it, nearest first, and, of an owner, the share that the match saw. `also_unknown`: another
    match of an owner of this name saw none."""

    name: str
    signal: SignalRef
    chain: tuple[Link, ...]
    percent: Decimal | None = None
    also_unknown: bool = False


def signal_link(signal: SignalRef) -> Link:
    """The event by which the world's word came in."""
    service = "hotspots" if signal.source.kind == "hotspot" else "intelligence"
    return Link(service=service, type=signal.event_type, id=signal.event_id, time=signal.event_time, subject=signal.id)


def blocks(fact: MatchFact, policy: Policy) -> bool:
    """Does this match make the party that it is about a blocked person?"""
    match = fact.match
    return (
        match.about == "party"
        and match.state in ACTIVE
        and match.signal.source.kind == "list_entry"
        and match.signal.source.list not in policy.points.list_match.review_only_lists
        and (match.strength == "strong" or match.state == "confirmed")
    )


def counts_by_share(fact: MatchFact, policy: Policy) -> bool:
    """Does it make an owner a blocked person?"""
    return fact.match.party == "owner" and blocks(fact, policy)


def listed_itself(facts: Facts, policy: Policy) -> Listing | None:
    """The supplier as a list names it: by a confirmed match, else by the likeliest."""
    for fact in _surest_first(facts):
        if fact.match.party == "supplier" and blocks(fact, policy):
            return _listing(fact)
    return None


def listed_owners(facts: Facts, policy: Policy) -> dict[str, Listing]:
    """Folded name -> the owner as the matches tell: by a confirmed match, else by the likeliest; the largest share that any of them saw.

    A match names its owner by name: two owners of one name are both taken for it, the cautious reading.
    """
    found: dict[str, Listing] = {}
    for fact in _surest_first(facts):
        if not counts_by_share(fact, policy):
            continue
        new = _listing(fact)
        name = folded(new.name)
        known = found.get(name)
        if known is None:
            found[name] = new
        else:
            seen = [percent for percent in (known.percent, new.percent) if percent is not None]
            unknown = known.also_unknown or (len(seen) == 1)
            found[name] = msgspec.structs.replace(known, percent=max(seen, default=None), also_unknown=unknown)
    return found


def folded(name: str) -> str:
    """A name as matches and owners are held against each other."""
    return " ".join(name.casefold().split())


def share_of(told: Decimal | str | None) -> Decimal | None:
    """A share in percent; what is no number from 0 to 100 is not known."""
    try:
        percent = None if told is None else Decimal(told)
    except InvalidOperation:
        return None
    return percent if percent is not None and percent.is_finite() and 0 <= percent <= 100 else None


def _surest_first(facts: Facts) -> list[MatchFact]:
    """Of equal ones by their ids."""
    ordered = sorted(facts.matches.items(), key=lambda one: (one[1].match.state != "confirmed", -one[1].match.score, one[0]))
    return [fact for _, fact in ordered]


def _listing(fact: MatchFact) -> Listing:
    match = fact.match
    return Listing(
        name=match.party_name, signal=match.signal, chain=(*fact.links, signal_link(match.signal)), percent=share_of(match.owner_percent)
    )
