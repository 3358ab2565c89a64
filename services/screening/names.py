"""By which names and countries both sides of the join are known."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from shared.events.signals import PartySignal, Signal
from shared.events.suppliers import Profile


def names_of(profile: Profile) -> list[str]:
    """Every name that a supplier goes by, those of its sites among them: a report may name no more than the site."""
    return [profile.name, *(n.name for n in profile.other_names), *(s.name for s in profile.sites)]


def countries_of(profile: Profile) -> list[str]:
    """Every country that a supplier names, sorted."""
    return sorted({profile.country, *(a.country for a in profile.addresses if a.country), *(s.country for s in profile.sites)})


def of_suppliers(profiles: Iterable[Profile]) -> Mapping[str, list[str]]:
    """Names of suppliers and their owners, by the kind of party."""
    names: dict[str, list[str]] = defaultdict(list)
    for profile in profiles:
        names["organisation"] += names_of(profile)
        for owner in profile.owners:
            names[owner.kind].append(owner.name)
    return names


def of_signals(signals: Iterable[Signal]) -> Mapping[str, list[str]]:
    """Names of the parties that signals are about, by kind."""
    names: dict[str, list[str]] = defaultdict(list)
    for signal in signals:
        if isinstance(signal.subject, PartySignal):
            names[signal.subject.schema] += [n.name for n in signal.subject.names]
    return names
