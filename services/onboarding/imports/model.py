"""An import and its course: received, read in batches, done or failed. Its rows' effects are the suppliers' own."""

from datetime import datetime
from typing import Literal

import msgspec

from shared.errors import NotFound
from shared.events.onboarding import Counts, ImportAdvanced, ImportEnded, ImportFormat, ImportMode, ImportReceived
from shared.kernel.aggregate import Aggregate, Decided, Index, Message

State = Literal["running", "done", "failed"]


class Import(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An import's state. `offset` (of the file) and `results_bytes` (of the results) are where a crash goes on from."""

    source_system: str
    mode: ImportMode
    format: ImportFormat
    upload: str  # the file's name among those that wait
    size: int
    digest: str
    requested_by: str
    received_at: datetime
    state: State = "running"
    counts: Counts = Counts()
    offset: int = 0
    results_bytes: int = 0
    ended_at: datetime | None = None
    reason: str = ""


class Receive(msgspec.Struct, frozen=True, kw_only=True):
    """The file is stored whole."""

    source_system: str
    mode: ImportMode
    format: ImportFormat
    upload: str
    size: int
    digest: str


class Advance(msgspec.Struct, frozen=True, kw_only=True):
    """How far it is, since its beginning."""

    counts: Counts
    offset: int
    results_bytes: int


class End(msgspec.Struct, frozen=True, kw_only=True):
    """It is done, or failed for a reason."""

    state: Literal["done", "failed"]
    reason: str = ""


def decide(state: Import | None, message: Message, now: datetime) -> Decided[Import] | None:
    """What becomes of an import. What is told a second time, and what comes after its end, changes nothing."""
    match message.body:
        case Receive() as r:
            if state is not None:
                return None
            new = Import(**msgspec.structs.asdict(r), requested_by=message.cause.actor, received_at=now)
            told = ImportReceived(source_system=r.source_system, mode=r.mode, format=r.format, size=r.size, digest=r.digest)
            return Decided(new, (told,))
        case Advance(counts=counts, offset=offset, results_bytes=results_bytes):
            if state is None:
                raise NotFound
            if state.state != "running" or (state.counts, state.offset) == (counts, offset):
                return None
            new = msgspec.structs.replace(state, counts=counts, offset=offset, results_bytes=results_bytes)
            return Decided(new, (ImportAdvanced(counts=counts, offset=offset, results_bytes=results_bytes),))
        case End(state=ending, reason=reason):
            if state is None:
                raise NotFound
            if state.state != "running":
                return None
            new = msgspec.structs.replace(state, state=ending, reason=reason, ended_at=now)
            return Decided(new, (ImportEnded(state=ending, counts=state.counts, ended_at=now, reason=reason),))
    raise TypeError(f"an import does not understand {type(message.body).__name__}")


IMPORTS: Aggregate[Import] = Aggregate("supplier_import", Import, decide, indexes=(Index("state", lambda s: s.state),), goes_on=True)
