"""The document store as a port. One verb writes: `commit`. Every read names its tenant.

What is promised stands in tests/contracts/store_behaviour.py; what is not there is not promised.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from shared.kernel.journal import JournalRow, SignedHead

Key = tuple[str, str]  # tenant, id
LAST = "\x7f"  # sorts behind every printable ASCII character


class Field(msgspec.Struct, frozen=True):
    """A declared index of a collection. `ordered`: one ASCII text a document, or none, in whose order documents are read."""

    name: str
    many: bool = False
    unique: bool = False
    ordered: bool = False


class Collection(msgspec.Struct, frozen=True):
    """All documents of one kind. `erasable`: what is taken out of them must lie nowhere on disk any more."""

    kind: str
    fields: tuple[Field, ...] = ()
    erasable: bool = False


class Stored(msgspec.Struct, frozen=True):
    """A document as it lies there; `notes` holds watermarks and inbox."""

    tenant: str
    id: str
    version: int
    state: bytes
    head: bytes
    notes: bytes
    wake_at: float | None


@dataclass(slots=True)
class Write:
    """A document to be written if its version still is `expected` (0: it must be new), with the journal entries it causes."""

    kind: str
    tenant: str
    id: str
    expected: int
    version: int
    state: bytes
    head: bytes
    notes: bytes
    wake_at: float | None
    single: dict[str, Any]
    many: dict[str, tuple[Any, ...]] | None  # None: as they were
    rows: list[JournalRow]


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A message that could not be handled, kept with its error until it is replayed."""

    id: str
    group: str
    topic: str
    partition: int
    position: int
    tenant: str
    type: str
    meta: bytes
    data: bytes
    error: str
    at: str
    attempts: int
    state: str = "dead"  # dead, replaying, replayed


@dataclass(slots=True)
class Commit:
    """What is written together: documents with their events, how far the input is read, and what could not be handled."""

    writes: list[Write] = field(default_factory=list)
    consumed: dict[str, int] = field(default_factory=dict)
    dead: list[DeadLetter] = field(default_factory=list)
    replayed: list[str] = field(default_factory=list)  # dead letters now done

    def __bool__(self) -> bool:
        """Is there anything to write?"""
        return bool(self.writes or self.consumed or self.dead or self.replayed)


class Lost(msgspec.Struct, frozen=True):
    """A write that did not happen: its version moved ("version"), or a unique value belongs to another document ("taken")."""

    kind: str
    tenant: str
    id: str
    reason: str
    field: str = ""


class Store(Protocol):
    """One service's documents, journal and positions."""

    name: str

    async def load(self, kind: str, keys: Sequence[Key]) -> dict[Key, Stored]:
        """The documents of these keys that are there."""
        ...

    async def commit(self, commit: Commit) -> list[Lost]:
        """Writes durably what holds. `consumed`, `dead` and `replayed` are written only where nothing was lost."""
        ...

    async def find(
        self,
        kind: str,
        tenant: str,
        where: Mapping[str, Any],
        *,
        after: str = "",
        limit: int = 50,
        contains: tuple[str, str] | None = None,
    ) -> list[Stored]:
        """Documents whose declared fields have these values, by id, from behind `after`; `contains` looks for a text inside one field."""
        ...

    async def ordered(
        self, kind: str, tenant: str, name: str, *, begins: str = "", after: tuple[str, str] | None = None, limit: int = 50
    ) -> list[Stored]:
        """Documents by the value of an `ordered` field, then by id: those whose value begins so, from behind (value, id)."""
        ...

    async def resolve(self, kind: str, tenant: str, name: str, values: Sequence[str]) -> dict[str, str]:
        """value -> id of the document that has it, for many values of one `many` field at once."""
        ...

    async def find_any(self, kind: str, tenant: str, name: str, values: Sequence[str]) -> dict[str, bytes]:
        """value -> state, for many values of one `many` field at once: what the gate asks 500 of."""
        ...

    async def count(self, kind: str, tenant: str, where: Mapping[str, Any]) -> int:
        """How many `find` would give without a limit."""
        ...

    async def due(self, kind: str, now: float, limit: int) -> list[Stored]:
        """Documents whose alarm is due, the longest due first; over all tenants: only the waker asks it."""
        ...

    async def next_alarm(self) -> float | None:
        """When the next alarm of any kind is due."""
        ...

    async def positions(self, prefix: str) -> dict[str, int]:
        """What has been consumed, of the names that begin so."""
        ...

    async def history(
        self, kind: str, tenant: str, subject: str, *, after: tuple[int, int] = (0, -1), limit: int = 500
    ) -> list[JournalRow]:
        """The journal of one aggregate, oldest first, from behind (version, n)."""
        ...

    def journal(self, after: int = 0) -> AsyncIterator[tuple[int, JournalRow]]:
        """The whole journal in order, with its sequence numbers: for verification."""
        ...

    def documents(self, kind: str) -> AsyncIterator[Stored]:
        """All documents of a kind, over all tenants: for rebuilding and verification."""
        ...

    async def heads(self, *, last: int | None = None, before: str | None = None) -> list[SignedHead]:
        """The signed heads, oldest first: at most the `last` so many, those signed before a moment (ISO 8601, UTC)."""
        ...

    async def add_head(self, head: SignedHead) -> None:
        """Keeps a signed head."""
        ...

    async def rolled(self, after: int, digest: bytes) -> tuple[int, bytes]:
        """The journal's rolling digest from behind entry `after`, where it was `digest`, to the last entry before which none can come any more:
        (that entry, digest). For signed heads."""
        ...

    async def erase(self, kind: str, tenant: str, subject: str) -> int:
        """Erases the payloads of one aggregate's journal entries; the chain stays whole. How many."""
        ...

    async def dead_letters(self, *, state: str | None = None, after: str = "", limit: int = 50) -> list[DeadLetter]:
        """Dead letters of this store, by id."""
        ...

    async def mark_dead_letter(self, dead_letter_id: str, state: str) -> bool:
        """Marks one for replay; False where there is none."""
        ...

    async def untold(self, older_s: float = 0.0) -> int:
        """Of how many documents events are not known to be on the bus and in the journal, written so long ago; 0 where there is no outbox."""
        ...

    async def close(self) -> None:
        """Finishes what is being written and lets go of everything."""
        ...
