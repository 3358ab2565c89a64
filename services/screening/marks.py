"""What comes in each partition of the log: where a release begins and where it has passed, and which signals were looked at ahead of it."""

from collections import Counter

import msgspec

from services.screening.pairs import Key
from services.screening.sweep import SWEEP, Began, Passed
from shared.events.envelope import PUBLIC, Record
from shared.events.signals import ReleaseAccepted, ReleasePublished
from shared.kernel.aggregate import Cause, Item, Message

Event = tuple[int, int]  # of a signal: its sequence, and its place among what was told with it
Hits = dict[tuple[str, int], dict[str, str]]  # sweep and partition -> match -> tenant; a match found again is the same one


class Sweeps:
    """What a batch says to sweeps: which partitions began one, and which passed its marker, in the order of the log.

    Their source is the partition of the log, for a broadcast record comes from every partition.
    """

    def __init__(self, partitions: int, hits: Hits) -> None:
        self._partitions, self._hits = partitions, hits
        self._said: list[tuple[Record, str, Began | Passed]] = []

    def began(self, payload: ReleaseAccepted, record: Record) -> None:
        """A partition met a release's first event."""
        self._said.append((record, payload.sweep_id, Began(payload, record.meta.subject, record.partition, self._partitions)))

    def passed(self, payload: ReleasePublished, record: Record, suppliers: dict[str, int]) -> None:
        """A partition passed the marker behind it."""
        body = Passed(payload, record.meta.subject, record.partition, self._partitions, suppliers)
        self._said.append((record, payload.sweep_id, body))

    def items(self) -> list[Item]:
        """The messages, oldest first. What a release touched in a partition is counted when all of the batch is known."""
        items = []
        for record, sweep, body in sorted(self._said, key=lambda one: (one[0].position, one[0].partition)):
            m = record.meta
            if isinstance(body, Passed):
                body = msgspec.structs.replace(body, hits=dict(Counter(self._hits[sweep, record.partition].values())))
            source = f"log/{record.topic}/{record.partition}"
            cause = Cause(f"{m.id}/{record.partition}", m.type, m.correlationid, m.actor, m.traceparent, source, record.position)
            items.append(Item(SWEEP, PUBLIC, sweep, Message(body, cause)))
        return items


class Ahead:
    """The partitions from which a signal's event is still to come, though their suppliers were looked at with the first copy of it.

    A reader has a release from one partition before it has it from the next. Whoever looked at each one's suppliers only then would do so knowing
    more of the release for some than for others, words would be of another rarity, and the same pair would score otherwise.
    """

    def __init__(self) -> None:
        self._left: dict[Key, tuple[Event, frozenset[int]]] = {}
        self._news: dict[Key, tuple[Event, frozenset[int]]] = {}

    def begin(self) -> None:
        """A batch begins; what the last one said is forgotten where it was not committed, and is looked at again as it comes."""
        self._news.clear()

    def committed(self) -> None:
        """What the batch said holds."""
        self._left |= self._news
        for key in [key for key, (_, left) in self._news.items() if not left]:
            del self._left[key]
        self._news.clear()

    def forget(self, partitions: frozenset[int]) -> None:
        """Others look at their suppliers now, and should these come back, at each event that comes with them."""
        self._left = {key: (event, rest) for key, (event, left) in self._left.items() if (rest := left - partitions)}

    def due(self, key: Key, event: Event, told: frozenset[int], held: frozenset[int], *, first: bool) -> frozenset[int]:
        """Whose suppliers are to be looked at, of the partitions `held`, as an event of a signal comes from those `told`: of all if it is the
        `first` that is heard of it, else of those that were not looked at yet."""
        known, left = self._left.get(key, (event, frozenset()))
        if known == event and left:
            self._news[key] = (event, left - told)
            return told - left
        if first:
            self._news[key] = (event, held - told)
        return held | told if first else told
