"""One commit on MongoDB: batches are put into the outbox with their events; then the documents, each kind one unordered bulk of conditional writes, new ones
with their entries; then the journal of the others, then how far the input is read.

A write whose outcome is not known is sent again: each carries its batch, by which it is recognised where it had landed.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from bson.objectid import ObjectId
from pymongo import InsertOne, UpdateOne
from pymongo.errors import BulkWriteError, WTimeoutError

from shared.faults import crash_point
from shared.store import mongo_layout as layout
from shared.store.mongo_outbox import Outbox, which_made, which_written
from shared.store.mongo_reach import DUPLICATE, insisting, reaching
from shared.store.port import Collection, Commit, DeadLetter, Lost, Write

_LARGEST = 8_000_000  # bytes of the entries of a batch: half of what a document takes
_BESIDE = 500  # bytes of an entry beside its payload and what is said of it, at most about
_Batch = tuple[ObjectId, list[Write]]


class Committer:
    """Writes commits to one database."""

    def __init__(self, database: Any, collections: Mapping[str, Collection], outbox: Outbox) -> None:
        self._database, self._collections, self._outbox = database, collections, outbox

    async def write(self, commit: Commit) -> list[Lost]:
        """See shared.store.port.Store.commit."""
        batches = list(_batches(commit.writes))
        crash_point("before-commit")
        try:
            for token, writes in batches:
                await self._outbox.put(token, writes)
            crash_point("batch-put")
            lost, kept = await self._kinds(batches)
            crash_point("after-commit")
            # The events are safe in the outbox: none of these needs to wait for another.
            await asyncio.gather(
                *(self._outbox.written(token, kept[token]) for token, _ in batches), *([] if lost else [self._input(commit)])
            )
        except BaseException:
            for token, _ in batches:
                self._outbox.leave(token)
            raise
        return lost

    async def _kinds(self, batches: Iterable[_Batch]) -> tuple[list[Lost], dict[ObjectId, list[Write]]]:
        """Writes the documents; those that were lost, and the others.

        As the service declares its kinds, not as they come: a crash in between must leave matches without their screening, not the other way round.
        """
        lost, kept = list[Lost](), defaultdict[ObjectId, list[Write]](list)
        by_kind: dict[str, list[tuple[Write, ObjectId]]] = defaultdict(list)
        for token, writes in batches:
            for write in writes:
                by_kind[write.kind].append((write, token))
        for kind, asked in ((kind, by_kind[kind]) for kind in self._collections if kind in by_kind):
            gone = await self._documents(kind, asked)
            crash_point("kind-written")
            lost += gone.values()
            for at, (write, token) in enumerate(asked):
                if at not in gone:
                    kept[token].append(write)
        return lost, kept

    async def _documents(self, kind: str, asked: Sequence[tuple[Write, ObjectId]]) -> dict[int, Lost]:
        """One bulk, sent again where nobody knows what became of it; those lost, by their place."""
        requests = [self._request(write, token) for write, token in asked]
        return await insisting(lambda: self._bulk(kind, asked, requests))

    def _request(self, write: Write, token: ObjectId) -> InsertOne[Any] | UpdateOne:
        put, empty = layout.contents(write, self._collections[write.kind].fields, token)
        if not write.expected:
            return InsertOne(layout.new_document(write, put))
        change: dict[str, Any] = {"$set": put, **({"$unset": dict.fromkeys(empty, "")} if empty else {})}
        return UpdateOne({"_id": layout.place(write.tenant, write.id), "v": write.expected}, change)

    async def _bulk(self, kind: str, asked: Sequence[tuple[Write, ObjectId]], requests: Sequence[Any]) -> dict[int, Lost]:
        taken: dict[int, str] = {}
        doubtful: set[int] = set()
        try:
            result = await self._database[kind].bulk_write(requests, ordered=False)
            matched = result.matched_count
        except BulkWriteError as error:
            if error.details["writeConcernErrors"]:  # written here, but perhaps nowhere else: known when it comes again
                raise WTimeoutError("majority") from None
            matched = error.details["nMatched"]
            for one in error.details["writeErrors"]:
                if one["code"] != DUPLICATE:
                    raise
                (field,) = one["keyPattern"]
                if field == "_id":
                    doubtful.add(one["index"])
                else:
                    taken[one["index"]] = field.removeprefix("f_")
        updates = {at for at, (write, _) in enumerate(asked) if write.expected} - taken.keys()
        if matched < len(updates):
            doubtful |= updates
        landed = await self._landed({at: asked[at] for at in doubtful})
        lost = {at: _lost(asked[at][0], "taken", field) for at, field in taken.items()}
        return lost | {at: _lost(asked[at][0], "version") for at in doubtful - landed}

    async def _landed(self, doubtful: Mapping[int, tuple[Write, ObjectId]]) -> set[int]:
        """Those that are there all the same."""
        batches: dict[ObjectId, dict[int, Write]] = defaultdict(dict)
        for at, (write, token) in doubtful.items():
            batches[token][at] = write
        landed: set[int] = set()
        for token, writes in batches.items():
            made = await which_made(self._database, token, [_place_of(one) for one in writes.values() if not one.expected])
            known = await which_written(self._database, token, {_place_of(one): one.rows[-1] for one in writes.values() if one.expected})
            landed |= {at for at, one in writes.items() if made.get(_place_of(one)) or known.get(_place_of(one))}
        return landed

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


def _batches(writes: Iterable[Write]) -> Iterator[_Batch]:
    """As few as there may be."""
    batch, size = list[Write](), 0
    for write in writes:
        more = sum(len(row.meta) + len(row.data or b"") + _BESIDE for row in write.rows)
        if batch and size + more > _LARGEST:
            yield ObjectId(), batch
            batch, size = [], 0
        batch.append(write)
        size += more
    if batch:
        yield ObjectId(), batch


def _place_of(write: Write) -> tuple[str, str, str]:
    return write.kind, write.tenant, write.id


def _lost(write: Write, reason: str, field: str = "") -> Lost:
    return Lost(write.kind, write.tenant, write.id, reason, field)
