"""Messages of one aggregate become one write."""

from typing import Any

from shared.kernel.aggregate import Aggregate, Document, Item, Outcome
from shared.kernel.journal import JournalRow

Place = tuple[str, str, str]  # kind, tenant, id


class Folded:
    """One aggregate while its messages are decided."""

    __slots__ = ("aggregate", "document", "encoded", "items", "outcomes", "place", "rows", "stored")

    def __init__(self, aggregate: Aggregate[Any], place: Place) -> None:
        self.aggregate, self.place = aggregate, place
        self.items: list[tuple[int, Item]] = []  # with their place in what was asked
        self.stored: Document[Any] | None = None
        self.document: Document[Any] | None = None
        self.encoded = b""  # its state
        self.rows: list[JournalRow] = []
        self.outcomes: list[tuple[int, Outcome]] = []


def place_of(item: Item) -> Place:
    """Which aggregate it is for."""
    return item.aggregate.kind, item.tenant, item.id


def apart(items: list[tuple[int, Item]], alone: set[Place]) -> tuple[list[tuple[int, Item]], list[tuple[int, Item]]]:
    """What is decided now, and what has to wait: of aggregates in `alone`, only the first message is decided at a time."""
    now: list[tuple[int, Item]] = []
    later: list[tuple[int, Item]] = []
    begun: set[Place] = set()
    for pair in items:
        place = place_of(pair[1])
        (later if place in begun else now).append(pair)
        if place in alone:
            begun.add(place)
    return now, later
