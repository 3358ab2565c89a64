"""A release as it was read, beside what is in force of its list, in a database on disk: memory stays the same for a million entries."""

import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Literal

import msgspec

from services.intelligence.lists.guards import Found
from services.intelligence.lists.spec import About, Attached, Entry, Quarantined, Record, Removed
from shared.errors import Malformed, Unavailable
from shared.events.signals import Signal

Kind = Literal["added", "modified", "deleted"]
WORK = "release-"  # folders of work begin so; what was left over is cleared up
MAX_UID = 200  # characters
MAX_VERSION = 100
_AT_ONCE = 1_000
_MAX_REASONS = 20
_TWICE = "its id stands on an earlier record"
_NO_ID = f"its id is empty or longer than {MAX_UID} characters"
_LASTING = "PRAGMA {0}journal_mode = OFF; PRAGMA {0}synchronous = OFF; PRAGMA {0}cache_size = -16000;"  # nothing in it outlives the process
_TABLES = """
CREATE TABLE spool.entry (uid TEXT PRIMARY KEY, n INTEGER, digest TEXT, signal BLOB, part INTEGER);
CREATE TABLE spool.removed (uid TEXT PRIMARY KEY, n INTEGER);
CREATE TABLE spool.quarantined (n INTEGER PRIMARY KEY, row INTEGER, reason TEXT, uid TEXT);
CREATE TABLE spool.change (kind TEXT, uid TEXT, PRIMARY KEY (kind, uid)) WITHOUT ROWID;
"""
_INSERT = "INSERT OR IGNORE INTO spool.entry VALUES (?, ?, ?, ?, ?)"
_decode, _encode = msgspec.json.Decoder(Signal).decode, msgspec.json.encode


class InForce:
    """uid and content digest of all that is in force, of the lists that were put in."""

    def __init__(self, folder: Path) -> None:
        place = Path(tempfile.mkdtemp(prefix=WORK, dir=folder))
        self.db = sqlite3.connect(place / "in-force", isolation_level=None, check_same_thread=False)
        self.db.executescript(_LASTING.format("") + "PRAGMA temp_store = MEMORY;")
        self.db.execute("CREATE TABLE in_force (list TEXT, uid TEXT, digest TEXT, PRIMARY KEY (list, uid)) WITHOUT ROWID")
        shutil.rmtree(place)  # it is open, and goes with the process
        self.lists: set[str] = set()

    def put(self, list_id: str, entries: Iterable[tuple[str, str]]) -> None:
        """Entries as (uid, digest)."""
        self.db.execute("BEGIN")
        self.db.executemany("INSERT OR REPLACE INTO in_force VALUES (?, ?, ?)", ((list_id, *entry) for entry in entries))
        self.db.execute("COMMIT")

    def close(self) -> None:
        """Forgets all."""
        self.db.close()


class Spool:
    """One release, read and compared. `records` were read: entries, quarantined and, in a delta, removed."""

    def __init__(self, in_force: InForce, list_id: str, work: Path) -> None:
        self._db, self._list = in_force.db, list_id
        self.attached: dict[str, Attached] = {}
        self.about = About()
        self.records = 0
        self._closed = False
        self._db.execute("ATTACH ? AS spool", (str(work / "spool"),))
        self._db.executescript(_LASTING.format("spool.") + _TABLES)

    def close(self) -> None:
        """Its file is the caller's to remove. A thread that still reads into it, since nobody waits for it any more, ends with its next records."""
        self._closed = True
        with contextlib.suppress(sqlite3.Error):  # what that thread does just now; whoever comes next begins anew
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            self._db.execute("DETACH spool")

    def read(self, records: Iterator[Record]) -> None:
        """Takes in all records, and compares them with what is in force."""
        self._db.execute("BEGIN")
        while part := list(islice(records, _AT_ONCE)):
            if self._closed:
                raise Unavailable("The release is not read to its end")
            self._take(part)
        if self._one("SELECT count(*) FROM spool.removed") and not self.about.base:
            raise Malformed("Only a delta removes entries, and this release names no version that it builds upon")
        both = self._db.execute("SELECT r.n, r.uid FROM spool.removed r JOIN spool.entry e USING (uid)").fetchall()
        self._quarantine((n, n, _TWICE, uid) for n, uid in both)
        self._db.executemany("DELETE FROM spool.removed WHERE uid = ?", ((uid,) for _, uid in both))
        self._compare()
        self._db.execute("COMMIT")

    def _take(self, part: list[Record]) -> None:
        entries: list[tuple[str, int, str, bytes, bool]] = []
        parts: list[tuple[str, int, str, bytes, bool]] = []
        removed: list[tuple[str, int]] = []
        wrong: list[tuple[int, int, str, str | None]] = []
        for record in part:
            match record:
                case About():
                    self.about = _checked(record)
                    continue
                case Attached(role=role):
                    self.attached[role] = record
                    continue
                case Entry(part=True):
                    parts.append((record.uid, self.records, record.signal.digest, _encode(record.signal), True))
                    continue
            self.records = n = self.records + 1
            if isinstance(record, Quarantined):
                wrong.append((n, record.row, record.reason[:300], record.uid))
            elif not 0 < len(record.uid) <= MAX_UID:
                wrong.append((n, n, _NO_ID, None))
            elif isinstance(record, Entry):
                entries.append((record.uid, n, record.signal.digest, _encode(record.signal), False))
            elif isinstance(record, Removed):
                removed.append((record.uid, n))
        wrong += self._insert(_INSERT, "entry", entries)
        self._db.executemany(_INSERT, parts)
        wrong += self._insert("INSERT OR IGNORE INTO spool.removed VALUES (?, ?)", "removed", removed)
        self._quarantine(wrong)

    def _insert(
        self, statement: str, table: str, rows: list[tuple[str, int, str, bytes, bool]] | list[tuple[str, int]]
    ) -> list[tuple[int, int, str, str]]:
        """Those whose uid was there already."""
        if not rows or self._db.executemany(statement, rows).rowcount == len(rows):
            return []
        first = f"SELECT n FROM spool.{table} WHERE uid = ?"  # our own two names
        return [(row[1], row[1], _TWICE, row[0]) for row in rows if self._one(first, row[0]) != row[1]]

    def _quarantine(self, rows: Iterable[tuple[int, int, str, str | None]]) -> None:
        self._db.executemany("INSERT INTO spool.quarantined VALUES (?, ?, ?, ?)", rows)

    def _compare(self) -> None:
        """An entry whose record stands in the release but could not be read is not deleted: damage must release nobody."""
        self._db.execute(
            "INSERT INTO spool.change SELECT CASE WHEN f.uid IS NULL THEN 'added' ELSE 'modified' END, e.uid FROM spool.entry e"
            " LEFT JOIN in_force f ON f.list = ? AND f.uid = e.uid WHERE f.uid IS NULL OR f.digest <> e.digest", (self._list,)
        )  # fmt: skip
        gone = "IN (SELECT uid FROM spool.removed)" if self.about.base else "NOT IN (SELECT uid FROM spool.entry)"
        self._db.execute(
            f"INSERT INTO spool.change SELECT 'deleted', f.uid FROM in_force f WHERE f.list = ? AND f.uid {gone}"
            " AND f.uid NOT IN (SELECT uid FROM spool.quarantined WHERE uid IS NOT NULL)", (self._list,)
        )  # fmt: skip

    def found(self) -> Found:
        """What comparing found, in numbers."""
        counted = dict(self._db.execute("SELECT kind, count(*) FROM spool.change GROUP BY kind"))
        before = self._one("SELECT count(*) FROM in_force WHERE list = ?", self._list)
        read = self._one("SELECT count(*) FROM spool.entry WHERE NOT part")
        added, deleted = counted.get("added", 0), counted.get("deleted", 0)
        return Found(
            records=self.records,
            entries=before + added - deleted if self.about.base else read,
            removed=self._one("SELECT count(*) FROM spool.removed"),
            quarantined=self._one("SELECT count(*) FROM spool.quarantined"),
            nameless=self._one("SELECT count(*) FROM spool.quarantined WHERE uid IS NULL"),
            in_force=before,
            added=added,
            modified=counted.get("modified", 0),
            deleted=deleted,
            delta=bool(self.about.base),
            attached=self.attached,
        )

    def reasons(self) -> dict[str, int]:
        """How many records were quarantined for which reason, the most frequent first; bounded."""
        found = self._db.execute("SELECT reason, count(*) FROM spool.quarantined GROUP BY reason ORDER BY 2 DESC, 1").fetchall()
        rest = sum(n for _, n in found[_MAX_REASONS:])
        return dict(found[:_MAX_REASONS]) | ({"other reasons": rest} if rest else {})

    def quarantined(self) -> Iterator[Quarantined]:
        """All of them, by row."""
        for row, reason, uid in self._db.execute("SELECT row, reason, uid FROM spool.quarantined ORDER BY row, n"):
            yield Quarantined(row=row, reason=reason, uid=uid)

    def changed(self, kind: Kind) -> Iterator[str]:
        """uids, sorted."""
        after = ""
        while part := self._db.execute(
            "SELECT uid FROM spool.change WHERE kind = ? AND uid > ? ORDER BY uid LIMIT ?", (kind, after, _AT_ONCE)
        ).fetchall():
            yield from (uid for (uid,) in part)
            after = part[-1][0]

    def is_changed(self, uid: str) -> bool:
        """Is it added or modified?"""
        return bool(self._one("SELECT count(*) FROM spool.change WHERE kind IN ('added', 'modified') AND uid = ?", uid))

    def signal(self, uid: str) -> Signal:
        """Of one entry of the release."""
        return _decode(self._db.execute("SELECT signal FROM spool.entry WHERE uid = ?", (uid,)).fetchone()[0])

    def signals(self) -> Iterator[tuple[str, Signal]]:
        """All of them, with their uids."""
        for uid, signal in self._db.execute("SELECT uid, signal FROM spool.entry"):
            yield uid, _decode(signal)

    def settle(self) -> None:
        """The release is in force now."""
        self._db.execute("BEGIN")
        self._db.execute(
            "INSERT OR REPLACE INTO in_force SELECT ?, uid, digest FROM spool.change JOIN spool.entry USING (uid) WHERE kind <> 'deleted'",
            (self._list,),
        )
        self._db.execute(
            "DELETE FROM in_force WHERE list = ? AND uid IN (SELECT uid FROM spool.change WHERE kind = 'deleted')", (self._list,)
        )
        self._db.execute("COMMIT")

    def _one(self, statement: str, *values: str) -> int:
        return int(self._db.execute(statement, values).fetchone()[0])


def _checked(about: About) -> About:
    """Bounded, since it stays with the release."""
    if any(value is not None and len(value) > MAX_VERSION for value in (about.dated, about.version, about.base)):
        raise Malformed("The version or the date that the release gives itself is too long")
    return about
