"""What only onboarding's own journal keeps: the last rating of a supplier, and the course of its imports."""

from datetime import datetime
from typing import Literal

import msgspec

from shared.events.envelope import Payload, event
from shared.events.ratings import Tier

ImportMode = Literal["apply", "dry_run"]
ImportFormat = Literal["csv", "ndjson"]


class Counts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Rows of an import by what became of them."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0

    @property
    def rows(self) -> int:
        return self.created + self.updated + self.unchanged + self.rejected


@event("supplier.rated.v1", None)
class SupplierRated(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """The tier that a supplier is now found by; its status may have stayed."""

    tier: Tier
    rating_event: str


@event("supplier_import.received.v1", None)
class ImportReceived(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A file is stored whole; its rows will be read."""

    source_system: str
    mode: ImportMode
    format: ImportFormat
    size: int  # bytes
    digest: str  # SHA-256 of the request, hex


@event("supplier_import.advanced.v1", None)
class ImportAdvanced(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """So far its rows are read, and their results kept."""

    counts: Counts
    offset: int  # bytes read of the file
    results_bytes: int


@event("supplier_import.ended.v1", None)
class ImportEnded(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """All rows are read, or the file cannot be read: then why."""

    state: Literal["done", "failed"]
    counts: Counts
    ended_at: datetime
    reason: str = ""
