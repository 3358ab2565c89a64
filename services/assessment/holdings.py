"""The 50 % rule as one supplier sees it: who holds it, as far up as its owners that are suppliers tell, and what it tells itself.

Each supplier tells of itself which blocked owners hold which shares, with a revision, and hands on what its owners told of themselves. So everyone
sees the chains above it and works the rule out alone (`ownership`). A sum handed on instead would not do: in a circle of owners each would go on
counting the others after the one is released through whom all were blocked. Of itself everyone is the authority: who owns a supplier hears from
it alone what it is, others' word of it counts only further away, and the newer one.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

import msgspec

from services.assessment.facts import Facts, owners_that_tell
from services.assessment.listings import Listing, folded, listed_itself, listed_owners, share_of
from services.assessment.ownership import Ownership, Path, Share, Stake
from services.assessment.policy import Policy
from shared.events.matches import SignalRef
from shared.events.ratings import Link, Owned, OwnerPath, OwnerShare, OwnerStep

MAX_OWNED = 100  # suppliers that are handed on at most: more are a review's matter


class Held(NamedTuple):
    """Blocked owners' share in a supplier. `chain` and `signal` are of the first of its paths, `unknown_*` of the first whose share is not known;
    `blocked`: the suppliers among its owners and their owners that are blocked; `maybe`: those that may be."""

    share: Share
    paths: tuple[OwnerPath, ...]
    unknown: tuple[OwnerPath, ...]
    chain: tuple[Link, ...]
    signal: SignalRef | None
    unknown_chain: tuple[Link, ...]
    blocked: frozenset[str]
    maybe: frozenset[str]


def held(facts: Facts, policy: Policy) -> Held | None:
    """By whom a supplier is held that is blocked or may be, apart from itself; None where by nobody."""
    mine = of_itself(facts, policy)
    if not mine.shares:
        return None
    known = _told(facts)
    if not known and not any(one.signal for one in mine.shares):
        return None
    hops = _upward(mine, known, policy.owners.hops)
    seen = {mine.supplier_id: mine} | {id_: known[id_] for id_ in hops}
    ends = {one.supplier_id for id_, far in hops.items() if far == policy.owners.hops for one in known[id_].shares if not one.signal}
    graph = _graph(seen.values(), policy, beyond={id_ for id_ in ends if id_ and id_ not in seen})
    share = graph.share(mine.supplier_id)
    if not share.paths and not share.unknown:
        return None
    named = (one.supplier_id for one in mine.shares if one.signal and one.supplier_id)
    paths, unknown = ([_as_told(path, seen) for path in some] for some in (share.paths, share.unknown))
    return Held(
        share=share,
        paths=tuple(paths),
        unknown=tuple(unknown),
        chain=_chain(share.paths, seen, facts),
        signal=paths[0].signal if paths else None,
        unknown_chain=_chain(share.unknown, seen, facts),
        blocked=frozenset((*(graph.certain.keys() & hops.keys()), *named)),
        maybe=frozenset(graph.possible.keys() & hops.keys()) - graph.certain.keys(),
    )


def told_of_owners(facts: Facts, policy: Policy, before: tuple[Owned, ...], revision: int, *, heard: bool) -> tuple[Owned, ...]:
    """What those hear whom the supplier owns: itself, with `revision` where that is news, and whoever blocks it; nothing where it is not blocked.

    Of its owners those count that were blocked in fewer steps: they suffice, and where many own each other, nobody tells everybody of everybody.
    `heard`: an owner's word is all that is new. Then who had too many above it to tell has so still: else in a circle they could come and go for ever.
    """
    if not facts.owners and not facts.matches:
        return ()
    mine, listing = of_itself(facts, policy), listed_itself(facts, policy)
    if listing is not None:
        return (_revised(Owned(supplier_id=mine.supplier_id, revision=revision, signal=listing.signal, chain=listing.chain), before),)
    known = _told(facts)
    if not known and not any(one.signal for one in mine.shares):
        return ()
    graph = _graph([mine, *(known[id_] for id_ in _upward(mine, known, policy.owners.hops))], policy)
    id_ = mine.supplier_id
    if id_ not in graph.possible:
        return ()
    steps = graph.certain if id_ in graph.certain else graph.possible
    named = tuple(one for one in mine.shares if one.signal)
    shares = tuple(one for one in mine.shares if one.signal or steps.get(one.supplier_id or "", steps[id_]) < steps[id_])
    mine = msgspec.structs.replace(mine, revision=revision, shares=shares)
    above = [known[owner] for owner in _upward(mine, known, policy.owners.hops - 1)]
    if len(above) >= MAX_OWNED or (heard and before and before[0].more):
        return (_revised(msgspec.structs.replace(mine, shares=named, more=True), before),)
    return (_revised(mine, before), *above)


def of_itself(facts: Facts, policy: Policy) -> Owned:
    """The supplier with the owners that are listed or are suppliers. One whom the profile no longer has counts by the share that its match saw, until
    screening withdraws it."""
    listed = listed_owners(facts, policy) if facts.matches else {}
    shares, named, unsaid = [], set(), set[str]()  # named: listed owners in the profile; unsaid: of these, whose share it does not tell
    for owner in facts.owners:
        listing = listed.get(folded(owner.name))
        if listing is not None:
            named.add(folded(owner.name))
        id_ = owner.supplier_id if owner.supplier_id != facts.supplier_id else None
        if listing is None and id_ is None:
            continue
        percent = share_of(owner.percent)
        if percent is None and listing is not None:
            percent = listing.percent
            unsaid.add(folded(owner.name))
        signal, chain = (listing.signal, listing.chain) if listing else (None, ())
        shares.append(OwnerShare(name=owner.name, percent=percent, supplier_id=id_, signal=signal, chain=chain))
    shares += [_share(one, one.percent) for key, one in listed.items() if key not in named]
    # Two owners of one name, of whom the share of one is known: what the other holds may be more.
    shares += [_share(one, None) for key, one in listed.items() if one.also_unknown and (key not in named or key in unsaid)]
    return Owned(supplier_id=facts.supplier_id, revision=0, shares=tuple(shares))


def _share(listing: Listing, percent: Decimal | None) -> OwnerShare:
    return OwnerShare(name=listing.name, percent=percent, signal=listing.signal, chain=listing.chain)


def _told(facts: Facts) -> dict[str, Owned]:
    """What is known of those above: an owner's own word of itself, of others the newest."""
    owners = owners_that_tell(facts)
    known: dict[str, Owned] = {}
    for via in sorted(owners & facts.inherited.keys()):
        for one in facts.inherited[via].owned:
            id_ = one.supplier_id
            if id_ == facts.supplier_id or (id_ in owners and id_ != via):
                continue
            if id_ not in known or one.revision > known[id_].revision:
                known[id_] = one
    return known


def _upward(mine: Owned, known: Mapping[str, Owned], hops: int) -> dict[str, int]:
    """Those above that are known and reached by shares within so many steps, nearest first -> the number of steps."""
    found: dict[str, int] = {}
    front = [mine]
    for step in range(1, hops + 1):
        if not front:
            break
        owners = {one.supplier_id for record in front for one in record.shares if one.supplier_id and not one.signal}
        new = sorted(owners & known.keys() - found.keys())
        found |= dict.fromkeys(new, step)
        front = [known[id_] for id_ in new]
    return found


def _graph(records: Iterable[Owned], policy: Policy, beyond: Iterable[str] = ()) -> Ownership:
    """A listed owner is a node of its own, for the match that lists it is one of this supplier's alone."""
    stakes, blocked, maybe = [], set(), set(beyond)
    for record in records:
        if record.signal:
            blocked.add(record.supplier_id)
        if record.more:
            maybe.add(record.supplier_id)
        for n, one in enumerate(record.shares):
            owner = f"{record.supplier_id}#{n}" if one.signal else one.supplier_id
            if one.signal and owner:
                blocked.add(owner)
            if owner:
                stakes.append(Stake(record.supplier_id, owner, one.percent, n))
    return Ownership(stakes, blocked, maybe=maybe, line=line_of(policy))


def line_of(policy: Policy) -> Decimal:
    """The percentage from which the rule blocks, exactly as it is written in the policy."""
    return Decimal(str(policy.owners.blocked_share_percent)).normalize()


def _as_told(path: Path, seen: Mapping[str, Owned]) -> OwnerPath:
    shares = [seen[stake.held].shares[stake.n] for stake in path]
    steps = tuple(OwnerStep(name=one.name, percent=one.percent, supplier_id=one.supplier_id) for one in shares)
    return OwnerPath(steps=steps, signal=_end(path, seen)[0])


def _end(path: Path, seen: Mapping[str, Owned]) -> tuple[SignalRef | None, tuple[Link, ...]]:
    last = path[-1]
    share, owner = seen[last.held].shares[last.n], seen.get(last.owner)
    named: OwnerShare | Owned | None = share if share.signal else owner
    return (named.signal, named.chain) if named else (None, ())


def _chain(paths: tuple[Path, ...], seen: Mapping[str, Owned], facts: Facts) -> tuple[Link, ...]:
    """The events behind the first path: the one by which the owner told, and those at its end."""
    if not paths:
        return ()
    via = facts.inherited.get(paths[0][0].owner)
    return (*((via.link,) if via else ()), *_end(paths[0], seen)[1])


def _revised(new: Owned, before: tuple[Owned, ...]) -> Owned:
    """As it was told before where nothing about it is new."""
    return before[0] if before and msgspec.structs.replace(new, revision=before[0].revision) == before[0] else new
