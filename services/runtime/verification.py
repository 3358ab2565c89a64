"""Does the journal hold? Every chain, every document's head, every signed head; the first place where not is named."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec

from services.runtime.signing import HeadVerifier
from shared.kernel.journal import GENESIS, head_statement, link, payload_digest, roll
from shared.store.schema import connect


class Verified(msgspec.Struct, frozen=True):
    """What was looked at in one file, and what is broken there."""

    store: str
    entries: int
    aggregates: int
    heads: int
    erased: int
    faults: list[str]


_MOST_FAULTS = 20


def verify(data: Path) -> list[Verified]:
    """Verifies all files of a data folder; it may be in use meanwhile, since each file is read at one moment."""
    return [verify_file(path, HeadVerifier(data / "keys")) for path in sorted(data.glob("*.db"))]


def verify_file(path: Path, verifier: HeadVerifier) -> Verified:
    """Verifies one file, in one read transaction."""
    try:
        db = connect(path, write=False)
        try:
            db.execute("BEGIN")
            return _Check(db, path.stem, verifier).run()
        finally:
            db.close()
    except (sqlite3.DatabaseError, TypeError) as damage:  # TypeError: a column holds what no code of ours writes
        return Verified(path.stem, 0, 0, 0, 0, [f"{path.stem}: the file is damaged ({type(damage).__name__}); restore it from a backup"])


class _Check:
    def __init__(self, db: sqlite3.Connection, store: str, verifier: HeadVerifier) -> None:
        self._db, self._store, self._verifier = db, store, verifier
        self._last: dict[tuple[str, str, str], tuple[int, int, bytes]] = {}
        self._faults: list[str] = []
        self._entries = self._erased = 0

    def run(self) -> Verified:
        heads = {
            seq: (digest, signature, at)
            for seq, digest, signature, at in self._db.execute("SELECT seq, digest, signature, signed_at FROM head ORDER BY seq")
        }
        rolling, signed = GENESIS, len(heads)
        for seq, entry_hash in self._chains():
            rolling = roll(rolling, entry_hash)
            if seq in heads:
                self._head(seq, rolling, *heads.pop(seq))
        for seq in heads:
            self._fault(f"the signed head at entry {seq} has no entry")
        self._documents()
        return Verified(self._store, self._entries, len(self._last), signed, self._erased, self._faults)

    def _fault(self, text: str) -> None:
        if len(self._faults) < _MOST_FAULTS:
            self._faults.append(f"{self._store}: {text}")

    def _chains(self) -> Iterator[tuple[int, bytes]]:
        sql = "SELECT seq, kind, tenant, subject, version, n, meta, data, salt, digest, hash FROM journal ORDER BY seq"
        expected = 1
        for seq, kind, tenant, subject, version, n, meta, data, salt, digest, entry_hash in self._db.execute(sql):
            self._entries += 1
            place = f"entry {seq} ({kind} {subject}, version {version}.{n})"
            if seq != expected:
                self._fault(f"entries {expected} to {seq - 1} are missing")
            expected = seq + 1
            key = (kind, tenant, subject)
            at, before_n, head = self._last.get(key, (0, 0, b""))
            if (version, n) not in ((at + 1, 0), (at, before_n + 1)):
                self._fault(f"{place} does not follow version {at}.{before_n}")
            if data is None:
                self._erased += 1
            elif payload_digest(salt, data) != digest:
                self._fault(f"{place}: the payload is not what was written")
            if link(head, meta, digest) != entry_hash:
                self._fault(f"{place}: the chain is broken")
            self._last[key] = (version, n, entry_hash)
            yield seq, entry_hash

    def _head(self, seq: int, rolling: bytes, digest: bytes, signature: bytes, at: str) -> None:
        if rolling != digest:
            self._fault(f"the entries up to {seq} are not those that were signed")
        elif not self._verifier.holds(head_statement(self._store, seq, digest, at), signature):
            self._fault(f"the signature of the head at entry {seq} is not ours")

    def _documents(self) -> None:
        tables = self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'doc\\_%' ESCAPE '\\'")
        for (table,) in tables.fetchall():
            kind = table.removeprefix("doc_")
            for tenant, id_, version, head in self._db.execute(f"SELECT tenant, id, version, head FROM {table}"):
                last = self._last.get((kind, tenant, id_))
                if last is None or (last[0], last[2]) != (version, head):
                    self._fault(f"{kind} {id_} is not as the journal says")
            known = self._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            journalled = sum(k == kind for k, _, _ in self._last)
            if journalled > known:
                self._fault(f"{journalled - known} documents of kind {kind} are gone")
