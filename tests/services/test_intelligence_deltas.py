"""Deltas: what they name changes, all else stays, and only upon the version that they are made for."""

import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.intelligence.lists import catalogue
from services.intelligence.releases import publishing
from services.intelligence.releases.loading import Loader
from services.intelligence.service import SERVICE
from shared.store.port import Commit
from tests.services.harness import Harness, harness
from tests.services.intelligence_lists import MADE_UP, load_made_up, post, read, work

FULL = ["@ 2026-01-01 v1", *(f"+ {n} 01" for n in range(20))]
DELTA = ["@ 2026-01-02 v2 v1", "+ 3 02", "+ 99 01", "- 7", "- never"]


@pytest.fixture
async def h(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Harness]:
    monkeypatch.setitem(catalogue.CATALOGUE, MADE_UP.id, MADE_UP)
    async with harness(tmp_path, SERVICE) as started:
        yield started


async def goods(h: Harness) -> dict[str, str]:
    answer = await h.client("analyst").get(f"/v1/lists/{MADE_UP.id}/entries?limit=500")
    return {one["uid"]: one["hs"] for one in answer.json()["items"]}


async def test_a_delta_changes_what_it_names(h: Harness) -> None:
    await load_made_up(h, *FULL)
    release = await load_made_up(h, *DELTA)
    assert [release[n] for n in ("state", "dated", "version", "base")] == ["accepted", "2026-01-02", "v2", "v1"]
    assert [release[n] for n in ("records", "entries", "added", "modified", "deleted", "quarantined")] == [4, 20, 1, 1, 1, 0]
    wanted = {str(n): "01" for n in range(20)} | {"3": "02", "99": "01"}
    del wanted["7"]
    assert await goods(h) == wanted
    third = await load_made_up(h, "@ 2026-01-03 v3 v2", "- 99")
    assert (third["state"], third["deleted"], third["entries"]) == ("accepted", 1, 19)
    again = await load_made_up(h, "@ 2026-01-04 v4", *(f"+ {uid} {hs}" for uid, hs in (await goods(h)).items()))
    assert again["state"] == "unchanged", "the full list says the same as the way there"


@pytest.mark.parametrize("stands", [[], ["@ 2026-01-01 v0", "+ 3 01"], ["@ - ", "+ 3 01"], ["+ 3 01"]])
async def test_a_delta_upon_another_version_is_refused_whole(h: Harness, stands: list[str]) -> None:
    if stands:
        await load_made_up(h, *stands)
    before = await goods(h)
    refused = await load_made_up(h, *DELTA)
    assert (refused["state"], refused["may_be_let_in"], refused["let_in_by"]) == ("refused", False, None)
    assert "an operator must load the full list" in refused["reason"]
    assert "v1" not in refused["reason"]
    assert await goods(h) == before
    answer = await h.client("operator").post(f"/v1/lists/{MADE_UP.id}/releases/{refused['id']}/acceptance", json={"reason": "so be it"})
    assert answer.status_code == 409


async def test_a_delta_sent_again_changes_nothing(h: Harness) -> None:
    await load_made_up(h, *FULL)
    await load_made_up(h, *DELTA)
    assert (await load_made_up(h, *DELTA))["state"] == "unchanged"
    await load_made_up(h, "@ 2026-01-03 v3 v2", "+ 5 05")
    assert (await load_made_up(h, *DELTA))["state"] == "refused", "another version stands by now"


async def test_a_version_that_changes_nothing_is_what_the_next_delta_builds_upon(h: Harness) -> None:
    first = await load_made_up(h, *FULL)
    assert (await load_made_up(h, "@ 2026-01-02 v2 v1"))["state"] == "unchanged"
    acts = await read(h, first["id"], MADE_UP.id)
    assert (acts["version"], acts["dated"]) == ("v2", "2026-01-02")
    assert (await load_made_up(h, "@ 2026-01-03 v3 v2", "+ 3 02"))["state"] == "accepted"


async def test_a_delta_that_a_guard_refuses_is_let_in_only_upon_its_version(h: Harness) -> None:
    await load_made_up(h, *FULL)
    much = ["@ 2026-01-02 v2 v1", *(f"- {n}" for n in range(10))]
    refused = await load_made_up(h, *much)
    assert (refused["state"], refused["deleted"], refused["entries"], len(await goods(h))) == ("refused", 10, 10, 20)
    assert refused["let_in_by"] == {"role": "operator", "command": f"duewatch lists accept made_up {refused['id']} --reason WHY"}
    answer = await h.client("operator").post(f"/v1/lists/{MADE_UP.id}/releases/{refused['id']}/acceptance", json={"reason": "so be it"})
    assert answer.status_code == 200
    await work(Loader(h.ctx))
    assert ((await read(h, refused["id"], MADE_UP.id))["state"], len(await goods(h))) == ("accepted", 10)


async def test_removals_without_a_base_are_refused(h: Harness) -> None:
    await load_made_up(h, *FULL)
    refused = await load_made_up(h, "+ 1 01", "- 2")
    assert (refused["state"], refused["may_be_let_in"], len(await goods(h))) == ("refused", False, 20)


async def test_a_delta_cut_off_between_any_two_commits_ends_in_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(catalogue.CATALOGUE, MADE_UP.id, MADE_UP)
    monkeypatch.setattr(publishing, "_BATCH", 2)
    delta = ["@ 2026-01-02 v2 v1", "+ 3 02", "+ 99 01", "- 7", "- 8", "+ 4 02"]

    async def run(folder: Path, fails_at: int) -> tuple[dict[str, str], dict[str, Any], bool]:
        async with harness(folder, SERVICE) as h:
            await load_made_up(h, *FULL)
            commit, count, failed = h.ctx.store.commit, itertools.count(), False

            async def failing(asked: Commit) -> Any:
                nonlocal failed
                if next(count) == fails_at:
                    failed = True
                    raise OSError("the power is gone")
                return await commit(asked)

            release_id = await post(h, "\n".join(delta).encode(), MADE_UP.id, **{"Idempotency-Key": "k"})
            count = itertools.count()
            with monkeypatch.context() as patch:
                patch.setattr(h.ctx.store, "commit", failing)
                await Loader(h.ctx).step()
            await work(Loader(h.ctx))
            return await goods(h), await read(h, release_id, MADE_UP.id), failed

    wanted = await run(tmp_path / "whole", -1)
    assert (wanted[1]["state"], wanted[1]["published"], wanted[0]["3"], "7" in wanted[0]) == ("accepted", True, "02", False)
    for at in itertools.count():
        *got, failed = await run(tmp_path / str(at), at)
        assert got == list(wanted[:2])
        if not failed:
            break
    assert at == 6  # accepted, three batches of five changes, the marker, the note that it is done
