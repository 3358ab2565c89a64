"""The journal on MongoDB, and its signed heads. The entries that made a document stand in it (`first`), for one write is cheaper than two; those of its later
versions are in `journal`. All have the server's clock in `ts`, so that together they have one order.
"""

import asyncio
import contextlib
from bisect import bisect_right
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

from bson import Timestamp
from bson.objectid import ObjectId
from pymongo.errors import DuplicateKeyError

from shared.kernel.journal import JournalRow, SignedHead, roll
from shared.store import mongo_layout as layout
from shared.store.mongo_reach import insert

_SETTLED_S = 5.0  # what is older than this is in the journal, or its writer is dead
_BEGINNING = Timestamp(0, 0)
_SLICE = 1000  # read at a time; a hundred thousand at once, after an import, held up every reaction of the process for a second
_REST_S = 0.04  # and then others have their turn


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
        async for found in self._in_order({"$gt": _BEGINNING}, None, {"t": 1, "i": 1, "first": 1}):
            for entry in chain.from_iterable(layout.first(kind, one) if kind else (one,) for kind, one in found):
                seq += 1
                if seq > after:
                    yield seq, layout.row(entry)

    async def rolled(self, after: int, digest: bytes) -> tuple[int, bytes]:
        """The rolling digest from behind entry `after`, where it was `digest`: (last entry, digest). What is younger than a few seconds waits for
        the next head, lest a slower writer's entry come before one that was signed."""
        settled = layout.moment(datetime.now(UTC) - timedelta(seconds=_SETTLED_S))
        head = await self._database["head"].find_one({"_id": after}, {"ts": 1}) or {}
        ended = head.get("ts")  # none at the beginning, and where an earlier version of this code signed it: all are counted
        seq = after if ended else 0
        wanted = {"ts": 1, "hash": 1, "_id": 0}
        async for found in self._in_order({"$gt": ended or _BEGINNING, "$lt": settled}, wanted, {"first.hash": 1, "_id": 0}):
            for entry in chain.from_iterable(one["first"] if kind else (one,) for kind, one in found):
                seq += 1
                if seq > after:
                    digest = roll(digest, entry["hash"])
            ended = found[-1][1]["ts"]
            await asyncio.sleep(_REST_S)
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
    ) -> AsyncIterator[list[tuple[str, layout.Document]]]:
        """What has such a `ts`, a slice at a time: documents with their kind, and entries of the journal with "". Of each what is wanted."""
        wanted = [("", of_journal), *((kind, {"ts": 1, **of_documents}) for kind in self._kinds)]
        sources = [_Source(kind, self._database[kind or "journal"].find({"ts": ts}, fields)) for kind, fields in wanted]
        while sources := [source for source in sources if await source.filled()]:
            horizon = min(source.last for source in sources)  # up to here all of all sources is here
            ready = [(source.kind, one) for source in sources for one in source.taken(horizon)]
            yield ready if len(sources) == 1 else sorted(ready, key=lambda found: _at(found[1]))


class _Source:
    """A cursor over what is of one kind, by its moment, and what was read of it and not taken yet."""

    def __init__(self, kind: str, cursor: Any) -> None:
        self.kind, self._cursor = kind, cursor.sort("ts", 1).batch_size(_SLICE)
        self._read: list[layout.Document] = []

    @property
    def last(self) -> tuple[int, int]:
        return _at(self._read[-1])

    async def filled(self) -> bool:
        """Reads on where all is taken; is there any?"""
        self._read = self._read or await self._cursor.to_list(_SLICE)
        return bool(self._read)

    def taken(self, horizon: tuple[int, int]) -> list[layout.Document]:
        """What is not behind `horizon`, and not here any more."""
        n = bisect_right(self._read, horizon, key=_at)
        ready, self._read = self._read[:n], self._read[n:]
        return ready


def _at(found: layout.Document) -> tuple[int, int]:
    return found["ts"].time, found["ts"].inc
