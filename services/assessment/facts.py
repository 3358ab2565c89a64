"""What assessment knows of one supplier: its profile, the matches, audits and cases about it, and the risks its dependencies hand on.

Pure values: every `with_*` gives new facts and changes nothing. The rating is a function of these facts, the policy and the time.
"""

from datetime import datetime
from decimal import Decimal

import msgspec

from shared.events.followup import AuditChanged, AuditState, CaseChanged, CaseState, NonConformityCount
from shared.events.matches import Match, SupplierScreened
from shared.events.ratings import ExposurePropagated, Inherited, Link, Owned
from shared.events.suppliers import ExternalRef, SourcedGood, Status


class Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all facts."""


class Place(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """Where a site is, without its name: ISO 3166-1 alpha-2, ISO 3166-2."""

    country: str
    region: str | None = None


class OwnerFact(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """Who holds which share, in percent; the name ties matches to shares, and stands in the path of a share that is blocked."""

    name: str
    percent: Decimal | None = None
    supplier_id: str | None = None


class MatchFact(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A match as last told. `links`: the event that told last, then the one that told first, where they differ. `since`: what decay counts from."""

    match: Match
    links: tuple[Link, ...]
    since: datetime


class AuditFact(Fact, frozen=True, kw_only=True, omit_defaults=True):
    state: AuditState
    link: Link
    open_non_conformities: NonConformityCount = NonConformityCount()
    overdue: bool = False


class CaseFact(Fact, frozen=True, kw_only=True, omit_defaults=True):
    state: CaseState
    link: Link
    overdue: bool = False
    indicators: tuple[str, ...] = ()


class Handed(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """What one dependency handed on, and the event that told; each risk's `hops` is its distance from that dependency.

    `owned`, of an owner only: who is, or may be, blocked under the 50 % rule, from the owner upward.
    """

    link: Link
    revision: int = 0
    inherited: tuple[Inherited, ...] = ()
    owned: tuple[Owned, ...] = ()


class Facts(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """All facts about one supplier. `version` 0: not screened yet, so the gate must not know it although matches may have come before."""

    supplier_id: str
    version: int = 0
    screened: Link | None = None
    country: str = ""
    status: Status = "active"
    refs: tuple[ExternalRef, ...] = ()
    goods: tuple[SourcedGood, ...] = ()
    places: tuple[Place, ...] = ()
    owners: tuple[OwnerFact, ...] = ()
    upstream: tuple[str, ...] = ()
    matches: dict[str, MatchFact] = {}
    audits: dict[str, AuditFact] = {}
    cases: dict[str, CaseFact] = {}
    inherited: dict[str, Handed] = {}


def dependencies(facts: Facts) -> frozenset[str]:
    """Ids of the suppliers whose risk this one inherits: its upstream and those of its owners that are suppliers; never itself."""
    if not facts.upstream and not facts.owners:
        return frozenset()
    return (frozenset(facts.upstream) | owners_that_tell(facts)) - {facts.supplier_id}


def owners_that_tell(facts: Facts) -> frozenset[str]:
    """Ids of the owners that are suppliers."""
    return frozenset(owner.supplier_id for owner in facts.owners if owner.supplier_id) - {facts.supplier_id}


def with_screened(facts: Facts, screened: SupplierScreened, link: Link) -> Facts:
    """The profile as screened; an older version than the known one changes nothing. Risks of what is no dependency any more go."""
    if screened.supplier_version < facts.version:
        return facts
    profile = screened.profile
    new = msgspec.structs.replace(
        facts,
        version=screened.supplier_version,
        screened=link,
        country=profile.country,
        status=screened.status,
        refs=profile.external_refs,
        goods=profile.goods,
        places=tuple(Place(country=site.country, region=site.region) for site in profile.sites),
        owners=tuple(OwnerFact(name=o.name, percent=o.percent, supplier_id=o.supplier_id) for o in profile.owners),
        upstream=tuple(dict.fromkeys(link.supplier_id for link in profile.upstream)),
    )
    if not facts.inherited:
        return new
    known = dependencies(new)
    return msgspec.structs.replace(new, inherited={via: handed for via, handed in facts.inherited.items() if via in known})


def with_match(facts: Facts, match_id: str, match: Match, link: Link, at: datetime) -> Facts:
    """A match opened, changed or reviewed. Decay counts from the signal's own event; a mere change of the pair does not make a finding younger."""
    before = facts.matches.get(match_id)
    links = (link,) if before is None or before.links[-1].id == link.id else (link, before.links[-1])
    since = match.signal.event_time or (before.since if before else at)
    fact = MatchFact(match=match, links=links, since=since)
    return msgspec.structs.replace(facts, matches={**facts.matches, match_id: fact})


def without_match(facts: Facts, match_id: str) -> Facts:
    """A match withdrawn."""
    if match_id not in facts.matches:
        return facts
    return msgspec.structs.replace(facts, matches={key: fact for key, fact in facts.matches.items() if key != match_id})


def with_audit(facts: Facts, audit_id: str, audit: AuditChanged, link: Link) -> Facts:
    """An audit's state; one that has ended with nothing open is forgotten."""
    audits = {key: fact for key, fact in facts.audits.items() if key != audit_id}
    nothing_open = audit.open_non_conformities == NonConformityCount()
    if audit.state != "cancelled" and not (audit.state == "closed" and nothing_open):
        audits[audit_id] = AuditFact(state=audit.state, link=link, open_non_conformities=audit.open_non_conformities, overdue=audit.overdue)
    return msgspec.structs.replace(facts, audits=audits)


def with_case(facts: Facts, case_id: str, case: CaseChanged, link: Link) -> Facts:
    """A case's state; one that has ended is forgotten."""
    cases = {key: fact for key, fact in facts.cases.items() if key != case_id}
    if case.state not in ("closed", "cancelled"):
        cases[case_id] = CaseFact(state=case.state, link=link, overdue=case.overdue, indicators=case.indicators)
    return msgspec.structs.replace(facts, cases=cases)


def with_inherited(facts: Facts, told: ExposurePropagated, link: Link) -> Facts:
    """What a dependency hands on, in place of what it handed on before. From anyone else it changes nothing, nor does an older word: who comes late has
    read what still is on its way to it. An empty vector is forgotten."""
    via = told.supplier_id
    if via not in dependencies(facts):
        return facts
    owned = told.owned if via in owners_that_tell(facts) else ()
    known = facts.inherited.get(via)
    if known is not None and (told.revision < known.revision or (known.inherited, known.owned) == (told.inherited, owned)):
        return facts
    inherited = {key: handed for key, handed in facts.inherited.items() if key != via}
    if told.inherited or owned:
        inherited[via] = Handed(link=link, revision=told.revision, inherited=told.inherited, owned=owned)
    return msgspec.structs.replace(facts, inherited=inherited)
