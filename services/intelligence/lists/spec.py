"""What every list module gives and gets: its description, its reader, and what reading a release found."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from shared.events.signals import Signal

Role = Literal["primary", "aliases", "addresses", "comments"]
Files = Mapping[Role, Path]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One record of a list, ready to be published; `uid` is the publisher's own."""

    uid: str
    signal: Signal


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """A row that became no entry: where it stands and why, never what it says. `uid` where it could still be read: its old entry must not be withdrawn."""

    row: int  # from 1, lines of the primary file
    reason: str
    uid: str | None = None


class Attached(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of a file that adds to entries: all, of entries that the release does not hold, and not of the layout."""

    rows: int = 0
    orphans: int = 0
    unread: int = 0


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What a release holds; always `read == published + len(quarantined)`. A role missing from `attached` was not sent: its content is missing, too."""

    entries: tuple[Entry, ...]
    quarantined: tuple[Quarantined, ...]
    attached: dict[Role, Attached]

    @property
    def published(self) -> int:
        return len(self.entries)

    @property
    def read(self) -> int:
        return len(self.entries) + len(self.quarantined)

    @property
    def nameless(self) -> int:
        """Rows of which it is not even known whose they are."""
        return sum(q.uid is None for q in self.quarantined)

    @property
    def unread_uids(self) -> frozenset[str]:
        """Entries that the release holds but that could not be read."""
        return frozenset(q.uid for q in self.quarantined if q.uid is not None) - {e.uid for e in self.entries}


class Reader(Protocol):
    def __call__(self, files: Files, *, list_id: str, release_id: str) -> Reading:
        """Entries of the official files; `Malformed` where they are not of the layout, `TooLarge` beyond its limits."""


class ListFile(msgspec.Struct, frozen=True, kw_only=True):
    """One official file, named as its publisher does."""

    role: Role
    name: str
    address: str


class ListSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A list we can read. Addresses are only defaults, and `unverified` until a person has fetched from them and compared."""

    id: str
    title: str
    publisher: str
    files: tuple[ListFile, ...]  # the primary one is required
    read: Reader
    addresses: Literal["verified", "unverified"] = "unverified"
    max_shrink_share: float = 0.20  # of the entries in force; a release that removes more waits for a person
    minimum_entries: int = 1
    max_file_bytes: int = 256_000_000
    max_total_bytes: int = 512_000_000

    @property
    def primary(self) -> ListFile:
        return next(f for f in self.files if f.role == "primary")
