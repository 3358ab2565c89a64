"""Writing to MongoDB: a batch is one unordered bulk of conditional writes, in which the events ride; then the journal, then how far the input is read.

A write whose outcome is not known is sent again: each carries its batch's token, by which it is recognised where it had landed.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from bson.objectid import ObjectId
from pymongo import InsertOne, UpdateOne
from pymongo.errors import AutoReconnect, BulkWriteError, ConnectionFailure, ExecutionTimeout, WTimeoutError

from shared.errors import Unavailable
from shared.faults import crash_point
from shared.store import mongo_layout as layout
from shared.store.port import Collection, Commit, DeadLetter, Lost, Write

_DUPLICATE = 11000
_DEADLINE_S = 15.0  # for a batch whose server goes away; then the caller tries again, or gives up
_PAUSE_S = 0.1
AWAY = (AutoReconnect, ConnectionFailure, ExecutionTimeout, WTimeoutError)  # the server, not what was asked of it
Inflight = dict[bytes, tuple[str, ObjectId]]  # hash of an entry -> its kind, and its batch; until it is told


@asynccontextmanager
async def reaching() -> AsyncIterator[None]:
    """A server that does not answer is a moment's trouble, to whoever waits for it."""
    try:
        yield
    except AWAY:
        raise Unavailable("The store does not answer; try again") from None


class Committer:
    """Writes commits to one database; `inflight` holds what it has written and nobody has told yet."""

    def __init__(self, database: Any, collections: Mapping[str, Collection], inflight: Inflight) -> None:
        self._database, self._collections, self._inflight = database, collections, inflight

    async def write(self, commit: Commit) -> list[Lost]:
        """See shared.store.port.Store.commit."""
        token, lost = ObjectId(), list[Lost]()
        by_kind: dict[str, list[Write]] = defaultdict(list)
        for write in commit.writes:
            by_kind[write.kind].append(write)
        entries: list[dict[str, Any]] = []
        crash_point("before-commit")
        # As the service declares its kinds, not as they come: a crash in between must leave matches without their screening, not the other way round.
        for kind, writes in ((kind, by_kind[kind]) for kind in self._collections if kind in by_kind):
            gone = await self._documents(kind, writes, token)
            crash_point("kind-written")
            lost += gone.values()
            kept = [row for at, write in enumerate(writes) if at not in gone for row in write.rows]
            self._inflight.update((row.hash, (kind, token)) for row in kept)
            entries += [layout.entry(row, token) for row in kept]
        crash_point("after-commit")
        # The events are safe inside their documents: neither of these two needs to wait for the other.
        await asyncio.gather(self.journal(entries), *([] if lost else [self._input(commit)]))
        return lost

    async def _documents(self, kind: str, writes: Sequence[Write], token: ObjectId) -> dict[int, Lost]:
        """One bulk, sent again where nobody knows what became of it; those lost, by their place."""
        asked = [self._request(write, token) for write in writes]
        end = time.monotonic() + _DEADLINE_S
        while True:
            try:
                return await self._bulk(kind, writes, asked, token)
            except AWAY:
                if time.monotonic() > end:
                    raise Unavailable("The store does not answer; try again") from None
                await asyncio.sleep(_PAUSE_S)

    def _request(self, write: Write, token: ObjectId) -> InsertOne[Any] | UpdateOne:
        put, empty, entries = layout.contents(write, self._collections[write.kind].fields, token)
        if not write.expected:
            return InsertOne(layout.new_document(write, put, entries))
        change: dict[str, Any] = {"$set": put, "$push": {"out": {"$each": entries}}}
        if empty:
            change["$unset"] = dict.fromkeys(empty, "")
        return UpdateOne({"_id": layout.place(write.tenant, write.id), "v": write.expected}, change)

    async def _bulk(self, kind: str, writes: Sequence[Write], asked: Sequence[Any], token: ObjectId) -> dict[int, Lost]:
        taken: dict[int, str] = {}
        doubtful: set[int] = set()
        try:
            result = await self._database[kind].bulk_write(asked, ordered=False)
            matched = result.matched_count
        except BulkWriteError as error:
            if error.details["writeConcernErrors"]:  # written here, but perhaps nowhere else: known when it comes again
                raise WTimeoutError("majority") from None
            matched = error.details["nMatched"]
            for one in error.details["writeErrors"]:
                if one["code"] != _DUPLICATE:
                    raise
                (field,) = one["keyPattern"]
                if field == "_id":
                    doubtful.add(one["index"])
                else:
                    taken[one["index"]] = field.removeprefix("f_")
        updates = {at for at, write in enumerate(writes) if write.expected} - taken.keys()
        if matched < len(updates):
            doubtful |= updates
        landed = await self._landed(kind, {at: writes[at] for at in doubtful}, token)
        lost = {at: Lost(kind, writes[at].tenant, writes[at].id, "taken", field) for at, field in taken.items()}
        return lost | {at: Lost(kind, writes[at].tenant, writes[at].id, "version") for at in doubtful - landed}

    async def _landed(self, kind: str, doubtful: Mapping[int, Write], token: ObjectId) -> set[int]:
        """Those that are there all the same: this batch's token is theirs, or their entry stands in the journal."""
        if not doubtful:
            return set()
        places = {layout.place(write.tenant, write.id): at for at, write in doubtful.items()}
        found = self._database[kind].find({"_id": {"$in": list(places)}}, {"by": 1, "out.by": 1})
        landed = {places[d["_id"]] async for d in found if token in (d["by"], *(one["by"] for one in d["out"]))}
        entries = {layout.entry_of(write.rows[-1]): at for at, write in doubtful.items() if at not in landed and write.rows}
        told = self._database["journal"].find({"_id": {"$in": list(entries)}, "by": token}, {"_id": 1})
        return landed | {entries[one["_id"]] async for one in told}

    async def journal(self, entries: Sequence[dict[str, Any]]) -> None:
        """Keeps entries; those that it has already are left as they are."""
        for at in range(0, len(entries), 1000):
            part, end = [layout.kept_entry(one) for one in entries[at : at + 1000]], time.monotonic() + _DEADLINE_S
            while part:
                try:
                    await self._database["journal"].insert_many(part, ordered=False)
                    break
                except BulkWriteError as error:
                    if any(one["code"] != _DUPLICATE for one in error.details["writeErrors"]):
                        raise
                    if not error.details["writeConcernErrors"]:
                        break
                except AWAY:
                    if time.monotonic() > end:
                        raise Unavailable("The store does not answer; try again") from None
                await asyncio.sleep(_PAUSE_S)

    async def _input(self, commit: Commit) -> None:
        """How far the input is read, and what could not be handled. Each says where it will be, so a second time does no harm."""
        async with reaching():
            if commit.consumed:
                moved = [UpdateOne({"_id": name}, {"$set": {"position": at}}, upsert=True) for name, at in commit.consumed.items()]
                await self._database["consumed"].bulk_write(moved, ordered=False)
            letters = [UpdateOne({"_id": one.id}, {"$set": _letter(one)}, upsert=True) for one in commit.dead]
            letters += [UpdateOne({"_id": id_}, {"$set": {"state": "replayed"}}) for id_ in commit.replayed]
            if letters:
                await self._database["dead_letter"].bulk_write(letters, ordered=True)


def _letter(letter: DeadLetter) -> dict[str, Any]:
    return {name: getattr(letter, name) for name in letter.__struct_fields__ if name != "id"}
