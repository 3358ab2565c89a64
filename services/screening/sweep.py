"""A sweep: the run of one release over all suppliers, with the proof that every partition took part. Pure."""

from datetime import datetime
from typing import Any

import msgspec

from shared.events.envelope import Payload, event
from shared.events.matches import SweepCompleted
from shared.events.signals import ReleaseAccepted, ReleasePublished
from shared.kernel.aggregate import Aggregate, Decided, Message


@event("sweep.progressed.v1", None)
class SweepProgressed(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A partition began, or is done; counts are by tenant."""

    partition: int
    hits: dict[str, int] = {}
    suppliers: dict[str, int] | None = None  # where it is done


class Began(msgspec.Struct, frozen=True):
    """A partition met the release's first event."""

    accepted: ReleaseAccepted
    release_id: str
    partition: int
    partitions: int


class Passed(msgspec.Struct, frozen=True):
    """A partition passed the marker, having `suppliers` in its index, of which the release's changes touched `hits` pairs; both by tenant."""

    published: ReleasePublished
    release_id: str
    partition: int
    partitions: int
    suppliers: dict[str, int]
    hits: dict[str, int] = {}


class Sweep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`done`: partition -> tenant -> suppliers checked."""

    list: str
    release_id: str
    partitions: int
    started_at: datetime
    signals: int = 0
    done: dict[int, dict[str, int]] = {}
    hits: dict[str, int] = {}
    completed_at: datetime | None = None


def _decide(state: Sweep | None, message: Message, now: datetime) -> Decided[Sweep] | None:
    match message.body:
        case Began(accepted, release_id, partition, partitions):
            if state is not None:
                return None
            signals = accepted.added + accepted.modified + accepted.deleted
            new = Sweep(list=accepted.list, release_id=release_id, partitions=partitions, started_at=now, signals=signals)
            return Decided(new, [SweepProgressed(partition=partition)])
        case Passed(published, release_id, partition, partitions, suppliers, hits):
            base = state or Sweep(
                list=published.list, release_id=release_id, partitions=partitions, started_at=now, signals=published.signals
            )
            if partition in base.done:
                return None
            done = {**base.done, partition: suppliers}
            complete = len(done) == base.partitions
            total = {t: base.hits.get(t, 0) + hits.get(t, 0) for t in base.hits | hits}
            new = msgspec.structs.replace(base, done=done, hits=total, completed_at=now if complete else None)
            told: list[Payload] = [SweepProgressed(partition=partition, hits=hits, suppliers=suppliers)]
            if complete:
                told.append(SweepCompleted(list=base.list, release_id=release_id, partitions=base.partitions, signals=base.signals))
            return Decided(new, told)
    raise TypeError(type(message.body).__name__)


def view(sweep_id: str, sweep: Sweep, tenant: str) -> dict[str, Any]:
    """As the API gives it, counting one tenant's suppliers and hits."""
    return {
        "id": sweep_id,
        "state": "complete" if sweep.completed_at else "running",
        "list": sweep.list,
        "release_id": sweep.release_id,
        "partitions": sweep.partitions,
        "partitions_done": len(sweep.done),
        "suppliers": sum(counts.get(tenant, 0) for counts in sweep.done.values()),
        "signals": sweep.signals,
        "hits": sweep.hits.get(tenant, 0),
        "started_at": sweep.started_at,
        "completed_at": sweep.completed_at,
    }


SWEEP = Aggregate(kind="sweep", state=Sweep, decide=_decide)
