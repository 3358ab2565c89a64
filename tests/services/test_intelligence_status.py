"""How lists stand, and which records became no entry."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.intelligence.fetching.model import SCHEDULE, Attempted, SetSchedule, Watch
from services.intelligence.lists import catalogue
from services.intelligence.releases.loading import Loader
from services.intelligence.releases.quarantine import keep_quarantined
from services.intelligence.service import SERVICE
from shared.events.envelope import PUBLIC
from shared.kernel.aggregate import Cause, Item, Message
from tests.services.harness import Harness, harness
from tests.services.intelligence_lists import LIST, MADE_UP, MARK, PATH, load, load_made_up, mills, post, sdn, work

DAY_S = 86_400
FULL = ["@ 2026-01-01 v1", *(f"+ {n} 01" for n in range(20))]


@pytest.fixture
async def h(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Harness]:
    monkeypatch.setitem(catalogue.CATALOGUE, MADE_UP.id, MADE_UP)
    async with harness(tmp_path, SERVICE) as started:
        yield started


async def get(h: Harness, path: str) -> Any:
    answer = await h.client("analyst").get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def status(h: Harness) -> Any:
    rows = {row["list"]: row for row in (await get(h, "/v1/lists/status"))["items"]}
    assert set(rows) == set(catalogue.CATALOGUE)
    return rows[MADE_UP.id]


async def test_the_health_of_a_list(h: Harness) -> None:
    row = await status(h)
    assert [row[n] for n in ("health", "release_id", "records", "age_s", "dated")] == ["never_loaded", None, 0, None, None]
    refused = await load_made_up(h, "- 1")
    row = await status(h)
    assert (row["health"], row["reason"]) == ("refused", refused["reason"])
    h.clock.advance(60)
    first = await load_made_up(h, *FULL)
    row = await status(h)
    assert [row[n] for n in ("health", "reason", "release_id", "records", "added", "version")] == ["ok", None, first["id"], 20, 20, "v1"]
    assert row["checked_at"] == first["accepted_at"]
    h.clock.advance(60)
    refused = await load_made_up(h, "@ 2026-01-02 v2", "+ 1 01")
    row = await status(h)
    assert (row["health"], row["reason"], row["records"]) == ("refused", refused["reason"], 20)
    h.clock.advance(60)
    await load_made_up(h, "@ 2026-01-03 v3", *FULL[1:])
    row = await status(h)
    assert [row[n] for n in ("health", "dated", "version", "release_id")] == ["ok", "2026-01-03", "v3", first["id"]]


async def test_age_and_staleness(h: Harness) -> None:
    await load_made_up(h, f"@ {h.clock.now().date().isoformat()} v1", *FULL[1:])
    h.clock.advance(7 * DAY_S)
    row = await status(h)
    assert (row["health"], row["age_s"] // DAY_S) == ("ok", 7)
    h.clock.advance(1)
    row = await status(h)
    assert (row["health"], row["reason"]) == ("stale", "Its publisher was last asked 7 days ago; more than 7 are too many")
    await load_made_up(h, *FULL[1:])
    row = await status(h)
    assert (row["health"], row["age_s"] // DAY_S) == ("ok", 7), "the same release, but asked for now"
    await load_made_up(h, "@ in-March v1", *FULL[1:], "+ 50 01")
    assert (await status(h))["age_s"] == 0, "since it came into force, where its day cannot be read"


async def test_the_age_that_the_gate_permits_is_the_one_that_counts(h: Harness) -> None:
    await load_made_up(h, *FULL)
    watched = Message(Watch(MADE_UP.id, h.clock.now(), 36 * 3_600), Cause("cmd_watch", "command.list.watch", MADE_UP.id))
    await h.ctx.kernel.execute(Item(SCHEDULE, PUBLIC, MADE_UP.id, watched))
    h.clock.advance(36 * 3_600 + 1)
    row = await status(h)
    assert (row["health"], row["reason"]) == ("stale", "Its publisher was last asked 1 days ago; more than 1.5 are too many")


async def test_a_release_that_nobody_works_on_is_told(h: Harness) -> None:
    await load_made_up(h, *FULL)
    h.clock.advance(1)
    await post(h, b"+ 1 01", MADE_UP.id)
    h.clock.advance(1_800)
    assert (await status(h))["health"] == "ok"
    h.clock.advance(1)
    row = await status(h)
    assert (row["health"], "waits since" in row["reason"]) == ("failing", True)
    await work(Loader(h.ctx))
    assert (await status(h))["health"] == "refused"


async def test_a_list_that_cannot_be_fetched_is_told_until_it_can_or_is_loaded(h: Harness) -> None:
    async def tried(**told: Any) -> None:
        h.clock.advance(60)
        attempt = Message(Attempted(**told), Cause(h.ctx.ids.new("cmd"), "command.list.pull", MADE_UP.id))
        await h.ctx.kernel.execute(Item(SCHEDULE, PUBLIC, MADE_UP.id, attempt))

    first = await load_made_up(h, *FULL)
    await tried(outcome="failed", reason="The address answered 503")
    row = await status(h)
    assert (row["health"], row["reason"]) == ("failing", "It could not be fetched: The address answered 503")
    await tried(outcome="unchanged", release_id=first["id"])
    assert (await status(h))["health"] == "ok"
    await tried(outcome="failed", reason="The address answered 503")
    h.clock.advance(60)
    await load_made_up(h, *FULL, "+ 99 01")
    assert (await status(h))["health"] == "ok", "an operator loaded it by hand"
    every = Message(SetSchedule(86_400), Cause("cmd_every", "command.list.schedule", MADE_UP.id))
    await h.ctx.kernel.execute(Item(SCHEDULE, PUBLIC, MADE_UP.id, every))
    assert (await status(h))["next_pull"] is not None


async def test_who_may_not_read_lists_sees_no_status(h: Harness) -> None:
    assert (await h.client("reporter").get("/v1/lists/status")).status_code == 403


async def test_all_quarantined_records_can_be_read_page_by_page(h: Harness) -> None:
    wrong = [(n, f"u{n}" if n % 2 else "", "its type is not known" if n % 3 else "it has no name") for n in range(1, 131)]
    release = await load_made_up(h, *(f"? {uid} {reason}" for _, uid, reason in wrong), *(f"+ {n} 01" for n in range(200)), "+ 5 02")
    assert (release["state"], release["records"], release["entries"], release["quarantined"]) == ("accepted", 331, 200, 131)
    assert release["reasons"] == {"its type is not known": 87, "it has no name": 43, "its id stands on an earlier record": 1}
    path, found, cursor = f"/v1/lists/{MADE_UP.id}/releases/{release['id']}/quarantined", [], ""
    while True:
        answer = await get(h, f"{path}?limit=40{cursor}")
        found += answer["items"]
        if answer["next"] is None:
            break
        cursor = f"&cursor={answer['next']}"
    assert [(one["row"], one["uid"] or "", one["reason"]) for one in found] == [*wrong, (331, "5", "its id stands on an earlier record")]
    assert [{"row": one["row"], "reason": one["reason"]} for one in found[:50]] == release["unread"]
    assert len((await get(h, f"{path}?limit=131"))["items"]) == 131
    assert (await get(h, f"{path}?limit=131"))["next"] is None
    for forged in ("Wzdd", MARK):  # [7] is within a line
        assert (await h.client("analyst").get(f"{path}?cursor={forged}")).status_code == 400


async def test_a_release_without_such_a_file_shows_what_stands_with_it(h: Harness) -> None:
    damaged = sdn(mills(40)).replace(b'7,"MILL NUMBER 7"', b'7,"MILL NUMBER 7", too, many')
    release = await load(h, damaged)
    path = f"{PATH}/{release['id']}/quarantined"
    assert (await get(h, path))["items"] == [{"row": 7, "reason": "it has 14 columns where 12 are expected", "uid": "7"}]
    (kept,) = (h.ctx.folder / "raw").glob("*.jsonl")
    kept.unlink()
    assert (await get(h, path))["items"] == [{"row": 7, "reason": "it has 14 columns where 12 are expected", "uid": None}]
    assert (await get(h, f"{PATH}/{(await load(h, sdn(mills(41))))['id']}/quarantined"))["items"] == []
    assert (await h.client("analyst").get(f"{PATH}/{MARK}/quarantined")).status_code == 404
    assert keep_quarantined(h.ctx, "rel_x", iter(()), 50) == []
    assert LIST in path
