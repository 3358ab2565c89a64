"""Imports that are cut off: resumed to the row, none standing in another's way."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.onboarding.imports import running
from services.onboarding.imports.files import Files
from services.onboarding.imports.running import Importer
from services.onboarding.service import SERVICE
from shared.events.suppliers import SupplierChanged, SupplierRegistered
from tests.services.harness import Harness, harness
from tests.services.onboarding_steps import HEADER, by_ref, counts, imported, seen, sent, work


@pytest.fixture
async def h(tmp_path: Path) -> AsyncIterator[Harness]:
    async with harness(tmp_path, SERVICE) as started:
        yield started


@pytest.fixture
def buyer(h: Harness) -> httpx.AsyncClient:
    return h.client("buyer", subject="bea")


class Crash(BaseException):
    """As if the process were killed."""


def crashing(h: Harness, monkeypatch: pytest.MonkeyPatch, at: int, *, after: bool) -> None:
    """Lets the `at`-th commit of the import, before or after it is written, be the last."""
    store, commits = h.ctx.store, 0
    commit = store.commit

    async def counted(what: Any) -> Any:
        nonlocal commits
        commits += 1
        if commits == at and not after:
            raise Crash
        lost = await commit(what)
        if commits == at:
            raise Crash
        return lost

    monkeypatch.setattr(store, "commit", counted)


@pytest.mark.parametrize(("mode", "at"), [("apply", 1), ("apply", 2), ("apply", 5), ("apply", 6), ("dry_run", 1), ("dry_run", 5)])
@pytest.mark.parametrize("after", [False, True])
async def test_a_crash_at_any_commit_is_resumed_exactly(
    h: Harness, buyer: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, at: int, after: bool, mode: str
) -> None:
    await imported(h, buyer, HEADER + "".join(f"{n},Old Mills {n},DE\n" for n in range(0, 40, 4)))
    rows = [f"{n},Mills {n},{'ZZ' if n % 7 == 3 else 'DE'}" for n in range(40)] + ["1,Mills 1 again,DE", "8,Old Mills 8,DE", "9,Mills 9,DE"]
    import_id = await sent(buyer, HEADER + "\n".join(rows) + "\n", mode=mode)
    before = Counter(map(type, await h.told("suppliers")))
    with monkeypatch.context() as patched:
        crashing(h, patched, at, after=after)
        with pytest.raises(Crash):
            await Importer(h.ctx, 10).step()
    if (await seen(buyer, import_id))[0]["state"] == "running":
        with Files(h.ctx.folder).results(import_id).open("ab") as torn:
            torn.write(b'{"row": torn' * 1000)
    await work(h, 10)
    job, results = await seen(buyer, import_id)
    assert Files(h.ctx.folder).results(import_id).read_bytes().count(b"\n") == len(results)
    assert b"torn" not in Files(h.ctx.folder).results(import_id).read_bytes()
    wanted = ["rejected" if n % 7 == 3 else "updated" if n % 4 == 0 else "created" for n in range(40)] + ["updated", "updated", "unchanged"]
    assert [(r["row"], r["outcome"]) for r in results] == list(enumerate(wanted, 1))
    assert (job["state"], *counts(job)) == ("done", 43, *(wanted.count(w) for w in ("created", "updated", "unchanged", "rejected")))
    told = Counter(map(type, await h.told("suppliers"))) - before
    changes = {SupplierRegistered: wanted.count("created"), SupplierChanged: wanted.count("updated")}
    assert told == ({} if mode == "dry_run" else changes)


async def test_large_rows_come_in_smaller_commits(h: Harness, buyer: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that what a batch takes of memory is bounded by bytes, too; each row is there once."""
    monkeypatch.setattr(running, "_BATCH_BYTES", 100)
    commit, sizes = h.ctx.store.commit, list[int]()

    async def counted(what: Any) -> Any:
        sizes.append(sum(write.kind == "supplier" for write in what.writes))
        return await commit(what)

    monkeypatch.setattr(h.ctx.store, "commit", counted)
    job, told = await imported(h, buyer, HEADER + "".join(f"{n},Mills of twenty {n:02},DE\n" for n in range(20)))
    assert (job["state"], counts(job)[1], [row["row"] for row in told]) == ("done", 20, [*range(1, 21)])
    assert (sum(sizes), max(sizes)) == (20, 5)


async def test_a_persons_change_between_a_crash_and_its_repair_is_not_changed_back(
    h: Harness, buyer: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = await sent(buyer, HEADER + "1,Mills,DE\n2,Works,DE\n")
    with monkeypatch.context() as patched:
        crashing(h, patched, 1, after=True)
        with pytest.raises(Crash):
            await Importer(h.ctx).step()
    one = await by_ref(buyer, "S4:1")
    assert one is not None
    await buyer.patch(f"/v1/suppliers/{one['id']}", json={"name": "Renamed Mills"})
    await work(h)
    now = await by_ref(buyer, "S4:1")
    job, _ = await seen(buyer, import_id)
    assert now is not None
    assert now["name"] == "Renamed Mills"
    assert counts(job) == (2, 2, 0, 0, 0)


async def test_a_defect_ends_one_import_after_three_attempts(
    h: Harness, buyer: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("services.onboarding.imports.running._PAUSE_S", 0)
    bad, good = await sent(buyer, HEADER + "1,Mills,DE\n"), await sent(buyer, HEADER + "2,Works,DE\n", system="S5")

    def defect(*_: object) -> None:
        raise ZeroDivisionError

    importer = Importer(h.ctx)
    with monkeypatch.context() as patched:
        patched.setattr("services.onboarding.imports.running._added", defect)
        for _ in range(3):
            assert await importer.step()
    assert (await seen(buyer, bad))[0]["state"] == "failed"
    logged = [one.__dict__ for one in caplog.records if one.name == "duewatch.imports"]
    assert [(one["tenant"], one["correlation"], one["error"]) for one in logged] == [("default", bad, "ZeroDivisionError")] * 3
    await importer.step()
    assert (await seen(buyer, good))[0]["state"] == "done"


async def test_a_file_that_was_taken_away_or_cut_ends_its_import(h: Harness, buyer: httpx.AsyncClient) -> None:
    files = Files(h.ctx.folder)
    gone, cut = await sent(buyer, HEADER + "1,Mills,DE\n"), await sent(buyer, HEADER + "2,Works,DE\n")
    first, second = files.waiting()
    files.discard(first.name)
    files.upload(second.name).write_bytes(HEADER.encode())
    await Importer(h.ctx).end_lost()
    await work(h)
    assert [(await seen(buyer, i))[0]["state"] for i in (gone, cut)] == ["failed", "failed"]


async def test_an_import_that_comes_while_lost_ones_are_looked_for_is_not_lost(
    h: Harness, buyer: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents, made = h.ctx.store.documents, []

    async def slow(kind: str) -> AsyncIterator[Any]:
        made.append(await sent(buyer, HEADER + "1,Mills,DE\n"))
        async for stored in documents(kind):
            yield stored

    monkeypatch.setattr(h.ctx.store, "documents", slow)
    await Importer(h.ctx).end_lost()
    await work(h)
    assert (await seen(buyer, made[0]))[0]["state"] == "done"


async def test_an_upload_that_nobody_acknowledged_is_taken_away_after_a_day(h: Harness) -> None:
    files = Files(h.ctx.folder)

    async def body() -> AsyncIterator[bytes]:
        yield b"number"

    await files.store(files.name(h.clock.now(), "default", "imp_x", "up_x"), body())
    await work(h)
    assert len(files.waiting()) == 1
    h.clock.advance(90_000)
    await work(h)
    assert files.waiting() == []


async def test_an_upload_that_breaks_off_leaves_nothing(h: Harness) -> None:
    files = Files(h.ctx.folder)

    async def body() -> AsyncIterator[bytes]:
        yield b"number"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await files.store(files.name(h.clock.now(), "default", "imp_x", "up_x"), body())
    assert [p for p in h.ctx.folder.rglob("*") if p.is_file()] == []
