"""The one thread of a process that writes a file: what waits is committed together, without waiting for more (group commit)."""

import asyncio
import contextlib
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import msgspec

from shared.errors import NOT_STORED, Unavailable
from shared.faults import crash_point
from shared.kernel.journal import JournalRow
from shared.store.port import Collection, Commit, Field, Lost, Write
from shared.store.schema import connect

Job = Callable[[sqlite3.Connection], Any]
_CHECKPOINT_EVERY_S = 0.5
_SCRUB_WAIT_MS = 100  # for readers; writers wait that long with it
_AWAY = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_BUSY}
log = logging.getLogger("duewatch.store")


class Writer:
    """Takes commits and other writes from any thread; their futures end when they are durable."""

    def __init__(self, path: Path, collections: Iterable[Collection]) -> None:
        self._path = path
        self._collections = {c.kind: c for c in collections}
        self._queue: queue.SimpleQueue[tuple[Job, Future[Any]] | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self._wrote = threading.Event()
        self._scrub = threading.Event()
        self._overwrite = any(c.erasable for c in self._collections.values())

    async def run(self, job: Job) -> Any:
        """Runs a job inside a transaction; returns when it is durable, raises what the job raised (its writes are undone then).

        Unavailable where the file cannot be written now: a full disk, say.
        """
        if not self._threads:  # a process that only reads a file needs no threads for it
            for target, name in ((self._run, "writer"), (self._checkpoint, "checkpoint")):
                self._threads.append(threading.Thread(target=target, name=f"{name}-{self._path.stem}", daemon=True))
                self._threads[-1].start()
        future: Future[Any] = Future()
        self._queue.put((job, future))
        try:
            return await asyncio.wrap_future(future)
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _AWAY:
                raise
            log.error("%s cannot be written: %s", self._path.name, error)
            raise Unavailable(NOT_STORED) from error

    async def commit(self, commit: Commit) -> list[Lost]:
        """See Store.commit."""
        found: list[Lost] = await self.run(lambda db: self._apply(db, commit))
        return found

    def scrub(self) -> None:
        """Soon empties the log beside the file: the pages as they were before an erasure stand there until others are written over them."""
        self._scrub.set()

    def close(self) -> None:
        """Ends the thread after what waits."""
        if self._threads:
            self._queue.put(None)
            self._threads[0].join()
            self._closing.set()
            self._threads[1].join()
            self._threads = []

    def _run(self) -> None:
        db: sqlite3.Connection | None = None
        ending = False
        while not ending:
            taken = [self._queue.get()]
            with contextlib.suppress(queue.Empty):
                while len(taken) < 256:
                    taken.append(self._queue.get_nowait())
            ending = None in taken
            # A job whose caller has gone is not begun; one that is begun can no longer be taken back, or its result would find nobody.
            jobs = [job for job in taken if job is not None and job[1].set_running_or_notify_cancel()]
            if not jobs:
                continue
            try:
                db = db or connect(self._path, write=True, overwrite=self._overwrite)
            except sqlite3.Error as error:  # no file handle left, say: whoever waits is told, and the next one tries again
                for _, future in jobs:
                    future.set_exception(error)
                continue
            self._together(db, jobs)
            self._wrote.set()
        if db is not None:
            db.close()

    def _together(self, db: sqlite3.Connection, jobs: list[tuple[Job, "Future[Any]"]]) -> None:
        """All in one transaction; where one fails, each in its own, so that a bad one harms no other."""
        try:
            db.execute("BEGIN IMMEDIATE")
            results = [job(db) for job, _ in jobs]
            crash_point("before-commit")
            db.execute("COMMIT")
            crash_point("after-commit")
        except BaseException as error:
            if db.in_transaction:
                db.execute("ROLLBACK")
            if len(jobs) == 1:
                jobs[0][1].set_exception(error)
            else:
                for one in jobs:
                    self._together(db, [one])
            return
        for (_, future), result in zip(jobs, results, strict=True):
            future.set_result(result)

    def _checkpoint(self) -> None:
        """Moves the log into the file beside the writer, which then never stops for it. PASSIVE blocks nobody; TRUNCATE, after an erasure, a moment."""
        db: sqlite3.Connection | None = None
        if self._overwrite:  # the last run may have ended before it got to it
            self._scrub.set()
        while not self._closing.is_set():
            self._closing.wait(_CHECKPOINT_EVERY_S)
            if self._wrote.is_set():
                self._wrote.clear()
                with contextlib.suppress(sqlite3.OperationalError):  # busy: another process does it; the next round will
                    db = db or connect(self._path, write=True)
                    db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            if self._scrub.is_set():
                with contextlib.suppress(sqlite3.OperationalError):  # a reader holds on to the log: the next round will
                    db = db or connect(self._path, write=True)
                    db.execute(f"PRAGMA busy_timeout={_SCRUB_WAIT_MS}")
                    if db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0:
                        self._scrub.clear()
        if db is not None:
            db.close()

    def _apply(self, db: sqlite3.Connection, commit: Commit) -> list[Lost]:
        lost: list[Lost] = []
        kinds: dict[tuple[str, bool], list[Write]] = {}
        for write in commit.writes:
            kinds.setdefault((write.kind, write.expected == 0), []).append(write)
        for (kind, new), writes in kinds.items():
            self._write(db, self._collections[kind], writes, new, lost)
        gone = {(one.kind, one.tenant, one.id) for one in lost}
        # In the order asked, not by kind: that a supplier is screened must not be told before the matches that were found.
        self._append(db, [row for write in commit.writes if (write.kind, write.tenant, write.id) not in gone for row in write.rows])
        if not lost:
            db.executemany(
                "INSERT INTO consumed (name, position) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET position = excluded.position",
                commit.consumed.items(),
            )
            db.executemany(
                "INSERT INTO dead_letter (id, state, body) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET state = excluded.state, body = excluded.body",
                [(d.id, d.state, msgspec.json.encode(d)) for d in commit.dead],
            )
            db.executemany("UPDATE dead_letter SET state = 'replayed' WHERE id = ?", [(i,) for i in commit.replayed])
        return lost

    def _write(self, db: sqlite3.Connection, c: Collection, writes: list[Write], new: bool, lost: list[Lost]) -> None:
        """Writes them at once; where some do not hold, undoes that and goes one by one to find which are lost."""
        db.execute("SAVEPOINT many")
        try:
            if self._documents(db, c, writes, new) == len(writes):
                self._indexes(db, c, writes)
                db.execute("RELEASE many")
                return
        except sqlite3.IntegrityError:
            pass
        db.execute("ROLLBACK TO many")
        db.execute("RELEASE many")
        if len(writes) == 1:
            lost.append(self._why(db, c, writes[0], new))
            return
        for one in writes:
            self._write(db, c, [one], new, lost)

    def _documents(self, db: sqlite3.Connection, c: Collection, writes: list[Write], new: bool) -> int:
        names = [f.name for f in c.fields if not f.many]
        if new:
            columns = "".join(f", f_{n}" for n in names)
            marks = ", ?" * (7 + len(names))
            sql = f"INSERT INTO doc_{c.kind} (tenant, id, version, state, head, notes, wake_at{columns}) VALUES ({marks[2:]})"
            rows = [(w.tenant, w.id, w.version, w.state, w.head, w.notes, w.wake_at, *(w.single[n] for n in names)) for w in writes]
        else:
            columns = "".join(f", f_{n} = ?" for n in names)
            sql = f"UPDATE doc_{c.kind} SET version = ?, state = ?, head = ?, notes = ?, wake_at = ?{columns} WHERE tenant = ? AND id = ? AND version = ?"
            rows = [
                (w.version, w.state, w.head, w.notes, w.wake_at, *(w.single[n] for n in names), w.tenant, w.id, w.expected) for w in writes
            ]
        return db.executemany(sql, rows).rowcount

    def _indexes(self, db: sqlite3.Connection, c: Collection, writes: list[Write]) -> None:
        for field in c.fields:
            if not field.many:
                continue
            table = f"idx_{c.kind}_{field.name}"
            changed = [w for w in writes if w.many is not None]
            old = [(w.tenant, w.id) for w in changed if w.expected]
            if old:
                db.executemany(f"DELETE FROM {table} WHERE tenant = ? AND id = ?", old)
            values = [(w.tenant, v, w.id) for w in changed if w.many for v in w.many[field.name]]
            if values:
                db.executemany(f"INSERT INTO {table} (tenant, value, id) VALUES (?, ?, ?)", values)

    @staticmethod
    def _why(db: sqlite3.Connection, c: Collection, write: Write, new: bool) -> Lost:
        row = db.execute(f"SELECT version FROM doc_{c.kind} WHERE tenant = ? AND id = ?", (write.tenant, write.id)).fetchone()
        moved = row is not None if new else row is None or row[0] != write.expected
        if moved:
            return Lost(write.kind, write.tenant, write.id, "version")
        field = next((f.name for f in c.fields if f.unique and _taken(db, c, write, f)), "")
        return Lost(write.kind, write.tenant, write.id, "taken", field)

    @staticmethod
    def _append(db: sqlite3.Connection, rows: list[JournalRow]) -> None:
        if not rows:
            return
        row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'journal'").fetchone()
        first = (row[0] if row else 0) + 1
        db.executemany(
            "INSERT INTO journal (seq, kind, tenant, subject, version, n, type, meta, data, salt, digest, hash) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
            [
                (seq, r.kind, r.tenant, r.subject, r.version, r.n, r.type, r.meta, r.data, r.salt, r.digest, r.hash)
                for seq, r in enumerate(rows, first)
            ],
        )
        db.executemany(
            "INSERT INTO log (topic, partition, seq, key) VALUES (?, ?, ?, ?)",
            [(r.topic, p, seq, r.key) for seq, r in enumerate(rows, first) if r.topic for p in r.partitions],
        )


def _taken(db: sqlite3.Connection, c: Collection, write: Write, field: Field) -> bool:
    """Does another document have one of the values that this one wants?"""
    values = (write.many or {}).get(field.name, ()) if field.many else (write.single[field.name],)
    sql = (
        f"SELECT 1 FROM idx_{c.kind}_{field.name} WHERE tenant = ? AND value = ? AND id != ?"
        if field.many
        else f"SELECT 1 FROM doc_{c.kind} WHERE tenant = ? AND f_{field.name} = ? AND id != ?"
    )
    return any(db.execute(sql, (write.tenant, value, write.id)).fetchone() for value in values)
