"""MongoDB under the suites of every store, by either driver, and what only a server can teach."""

import socket
from functools import reduce
from typing import Any

import pytest
from pymongo.errors import AutoReconnect

from shared.errors import Unavailable
from shared.kernel.journal import GENESIS, roll
from shared.store import mongo_journal
from shared.store.mongo import MongoStore, closed
from shared.store.mongo_layout import behind, pages
from shared.store.port import Commit
from tests.contracts.handles_behaviour import TwoHandles
from tests.contracts.mongo_setting import OnMongo, adapter
from tests.contracts.store_behaviour import THINGS, StoreBehaviour, seqs, versions, write

# PyMongo 4.20 leaves the socket open of a connection that is refused, or being made while its client is closed.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
__all__ = ["adapter"]


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
    async def test_reading_in_order_walks_an_index_and_sorts_nothing(self, adapter: OnMongo) -> None:
        store, _ = await adapter.open("onboarding")
        await store.commit(Commit([write(f"d{n:03}", turn=f"open/{n % 7}") for n in range(200)]))
        for after in (None, ("open/3", "d100")):
            query = behind("t", "turn", "open/", after)
            plan = await store._database["thing"].find(query).sort([("f_turn", 1), ("_id", 1)]).limit(10).explain()
            assert "SORT'" not in str(plan["queryPlanner"]["winningPlan"])
            assert plan["executionStats"]["totalKeysExamined"] <= 30

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

    @pytest.mark.parametrize("size", [1, 2, 3, 1000])
    async def test_the_order_of_all_is_the_same_by_slices_of_any_size(
        self, adapter: OnMongo, monkeypatch: pytest.MonkeyPatch, size: int
    ) -> None:
        """Of two kinds and of what came later, turn by turn and in runs of one kind."""
        store, _ = await adapter.open("onboarding")
        monkeypatch.setattr(mongo_journal, "_SLICE", size)
        monkeypatch.setattr(mongo_journal, "_SETTLED_S", -60.0)
        written: list[tuple[str, int]] = []
        for n in range(7):
            for one in (write(f"t{n}"), write(f"o{n}", kind="other"), *[write(f"t{m}", n - m) for m in range(n)]):
                await store.commit(Commit([one]))
                written.append((one.id, one.version))
        for n in range(5):
            await store.commit(Commit([write(f"u{n}")]))
            written.append((f"u{n}", 1))
        rows = [(seq, row) async for seq, row in store.journal()]
        assert [(row.subject, row.version) for _, row in rows] == written
        assert [seq for seq, _ in rows] == [*range(1, len(written) + 1)]
        assert await store.rolled(0, GENESIS) == (len(written), reduce(roll, (row.hash for _, row in rows), GENESIS))


class TestMongoHandles(TwoHandles):
    pass
