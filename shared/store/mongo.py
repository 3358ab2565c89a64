"""The store on MongoDB: a database a service, majority writes and reads, through PyMongo's asynchronous client or Motor's, by the calls that both share.

Nothing here is a transaction. Events are in the outbox before their documents are written; what a crash left untold is told by `recover`.
"""

import inspect
import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any

import pymongo
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

import shared.store.mongo_waits  # noqa: F401  # what it does to the driver
from shared.kernel.journal import JournalRow, SignedHead
from shared.store import mongo_layout as layout
from shared.store.mongo_commit import Committer
from shared.store.mongo_journal import Journal
from shared.store.mongo_outbox import Outbox, Tell
from shared.store.mongo_reach import ENDING_S, reaching
from shared.store.port import Collection, Commit, DeadLetter, Key, Lost, Stored

_AT_ONCE = 1000
_W_TIMEOUT_MS = 10_000
_DOCUMENT = {"t": 1, "i": 1, "v": 1, "s": 1, "h": 1, "n": 1, "w": 1}


def _as_it_is(row: JournalRow) -> JournalRow:
    return row


class MongoStore:
    """See shared.store.port.Store. `client` is an AsyncMongoClient or an AsyncIOMotorClient, which stays the caller's to close."""

    def __init__(self, client: Any, name: str, collections: Iterable[Collection], *, database: str) -> None:
        self.name = name
        self._collections = {c.kind: c for c in collections}
        self._fields = {c.kind: {f.name: f for f in c.fields} for c in self._collections.values()}
        self._database = client.get_database(
            database, write_concern=WriteConcern("majority", wtimeout=_W_TIMEOUT_MS), read_concern=ReadConcern("majority")
        )
        self._journal = Journal(self._database, self._collections)
        self._outbox = Outbox(self._database, self._journal)
        self._committer = Committer(self._database, self._collections, self._outbox)

    async def migrate(self) -> None:
        """Makes the indexes that are missing."""
        async with reaching():
            for collection in self._collections.values():
                for keys, options in layout.indexes(collection):
                    await self._database[collection.kind].create_index(keys, **options)
            await self._database["journal"].create_index([("ts", 1)])
            await self._database["dead_letter"].create_index([("state", 1), ("_id", 1)])

    # ---- writing ----

    async def commit(self, commit: Commit) -> list[Lost]:
        async with reaching():
            return await self._committer.write(commit)

    def told(self, rows: Iterable[JournalRow]) -> None:
        """These rows are on the bus."""
        self._outbox.told(rows)

    def left(self, rows: Iterable[JournalRow]) -> None:
        """These rows could not be told by who wrote them: `recover` tells them."""
        self._outbox.left(rows)

    async def recover(
        self, tell: Tell, older_s: float = 0.0, address: Callable[[JournalRow], JournalRow] = _as_it_is, *, others: bool = False
    ) -> int:
        """Tells what was written so long ago and is not known to be told, in the order in which it was written: a release's marker must not
        overtake its changes. How many aggregates. `others`: but what this process is about to tell.

        What another process has told of later versions is told again behind it, until there is no later one (`address` says where): of a
        compacted topic the last record of a key must be the newest. What is not in the journal yet will be told after this.
        """

        async def later(kind: str, tenant: str, subject: str, behind: tuple[int, int]) -> list[JournalRow]:
            return [address(row) for row in await self.history(kind, tenant, subject, after=behind, limit=0)]

        async with reaching():
            return await self._outbox.recover(tell, later, older_s, others=others)

    # ---- reading ----

    async def load(self, kind: str, keys: Sequence[Key]) -> dict[Key, Stored]:
        found: dict[Key, Stored] = {}
        async with reaching():
            for at in range(0, len(keys), _AT_ONCE):
                places = [layout.place(*key) for key in keys[at : at + _AT_ONCE]]
                documents = [one async for one in self._database[kind].find({"_id": {"$in": places}}, {**_DOCUMENT, "by": 1, "made": 1})]
                await self._outbox.before_next(kind, documents)
                found |= {(one["t"], one["i"]): layout.stored(one) for one in documents}
        return found

    def _where(self, kind: str, tenant: str, where: Mapping[str, Any], contains: tuple[str, str] | None = None) -> dict[str, Any]:
        query = dict(layout.asked(self._fields[kind], tenant, name, value) for name, value in where.items())
        if contains:
            assert contains[0] in self._fields[kind]
            query = {"$and": [query, {f"f_{contains[0]}": {"$regex": re.escape(contains[1])}}]}
        return query

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
        query = {**self._where(kind, tenant, where, contains), "_id": layout.pages(tenant, after)}
        async with reaching():
            return [layout.stored(one) async for one in self._database[kind].find(query, _DOCUMENT).sort("_id", 1).limit(limit)]

    async def ordered(
        self, kind: str, tenant: str, name: str, *, begins: str = "", after: tuple[str, str] | None = None, limit: int = 50
    ) -> list[Stored]:
        assert self._fields[kind][name].ordered
        order = [(f"f_{name}", 1), ("_id", 1)]
        async with reaching():
            found = self._database[kind].find(layout.behind(tenant, name, begins, after), _DOCUMENT).sort(order).limit(limit)
            return [layout.stored(one) async for one in found]

    async def _having(self, kind: str, tenant: str, name: str, values: Sequence[str], wanted: str) -> dict[str, Any]:
        field, found = f"f_{name}", dict[str, Any]()
        async with reaching():
            for at in range(0, len(values), _AT_ONCE):
                asked = {layout.place(tenant, value): value for value in values[at : at + _AT_ONCE]}
                async for one in self._database[kind].find({field: {"$in": list(asked)}}, {field: 1, wanted: 1}):
                    found |= {asked[value]: one[wanted] for value in one[field] if value in asked}
        return found

    async def resolve(self, kind: str, tenant: str, name: str, values: Sequence[str]) -> dict[str, str]:
        return await self._having(kind, tenant, name, values, "i")

    async def find_any(self, kind: str, tenant: str, name: str, values: Sequence[str]) -> dict[str, bytes]:
        return await self._having(kind, tenant, name, values, "s")

    async def count(self, kind: str, tenant: str, where: Mapping[str, Any]) -> int:
        async with reaching():
            query = {**self._where(kind, tenant, where), "_id": layout.pages(tenant)}
            return int(await self._database[kind].count_documents(query))

    async def untold(self, older_s: float = 0.0) -> int:
        async with reaching():
            return await self._outbox.count(older_s)

    async def due(self, kind: str, now: float, limit: int) -> list[Stored]:
        async with reaching():
            return [
                layout.stored(one) async for one in self._database[kind].find({"w": {"$lte": now}}, _DOCUMENT).sort("w", 1).limit(limit)
            ]

    async def next_alarm(self) -> float | None:
        times: list[float] = []
        async with reaching():
            for kind in self._collections:
                times += [one["w"] async for one in self._database[kind].find({"w": {"$gt": 0}}, {"w": 1}).sort("w", 1).limit(1)]
        return min(times, default=None)

    async def positions(self, prefix: str) -> dict[str, int]:
        async with reaching():
            query = {"_id": {"$regex": f"^{re.escape(prefix)}"}}
            return {one["_id"]: one["position"] async for one in self._database["consumed"].find(query)}

    async def history(
        self, kind: str, tenant: str, subject: str, *, after: tuple[int, int] = (0, -1), limit: int = 500
    ) -> list[JournalRow]:
        async with reaching():
            return await self._journal.history(kind, tenant, subject, after, limit)

    async def journal(self, after: int = 0) -> AsyncIterator[tuple[int, JournalRow]]:
        async with reaching():
            async for seq, row in self._journal.rows(after):
                yield seq, row

    async def documents(self, kind: str) -> AsyncIterator[Stored]:
        async with reaching():
            async for one in self._database[kind].find({}, _DOCUMENT).sort("_id", 1):
                yield layout.stored(one)

    # ---- heads, erasure, dead letters ----

    async def heads(self, *, last: int | None = None, before: str | None = None) -> list[SignedHead]:
        async with reaching():
            return await self._journal.heads(last, before)

    async def add_head(self, head: SignedHead) -> None:
        async with reaching():
            await self._journal.add_head(head)

    async def rolled(self, after: int, digest: bytes) -> tuple[int, bytes]:
        async with reaching():
            return await self._journal.rolled(after, digest)

    async def erase(self, kind: str, tenant: str, subject: str) -> int:
        async with reaching():
            erased = await self._journal.erase(kind, tenant, subject)
            await self._outbox.erase(kind, tenant, subject)
        return erased

    async def dead_letters(self, *, state: str | None = None, after: str = "", limit: int = 50) -> list[DeadLetter]:
        query: dict[str, Any] = {"_id": {"$gt": after}, **({"state": state} if state else {})}
        async with reaching():
            found = [one async for one in self._database["dead_letter"].find(query).sort("_id", 1).limit(limit)]
        return [DeadLetter(id=one.pop("_id"), **one) for one in found]

    async def mark_dead_letter(self, dead_letter_id: str, state: str) -> bool:
        async with reaching():
            query = {"_id": dead_letter_id, "state": {"$ne": "replayed"}}
            done = await self._database["dead_letter"].update_one(query, {"$set": {"state": state}})
        return bool(done.matched_count)

    async def close(self) -> None:
        """Finishes what is being taken out of the outbox."""
        await self._outbox.close()


async def closed(client: Any) -> None:
    """Closes a client of either driver: one gives something to wait for, the other does not. Both tell the server which sessions end,
    and would look for one that is away for half a minute."""
    with pymongo.timeout(ENDING_S):
        if inspect.isawaitable(waiting := client.close()):
            await waiting
