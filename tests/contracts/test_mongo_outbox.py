"""The outbox on MongoDB: what is told of a batch, whatever became of its writer."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from bson.objectid import ObjectId

from shared.kernel.journal import JournalRow
from shared.store.mongo_layout import subject_of
from shared.store.port import Commit
from tests.contracts.mongo_setting import OnMongo, adapter, untold
from tests.contracts.store_behaviour import seqs, write

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # as in test_mongo_adapter.py
__all__ = ["adapter"]


async def test_a_batch_is_in_the_outbox_until_all_of_it_is_told(adapter: OnMongo) -> None:
    store, _ = await adapter.open("onboarding")
    one, two, three = write("a", events=2, topic="suppliers"), write("b", topic="suppliers"), write("c", topic="suppliers")
    await store.commit(Commit([one, two]))
    await store.commit(Commit([three]))
    store.told(one.rows)
    store.told(three.rows)
    await store.close()
    assert await store.untold() == 2
    assert await untold(store) == ["a 1.0", "a 1.1", "b 1.0"]
    assert (await store.untold(), await untold(store)) == (0, [])


async def test_a_large_commit_is_several_batches(adapter: OnMongo, monkeypatch: pytest.MonkeyPatch) -> None:
    """A document takes 16 MB, a commit may be larger."""
    monkeypatch.setattr("shared.store.mongo_commit._LARGEST", 3_000)
    store, _ = await adapter.open("onboarding")
    writes = [write(f"d{n}", kind="other" if n % 2 else "thing", topic="suppliers") for n in range(9)]
    await store.commit(Commit(writes))
    batches = [one async for one in store._database["outbox"].find()]
    assert len(batches) > 2
    assert max(len(one["rows"]) for one in batches) < 9
    assert await store.untold() == 9
    assert (len(await seqs(store)), len(await untold(store))) == (9, 9)
    store.told([row for one in writes for row in one.rows])
    await store.close()
    assert await store.untold() == 0


async def test_what_was_lost_whole_leaves_nothing_to_be_told(adapter: OnMongo) -> None:
    store, _ = await adapter.open("onboarding")
    assert len(await store.commit(Commit([write("a", 7), write("b", 7)]))) == 2
    await store.close()
    assert await store.untold() == 0


async def test_what_its_writer_may_write_yet_is_kept_and_not_told(adapter: OnMongo) -> None:
    """It was stopped between the outbox and its documents. What others have written since it never writes; the rest it may."""
    held, _ = await adapter.open("onboarding")
    await held.commit(Commit([write("a"), write("b")]))
    held.told([])
    stopped, go_on = asyncio.Event(), asyncio.Event()
    whole = held._committer._kinds

    async def later(batches: Any) -> Any:
        stopped.set()
        await go_on.wait()
        return await whole(batches)

    held._committer._kinds = later
    batch = [write("a", 1, topic="suppliers"), write("b", 1, topic="suppliers"), write("new", topic="suppliers")]
    writing = asyncio.create_task(held.commit(Commit(batch)))
    await stopped.wait()
    store, _ = await adapter.open("onboarding")
    await untold(store)
    await store.load("thing", [("t", "a")])
    assert await store.commit(Commit([write("a", 1, topic="suppliers")])) == []
    assert await untold(store) == ["a 2.0"]
    (left,) = [one async for one in store._database["outbox"].find()]
    assert [subject_of(row["_id"])[2] for row in left["rows"]] == ["b", "new"]
    assert await store.untold() == 0
    go_on.set()
    assert [(x.id, x.reason) for x in await writing] == [("a", "version")]
    assert sorted(await untold(store)) == ["b 2.0", "new 1.0"]
    assert await store._database["outbox"].count_documents({}) == 0


async def test_a_writer_that_was_silent_for_long_is_dead(adapter: OnMongo, monkeypatch: pytest.MonkeyPatch) -> None:
    store, _ = await adapter.open("onboarding")
    await store._outbox.put(ObjectId(), [write("a")])
    assert await untold(store) == []
    assert await store._database["outbox"].count_documents({}) == 1
    monkeypatch.setattr("shared.store.mongo_outbox._SILENT_S", -5.0)
    assert await untold(store) == []
    assert await store._database["outbox"].count_documents({}) == 0


async def test_a_dead_writers_entries_come_before_those_of_the_next_version(adapter: OnMongo) -> None:
    """It died between its document and its journal; whoever loads the document to change it writes them first."""
    dead, _ = await adapter.open("onboarding")
    await dead.commit(Commit([write("a")]))
    dead._journal.keep = nothing
    await dead.commit(Commit([write("a", 1, topic="suppliers")]))
    store, _ = await adapter.open("onboarding")
    assert [row.version for row in await store.history("thing", "t", "a")] == [1]
    assert (await store.load("thing", [("t", "a")]))["t", "a"].version == 2
    await store.commit(Commit([write("a", 2, topic="suppliers")]))
    assert [(subject, version) for _, subject, version in await seqs(store)] == [("a", 1), ("a", 2), ("a", 3)]
    assert await untold(store) == ["a 2.0", "a 3.0"]


async def test_who_made_a_document_is_told_though_it_has_gone_on(adapter: OnMongo) -> None:
    """Two were about to make it. The document says whose entries it holds, so that the other's are not told, whatever has become of it."""
    store, _ = await adapter.open("onboarding")
    await store._outbox.put(ObjectId(), [write("a", topic="suppliers")])
    await store.commit(Commit([write("a", topic="suppliers"), write("b", topic="suppliers")]))
    await store.commit(Commit([write("a", 1, topic="suppliers")]))
    again, _ = await adapter.open("onboarding")
    assert await untold(again) == ["a 1.0", "b 1.0", "a 2.0"]
    assert await store._database["outbox"].count_documents({}) == 0


async def test_what_an_earlier_version_made_has_its_entries_in_the_journal(adapter: OnMongo) -> None:
    store, _ = await adapter.open("onboarding")
    await store.commit(Commit([write("a", events=2)]))
    gone = await store._database["thing"].find_one_and_update({"i": "a"}, {"$unset": {"first": "", "made": "", "ts": ""}})
    await store._journal.keep(gone["by"], write("a", events=2).rows)
    await store.commit(Commit([write("a", 1), write("b")]))
    assert [(row.version, row.n) for row in await store.history("thing", "t", "a")] == [(1, 0), (1, 1), (2, 0)]
    assert [(seq, subject, version) for seq, subject, version in await seqs(store)] == [(1, "a", 1), (2, "a", 1), (3, "b", 1), (4, "a", 2)]
    assert await store.erase("thing", "t", "a") == 3


async def test_what_is_told_late_is_not_the_last_that_is_said(adapter: OnMongo) -> None:
    """Its writer died before it told; another has gone on and has told. Later versions come again behind it, also one of that moment."""
    dead, _ = await adapter.open("onboarding")
    await dead.commit(Commit([write("a", topic="suppliers")]))
    store, _ = await adapter.open("onboarding")

    async def goes_on(expected: int) -> None:
        await store.load("thing", [("t", "a")])
        one = write("a", expected, topic="suppliers")
        assert await store.commit(Commit([one])) == []
        store.told(one.rows)
        await store.close()

    await goes_on(1)
    said: list[tuple[int, str | None]] = []

    async def tell(rows: Sequence[JournalRow]) -> None:
        if not said:
            await goes_on(2)
        said.extend((row.version, row.topic) for row in rows)

    assert await store.recover(tell, address=lambda row: msgspec.structs.replace(row, topic="suppliers")) == 1
    assert said == [(1, "suppliers"), (2, "suppliers"), (3, "suppliers")]
    assert await untold(store) == []


async def test_what_nobody_loads_is_recovered_journal_and_all(adapter: OnMongo) -> None:
    dead, _ = await adapter.open("onboarding")
    await dead.commit(Commit([write("q", kind="other")]))
    dead.told([])
    dead._journal.keep = nothing
    await dead.commit(Commit([write("a", events=2, topic="suppliers"), write("q", 1, kind="other")]))
    store, _ = await adapter.open("onboarding")
    told: list[JournalRow] = []

    async def tell(rows: Sequence[JournalRow]) -> None:
        told.extend(rows)

    assert (await store.untold(), await store.untold(60)) == (3, 0)
    assert await store.recover(tell, older_s=60) == 0
    assert await store.recover(tell) == 3
    assert await store.untold() == 0
    assert [(r.n, r.topic, r.partitions, r.key) for r in told] == [(0, "suppliers", (0,), None), (1, "suppliers", (0,), None)]
    assert len(await store.history("thing", "t", "a")) == 2
    assert len(await store.history("other", "t", "q")) == 2


async def test_erasing_takes_what_is_not_told_yet_too(adapter: OnMongo) -> None:
    store, _ = await adapter.open("onboarding")
    await store.commit(Commit([write("a", data=b'{"who":"x"}', topic="suppliers")]))
    assert await store.erase("thing", "t", "a") == 1
    told: list[JournalRow] = []

    async def tell(rows: Sequence[JournalRow]) -> None:
        told.extend(rows)

    await store.recover(tell)
    assert [r.data for r in told] == [None]


async def nothing(*_: Any) -> None:
    """A journal that a dead process never wrote."""
