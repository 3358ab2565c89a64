"""MongoDB under the suites of every store, by either driver, and what only a server can teach."""

import asyncio
import gc
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import msgspec
import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient
from pymongo.errors import AutoReconnect

from shared.bus.port import Bus
from shared.errors import Unavailable
from shared.kernel.journal import JournalRow
from shared.store.mongo import MongoStore, closed
from shared.store.mongo_layout import behind, pages
from shared.store.port import Collection, Commit
from tests.contracts.handles_behaviour import TwoHandles
from tests.contracts.store_behaviour import OTHERS, THINGS, StoreBehaviour, seqs, versions, write
from tests.faults.memory import Memory
from tests.faults.memory_bus import MemoryBus

# PyMongo 4.20 leaves the socket open of a connection that is refused, or being made while its client is closed.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
Client = Callable[..., Any]


class OnMongo:
    """Each test has databases of its own; each handle a client of its own, as another process has."""

    def __init__(self, client: Client, uri: str) -> None:
        self.client, self._uri, self._memory = client, uri, Memory()
        self.prefix = f"t{secrets.token_hex(4)}_"
        self.clients: list[Any] = []
        self.stores: list[MongoStore] = []

    async def open(self, service: str, collections: Sequence[Collection] = (THINGS, OTHERS)) -> tuple[MongoStore, Bus]:
        self.clients.append(self.client(self._uri))
        store = MongoStore(self.clients[-1], service, collections, database=f"{self.prefix}{service}")
        await store.migrate()
        self.stores.append(store)
        return store, MemoryBus(self._memory, service)

    async def forget(self, service: str, group: str) -> None:
        raise NotImplementedError

    async def close(self) -> None:
        for store in self.stores:
            await store.close()
        for name in {store._database.name for store in self.stores}:
            await self.clients[0].drop_database(name)
        for client in self.clients:
            await closed(client)


@pytest.fixture(params=[AsyncMongoClient, AsyncIOMotorClient], ids=["pymongo", "motor"])
async def adapter(request: pytest.FixtureRequest, mongo: str) -> AsyncIterator[OnMongo]:
    found = OnMongo(request.param, mongo)
    yield found
    await found.close()
    gc.collect()  # here, where the warning of a socket left open is not an error


async def untold(store: MongoStore) -> list[str]:
    """What `recover` would tell: events of documents, in order."""
    told: list[str] = []

    async def tell(rows: Sequence[JournalRow]) -> None:
        told.extend(f"{r.subject} {r.version}.{r.n}" for r in rows)

    await store.recover(tell)
    return told


class Flaky:
    """A collection of which the next bulk writes are cut off: `after` them their answer is lost, else they never arrive."""

    def __init__(self, whole: Any, faults: list[str]) -> None:
        self._whole, self._faults = whole, faults

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whole, name)

    async def bulk_write(self, *asked: Any, **options: Any) -> Any:
        fault = self._faults.pop(0) if self._faults else ""
        if fault == "before":
            raise AutoReconnect("connection closed")
        done = await self._whole.bulk_write(*asked, **options)
        if fault == "after":
            raise AutoReconnect("connection closed")
        return done


def flaky(store: MongoStore, kind: str, *faults: str) -> None:
    whole, left = store._database, list(faults)
    one = Flaky(whole[kind], left)
    store._committer._database = type("Database", (), {"__getitem__": lambda _, name: one if name == kind else whole[name]})()


class TestMongoStore(StoreBehaviour):
    async def test_events_ride_in_the_document_until_they_are_told(self, adapter: OnMongo) -> None:
        store, _ = await adapter.open("onboarding")
        one, two = write("a", events=2, topic="suppliers"), write("b", topic="suppliers")
        await store.commit(Commit([one, two]))
        await store.told(one.rows)
        await store.close()
        assert await untold(store) == ["b 1.0"]
        assert await untold(store) == []
        assert store._inflight.keys() == {two.rows[0].hash}

    async def test_reading_in_order_walks_an_index_and_sorts_nothing(self, adapter: OnMongo) -> None:
        store, _ = await adapter.open("onboarding")
        await store.commit(Commit([write(f"d{n:03}", turn=f"open/{n % 7}") for n in range(200)]))
        for after in (None, ("open/3", "d100")):
            query = behind("t", "turn", "open/", after)
            plan = await store._database["thing"].find(query).sort([("f_turn", 1), ("_id", 1)]).limit(10).explain()
            assert "SORT'" not in str(plan["queryPlanner"]["winningPlan"])
            assert plan["executionStats"]["totalKeysExamined"] <= 30

    async def test_a_dead_writers_entries_come_before_those_of_the_next_version(self, adapter: OnMongo) -> None:
        """It died between its document and its journal; whoever loads the document to change it writes them first."""
        dead, _ = await adapter.open("onboarding")
        dead._committer.journal = nothing
        await dead.commit(Commit([write("a", topic="suppliers")]))
        store, _ = await adapter.open("onboarding")
        assert await store.history("thing", "t", "a") == []
        assert (await store.load("thing", [("t", "a")]))["t", "a"].version == 1
        await store.commit(Commit([write("a", 1, topic="suppliers")]))
        assert [(subject, version) for _, subject, version in await seqs(store)] == [("a", 1), ("a", 2)]
        assert await untold(store) == ["a 1.0", "a 2.0"]

    async def test_what_is_told_late_is_not_the_last_that_is_said(self, adapter: OnMongo) -> None:
        """Its writer died before it told; another has gone on and has told. Later versions come again behind it, also one of that moment."""
        dead, _ = await adapter.open("onboarding")
        await dead.commit(Commit([write("a", topic="suppliers")]))
        store, _ = await adapter.open("onboarding")

        async def goes_on(expected: int) -> None:
            await store.load("thing", [("t", "a")])
            one = write("a", expected, topic="suppliers")
            assert await store.commit(Commit([one])) == []
            await store.told(one.rows)
            await asyncio.gather(*store._clearing)

        await goes_on(1)
        said: list[tuple[int, str | None]] = []

        async def tell(rows: Sequence[JournalRow]) -> None:
            if not said:
                await goes_on(2)
            said.extend((row.version, row.topic) for row in rows)

        assert await store.recover(tell, address=lambda row: msgspec.structs.replace(row, topic="suppliers")) == 1
        assert said == [(1, "suppliers"), (2, "suppliers"), (3, "suppliers")]
        assert await untold(store) == []

    async def test_what_nobody_loads_is_recovered_journal_and_all(self, adapter: OnMongo) -> None:
        dead, _ = await adapter.open("onboarding")
        dead._committer.journal = nothing
        await dead.commit(Commit([write("a", events=2, topic="suppliers"), write("q", kind="other")]))
        store, _ = await adapter.open("onboarding")
        told: list[JournalRow] = []

        async def tell(rows: Sequence[JournalRow]) -> None:
            told.extend(rows)

        assert (await store.untold(), await store.untold(60)) == (2, 0)
        assert await store.recover(tell, older_s=60) == 0
        assert await store.recover(tell) == 2
        assert await store.untold() == 0
        assert [(r.n, r.topic, r.partitions, r.key) for r in told] == [(0, "suppliers", (0,), None), (1, "suppliers", (0,), None)]
        assert len(await store.history("thing", "t", "a")) == 2
        assert len(await store.history("other", "t", "q")) == 1

    @pytest.mark.parametrize("faults", [["before"], ["after"], ["after", "before", "after"]])
    async def test_a_write_of_unknown_outcome_is_written_once(self, adapter: OnMongo, faults: list[str]) -> None:
        store, _ = await adapter.open("onboarding")
        await store.commit(Commit([write("a"), write("b"), write("held", serial="n1")]))
        flaky(store, "thing", *faults)
        commit = Commit([write("a", 1), write("new"), write("b", 7), write("late", serial="n1")], {"g/x/0": 1})
        assert {(x.id, x.reason) for x in await store.commit(commit)} == {("b", "version"), ("late", "taken")}
        assert await versions(store, "a", "new", "b", "late") == [2, 1, 1, None]
        assert sorted((s, v) for _, s, v in await seqs(store)) == [("a", 1), ("a", 2), ("b", 1), ("held", 1), ("new", 1)]
        assert await store.positions("") == {}

    async def test_kinds_are_written_in_the_order_of_their_declaration(self, adapter: OnMongo, monkeypatch: pytest.MonkeyPatch) -> None:
        """So that who dies in between leaves what was declared first, and tells nothing that rests on what is not there."""
        store, _ = await adapter.open("onboarding")
        whole = store._committer._documents

        async def dying(kind: str, *rest: Any) -> Any:
            if kind == "other":
                raise Unavailable
            return await whole(kind, *rest)

        monkeypatch.setattr(store._committer, "_documents", dying)
        with pytest.raises(Unavailable):
            await store.commit(Commit([write("s", kind="other"), write("m")]))
        assert (await versions(store, "m"), await versions(store, "s", kind="other")) == ([1], [None])

    async def test_erasing_takes_what_is_not_told_yet_too(self, adapter: OnMongo) -> None:
        store, _ = await adapter.open("onboarding")
        await store.commit(Commit([write("a", data=b'{"who":"x"}', topic="suppliers")]))
        assert await store.erase("thing", "t", "a") == 1
        told: list[JournalRow] = []

        async def tell(rows: Sequence[JournalRow]) -> None:
            told.extend(rows)

        await store.recover(tell)
        assert [r.data for r in told] == [None]

    async def test_a_server_that_is_away_is_unavailable(self, adapter: OnMongo) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            client: Any = adapter.client(f"mongodb://127.0.0.1:{port}/?serverSelectionTimeoutMS=200&connectTimeoutMS=100")
            store = MongoStore(client, "onboarding", [THINGS], database="none")
            with pytest.raises(Unavailable):
                await store.load("thing", [("t", "a")])
            with pytest.raises(Unavailable):
                await store.find("thing", "t", {})
            await closed(client)

    async def test_every_look_by_a_declared_field_has_an_index(self, adapter: OnMongo) -> None:
        store, _ = await adapter.open("onboarding")
        await store.commit(Commit([write("a", colour="red", serial="s", many={"tag": ("x",), "number": ("1",)})]))
        for name in ("colour", "size", "title", "serial", "number", "tag"):
            query = {**store._where("thing", "t", {name: "red"}), "_id": pages("t")}
            asked = {"find": "thing", "filter": query, "sort": {"_id": 1}}
            plan = await store._database.command("explain", asked, verbosity="queryPlanner")
            assert f"f_{name}" in str(plan["queryPlanner"]["winningPlan"]), name
            assert "'COLLSCAN'" not in str(plan["queryPlanner"]["winningPlan"])

    async def test_a_head_waits_until_slower_writers_are_done(self, adapter: OnMongo) -> None:
        store, _ = await adapter.open("onboarding")
        await store.commit(Commit([write("a"), write("b")]))
        assert await store.rolled(0, b"") == (0, b"")


async def nothing(entries: Any) -> None:
    """A journal that a dead process never wrote."""


class TestMongoHandles(TwoHandles):
    pass
