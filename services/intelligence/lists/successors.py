"""Entries that their publisher gives up while the same party stands under another id in the same release. Pure.

The same party bears the same names and the same particulars: every identifier and every date of birth, and at least one of these. Names alone
are never enough, for namesakes are what people spent their time on telling apart. Addresses may differ; what a review rests on is screening's to say.
"""

from collections import defaultdict
from collections.abc import Mapping

from shared.events.signals import PartySignal, Signal, SignalIdentifier

_Party = tuple[str, frozenset[str], frozenset[tuple[str, str, str]], frozenset[str]]


def successors(gone: Mapping[str, Signal], held: Mapping[str, Signal]) -> dict[str, tuple[str, ...]]:
    """uid that a release holds -> uids that it gave up for it, sorted. Where two that it holds are the same party, nobody can say whose they were."""
    wanted: dict[_Party, list[str]] = defaultdict(list)
    for uid in sorted(gone):
        if party := _party(gone[uid]):
            wanted[party].append(uid)
    if not wanted:
        return {}
    found: dict[_Party, list[str]] = defaultdict(list)
    for uid, signal in held.items():
        if (party := _party(signal)) in wanted and party is not None:
            found[party].append(uid)
    return {uids[0]: tuple(wanted[party]) for party, uids in found.items() if len(uids) == 1}


def _party(signal: Signal) -> _Party | None:
    """Who a signal is about, whatever the order and the dress of what it says; None where names are all that it says."""
    subject = signal.subject
    if not isinstance(subject, PartySignal) or not (subject.identifiers or subject.birth_dates):
        return None
    names = frozenset(_folded(one.name) for one in subject.names)
    return subject.schema, names, frozenset(map(_number, subject.identifiers)), frozenset(subject.birth_dates)


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())


def _number(told: SignalIdentifier) -> tuple[str, str, str]:
    return told.kind.casefold(), _folded(told.value), told.country or ""
