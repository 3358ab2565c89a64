"""A release that its publisher dated before the one in force: a mirror that lags behind, or a file sent again."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.intelligence.lists import catalogue
from services.intelligence.releases.loading import Loader
from services.intelligence.service import SERVICE
from tests.services.harness import Harness, harness
from tests.services.intelligence_lists import MADE_UP, load_made_up, read, work
from tests.services.list_publisher import Files, serving

PATH = f"/v1/lists/{MADE_UP.id}"
ENTRIES = [f"+ {n} 01" for n in range(20)]
NEWEST = ["@ 2026-01-05 v5", *ENTRIES]
OLDER = ["@ 2026-01-04 v4", *ENTRIES[1:], "+ delisted 01"]


@pytest.fixture
async def h(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Harness]:
    monkeypatch.setitem(catalogue.CATALOGUE, MADE_UP.id, MADE_UP)
    async with harness(tmp_path, SERVICE, egress_allow="127.0.0.0/8") as started:
        yield started


async def get(h: Harness, path: str) -> Any:
    return (await h.client("analyst").get(path)).json()


async def uids(h: Harness) -> set[str]:
    return {one["uid"] for one in (await get(h, f"{PATH}/entries?limit=500"))["items"]}


async def let_in(h: Harness, release: Any) -> Any:
    answer = await h.client("operator", subject="olga").post(f"{PATH}/releases/{release['id']}/acceptance", json={"reason": "so be it"})
    assert answer.status_code == 200, answer.text
    await work(Loader(h.ctx))
    return await read(h, release["id"], MADE_UP.id)


async def test_it_waits_for_an_operator_and_the_last_good_one_stays(h: Harness) -> None:
    good = await load_made_up(h, *NEWEST)
    assert good["refusal"] is None
    told = await h.told("signals")
    h.clock.advance(60)
    refused = await load_made_up(h, *OLDER)
    assert [refused[n] for n in ("state", "refusal", "may_be_let_in", "sweep_id")] == ["refused", "older", True, None]
    assert refused["reason"] == (
        "The release is dated 2026-01-04, the one in force 2026-01-05: it would add 1, change 0 and remove 1 entries; "
        "an older release must be accepted by a person"
    )
    assert refused["let_in_by"] == {"role": "operator", "command": f"duewatch lists accept made_up {refused['id']} --reason WHY"}
    assert (await uids(h), await h.told("signals")) == ({str(n) for n in range(20)}, told)
    row = next(one for one in (await get(h, "/v1/lists/status"))["items"] if one["list"] == MADE_UP.id)
    assert (row["health"], row["reason"], row["release_id"], row["dated"]) == ("refused", refused["reason"], good["id"], "2026-01-05")
    path = f"{PATH}/releases/{refused['id']}/acceptance"
    for role in ("analyst", "admin", "buyer"):
        assert (await h.client(role).post(path, json={"reason": "so be it"})).status_code == 403
    done = await let_in(h, refused)
    assert [done[n] for n in ("state", "refusal", "accepted_by", "added", "deleted")] == ["accepted", None, "olga", 1, 1]
    assert await uids(h) == {str(n) for n in range(1, 20)} | {"delisted"}


async def test_it_waits_though_it_would_change_nothing(h: Harness) -> None:
    """Else what lags behind would make the list look freshly checked, and its day and version go back."""
    first = await load_made_up(h, *NEWEST)
    h.clock.advance(60)
    refused = await load_made_up(h, "@ 2026-01-04 v4", *ENTRIES)
    assert (refused["state"], refused["refusal"]) == ("refused", "older")
    acts = await read(h, first["id"], MADE_UP.id)
    assert [acts[n] for n in ("dated", "version", "seen_at")] == ["2026-01-05", "v5", None]


async def test_a_day_that_was_wrong_goes_back_with_a_persons_word(h: Harness) -> None:
    first = await load_made_up(h, "@ 2062-01-05 v5", *ENTRIES)
    refused = await load_made_up(h, *NEWEST)
    assert (await let_in(h, refused))["state"] == "unchanged"
    assert (await read(h, first["id"], MADE_UP.id))["dated"] == "2026-01-05"
    assert (await load_made_up(h, "@ 2026-01-06 v6", *ENTRIES, "+ new 01"))["state"] == "accepted"


@pytest.mark.parametrize(
    "day", ["2026-01-05", "2026-01-05T00:00:00", "2026-01-06", "-", "in-January"], ids=["same", "time", "later", "none", "words"]
)
async def test_the_same_day_a_later_one_and_an_unknown_one_pass(h: Harness, day: str) -> None:
    await load_made_up(h, "@ 2026-01-05T12:00:00 v5", *ENTRIES)
    assert (await load_made_up(h, f"@ {day} v6", *ENTRIES, "+ new 01"))["state"] == "accepted"


async def test_what_is_behind_one_without_a_day_passes(h: Harness) -> None:
    await load_made_up(h, *ENTRIES)
    assert (await load_made_up(h, *OLDER))["state"] == "accepted"


async def test_deltas_go_by_their_versions(h: Harness) -> None:
    await load_made_up(h, *NEWEST)
    delta = await load_made_up(h, "@ 2026-01-04 v6 v5", "+ new 01")
    assert (delta["state"], delta["added"]) == ("accepted", 1)
    whole = await load_made_up(h, "@ 2026-01-04 v7", *ENTRIES, "+ new 01", "+ newer 01")
    assert whole["state"] == "accepted", "behind a delta its day is the one that stands"


async def test_a_mirror_that_lags_behind_changes_nothing(h: Harness) -> None:
    mirror = Files()
    async with serving(mirror.answer) as mirror.base:
        for told, state in ((NEWEST, "accepted"), (OLDER, "refused"), (["@ 2026-01-07 v7", *ENTRIES, "+ new 01"], "accepted")):
            h.clock.advance(60)
            mirror.files["lines.txt"] = "\n".join(told).encode()
            answer = await h.client("operator", subject="op").post(f"{PATH}/pulls", json={"address": f"{mirror.base}/lines.txt"})
            assert answer.status_code == 202, answer.text
            await work(Loader(h.ctx))
            assert (await read(h, answer.json()["id"], MADE_UP.id))["state"] == state
    assert await uids(h) == {"new", *(str(n) for n in range(20))}
