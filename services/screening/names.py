"""By which names, countries and facts both sides of the join are known."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from services.screening.matching.facts import Facts, facts_of
from services.screening.matching.readings import readings
from shared.events.envelope import Meta
from shared.events.matches import SignalRef
from shared.events.signals import PartySignal, Signal
from shared.events.suppliers import Owner, Profile


class Known(NamedTuple):
    """A party as the matcher takes it; `percent` of an owner's shares, `country` that it names itself by."""

    names: Sequence[str]
    schema: str
    country: str
    countries: Sequence[str]
    facts: Facts | None
    percent: str | None = None


Parties = tuple[Known, ...]  # a supplier, then its owners in their order


def parties_of(profile: Profile) -> Parties:
    """As a profile tells them. Their names are read here, which is remembered until they are put and looked for."""
    it = Known(names_of(profile), "organisation", profile.country, countries_of(profile), _facts_of_supplier(profile))
    parties = (it, *map(_owner, profile.owners))
    for one in parties:
        for name in one.names:
            readings(name)
    return parties


def _owner(o: Owner) -> Known:
    facts = facts_of(birth_dates=(o.birth_date,)) if o.birth_date else None
    percent = str(o.percent) if o.percent is not None else None
    return Known([o.name], o.kind, o.country or "", [o.country] if o.country else [], facts, percent)


def names_of(profile: Profile) -> list[str]:
    """Every name that a supplier goes by, those of its sites among them: a report may name no more than the site."""
    return [profile.name, *(n.name for n in profile.other_names), *(s.name for s in profile.sites)]


def countries_of(profile: Profile) -> list[str]:
    """Every country that a supplier names, sorted."""
    return sorted({profile.country, *(a.country for a in profile.addresses if a.country), *(s.country for s in profile.sites)})


def _facts_of_supplier(profile: Profile) -> Facts | None:
    """Its numbers, and its addresses with those of its sites."""
    if not (profile.identifiers or profile.addresses or profile.sites):
        return None
    return facts_of(
        identifiers=((i.kind, i.value, i.country) for i in profile.identifiers),
        addresses=(*((a.text, a.city, a.country) for a in profile.addresses), *((s.address, None, s.country) for s in profile.sites)),
    )


def facts_of_signal(subject: PartySignal) -> Facts | None:
    """All that its publisher says beside names and countries. A number without a country is one of the party's own, where it has one only."""
    country = subject.countries[0] if len(subject.countries) == 1 else None
    return facts_of(
        identifiers=((i.kind, i.value, i.country or country) for i in subject.identifiers),
        addresses=((a.text, a.city, a.country) for a in subject.addresses),
        birth_dates=subject.birth_dates,
    )


def ref_of(signal_id: str, signal: Signal, name: str, schema: str, meta: Meta) -> SignalRef:
    """A signal as its matches tell of it, with what a rating needs to know of an exposure."""
    ref = SignalRef(
        id=signal_id, source=signal.source, name=name, schema=schema, event_id=meta.id, event_type=meta.type, event_time=meta.time
    )
    about = signal.subject
    if isinstance(about, PartySignal):
        return ref
    return msgspec.structs.replace(
        ref, abuses=about.abuses, valid_from=about.valid_from, valid_until=about.valid_until, advancement=about.advancement
    )
