"""The tables of one service's file: documents, their indexes, the journal, the log over it, positions, dead letters, signed heads."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from shared.store.port import Collection

_COMMON = """
CREATE TABLE IF NOT EXISTS journal (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, tenant TEXT NOT NULL, subject TEXT NOT NULL,
    version INTEGER NOT NULL, n INTEGER NOT NULL, type TEXT NOT NULL, meta BLOB NOT NULL, data BLOB,
    salt BLOB NOT NULL, digest BLOB NOT NULL, hash BLOB NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS journal_subject ON journal (subject, version, n, kind, tenant);
CREATE TABLE IF NOT EXISTS log (
    topic TEXT NOT NULL, partition INTEGER NOT NULL, seq INTEGER NOT NULL, key TEXT,
    PRIMARY KEY (topic, partition, seq)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS log_key ON log (topic, partition, key, seq) WHERE key IS NOT NULL;
CREATE TABLE IF NOT EXISTS consumed (name TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dead_letter (id TEXT PRIMARY KEY, state TEXT NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS dead_letter_state ON dead_letter (state, id);
CREATE TABLE IF NOT EXISTS head (seq INTEGER PRIMARY KEY, digest BLOB NOT NULL, signature BLOB NOT NULL, signed_at TEXT NOT NULL);
"""


def connect(path: Path, *, write: bool, overwrite: bool = False) -> sqlite3.Connection:
    """A connection with the settings that durability rests on: WAL, synchronous FULL. Checkpoints are a thread's (see `checkpoint`).

    `overwrite`: whole pages that a write frees are overwritten, too, at the price of writing them; a long document leaves such pages behind.
    """
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=60.0, cached_statements=256)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("PRAGMA cache_size=-8000")
    db.execute("PRAGMA temp_store=MEMORY")
    db.execute("PRAGMA mmap_size=67108864")
    if write:
        db.execute("PRAGMA wal_autocheckpoint=0")
        # An erased key does not linger in a page that was written anyway (FAST), nor in one that is free now (ON).
        db.execute(f"PRAGMA secure_delete={'ON' if overwrite else 'FAST'}")
    else:
        db.execute("PRAGMA query_only=ON")
    return db


def create(path: Path, collections: Sequence[Collection]) -> None:
    """Makes the tables that are not there yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    db = connect(path, write=True)
    try:
        db.execute("BEGIN IMMEDIATE")
        for statement in _COMMON.split(";"):
            if statement.strip():
                db.execute(statement)
        for collection in collections:
            _create_collection(db, collection)
        db.execute("COMMIT")
    finally:
        db.close()


def _create_collection(db: sqlite3.Connection, collection: Collection) -> None:
    table = f"doc_{collection.kind}"
    singles = "".join(f", f_{f.name}" for f in collection.fields if not f.many)
    db.execute(
        f"CREATE TABLE IF NOT EXISTS {table} (rowid INTEGER PRIMARY KEY, tenant TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL,"
        f" state BLOB NOT NULL, head BLOB NOT NULL, notes BLOB NOT NULL, wake_at REAL{singles}, UNIQUE (tenant, id))"
    )
    known = {row[1] for row in db.execute(f"PRAGMA table_info({table})")}
    db.execute(f"CREATE INDEX IF NOT EXISTS {table}_wake ON {table} (wake_at) WHERE wake_at IS NOT NULL")
    for field in collection.fields:
        unique = "UNIQUE" if field.unique else ""
        if field.many:
            key = "tenant, value" if field.unique else "tenant, value, id"
            db.execute(
                f"CREATE TABLE IF NOT EXISTS idx_{collection.kind}_{field.name} (tenant TEXT NOT NULL, value TEXT NOT NULL,"
                f" id TEXT NOT NULL, PRIMARY KEY ({key})) WITHOUT ROWID"
            )
            owner = f"idx_{collection.kind}_{field.name}"
            db.execute(f"CREATE INDEX IF NOT EXISTS {owner}_id ON {owner} (tenant, id)")
        else:
            if f"f_{field.name}" not in known:
                db.execute(f"ALTER TABLE {table} ADD COLUMN f_{field.name}")
            index = f"{table}_{field.name}"
            db.execute(f"CREATE {unique} INDEX IF NOT EXISTS {index} ON {table} (tenant, f_{field.name}, id)" if not field.unique
                       else f"CREATE UNIQUE INDEX IF NOT EXISTS {index} ON {table} (tenant, f_{field.name})")  # fmt: skip
