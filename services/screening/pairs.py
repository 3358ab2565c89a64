"""What the join says: pairs of a supplier and a signal."""

from collections.abc import Iterable

import msgspec

from shared.events.matches import Match

Key = tuple[str, str]  # tenant, id


class Thresholds(msgspec.Struct, frozen=True):
    """From which score a match is opened, and from which it is strong."""

    review: float
    strong: float


class Found(msgspec.Struct, frozen=True):
    """One pair that matches."""

    id: str
    supplier: Key
    match: Match
    content: str


class Pair(msgspec.Struct, frozen=True):
    """A match that stands in the store, by its two sides."""

    id: str
    supplier: Key
    signal: Key


def each_once(found: Iterable[Found]) -> list[Found]:
    """Two owners of one name are one match: the one that is more alike, else the first, lest each event tell of one and then the other."""
    best: dict[str, Found] = {}
    for one in found:
        if one.id not in best or one.match.score > best[one.id].match.score:
            best[one.id] = one
    return list(best.values())
