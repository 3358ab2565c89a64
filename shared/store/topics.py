"""Topics kept short: what compaction and retention take off the log, a slice a transaction, so that no other writer waits for long."""

import sqlite3
from typing import NamedTuple, Protocol

AT_ONCE = 1000  # records looked at in one transaction: some 20 ms


class Sliced(NamedTuple):
    """What one slice did: records taken away, up to where it looked, and whether nothing is left to look at."""

    taken: int
    looked: int
    last: bool


class Slice(Protocol):
    """One transaction's work on one partition."""

    def __call__(self, db: sqlite3.Connection, *, topic: str, partition: int, after: int, upto: int) -> Sliced:
        """Looks behind `after`, as far as one transaction may."""
        ...


def compact_slice(db: sqlite3.Connection, *, topic: str, partition: int, after: int, upto: int) -> Sliced:
    """Takes away the records up to `upto` that the next ones looked at supersede.

    A record up to the stored position has superseded whatever it can; one behind `upto` is looked at again the next time, when more may go.
    """
    name = f"compacted {topic} {partition}"  # no group's: those have slashes in their names
    row = db.execute("SELECT position FROM consumed WHERE name = ?", (name,)).fetchone()
    after = max(after, row[0] if row else 0)
    sql = "SELECT seq, key FROM log WHERE topic = ? AND partition = ? AND seq > ? ORDER BY seq LIMIT ?"
    found = db.execute(sql, (topic, partition, after, AT_ONCE)).fetchall()
    if not found:
        return Sliced(0, after, last=True)
    newest = {key: seq for seq, key in found if key is not None}
    taken = db.executemany(
        "DELETE FROM log WHERE topic = ? AND partition = ? AND key = ? AND seq < ? AND seq <= ?",
        [(topic, partition, key, seq, upto) for key, seq in newest.items()],
    ).rowcount
    looked = found[-1][0]
    if (stored := min(looked, upto)) > after or row is None:
        db.execute(
            "INSERT INTO consumed (name, position) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET position = excluded.position",
            (name, stored),
        )
    return Sliced(max(0, taken), looked, last=len(found) < AT_ONCE)


def retain_slice(db: sqlite3.Connection, *, topic: str, partition: int, after: int, upto: int) -> Sliced:
    """Takes away the next records up to `upto`."""
    sql = "SELECT seq FROM log WHERE topic = ? AND partition = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?"
    found = db.execute(sql, (topic, partition, after, upto, AT_ONCE)).fetchall()
    if found:
        after = found[-1][0]
        db.execute("DELETE FROM log WHERE topic = ? AND partition = ? AND seq <= ?", (topic, partition, after))
    return Sliced(len(found), after, last=len(found) < AT_ONCE)
