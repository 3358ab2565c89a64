"""Entries that their publisher gives up while the same party stands under another id in the same release. Pure.

The same party bears the same names and the same particulars: every identifier and every date of birth, and at least one of these. Names alone
are never enough, for namesakes are what people spent their time on telling apart. Addresses may differ; what a review rests on is screening's to say.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from shared.events.signals import PartySignal, Signal, SignalIdentifier

_SEVERAL = 2


def successors(gone: Mapping[bytes, Sequence[str]], held: Iterable[tuple[str, Signal]]) -> dict[str, tuple[str, ...]]:
    """uid that a release holds -> ids that it gave up for it, sorted. Where two that it holds are the same party, nobody can say whose they were.

    `gone`: `party` of what the release gives up -> its ids; `held`: all that it holds, of which nothing is kept.
    """
    found: dict[bytes, set[str]] = defaultdict(set)
    for uid, signal in held:
        if (same := party(signal)) and same in gone and len(found[same]) < _SEVERAL:
            found[same].add(uid)
    return {next(iter(uids)): tuple(sorted(gone[same])) for same, uids in found.items() if len(uids) == 1}


def party(signal: Signal) -> bytes | None:
    """A digest of who a signal is about, whatever the order and the dress of what it says; None where names are all that it says."""
    subject = signal.subject
    if not isinstance(subject, PartySignal) or not (subject.identifiers or subject.birth_dates):
        return None
    names = sorted({_folded(one.name) for one in subject.names})
    told = [subject.schema, names, sorted(set(map(_number, subject.identifiers))), sorted(set(subject.birth_dates))]
    return hashlib.blake2b(msgspec.json.encode(told), digest_size=16).digest()


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())


def _number(told: SignalIdentifier) -> tuple[str, str, str]:
    return told.kind.casefold(), _folded(told.value), told.country or ""
