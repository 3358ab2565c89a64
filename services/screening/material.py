"""What a review of a pair rests on, as a digest: while it stays the same, so does what a person said of the pair. Pure.

Material is who both sides are. Not what the list says besides: OFAC puts one more boilerplate remark or programme on thousands of entries at
once, and no namesake becomes the same party by it.
"""

import hashlib
from collections.abc import Iterable

import msgspec

from shared.events.signals import ExposureSignal, Signal

_encoder = msgspec.json.Encoder(order="deterministic")


def of_party(party_name: str, country: str, common: Iterable[str], identity: str) -> str:
    """Our name and country, what both sides have in `common` beside names (countries, numbers and addresses, which make the pair likelier), and the
    signal's `identity`."""
    return _digest(" ".join(party_name.casefold().split()), country, *sorted(common), identity)


def of_exposure(touched: Iterable[str], identity: str) -> str:
    """The goods and places of ours that the signal touches, and the signal's `identity`."""
    return _digest(*sorted(touched), identity)


def identity(signal: Signal) -> str:
    """Who or what a signal is about: names, numbers, places and dates, in whatever order; neither remarks nor programmes. Of an exposure not the days
    on which it holds, which move with each release, nor the words for a good that its codes name."""
    subject = signal.subject
    if isinstance(subject, ExposureSignal):
        return _digest(_text(msgspec.structs.replace(subject, good="", valid_from=None, valid_until=None)))
    told = (*subject.names, *subject.countries, *subject.addresses, *subject.identifiers, *subject.birth_dates)
    return _digest(subject.schema, *sorted(map(_text, told)))


def _text(part: object) -> str:
    return _encoder.encode(part).decode()


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]
