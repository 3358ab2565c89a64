"""Verification of the journals in MongoDB while services write, by the same checks as the files', in any time that it takes.

No look at the whole is one of a single moment. But an aggregate's document says up to which version its chain is to be there: all entries of it are,
in itself, in the journal or in the outbox, for they are put into the one before they leave the other, and the last version's before the next is written.
"""

from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from itertools import chain
from operator import itemgetter
from typing import Any

from pymongo import MongoClient

from services.runtime.backends import database_of
from services.runtime.checking import Check, Entry, Kept, KeptHead, Verified
from services.runtime.processes import MODULES, load
from services.runtime.signing import HeadVerifier
from shared.kernel.service import Service
from shared.settings import Settings
from shared.store import mongo_layout as layout

_AT_ONCE = 1000
_MADE: dict[str, Any] = {"ts": {"$exists": True}}  # documents that hold the entries which made them


def verify_servers(settings: Settings, kept: Sequence[KeptHead] = (), services: Sequence[Service] | None = None) -> list[Verified]:
    """Verifies the database of every service (None: of all that there are)."""
    verifier, found = HeadVerifier(settings.data / "keys"), []
    with MongoClient[dict[str, Any]](settings.store) as client:
        for service in services or load(MODULES):
            source = InDatabase(client[database_of(settings, service.name)], service)
            found.append(Check(source, service.name, verifier, [h for h in kept if h.store == service.name]).run())
    return found


class InDatabase:
    """See services.runtime.checking.Source."""

    still = False

    def __init__(self, database: Any, service: Service) -> None:
        self._database = database
        self._kinds = sorted(aggregate.kind for aggregate in service.aggregates)
        self._walks: dict[str, _Walk] = {}

    def kinds(self) -> list[str]:
        return self._kinds

    def _find(self, collection: str, query: dict[str, Any], wanted: dict[str, int] | None = None) -> Any:
        return self._database[collection].find(query, wanted, batch_size=_AT_ONCE)

    def heads(self) -> dict[int, tuple[bytes, bytes, str]]:
        return {h["_id"]: (h["digest"], h["signature"], h["signed_at"]) for h in self._find("head", {}).sort("_id", 1)}

    def numbered(self) -> Iterator[tuple[int, bytes]]:
        """Those that come meanwhile come behind: nothing enters where a head was signed."""
        documents = [self._find(kind, _MADE, {"ts": 1, "first.hash": 1}).sort("ts", 1) for kind in self._kinds]
        ordered = merge(self._find("journal", {}, {"ts": 1, "hash": 1}).sort("ts", 1), *documents, key=itemgetter("ts"))
        yield from enumerate((entry["hash"] for one in ordered for entry in one.get("first", (one,))), 1)

    def written(self) -> int:
        return 0

    def loose(self) -> int:
        return 0

    def chains(self) -> Iterator[Entry]:
        yield from map(_entry, merge(self._find("journal", {}).sort("_id", 1), *map(self._firsts, self._kinds), key=itemgetter("_id")))

    def _firsts(self, kind: str) -> Iterator[dict[str, Any]]:
        made = self._find(kind, _MADE, {"t": 1, "i": 1, "first": 1}).sort("_id", 1)
        return chain.from_iterable(layout.first(kind, one) for one in made)

    def _walk(self, kind: str) -> "_Walk":
        if kind not in self._walks:
            self._walks[kind] = _Walk(self._find(kind, {}, {"v": 1, "h": 1, "s": 1}).sort("_id", 1))
        return self._walks[kind]

    def document(self, kind: str, tenant: str, subject: str) -> Kept | None:
        found = self._walk(kind).to(layout.place(tenant, subject))
        return (found["v"], found["h"], found["s"]) if found else None

    def strangers(self, kind: str, chained: int) -> Iterator[tuple[str, str]]:
        walk = self._walk(kind)
        for id_ in (*walk.passed, *walk.rest()):
            tenant, _, subject = id_.partition(layout.US)
            yield tenant, subject

    def moment(self, kind: str, tenant: str, subject: str) -> tuple[Iterable[Entry], Kept | None]:
        """In this order: a document is written before its journal, so that it has come at least as far; and what is in the outbox no more is in
        the journal. Entries that are younger than the document was are left out."""
        journal = {"_id": layout.entries_of(kind, tenant, subject)}
        newest = [one["version"] for one in self._find("journal", journal, {"version": 1}).sort("_id", -1).limit(1)]
        wanted = {"t": 1, "i": 1, "v": 1, "h": 1, "s": 1, "by": 1, "first": 1}
        document = self._database[kind].find_one({"_id": layout.place(tenant, subject)}, wanted)
        batch = self._database["outbox"].find_one({"_id": document["by"]}) if document else None
        its = {"kind": kind, "tenant": tenant, "subject": subject}
        pending = [one for one in batch["rows"] if its.items() <= one.items()] if batch else []
        first = layout.first(kind, document) if document else []
        entries = {one["_id"]: one for one in (*pending, *first, *self._find("journal", journal))}
        upto = max([*newest, document["v"] if document else 0])
        there = [_entry(entries[id_]) for id_ in sorted(entries) if entries[id_]["version"] <= upto]
        return there, (document["v"], document["h"], document["s"]) if document else None


class _Walk:
    """Documents in the order of their ids, to be asked in that order; ids of those that nobody asked for are in `passed`."""

    def __init__(self, documents: Iterator[dict[str, Any]]) -> None:
        self._documents = iter(documents)
        self._now = next(self._documents, None)
        self.passed: list[str] = []

    def to(self, id_: str) -> dict[str, Any] | None:
        while self._now is not None and self._now["_id"] < id_:
            self.passed.append(self._now["_id"])
            self._now = next(self._documents, None)
        if self._now is None or self._now["_id"] != id_:
            return None
        found, self._now = self._now, next(self._documents, None)
        return found

    def rest(self) -> Iterator[str]:
        """Those behind the last one that was asked for."""
        while self._now is not None:
            yield self._now["_id"]
            self._now = next(self._documents, None)


def _entry(one: dict[str, Any]) -> Entry:
    return Entry(
        0, one["kind"], one["tenant"], one["subject"], one["version"], one["n"], one["meta"], one["data"], one["salt"], one["digest"],
        one["hash"],
    )  # fmt: skip
