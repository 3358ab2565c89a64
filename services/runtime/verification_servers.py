"""Verification of the journals in MongoDB: each service's at one moment of the cluster (a snapshot read), by the same checks as the files'.

Entries that still ride in their document, because its writer is about to insert them or has died, belong to their chain as well.
"""

from collections.abc import Iterator, Sequence
from heapq import merge
from typing import Any

from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.errors import OperationFailure

from services.runtime.backends import database_of
from services.runtime.checking import Check, Entry, KeptHead, Verified, unread
from services.runtime.processes import MODULES, load
from services.runtime.signing import HeadVerifier
from shared.kernel.service import Service
from shared.settings import Settings
from shared.store.mongo_layout import entries_of, place

_AT_ONCE = 1000
_TOO_OLD = 239  # SnapshotTooOld
_GONE = "reading it takes longer than MongoDB keeps one moment of it; set its parameter minSnapshotHistoryWindowInSeconds higher"


def verify_servers(settings: Settings, kept: Sequence[KeptHead] = (), services: Sequence[Service] | None = None) -> list[Verified]:
    """Verifies the database of every service (None: of all that there are). One that takes longer than the server keeps its past is told as a fault."""
    verifier, found = HeadVerifier(settings.data / "keys"), []
    with MongoClient[dict[str, Any]](settings.store) as client:
        for service in services or load(MODULES):
            try:
                with client.start_session(snapshot=True) as session:
                    source = InDatabase(client[database_of(settings, service.name)], session, service)
                    found.append(Check(source, service.name, verifier, [h for h in kept if h.store == service.name]).run())
            except OperationFailure as error:
                if error.code != _TOO_OLD:
                    raise
                found.append(unread(service.name, _GONE))
    return found


class InDatabase:
    """See services.runtime.checking.Source."""

    def __init__(self, database: Any, session: ClientSession, service: Service) -> None:
        self._database, self._session = database, session
        self._kinds = sorted(aggregate.kind for aggregate in service.aggregates)
        self._walks: dict[str, _Walk] = {}

    def kinds(self) -> list[str]:
        return self._kinds

    def _find(self, collection: str, query: dict[str, Any], wanted: dict[str, int] | None = None) -> Any:
        return self._database[collection].find(query, wanted, session=self._session, batch_size=_AT_ONCE)

    def heads(self) -> dict[int, tuple[bytes, bytes, str]]:
        return {h["_id"]: (h["digest"], h["signature"], h["signed_at"]) for h in self._find("head", {}).sort("_id", 1)}

    def numbered(self) -> Iterator[tuple[int, bytes]]:
        for seq, one in enumerate(self._find("journal", {}, {"hash": 1}).sort("ts", 1), 1):
            yield seq, one["hash"]

    def written(self) -> int:
        return 0

    def loose(self) -> int:
        return 0

    def chains(self) -> Iterator[Entry]:
        kept = (_entry(one, rides=False) for one in self._find("journal", {}).sort("_id", 1))
        for _, entry in merge(kept, self._riding(), key=lambda pair: pair[0]):
            yield entry

    def _riding(self) -> list[tuple[str, Entry]]:
        """Those that are in no journal yet, in the order of chains."""
        riding = {
            one["_id"]: one
            for kind in self._kinds
            for document in self._find(kind, {"out.by": {"$exists": True}})
            for one in document["out"]
        }
        ids = list(riding)
        for at in range(0, len(ids), _AT_ONCE):
            for one in self._find("journal", {"_id": {"$in": ids[at : at + _AT_ONCE]}}, {"_id": 1}):
                del riding[one["_id"]]
        return sorted(_entry(one, rides=True) for one in riding.values())

    def document(self, kind: str, tenant: str, subject: str) -> tuple[int, bytes, bytes] | None:
        if kind not in self._walks:
            self._walks[kind] = _Walk(self._find(kind, {}, {"v": 1, "h": 1, "s": 1}).sort("_id", 1))
        found = self._walks[kind].to(place(tenant, subject))
        return (found["v"], found["h"], found["s"]) if found else None

    def count(self, kind: str) -> int:
        return int(self._database[kind].count_documents({}, session=self._session))

    def strangers(self, kind: str, limit: int) -> list[str]:
        found: list[str] = []
        for one in self._find(kind, {}, {"t": 1, "i": 1, "out._id": 1}):
            entries = {"_id": entries_of(kind, one["t"], one["i"])}
            if not one["out"] and not list(self._find("journal", entries, {"_id": 1}).limit(1)):
                found.append(one["i"])
            if len(found) == limit:
                break
        return found


class _Walk:
    """Documents in the order of their ids, to be asked in that order."""

    def __init__(self, documents: Iterator[dict[str, Any]]) -> None:
        self._documents = iter(documents)
        self._now = next(self._documents, None)

    def to(self, id_: str) -> dict[str, Any] | None:
        while self._now is not None and self._now["_id"] < id_:
            self._now = next(self._documents, None)
        return self._now if self._now is not None and self._now["_id"] == id_ else None


def _entry(one: dict[str, Any], *, rides: bool) -> tuple[str, Entry]:
    entry = Entry(
        0, one["kind"], one["tenant"], one["subject"], one["version"], one["n"], one["meta"], one["data"], one["salt"], one["digest"],
        one["hash"], rides,
    )  # fmt: skip
    return one["_id"], entry
