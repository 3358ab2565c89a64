"""Does the journal hold? Every chain, every document's head, every signed head; the first places where not are named.

What it sees: an entry that was changed, added, moved or taken out; a document put back, forged or gone; a signed head that is not ours; a file
that is gone; a document's state changed behind its head. What only heads kept elsewhere show (`duewatch journal heads`): a whole file put back, or cut behind a head that was taken away
with it. What it does not see: the columns by which documents are found, and erased payloads, which are counted.
"""

import asyncio
import os
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from services.runtime.processes import MODULES
from services.runtime.signing import HeadVerifier
from shared.errors import Unavailable
from shared.events.envelope import Meta
from shared.kernel.journal import GENESIS, head_statement, link, payload_digest, roll
from shared.store.schema import connect


class KeptHead(msgspec.Struct, frozen=True):
    """A signed head as `journal heads` tells it, kept where nobody who can change the files can change it. `digest`: hex."""

    store: str
    seq: int
    digest: str


class Verified(msgspec.Struct, frozen=True):
    """What was looked at in one file, and what is broken there. `unsigned`: entries since the last signed head."""

    store: str
    entries: int
    aggregates: int
    heads: int
    unsigned: int
    erased: int
    faults: list[str]


_MOST_FAULTS = 20


def verify(data: Path, kept: Sequence[KeptHead] = ()) -> list[Verified]:
    """Verifies all files of a data folder; none where it holds no journal. It may be in use: each file is read at one moment."""
    found = {path.stem: path for path in sorted(data.glob("*.db"))}
    if not found:
        return []
    verifier = HeadVerifier(data / "keys")
    names = [*found, *sorted({*MODULES, *(head.store for head in kept)} - found.keys())]
    return [
        verify_file(found[name], verifier, [h for h in kept if h.store == name])
        if name in found
        else _unread(name, "the file is gone; restore it from a backup")
        for name in names
    ]


def verify_file(path: Path, verifier: HeadVerifier, kept: Iterable[KeptHead] = ()) -> Verified:
    """Verifies one file, in one read transaction, with memory that does not grow with it."""
    try:
        db = connect(path, write=False)
        try:
            db.execute("BEGIN")
            return _Check(db, path.stem, verifier, kept).run()
        finally:
            db.close()
    except sqlite3.DatabaseError as damage:
        return _unread(path.stem, f"the file is damaged, or cannot be read ({damage}); restore it from a backup")
    except TypeError:
        return _unread(path.stem, "the file is damaged: a column holds what is not of its type; restore it from a backup")


async def verify_apart(data: Path, kept: Sequence[KeptHead] = ()) -> list[Verified]:
    """The same in a process of its own, for it computes long: a thread would hold up whoever else answers here."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.runtime.verification", data, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        told, _ = await child.communicate(msgspec.json.encode(kept))
    finally:
        if child.returncode is None:  # whoever asked has gone
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    if child.returncode:
        raise Unavailable("The journal could not be verified; see the log")
    return msgspec.json.decode(told, type=list[Verified])


def _unread(store: str, why: str) -> Verified:
    return Verified(store, 0, 0, 0, 0, 0, [f"{store}: {why}"])


_Last = tuple[int, int, bytes, bytes, bytes]  # version, n, hash, meta, salt


class _Check:
    def __init__(self, db: sqlite3.Connection, store: str, verifier: HeadVerifier, kept: Iterable[KeptHead]) -> None:
        self._db, self._store, self._verifier = db, store, verifier
        self._kept = [(head.seq, head.digest) for head in kept]
        self._faults: list[str] = []
        self._entries = self._erased = self._unsigned = 0
        tables = db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'doc\\_%' ESCAPE '\\'")
        self._documents: Counter[str] = Counter({name.removeprefix("doc_"): 0 for (name,) in tables})
        self._aggregates = 0

    def run(self) -> Verified:
        heads = self._whole()
        self._chains()
        self._strangers()
        return Verified(self._store, self._entries, self._aggregates, heads, self._unsigned, self._erased, self._faults)

    def _fault(self, text: str) -> None:
        if len(self._faults) < _MOST_FAULTS:
            self._faults.append(f"{self._store}: {text}")

    def _whole(self) -> int:
        """All entries in the order of the file, against the signed heads; how many of those there are."""
        heads = {
            seq: (digest, signature, at)
            for seq, digest, signature, at in self._db.execute("SELECT seq, digest, signature, signed_at FROM head ORDER BY seq")
        }
        signed, last, good, rolling = len(heads), 0, 0, GENESIS
        kept: dict[int, set[str]] = {}
        for seq, digest in self._kept:
            kept.setdefault(seq, set()).add(digest)
        for seq, entry_hash in self._db.execute("SELECT seq, hash FROM journal ORDER BY seq"):
            self._entries += 1
            if seq != last + 1:
                self._fault(f"entries {last + 1} to {seq - 1} are missing")
            last, rolling = seq, roll(rolling, entry_hash)
            if seq in heads and self._head(seq, rolling, *heads.pop(seq)):
                good = self._entries
            if kept.pop(seq, {rolling.hex()}) != {rolling.hex()}:
                self._fault(f"the entries up to {seq} are not those of the head that was kept")
        written = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'journal'").fetchone()
        if written and written[0] > last:
            self._fault(f"entries {last + 1} to {written[0]} are missing")
        for seq in heads:
            self._fault(f"the entries up to {seq} were signed, and the journal ends at {last}")
        for seq in sorted(kept):
            self._fault(f"the head that was kept is of entry {seq}, and the journal ends at {last}: the file is an older one, or was cut")
        loose = self._db.execute("SELECT count(*) FROM log WHERE NOT EXISTS (SELECT 1 FROM journal j WHERE j.seq = log.seq)").fetchone()[0]
        if loose:
            self._fault(f"{loose} published records have no entry")
        self._unsigned = self._entries - good
        return signed

    def _head(self, seq: int, rolling: bytes, digest: bytes, signature: bytes, at: str) -> bool:
        if rolling != digest:
            self._fault(f"the entries up to {seq} are not those that were signed")
            return False
        if not self._verifier.holds(head_statement(self._store, seq, digest, at), signature):
            self._fault(f"the signature of the head at entry {seq} is not ours")
            return False
        return True

    def _chains(self) -> None:
        """One aggregate's entries behind another's; so that only the heads of one subject need to be held."""
        sql = (
            "SELECT seq, kind, tenant, subject, version, n, meta, data, salt, digest, hash FROM journal"
            " ORDER BY subject, version, n, kind, tenant"
        )
        entries, before, last = 0, "", dict[tuple[str, str], _Last]()
        for seq, kind, tenant, subject, version, n, meta, data, salt, digest, entry_hash in self._db.execute(sql):
            entries += 1
            if subject != before:
                self._ends(before, last)
                before, last = subject, {}
            place = f"entry {seq} ({kind} {subject}, version {version}.{n})"
            at, before_n, head, *_ = last.get((kind, tenant), (0, 0, b""))
            if (version, n) not in ((at + 1, 0), (at, before_n + 1)):
                self._fault(f"{place} does not follow version {at}.{before_n}")
            if data is None:
                self._erased += 1
            elif payload_digest(salt, data) != digest:
                self._fault(f"{place}: the payload is not what was written")
            if link(head, meta, digest) != entry_hash:
                self._fault(f"{place}: the chain is broken")
            last[kind, tenant] = (version, n, entry_hash, meta, salt)
        self._ends(before, last)
        if entries != self._entries:
            self._fault(f"{self._entries} entries, and {entries} of them can be found: the file is damaged")

    def _ends(self, subject: str, last: dict[tuple[str, str], _Last]) -> None:
        """Each chain's end is its document's head."""
        for (kind, tenant), (version, _, entry_hash, meta, salt) in last.items():
            self._aggregates += 1
            sql = f"SELECT version, head, state FROM doc_{kind} WHERE tenant = ? AND id = ?"
            found = self._db.execute(sql, (tenant, subject)).fetchone() if kind in self._documents else None
            if found is None:
                self._fault(f"the document of {kind} {subject} is gone")
                continue
            self._documents[kind] += 1
            if found[:2] != (version, entry_hash):
                self._fault(f"{kind} {subject} is not as the journal says")
            elif (stands := _state_digest(meta)) and payload_digest(salt, found[2]).hex() != stands:
                self._fault(f"the state of {kind} {subject} is not what was written")

    def _strangers(self) -> None:
        """Documents that no chain leads to."""
        for kind, found in self._documents.items():
            if self._db.execute(f"SELECT count(*) FROM doc_{kind}").fetchone()[0] > found:
                sql = (
                    f"SELECT id FROM doc_{kind} d WHERE NOT EXISTS (SELECT 1 FROM journal j"
                    " WHERE j.subject = d.id AND j.kind = ? AND j.tenant = d.tenant) LIMIT ?"
                )
                for (id_,) in self._db.execute(sql, (kind, _MOST_FAULTS)).fetchall():
                    self._fault(f"{kind} {id_} stands in no journal")


def _state_digest(meta: bytes) -> str:
    """As the last event of a version has it; none where the entry is older than this rule, or no JSON: then its chain is broken anyway."""
    try:
        return msgspec.json.decode(meta, type=Meta).state
    except msgspec.MsgspecError:
        return ""


def main() -> None:
    """`python -m services.runtime.verification FOLDER`: kept heads on stdin, what was found on stdout, both JSON."""
    os.nice(10)
    kept = msgspec.json.decode(sys.stdin.buffer.read(), type=list[KeptHead])
    sys.stdout.buffer.write(msgspec.json.encode(verify(Path(sys.argv[1]), kept)))


if __name__ == "__main__":
    main()
