"""The journal on MongoDB, and its signed heads. The entries that made a document stand in it (`first`), for one write is cheaper than two; those of its later
versions are in `journal`. All have the server's clock in `ts`, so that together they have one order.
"""

import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from typing import Any

from bson import Timestamp
from bson.objectid import ObjectId
from pymongo.errors import DuplicateKeyError

from shared.kernel.journal import JournalRow, SignedHead, roll
from shared.store import mongo_layout as layout
from shared.store.mongo_reach import insert

_SETTLED_S = 5.0  # what is older than this is in the journal, or its writer is dead
_BEGINNING = Timestamp(0, 0)


class Journal:
    """Of one database. `kinds`: of its documents."""

    def __init__(self, database: Any, kinds: Iterable[str]) -> None:
        self._database, self._kinds = database, list(kinds)
        self._rolled: tuple[int, Timestamp | None] = (0, None)  # the last entry that was rolled over, and its moment

    async def keep(self, token: ObjectId, rows: Sequence[JournalRow]) -> None:
        """Puts entries of a batch into it; those that it has already are left as they are."""
        await insert(self._database["journal"], [layout.kept_entry(row, token) for row in rows])

    async def history(self, kind: str, tenant: str, subject: str, after: tuple[int, int], limit: int) -> list[JournalRow]:
        """See shared.store.port.Store.history. The document is there before its later entries: looked for behind them, it has what goes before."""
        query = {"_id": layout.entries_of(kind, tenant, subject, after)}
        later = [layout.row(one) async for one in self._database["journal"].find(query).sort("_id", 1).limit(limit)]
        found = await self._database[kind].find_one({"_id": layout.place(tenant, subject)}, {"t": 1, "i": 1, "first": 1})
        first = [layout.row(one) for one in (layout.first(kind, found) if found else ())]
        rows = [*(row for row in first if (row.version, row.n) > after), *later]
        return rows[:limit] if limit else rows

    async def rows(self, after: int) -> AsyncIterator[tuple[int, JournalRow]]:
        """All in order, with their numbers, from behind one."""
        seq = 0
        async for kind, found in self._in_order({"$gt": _BEGINNING}, None, {"t": 1, "i": 1, "first": 1}):
            for one in layout.first(kind, found) if kind else (found,):
                seq += 1
                if seq > after:
                    yield seq, layout.row(one)

    async def rolled(self, after: int, digest: bytes) -> tuple[int, bytes]:
        """The rolling digest from behind entry `after`, where it was `digest`: (last entry, digest). What is younger than a few seconds waits for
        the next head, lest a slower writer's entry come before one that was signed."""
        settled = layout.moment(datetime.now(UTC) - timedelta(seconds=_SETTLED_S))
        head = await self._database["head"].find_one({"_id": after}, {"ts": 1}) or {}
        ended = head.get("ts")  # none at the beginning, and where an earlier version of this code signed it: all are counted
        seq = after if ended else 0
        async for kind, found in self._in_order({"$gt": ended or _BEGINNING, "$lt": settled}, {"ts": 1, "hash": 1}, {"first.hash": 1}):
            ended = found["ts"]
            for one in found["first"] if kind else (found,):
                seq += 1
                if seq > after:
                    digest = roll(digest, one["hash"])
        self._rolled = max(seq, after), ended
        return max(seq, after), digest

    async def heads(self, last: int | None, before: str | None) -> list[SignedHead]:
        """See shared.store.port.Store.heads."""
        query = {"signed_at": {"$lt": before}} if before is not None else {}
        found = [h async for h in self._database["head"].find(query).sort("_id", -1).limit(last or 0)]
        return [SignedHead(h["_id"], h["digest"], h["signature"], h["signed_at"]) for h in reversed(found)]

    async def add_head(self, head: SignedHead) -> None:
        """Keeps it, with the moment of its last entry where that was seen here: the next one begins there."""
        made = {"_id": head.seq, "digest": head.digest, "signature": head.signature, "signed_at": head.signed_at}
        if self._rolled[0] == head.seq and self._rolled[1]:
            made["ts"] = self._rolled[1]
        with contextlib.suppress(DuplicateKeyError):  # what was signed first stands
            await self._database["head"].insert_one(made)

    async def erase(self, kind: str, tenant: str, subject: str) -> int:
        """Erases the payloads of an aggregate's entries; how many."""
        entries = {"_id": layout.entries_of(kind, tenant, subject)}
        later = await self._database["journal"].update_many(entries, {"$set": {"data": None}})
        its = {"_id": layout.place(tenant, subject), "first": {"$exists": True}}
        found = await self._database[kind].find_one_and_update(its, {"$set": {"first.$[].data": None}}, projection={"first.n": 1})
        return int(later.matched_count) + len(found["first"] if found else ())

    async def _in_order(
        self, ts: layout.Document, of_journal: layout.Document | None, of_documents: layout.Document
    ) -> AsyncIterator[tuple[str, layout.Document]]:
        """What has such a `ts`: documents with their kind, and entries of the journal with "". Of each what is wanted."""
        cursors = [("", self._database["journal"].find({"ts": ts}, of_journal))]
        cursors += [(kind, self._database[kind].find({"ts": ts}, {"ts": 1, **of_documents})) for kind in self._kinds]
        waiting: list[tuple[int, int, str, layout.Document, Any]] = []
        for kind, cursor in cursors:
            await _next(waiting, kind, aiter(cursor.sort("ts", 1)))
        while waiting:
            *_, kind, one, cursor = heappop(waiting)
            yield kind, one
            await _next(waiting, kind, cursor)


async def _next(waiting: list[tuple[int, int, str, layout.Document, Any]], kind: str, cursor: Any) -> None:
    if (one := await anext(cursor, None)) is not None:
        heappush(waiting, (one["ts"].time, one["ts"].inc, kind, one, cursor))
