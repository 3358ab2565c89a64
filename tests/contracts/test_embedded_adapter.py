"""SQLite: both suites, and what only files have."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from shared.bus.embedded import EmbeddedBus
from shared.bus.nudge import Nudges, Waiter
from shared.errors import Unavailable
from shared.store import topics
from shared.store.embedded import EmbeddedStore
from shared.store.port import Collection, Commit
from shared.store.writer import Job
from tests.contracts.bus_behaviour import BusBehaviour
from tests.contracts.bus_setting import Hears, Teller, drain, subjects
from tests.contracts.handles_behaviour import TwoHandles
from tests.contracts.other_process import process, race
from tests.contracts.store_behaviour import OTHERS, THINGS, StoreBehaviour, seqs, versions, write


class Embedded:
    """Every handle has nudges of its own, as a process has."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open: list[EmbeddedStore | EmbeddedBus | Nudges] = []

    async def open(self, service: str, collections: Sequence[Collection] = (THINGS, OTHERS)) -> tuple[EmbeddedStore, EmbeddedBus]:
        nudges = Nudges(self.folder / "run", f"{service}{len(self._open)}")
        store = EmbeddedStore(self.folder / f"{service}.db", collections)
        bus = EmbeddedBus(self.folder, nudges, store, 4)
        self._open += [bus, store, nudges]
        return store, bus

    async def forget(self, service: str, group: str) -> None:
        with sqlite3.connect(self.folder / f"{service}.db") as db:
            db.execute("DELETE FROM consumed WHERE name LIKE ?", (group + "/%",))
        db.close()

    async def close(self) -> None:
        for one in self._open:
            closing = one.close()
            if closing is not None:
                await closing


@pytest.fixture
async def adapter(tmp_path: Path) -> AsyncIterator[Embedded]:
    opened = Embedded(tmp_path)
    yield opened
    await opened.close()


class TestEmbeddedStore(StoreBehaviour):
    async def test_events_stand_in_the_order_of_the_commit_whatever_their_kinds(self, store: EmbeddedStore) -> None:
        await store.commit(Commit([write("m0")]))
        writes = [
            write("s1", kind="other"),
            write("m1"),
            write("s2", kind="other"),
            write("m0", 1),
            write("m9", 5),
            write("s3", kind="other"),
        ]
        lost = await store.commit(Commit(writes))
        assert [one.id for one in lost] == ["m9"]
        assert [subject for _, subject, _ in await seqs(store, 1)] == ["s1", "m1", "s2", "m0", "s3"]


class TestEmbeddedHandles(TwoHandles):
    async def test_what_was_committed_survives(self, adapter: Embedded, tmp_path: Path) -> None:
        store, bus = await adapter.open("onboarding")
        await store.commit(Commit([write("a", topic="suppliers", many={"tag": ("x",)})], {"g/x/0": 4}))
        await store.close()
        again = EmbeddedStore(tmp_path / "onboarding.db", [THINGS, OTHERS])
        assert await versions(again, "a") == [1]
        assert [s.id for s in await again.find("thing", "t", {"tag": "x"})] == ["a"]
        assert await again.positions("g/") == {"g/x/0": 4}
        await again.commit(Commit([write("a", 1)]))
        assert [seq for seq, _, _ in await seqs(again)] == [1, 2]
        await again.close()
        await bus.close()

    async def test_a_field_declared_later_is_there(self, tmp_path: Path) -> None:
        before = EmbeddedStore(tmp_path / "x.db", [Collection("other")])
        await before.commit(Commit([write("a", kind="other")]))
        await before.close()
        after = EmbeddedStore(tmp_path / "x.db", [OTHERS, THINGS])
        await after.commit(Commit([write("b", colour="red")]))
        assert [s.id for s in await after.find("thing", "t", {"colour": "red"})] == ["b"]
        await after.close()

    @pytest.mark.parametrize("where", [{"tag": "rare"}, {"tag": "rare", "colour": "red"}, {"colour": "blue"}, {}])
    async def test_looking_by_a_field_walks_no_other_documents(self, adapter: Embedded, where: dict[str, str]) -> None:
        store, _ = await adapter.open("onboarding")
        many = [write(f"m{i}", colour="red", many={"tag": ("common",)}) for i in range(5000)]
        await store.commit(Commit([*many, write("n", colour="red", many={"tag": ("rare", "common")}), write("o", colour="blue")]))
        steps = 0

        def count() -> int:
            nonlocal steps
            steps += 1
            return 0

        store._db.set_progress_handler(count, 10)
        found = await store.find("thing", "t", where, limit=2)
        assert len(found) == (2 if not where else 1)
        assert steps < 50  # tens of the database's instructions; a walk over all would be thousands

    async def test_a_caller_who_goes_away_harms_nobody(self, adapter: Embedded) -> None:
        """A commit whose caller is cancelled while it waits; those behind it are still written."""
        store, _ = await adapter.open("onboarding")
        await store.commit(Commit([write("first")]))
        for i in range(30):
            leaving = asyncio.create_task(store.commit(Commit([write(f"leaving{i}")])))
            await asyncio.sleep(0 if i % 3 else 0.001)
            leaving.cancel()
        async with asyncio.timeout(5):
            assert await store.commit(Commit([write("staying")])) == []
        assert await versions(store, "staying") == [1]

    async def test_a_file_that_cannot_be_opened_fails_the_write_and_not_those_after_it(
        self, adapter: Embedded, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store, _ = await adapter.open("onboarding")

        def full(*_: object, **__: object) -> sqlite3.Connection:
            raise sqlite3.OperationalError("unable to open database file")

        async with asyncio.timeout(5):
            with monkeypatch.context() as m:
                m.setattr("shared.store.writer.connect", full)
                for _ in range(2):
                    with pytest.raises(sqlite3.OperationalError):
                        await store.commit(Commit([write("a")]))
            assert await store.commit(Commit([write("a")])) == []

    async def test_a_full_disk_is_said_and_passes(self, adapter: Embedded) -> None:
        store, _ = await adapter.open("onboarding")
        await store.commit(Commit([write("a")]))
        await store._writer.run(lambda db: db.execute("PRAGMA max_page_count = 1") and None)  # no more pages than there are
        with pytest.raises(Unavailable, match="disk is full"):
            await store.commit(Commit([write("b", state=b"x" * 100_000)]))
        await store._writer.run(lambda db: db.execute("PRAGMA max_page_count = 1000000") and None)
        assert await store.commit(Commit([write("b", state=b"x" * 100_000)])) == []
        assert await seqs(store) == [(1, "a", 1), (2, "b", 1)]

    async def test_a_reader_never_waits_for_a_writer_in_another_process(self, adapter: Embedded, tmp_path: Path) -> None:
        store, bus = await adapter.open("onboarding")
        await store.commit(Commit([write("a", colour="red")]))
        consumer = await bus.consumer("g", ["suppliers"])
        with process("fill", tmp_path) as other:
            slowest, reads, end = 0.0, 0, time.monotonic() + 30
            while other.poll() is None and time.monotonic() < end:
                began = time.perf_counter()
                await store.load("thing", [("t", "a")])
                await store.find("thing", "t", {"colour": "red"}, limit=1)
                await consumer.poll(1, 0)
                slowest, reads = max(slowest, time.perf_counter() - began), reads + 1
                await asyncio.sleep(0.001)
            assert other.wait() == 0
        assert reads > 20
        assert slowest < 0.5  # seconds, on a busy machine; a commit of the other takes long enough to be seen
        assert [seq for seq, _, _ in await seqs(store)] == list(range(1, 1 + 1 + 12 * 1000))

    async def test_writers_in_two_processes_lose_nothing(self, adapter: Embedded, tmp_path: Path) -> None:
        store, _ = await adapter.open("onboarding")
        with process("race", tmp_path) as other:
            mine = await race(store)
            theirs, _ = other.communicate(timeout=60)
        assert mine + int(theirs) == (await store.load("thing", [("t", "raced")]))["t", "raced"].version
        found = await seqs(store)
        assert [seq for seq, _, _ in found] == list(range(1, len(found) + 1))


class TestEmbeddedBus(BusBehaviour):
    async def test_compaction_keeps_the_last_of_each_key(self, onboarding: Teller, adapter: Embedded) -> None:
        store, bus = await adapter.open("onboarding")
        for _ in range(3):
            await onboarding.tell("suppliers", "a", "b", partition=0, key=True)
        await onboarding.tell("suppliers", "c", partition=1, key=True)
        assert await store.compact("suppliers", upto=4) == 4
        found = await drain(await bus.consumer("g", ["suppliers"]))
        assert [(r.meta.subject, r.meta.sequence) for r in found] == [("a", 3), ("b", 3), ("c", 1)]
        await onboarding.tell("suppliers", "a", partition=0, key=True)
        assert await store.compact("suppliers", upto=100) == 1
        new = [r async for r in bus.replay("suppliers", range(4), {"suppliers/0": 99, "suppliers/1": 99})]
        assert [(r.meta.subject, r.meta.sequence) for r in new] == [("b", 3), ("a", 4), ("c", 1)]
        assert [(r.version, r.n) for r in await store.history("other", "t", "a")] == [(1, 0), (2, 0), (3, 0), (4, 0)]

    async def test_compaction_looks_at_what_is_new_in_slices(self, adapter: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each slice a short transaction; after a crash in between it goes on where it was, and nothing is left for ever."""
        monkeypatch.setattr(topics, "AT_ONCE", 10)
        store, bus = await adapter.open("onboarding")
        teller = Teller(store, bus)
        for _ in range(3):
            await teller.tell("suppliers", *(f"s{i}" for i in range(25)), partition=1, key=True)
        run, jobs = store._writer.run, 0

        async def counted(job: Job) -> Any:
            nonlocal jobs
            jobs += 1
            if jobs == 4:
                raise sqlite3.OperationalError("disk I/O error")
            return await run(job)

        monkeypatch.setattr(store._writer, "run", counted)
        with pytest.raises(sqlite3.OperationalError):
            await store.compact("suppliers", upto=99)
        left = 75 - len(await drain(await bus.consumer("g", ["suppliers"])))
        assert 0 < left < 50
        assert left + await store.compact("suppliers", upto=99) == 50
        jobs = 10
        assert await store.compact("suppliers", upto=99) == 0
        assert jobs == 11  # nothing new: one look
        await teller.tell("suppliers", "s3", "s4", partition=1, key=True)
        assert await store.compact("suppliers", upto=54) == 1  # the last of s4 stands at 55
        await teller.tell("suppliers", "s9", partition=1, key=True)
        assert await store.compact("suppliers", upto=78) == 2
        found = await drain(await bus.consumer("new", ["suppliers"]))
        assert sorted((r.meta.subject, r.meta.sequence) for r in found) == sorted((f"s{i}", 4 if i in (3, 4, 9) else 3) for i in range(25))

    async def test_a_compacted_broadcast_is_whole_in_each_partition(self, intelligence: Teller, adapter: Embedded) -> None:
        store, bus = await adapter.open("intelligence")
        for _ in range(2):
            await intelligence.tell("signals", "e1", "e2", key=True)
        assert await store.compact("signals", upto=100) == 8
        found = await drain(await bus.consumer("g", ["signals"], keeper=Hears()))
        assert sorted((r.partition, r.meta.subject, r.meta.sequence) for r in found) == [(p, e, 2) for p in range(4) for e in ("e1", "e2")]

    async def test_retention_takes_what_is_old_off_the_topic_alone(self, adapter: Embedded) -> None:
        store, bus = await adapter.open("assessment")
        teller = Teller(store, bus)
        await teller.tell("ratings", "a", "b", "c", partition=0)
        assert await store.retain("ratings", upto=2) == 2
        assert subjects(await drain(await bus.consumer("g", ["ratings"]))) == ["c"]
        assert len(await seqs(store)) == 3

    async def test_retention_goes_in_slices(self, adapter: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(topics, "AT_ONCE", 10)
        store, bus = await adapter.open("assessment")
        teller = Teller(store, bus)
        for p in range(4):
            await teller.tell("ratings", *(f"s{p}-{i}" for i in range(30)), partition=p)
        assert await store.retain("ratings", upto=100) == 100
        assert subjects(await drain(await bus.consumer("g", ["ratings"]))) == [f"s3-{i}" for i in range(10, 30)]
        assert await store.retain("matches", upto=100) == 0

    async def test_an_erased_event_is_null(self, onboarding: Teller, adapter: Embedded) -> None:
        store, bus = await adapter.open("onboarding")
        await onboarding.tell("suppliers", "a", partition=0)
        await store.erase("other", "t", "a")
        (record,) = await drain(await bus.consumer("g", ["suppliers"]))
        assert record.data == b"null"

    async def test_a_reader_may_come_before_its_producer(self, adapter: Embedded) -> None:
        _, bus = await adapter.open("screening")
        consumer = await bus.consumer("g", ["suppliers"])
        assert await consumer.poll(10, 0) == []
        assert await consumer.lag() == 0
        onboarding = Teller(*await adapter.open("onboarding"))
        await onboarding.tell("suppliers", "a", partition=1)
        assert subjects(await consumer.poll(10, 1.0)) == ["a"]

    async def test_a_nudge_from_another_process(self, adapter: Embedded, tmp_path: Path) -> None:
        store, bus = await adapter.open("screening")
        await adapter.open("onboarding")
        consumer = await bus.consumer("g", ["suppliers"])
        late: list[float] = []
        with process("tell", tmp_path):
            while len(late) < 10:
                for record in await consumer.poll(10, 20.0):
                    late.append(time.monotonic() - float(record.data))
        assert sorted(late)[5] < 0.1  # seconds; polling alone takes 0.125 on average
        await store.close()

    async def test_what_nobody_waits_for_wakes_nobody(self, adapter: Embedded) -> None:
        """A gate that is asked a thousand times a second must not keep every other process awake."""
        gate, ratings = Teller(*await adapter.open("gate")), Teller(*await adapter.open("assessment"))
        store, bus = await adapter.open("screening")
        waiter = Waiter(bus.nudges)

        async def woken(teller: Teller, topic: str) -> bool:
            waiter.clear()
            await teller.tell(topic, "a", partition=0)
            began = time.monotonic()
            await waiter.wait(1.0)
            return time.monotonic() - began < 0.9

        assert await woken(ratings, "ratings")
        assert not await woken(gate, "decisions")
        await store.close()
