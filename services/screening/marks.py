"""What the log says to sweeps: where a release begins, and where it has passed, partition by partition."""

from collections import Counter

import msgspec

from services.screening.sweep import SWEEP, Began, Passed
from shared.events.envelope import PUBLIC, Record
from shared.events.signals import ReleaseAccepted, ReleasePublished
from shared.kernel.aggregate import Cause, Item, Message

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
