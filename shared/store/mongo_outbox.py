"""The outbox: batches that are about to be written, each with its events in one document, until all of them are told.

It is there before its documents are. A document names the batch that made it, whose entries it holds, and the one that wrote it last (`by`); who writes
the next version puts the entries of the last one into the journal first: so it can be told of each aggregate of a batch whether it was written,
whatever its writer came to.
"""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bson.objectid import ObjectId

from shared.errors import Unavailable
from shared.kernel.journal import JournalRow
from shared.store import mongo_layout as layout
from shared.store.mongo_journal import Journal
from shared.store.mongo_reach import ENDING_S, insert, reaching
from shared.store.port import Write

_TOGETHER_S = 0.05  # in which what was told is gathered, to be taken away by one delete
_LOOK_AGAIN_S = 3600.0  # at the longest, at what a writer that is silent may write yet
_SILENT_S = 7 * 86400.0  # after that it is dead
Tell = Callable[[Sequence[JournalRow]], Awaitable[None]]
Later = Callable[[str, str, str, tuple[int, int]], Awaitable[list[JournalRow]]]
Place = tuple[str, str, str]  # kind, tenant, id


class Outbox:
    """Of one database, as one process uses it."""

    def __init__(self, database: Any, journal: Journal) -> None:
        self._database, self._journal, self._batches = database, journal, database["outbox"]
        self._untold: dict[ObjectId, set[bytes]] = {}  # batches of this process: hashes of entries that were written and not told
        self._batch_of: dict[bytes, ObjectId] = {}
        self._kept: set[ObjectId] = set()  # those of them whose entries are in the journal
        self._done: list[ObjectId] = []  # to be taken away
        self._clearing: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    # ---- this process's batches, from before they are written until they are told ----

    async def put(self, token: ObjectId, writes: Sequence[Write]) -> None:
        """What a batch is about to write."""
        self._untold[token] = set()
        rows = [layout.announced(row, new=not write.expected) for write in writes for row in write.rows]
        await insert(self._batches, [{"_id": token, "aggregates": len(writes), "rows": rows}])

    async def written(self, token: ObjectId, writes: Sequence[Write]) -> None:
        """Of its documents these were written, and their entries are to be told: puts them into the journal, where they are not in new documents. Where
        that took so long that `recover` has told them, nothing is left to do."""
        if token in self._untold:
            hashes = {row.hash for write in writes for row in write.rows}
            self._untold[token] |= hashes
            self._batch_of |= dict.fromkeys(hashes, token)
        await self._journal.keep(token, [row for write in writes if write.expected for row in write.rows])
        if token in self._untold:
            self._kept.add(token)
            if not writes:
                self._take_away(token)

    def leave(self, token: ObjectId) -> None:
        """It could not be written, or not be told, by this process: `recover` tells what there is of it."""
        for one in self._untold.pop(token, ()):
            self._batch_of.pop(one, None)
        self._kept.discard(token)

    def told(self, rows: Iterable[JournalRow]) -> None:
        """These are on the bus: batches of which nothing is left are taken away in the background."""
        for row in rows:
            if (token := self._batch_of.pop(row.hash, None)) is not None:
                self._untold[token].discard(row.hash)
                if not self._untold[token]:
                    self._take_away(token)

    def left(self, rows: Iterable[JournalRow]) -> None:
        """These could not be told."""
        for row in rows:
            if (token := self._batch_of.get(row.hash)) is not None:
                self.leave(token)

    def _take_away(self, token: ObjectId) -> None:
        self._done.append(token)
        if self._clearing is None:
            self._clearing = asyncio.create_task(self._clear())

    async def _clear(self) -> None:
        """Where it fails, `recover` tells them again and clears them then."""
        try:
            while self._done:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_TOGETHER_S):
                        await self._closing.wait()
                tokens, self._done = self._done, []
                try:
                    with contextlib.suppress(Unavailable):
                        async with reaching():
                            await self._batches.delete_many({"_id": {"$in": tokens}})
                finally:
                    for token in tokens:
                        self.leave(token)
        finally:
            self._clearing = None

    async def close(self) -> None:
        """Finishes clearing, as long as a process that ends may take; what it cannot clear is told again at the next start."""
        self._closing.set()
        if (clearing := self._clearing) is not None:
            await asyncio.wait([clearing], timeout=ENDING_S)
            clearing.cancel()
            await asyncio.gather(clearing, return_exceptions=True)

    # ---- what others left ----

    async def before_next(self, kind: str, documents: Iterable[Mapping[str, Any]]) -> None:
        """Puts the entries of these documents' last version into the journal where their writer has not said that it did: it may have died."""
        places: dict[ObjectId, set[str]] = defaultdict(set)
        for one in documents:
            if one["by"] not in self._kept and one["by"] != one.get("made"):
                places[one["by"]].add(one["_id"])
        if places:
            async for batch in self._batches.find({"_id": {"$in": list(places)}}):
                rows = [layout.row(one) for one in batch["rows"] if "data" in one]
                wanted = [row for row in rows if row.kind == kind and layout.place(row.tenant, row.subject) in places[batch["_id"]]]
                await self._journal.keep(batch["_id"], wanted)

    async def recover(self, tell: Tell, later: Later, older_s: float, *, others: bool) -> int:
        """See shared.store.mongo.MongoStore.recover."""
        count = 0
        for token in [one["_id"] async for one in self._batches.find(_old(older_s), {"_id": 1}).sort("_id", 1)]:
            if others and token in self._untold:
                continue
            if batch := await self._batches.find_one({"_id": token}):  # else it was told meanwhile
                count += await self._finish(batch, tell, later)
        return count

    async def _finish(self, batch: Mapping[str, Any], tell: Tell, later: Later) -> int:
        """Tells what was written of a batch, as it stands there; how many aggregates. What is not written and may be yet, by a writer that was
        held up, is looked at again."""
        token, all_of_it = batch["_id"], {layout.subject_of(one["_id"]) for one in batch["rows"]}
        changed = [layout.row(one) for one in batch["rows"] if "data" in one]
        made = await which_made(self._database, token, all_of_it - {_place_of(row) for row in changed})
        known = await which_written(self._database, token, {_place_of(row): row for row in changed})
        known |= {place: bool(entries) for place, entries in made.items()}
        silent_s = time.time() - token.generation_time.timestamp()
        if silent_s > _SILENT_S:
            known = {place: known.get(place, False) for place in all_of_it}
        await self._journal.keep(token, [row for row in changed if known.get(_place_of(row))])
        whole = {one["_id"]: one for entries in made.values() for one in entries}
        there = [layout.row(whole.get(one["_id"], {}) | one) for one in batch["rows"] if known.get(layout.subject_of(one["_id"]))]
        await tell([row for row in there if row.topic])
        last = {_place_of(row): row for row in there}
        for place, behind in last.items():
            while newer := await later(*place, (behind.version, behind.n)):
                await tell([row for row in newer if row.topic])
                behind = newer[-1]
        if known.keys() == all_of_it:
            await self._batches.delete_one({"_id": token})
            self.leave(token)
        else:
            settled = [one["_id"] for one in batch["rows"] if layout.subject_of(one["_id"]) in known]
            again = time.time() + min(max(silent_s, 1.0), _LOOK_AGAIN_S)
            await self._batches.update_one({"_id": token}, {"$pull": {"rows": {"_id": {"$in": settled}}}, "$set": {"again": again}})
        return len(last)

    async def count(self, older_s: float) -> int:
        """How many aggregates are in batches that were put so long ago; without those that nobody has written yet."""
        return sum(
            [one["aggregates"] async for one in self._batches.find({**_old(older_s), "again": {"$exists": False}}, {"aggregates": 1})]
        )

    async def erase(self, kind: str, tenant: str, subject: str) -> None:
        """Erases an aggregate's payloads."""
        its = {"kind": kind, "tenant": tenant, "subject": subject}
        filters = [{f"it.{name}": value for name, value in its.items()}]
        await self._batches.update_many({"rows": {"$elemMatch": its}}, {"$set": {"rows.$[it].data": None}}, array_filters=filters)


async def which_made(database: Any, token: ObjectId, places: Iterable[Place]) -> dict[Place, list[layout.Document]]:
    """The entries of these documents, if a batch made them; none where another did. No answer for those that it may make yet."""
    found: dict[Place, list[layout.Document]] = {}
    for kind, ids in _by_kind(places).items():
        async for one in database[kind].find({"_id": {"$in": list(ids)}}, {"t": 1, "i": 1, "made": 1, "first": 1}):
            found[ids[one["_id"]]] = layout.first(kind, one) if one.get("made") == token else []
    return found


async def which_written(database: Any, token: ObjectId, last: Mapping[Place, JournalRow]) -> dict[Place, bool]:
    """Were these documents changed by a batch, of which the last entry of each is given? No answer for those that may be yet."""
    found: dict[Place, bool] = {}
    passed: dict[str, Place] = {}
    for kind, places in _by_kind(last).items():
        async for one in database[kind].find({"_id": {"$in": list(places)}}, {"by": 1, "v": 1}):
            place = places[one["_id"]]
            if one["by"] == token:
                found[place] = True
            elif one["v"] > last[place].version:  # its writer, or who came behind, has put it into the journal
                passed[layout.entry_of(last[place])] = place
            elif one["v"] == last[place].version:
                found[place] = False
    if passed:
        found |= dict.fromkeys(passed.values(), False)
        async for one in database["journal"].find({"_id": {"$in": list(passed)}, "by": token}, {"_id": 1}):
            found[passed[one["_id"]]] = True
    return found


def _by_kind(places: Iterable[Place]) -> dict[str, dict[str, Place]]:
    """Documents by their `_id`."""
    found: dict[str, dict[str, Place]] = defaultdict(dict)
    for kind, tenant, subject in places:
        found[kind][layout.place(tenant, subject)] = (kind, tenant, subject)
    return found


def _place_of(row: JournalRow) -> Place:
    return row.kind, row.tenant, row.subject


def _old(older_s: float) -> dict[str, Any]:
    """Put so long ago, and due to be looked at; with 0 all there are."""
    if not older_s:
        return {}
    before = ObjectId.from_datetime(datetime.now(UTC) - timedelta(seconds=older_s))
    return {"_id": {"$lt": before}, "$or": [{"again": {"$exists": False}}, {"again": {"$lte": time.time()}}]}
