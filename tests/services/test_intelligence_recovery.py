"""Releases that were cut off: between any two commits, while they came in, or by a disk that lost what it held."""

import asyncio
import errno
import itertools
import os
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.intelligence.lists import catalogue
from services.intelligence.lists.records import entry as made
from services.intelligence.lists.spec import Entry
from services.intelligence.releases import publishing
from services.intelligence.releases.loading import Loader
from services.intelligence.releases.raw import discard_parts
from services.intelligence.releases.spool import Spool
from services.intelligence.service import SERVICE
from shared.events.signals import SIGNAL_EVENTS, ExposureSignal, ReleaseAccepted, ReleasePublished
from shared.store.port import Commit
from tests.services.harness import Harness, harness
from tests.services.intelligence_lists import load, mills, post, read, sdn, work


@pytest.fixture
async def h(tmp_path: Path) -> AsyncIterator[Harness]:
    async with harness(tmp_path, SERVICE) as started:
        yield started


async def test_a_crash_between_any_two_commits_ends_in_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "_BATCH", 4)
    tax = "Tax ID No. 7701 (Russia)"
    old, new = mills(20), {**mills(17), 2: "RENAMED", 5: "RENAMED TOO", **mills(6, first=50), 55: "MILL NUMBER 20"}

    async def run(folder: Path, fails_at: int) -> tuple[Any, list[Any], bool]:
        async with harness(folder, SERVICE) as h:
            await load(h, sdn(old, {20: tax}))
            before, commit, count = len(await h.told("signals")), h.ctx.store.commit, itertools.count()
            release_id = await post(h, sdn(new, {55: tax}), **{"Idempotency-Key": "k"})
            failed = False

            async def failing(asked: Commit) -> Any:
                nonlocal failed
                if next(count) == fails_at:
                    failed = True
                    raise OSError("the power is gone")
                return await commit(asked)

            with monkeypatch.context() as patch:
                patch.setattr(h.ctx.store, "commit", failing)
                await Loader(h.ctx).step()
            await work(Loader(h.ctx))
            release = await read(h, release_id)
            told = (await h.told("signals"))[before:]
            assert isinstance(told[0], ReleaseAccepted)
            assert isinstance(told[-1], ReleasePublished)
            changes = sorted((type(t).__name__, t.signal.source.uid, t.signal.formerly) for t in told[1:-1] if isinstance(t, SIGNAL_EVENTS))
            assert ("SignalPublished", "55", ("us_ofac_sdn:20",)) in changes
            return {k: v for k, v in release.items() if k != "loaded_by"}, [changes, told[0], told[-1]], failed

    wanted, events, failed = await run(tmp_path / "whole", -1)
    assert (wanted["state"], wanted["added"], wanted["modified"], wanted["deleted"], failed) == ("accepted", 6, 2, 3, False)
    for at in itertools.count():
        got, seen, failed = await run(tmp_path / str(at), at)
        assert (got, seen) == (wanted, events)
        if not failed:
            break
    assert at == 6  # accepted, three batches of eleven changes, the marker, the note that it is done


async def test_an_accepted_release_that_cannot_be_read_again_stops_only_its_list(
    h: Harness, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(publishing, "_BATCH", 4)
    await load(h, sdn(mills(10)))
    commit, count = h.ctx.store.commit, itertools.count()

    async def failing(asked: Commit) -> Any:
        if next(count) == 2:
            raise OSError("the power is gone")
        return await commit(asked)

    stuck = await post(h, sdn(mills(20)))
    with monkeypatch.context() as patch:
        patch.setattr(h.ctx.store, "commit", failing)
        await Loader(h.ctx).step()
    raw = h.ctx.folder / "raw" / (await read(h, stuck))["sha256"]
    raw.rename(raw.with_suffix(".away"))
    behind, other = await post(h, sdn(mills(11))), await post(h, sdn(mills(3)), "us_ofac_cons")
    loader = Loader(h.ctx)
    assert await loader.step() is False
    assert "tried again" in caplog.text
    assert (await read(h, stuck))["published"] is False
    assert ((await read(h, behind))["state"], (await read(h, other, "us_ofac_cons"))["state"]) == ("received", "accepted")
    raw.with_suffix(".away").rename(raw)
    await work(loader)
    assert (await read(h, stuck))["published"] is True
    assert (await read(h, behind))["state"] == "refused"  # it holds much less than the one before it


async def test_the_task_works_on_what_comes_and_clears_up_what_was_left(h: Harness) -> None:
    left = h.ctx.folder / "release-left"
    left.mkdir()
    (left / "SDN.CSV").write_bytes(b"x")
    task = next(task for task in SERVICE.tasks(h.ctx) if task.name == "releases")
    assert task.role == "bulk"
    running = asyncio.ensure_future(task.run())
    try:
        release_id = await post(h, sdn(mills(5)))
        async with asyncio.timeout(20):
            while not (await read(h, release_id))["published"]:
                await asyncio.sleep(0.02)
    finally:
        running.cancel()
    assert not left.exists()


async def test_only_old_parts_are_taken_away(h: Harness) -> None:
    await load(h, sdn(mills(2)))
    raw, now = h.ctx.folder / "raw", time.time()
    kept = {p.name for p in raw.iterdir()}
    for name in ("a.part", "b.part"):
        (raw / name).write_bytes(b"x")
    (raw / "c.pull").mkdir()
    for name in ("a.part", "c.pull", *kept):
        os.utime(raw / name, (now - 100_000, now - 100_000))
    discard_parts(h.ctx, now)
    assert {p.name for p in raw.iterdir()} == kept | {"b.part"}


async def test_the_task_ends_though_a_reader_does_not(h: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, ended = threading.Event(), threading.Event()

    def endless(_files: Mapping[str, Path], *, list_id: str, release_id: str) -> Iterator[Entry]:
        try:
            for n in itertools.count():
                yield made(list_id, release_id, str(n), ExposureSignal(hs="01"))
                if n == 5_000:
                    begun.set()
        finally:
            ended.set()

    spec = catalogue.find("us_ofac_sdn")
    layout = msgspec.structs.replace(spec.layouts[0], read=endless)
    monkeypatch.setitem(catalogue.CATALOGUE, spec.id, msgspec.structs.replace(spec, layouts=(layout,)))
    release_id = await post(h, sdn(mills(5)))
    running = asyncio.ensure_future(Loader(h.ctx).run())
    assert await asyncio.to_thread(begun.wait, 20)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, 5)
    assert await asyncio.to_thread(ended.wait, 5)
    assert [p.name for p in h.ctx.folder.iterdir()] == ["raw"]
    monkeypatch.undo()
    await work(Loader(h.ctx))
    assert (await read(h, release_id))["state"] == "accepted"


@pytest.mark.parametrize("failure", [sqlite3.OperationalError("database or disk is full"), OSError(errno.ENOSPC, "no space left")])
async def test_a_full_disk_is_no_fault_of_the_release(h: Harness, monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    def full(*_: Any) -> None:
        raise failure

    release_id = await post(h, sdn(mills(5)))
    loader = Loader(h.ctx)
    with monkeypatch.context() as patch:
        patch.setattr(Spool, "read", full)
        assert await loader.step() is False
    assert (await read(h, release_id))["state"] == "received"
    await work(loader)
    assert (await read(h, release_id))["state"] == "accepted"
