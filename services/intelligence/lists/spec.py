"""What every list module gives and gets: its description, its layouts with their readers, and the records that reading a release yields."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from shared.events.signals import Signal

HEAD_BYTES = 65_536  # of a primary file: what a layout is recognised by


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One record of a list, ready to be published; `uid` is the publisher's own. `part`: told within the record before it (a subsidiary in the text of
    its parent's name), and so none of the publisher's own records."""

    uid: str
    signal: Signal
    part: bool = False


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """A record that became no entry: where it stands and why, never what it says. `uid` where it could still be read: its old entry must not be
    withdrawn. One `reason` for all of a kind: they are counted by it."""

    row: int  # from 1: the line, or which record of the file it is
    reason: str
    uid: str | None = None


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """Only in a delta: its publisher takes this entry away."""

    uid: str


class Attached(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of a file that adds to entries, told once a file: all, of entries that the release does not hold, and not of the layout.

    A file that is not told of was not sent: its content is missing, too.
    """

    role: str
    rows: int = 0
    orphans: int = 0
    unread: int = 0


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What a release says of itself; told at most once. `base`: it is a delta upon that version, and what it does not name stays."""

    dated: str | None = None  # the day that its publisher puts on it, ISO 8601
    version: str | None = None
    base: str | None = None


Record = Entry | Quarantined | Removed | Attached | About


class Reader(Protocol):
    def __call__(self, files: Mapping[str, Path], *, list_id: str, release_id: str) -> Iterator[Record]:
        """The records of the official files, by role, one after the other and in constant memory.

        All are `Entry` or `Quarantined` (or `Removed`), none is passed over; two of one uid may come, for the second is quarantined by who reads. `Malformed` where the files are not of the layout, `TooLarge` beyond
        its limits, raised also between two records.
        """


class ListFile(msgspec.Struct, frozen=True, kw_only=True):
    """One official file, named as its publisher does."""

    role: str
    name: str
    address: str
    required: bool = False  # besides the primary one


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """One official form of a list. Content tells it, never a name alone: `recognises` gets the first 64 KiB of the primary file."""

    name: str
    files: tuple[ListFile, ...]  # the primary one is required
    read: Reader
    recognises: Callable[[bytes], bool]

    @property
    def primary(self) -> ListFile:
        return next(f for f in self.files if f.role == "primary")


class ListSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A list we can read. Addresses are only defaults, and `unverified` until a person has fetched from them and compared."""

    id: str
    title: str
    publisher: str
    layouts: tuple[Layout, ...]  # the first is what is pulled
    addresses: Literal["verified", "unverified"] = "unverified"
    versions: str = ""  # the role of the file that tells of versions, where its publisher has the changes between them
    licence: str = ""  # where its use is bound to more than naming the source
    # Of the entries in force: a release that removes, adds or changes more waits for a person, and so does one of whose records more are unread.
    max_shrink_share: float = 0.20
    max_growth_share: float = 1.0
    max_change_share: float = 0.8
    max_quarantined_share: float = 0.5
    minimum_entries: int = 1
    stale_after_days: int = 7  # since its publisher was last asked, where nobody has set another age
    max_file_bytes: int = 256_000_000
    max_total_bytes: int = 512_000_000

    @property
    def files(self) -> tuple[ListFile, ...]:
        """Those that are pulled."""
        return self.layouts[0].files
