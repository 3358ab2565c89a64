"""The store on SQLite: one file a service, WAL, synchronous FULL. Reads have a connection of their own and never wait for a writer."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from shared.kernel.journal import JournalRow, SignedHead, roll
from shared.store.port import LAST, Collection, Commit, DeadLetter, Key, Lost, Stored
from shared.store.schema import connect, create
from shared.store.topics import Slice, Sliced, compact_slice, retain_slice
from shared.store.writer import Writer

_DOCUMENT = "tenant, id, version, state, head, notes, wake_at"
_OF_D = "d.tenant, d.id, d.version, d.state, d.head, d.notes, d.wake_at"
_JOURNAL = "kind, tenant, subject, version, n, type, meta, data, salt, digest, hash"
_AT_ONCE = 400


class EmbeddedStore:
    """See shared.store.port.Store. Several processes may open the same file: SQLite's lock orders their writes."""

    def __init__(self, path: Path, collections: Iterable[Collection]) -> None:
        self.name, self._path = path.stem, path
        self._collections = {c.kind: c for c in collections}
        create(path, list(self._collections.values()))
        self._db = connect(path, write=False)
        self._writer = Writer(path, self._collections.values())

    async def load(self, kind: str, keys: Sequence[Key]) -> dict[Key, Stored]:
        by_tenant: dict[str, list[str]] = {}
        for tenant, id_ in keys:
            by_tenant.setdefault(tenant, []).append(id_)
        found: dict[Key, Stored] = {}
        for tenant, ids in by_tenant.items():
            for at in range(0, len(ids), _AT_ONCE):
                part = ids[at : at + _AT_ONCE]
                sql = f"SELECT {_DOCUMENT} FROM doc_{kind} WHERE tenant = ? AND id IN ({','.join('?' * len(part))})"
                for row in self._db.execute(sql, (tenant, *part)):
                    found[tenant, row[1]] = Stored(*row)
        return found

    async def commit(self, commit: Commit) -> list[Lost]:
        return await self._writer.commit(commit)

    def _where(self, kind: str, tenant: str, where: Mapping[str, Any], contains: tuple[str, str] | None) -> tuple[str, list[Any], str]:
        """What follows the columns, which are those of `d`; its values; and the id to go on from. A field of many values leads: asked the other
        way round, SQLite walks all documents."""
        fields = {f.name: f for f in self._collections[kind].fields}
        several = sorted(name for name in where if fields[name].many)
        sql, values, id_ = f"FROM doc_{kind} d WHERE d.tenant = ?", [tenant], "d.id"
        if several:
            lead = f"idx_{kind}_{several[0]} i CROSS JOIN doc_{kind} d ON d.tenant = i.tenant AND d.id = i.id"
            sql, values, id_ = f"FROM {lead} WHERE i.tenant = ? AND i.value = ?", [tenant, where[several[0]]], "i.id"
        for name in several[1:]:
            sql += f" AND EXISTS (SELECT 1 FROM idx_{kind}_{name} o WHERE o.tenant = d.tenant AND o.value = ? AND o.id = d.id)"
            values.append(where[name])
        for name in (name for name in where if name not in several):
            sql += f" AND d.f_{name} = ?"
            values.append(where[name])
        if contains:
            assert contains[0] in fields
            sql += f" AND instr(d.f_{contains[0]}, ?) > 0"
            values.append(contains[1])
        return sql, values, id_

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
        sql, values, id_ = self._where(kind, tenant, where, contains)
        rows = self._db.execute(f"SELECT {_OF_D} {sql} AND {id_} > ? ORDER BY {id_} LIMIT ?", (*values, after, limit))
        return [Stored(*row) for row in rows]

    async def ordered(
        self, kind: str, tenant: str, name: str, *, begins: str = "", after: tuple[str, str] | None = None, limit: int = 50
    ) -> list[Stored]:
        assert any(f.name == name and f.ordered for f in self._collections[kind].fields)
        value, id_ = after or (begins, "")
        field = f"f_{name}"
        rows = self._db.execute(
            f"SELECT {_DOCUMENT} FROM doc_{kind} WHERE tenant = ? AND {field} >= ? AND {field} < ? AND ({field} > ? OR id > ?)"
            f" ORDER BY {field}, id LIMIT ?",
            (tenant, value, begins + LAST, value, id_, limit),
        )
        return [Stored(*row) for row in rows]

    async def find_any(self, kind: str, tenant: str, name: str, values: Sequence[str]) -> dict[str, bytes]:
        """value -> state, for many values of one `many` field at once: what the gate asks 500 of."""
        found: dict[str, bytes] = {}
        for at in range(0, len(values), _AT_ONCE):
            part = values[at : at + _AT_ONCE]
            sql = (
                f"SELECT i.value, d.state FROM idx_{kind}_{name} i JOIN doc_{kind} d ON d.tenant = i.tenant AND d.id = i.id"
                f" WHERE i.tenant = ? AND i.value IN ({','.join('?' * len(part))})"
            )
            found.update(self._db.execute(sql, (tenant, *part)).fetchall())
        return found

    async def resolve(self, kind: str, tenant: str, name: str, values: Sequence[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for at in range(0, len(values), _AT_ONCE):
            part = values[at : at + _AT_ONCE]
            sql = f"SELECT value, id FROM idx_{kind}_{name} WHERE tenant = ? AND value IN ({','.join('?' * len(part))})"
            found.update(self._db.execute(sql, (tenant, *part)).fetchall())
        return found

    async def count(self, kind: str, tenant: str, where: Mapping[str, Any]) -> int:
        sql, values, _ = self._where(kind, tenant, where, None)
        return int(self._db.execute(f"SELECT count(*) {sql}", values).fetchone()[0])

    async def untold(self, older_s: float = 0.0) -> int:
        return 0  # the journal is the outgoing topic

    async def due(self, kind: str, now: float, limit: int) -> list[Stored]:
        sql = f"SELECT {_DOCUMENT} FROM doc_{kind} WHERE wake_at <= ? ORDER BY wake_at LIMIT ?"
        return [Stored(*row) for row in self._db.execute(sql, (now, limit))]

    async def next_alarm(self) -> float | None:
        times = [
            self._db.execute(f"SELECT min(wake_at) FROM doc_{kind} WHERE wake_at IS NOT NULL").fetchone()[0] for kind in self._collections
        ]
        return min((t for t in times if t is not None), default=None)

    async def positions(self, prefix: str) -> dict[str, int]:
        rows = self._db.execute("SELECT name, position FROM consumed WHERE substr(name, 1, ?) = ?", (len(prefix), prefix))
        return dict(rows.fetchall())

    async def history(
        self, kind: str, tenant: str, subject: str, *, after: tuple[int, int] = (0, -1), limit: int = 500
    ) -> list[JournalRow]:
        rows = self._db.execute(
            f"SELECT {_JOURNAL} FROM journal WHERE subject = ? AND (version, n) > (?, ?) AND kind = ? AND tenant = ? ORDER BY version, n LIMIT ?",
            (subject, *after, kind, tenant, limit),
        )
        return [JournalRow(*row) for row in rows]

    async def journal(self, after: int = 0) -> AsyncIterator[tuple[int, JournalRow]]:
        while rows := self._db.execute(f"SELECT seq, {_JOURNAL} FROM journal WHERE seq > ? ORDER BY seq LIMIT 2000", (after,)).fetchall():
            for seq, *row in rows:
                yield seq, JournalRow(*row)
            after = rows[-1][0]

    async def documents(self, kind: str) -> AsyncIterator[Stored]:
        after = 0
        while rows := self._db.execute(
            f"SELECT rowid, {_DOCUMENT} FROM doc_{kind} WHERE rowid > ? ORDER BY rowid LIMIT 2000", (after,)
        ).fetchall():
            for _, *row in rows:
                yield Stored(*row)
            after = rows[-1][0]

    async def heads(self, *, last: int | None = None, before: str | None = None) -> list[SignedHead]:
        sql = "SELECT seq, digest, signature, signed_at FROM head WHERE ? IS NULL OR signed_at < ? ORDER BY seq DESC LIMIT ?"
        rows = self._db.execute(sql, (before, before, -1 if last is None else last)).fetchall()
        return [SignedHead(*row) for row in reversed(rows)]

    async def add_head(self, head: SignedHead) -> None:
        values = (head.seq, head.digest, head.signature, head.signed_at)
        await self._writer.run(lambda db: db.execute("INSERT OR IGNORE INTO head VALUES (?, ?, ?, ?)", values) and None)

    async def erase(self, kind: str, tenant: str, subject: str) -> int:
        def job(db: sqlite3.Connection) -> int:
            sql = "UPDATE journal SET data = NULL WHERE subject = ? AND kind = ? AND tenant = ?"
            return db.execute(sql, (subject, kind, tenant)).rowcount

        erased = int(await self._writer.run(job))
        self._writer.scrub()
        return erased

    async def dead_letters(self, *, state: str | None = None, after: str = "", limit: int = 50) -> list[DeadLetter]:
        asked, values = ("", ()) if state is None else ("state = ? AND ", (state,))
        rows = self._db.execute(f"SELECT state, body FROM dead_letter WHERE {asked}id > ? ORDER BY id LIMIT ?", (*values, after, limit))
        return [msgspec.structs.replace(msgspec.json.decode(body, type=DeadLetter), state=now) for now, body in rows]

    async def mark_dead_letter(self, dead_letter_id: str, state: str) -> bool:
        def job(db: sqlite3.Connection) -> int:
            return db.execute("UPDATE dead_letter SET state = ? WHERE id = ? AND state != 'replayed'", (state, dead_letter_id)).rowcount

        return bool(await self._writer.run(job))

    async def compact(self, topic: str, *, upto: int) -> int:
        """Of a compacted topic, takes away the records up to `upto` that a later one of the same key supersedes. How many.

        Only what came since the last time can supersede anything; it is looked at in slices, and how far is stored with each.
        """
        return int(sum([await self._sliced(compact_slice, topic, p, upto) for p in self._partitions(topic)]))

    async def retain(self, topic: str, *, upto: int) -> int:
        """Takes the records up to `upto` off a topic, in slices; the journal keeps them. How many."""
        return int(sum([await self._sliced(retain_slice, topic, p, upto) for p in self._partitions(topic)]))

    def _partitions(self, topic: str) -> list[int]:
        """Those that hold something, each by one look into the index."""
        found = [-1]
        sql = "SELECT min(partition) FROM log WHERE topic = ? AND partition > ?"
        while (row := self._db.execute(sql, (topic, found[-1])).fetchone())[0] is not None:
            found.append(row[0])
        return found[1:]

    async def _sliced(self, work: Slice, topic: str, partition: int, upto: int) -> int:
        """A slice a transaction, so that other writers come in between."""
        taken, after = 0, 0
        while True:
            done: Sliced = await self._writer.run(partial(work, topic=topic, partition=partition, after=after, upto=upto))
            taken, after = taken + done.taken, done.looked
            if done.last:
                return taken

    async def rolled(self, after: int, digest: bytes) -> tuple[int, bytes]:
        """The journal's rolling digest from behind entry `after`, where it was `digest`, to its end: (last entry, digest). In a thread."""
        return await asyncio.to_thread(self._rolled, after, digest)

    def _rolled(self, after: int, digest: bytes) -> tuple[int, bytes]:
        with closing(connect(self._path, write=False)) as db:
            last = after
            for last, entry_hash in db.execute("SELECT seq, hash FROM journal WHERE seq > ? ORDER BY seq", (after,)):  # noqa: B007
                digest = roll(digest, entry_hash)
        return last, digest

    async def close(self) -> None:
        self._writer.close()
        self._db.close()
