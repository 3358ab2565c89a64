"""Does the journal hold? Every chain, every document's head, every signed head; the first places where not are named.

What it sees: an entry that was changed, added, moved or taken out; a document put back, forged or gone; a signed head that is not ours; a file
that is gone; a document's state changed behind its head. What only heads kept elsewhere show (`duewatch journal heads`): a whole file put back, or cut behind a head that was taken away
with it. What it does not see: the columns by which documents are found, and erased payloads, which are counted.
"""

import asyncio
import os
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from services.runtime.checking import Check, Entry, Kept, KeptHead, Verified, unread
from services.runtime.processes import MODULES
from services.runtime.signing import HeadVerifier
from shared.errors import Unavailable
from shared.settings import Settings
from shared.store.schema import connect

_ENTRY = "seq, kind, tenant, subject, version, n, meta, data, salt, digest, hash"


class InFile:
    """See services.runtime.checking.Source: an open file, in one read transaction."""

    still = True

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def kinds(self) -> list[str]:
        tables = self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'doc\\_%' ESCAPE '\\'")
        return [name.removeprefix("doc_") for (name,) in tables]

    def heads(self) -> dict[int, tuple[bytes, bytes, str]]:
        found = self._db.execute("SELECT seq, digest, signature, signed_at FROM head ORDER BY seq")
        return {seq: (digest, signature, at) for seq, digest, signature, at in found}

    def numbered(self) -> Iterator[tuple[int, bytes]]:
        yield from self._db.execute("SELECT seq, hash FROM journal ORDER BY seq")

    def written(self) -> int:
        found = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'journal'").fetchone()
        return int(found[0]) if found else 0

    def loose(self) -> int:
        sql = "SELECT count(*) FROM log WHERE NOT EXISTS (SELECT 1 FROM journal j WHERE j.seq = log.seq)"
        return int(self._db.execute(sql).fetchone()[0])

    def chains(self) -> Iterator[Entry]:
        for row in self._db.execute(f"SELECT {_ENTRY} FROM journal ORDER BY subject, version, n, kind, tenant"):
            yield Entry(*row)

    def document(self, kind: str, tenant: str, subject: str) -> Kept | None:
        sql = f"SELECT version, head, state FROM doc_{kind} WHERE tenant = ? AND id = ?"
        found: Kept | None = self._db.execute(sql, (tenant, subject)).fetchone()
        return found

    def strangers(self, kind: str, chained: int) -> Iterator[tuple[str, str]]:
        if self._db.execute(f"SELECT count(*) FROM doc_{kind}").fetchone()[0] > chained:
            yield from self._db.execute(
                f"SELECT tenant, id FROM doc_{kind} d WHERE NOT EXISTS (SELECT 1 FROM journal j"
                " WHERE j.subject = d.id AND j.kind = ? AND j.tenant = d.tenant)",
                (kind,),
            )

    def moment(self, kind: str, tenant: str, subject: str) -> tuple[Iterable[Entry], Kept | None]:
        raise AssertionError("All of a file is of one moment")


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
        else unread(name, "the file is gone; restore it from a backup")
        for name in names
    ]


def verify_file(path: Path, verifier: HeadVerifier, kept: Iterable[KeptHead] = ()) -> Verified:
    """Verifies one file, in one read transaction, with memory that does not grow with it."""
    try:
        db = connect(path, write=False)
        try:
            db.execute("BEGIN")
            return Check(InFile(db), path.stem, verifier, kept).run()
        finally:
            db.close()
    except sqlite3.DatabaseError as damage:
        return unread(path.stem, f"the file is damaged, or cannot be read ({damage}); restore it from a backup")
    except TypeError:
        return unread(path.stem, "the file is damaged: a column holds what is not of its type; restore it from a backup")


async def verify_apart(settings: Settings, kept: Sequence[KeptHead] = ()) -> list[Verified]:
    """All stores of a system, in a process of its own, for it computes long: a thread would hold up whoever else answers here."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.runtime.verification",
        env=settings.environment(), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
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


def main() -> None:
    """`python -m services.runtime.verification`: settings in the environment, kept heads on stdin, what was found on stdout, both JSON."""
    os.nice(10)
    settings, kept = Settings.read(), msgspec.json.decode(sys.stdin.buffer.read(), type=list[KeptHead])
    if settings.distributed:
        from services.runtime.verification_servers import verify_servers  # its driver only where it is needed

        found = verify_servers(settings, kept)
    else:
        found = verify(settings.data, kept)
    sys.stdout.buffer.write(msgspec.json.encode(found))


if __name__ == "__main__":
    main()
