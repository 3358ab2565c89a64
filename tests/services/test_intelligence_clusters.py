"""The same party on several lists: each entry says where else it stands, as long as the other one is in force."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.intelligence.releases.loading import Loader
from services.intelligence.service import SERVICE
from tests.services.harness import Harness, harness
from tests.services.intelligence_lists import LIST, post, sdn, work

CONS = "us_ofac_cons"
TAX = "Tax ID No. 7707083893 (Russia)"


@pytest.fixture
async def h(tmp_path: Path) -> AsyncIterator[Harness]:
    async with harness(tmp_path, SERVICE) as started:
        yield started


async def entry(h: Harness, list_id: str, uid: int) -> Any:
    answer = await h.client("analyst").get(f"/v1/lists/{list_id}/entries/{uid}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def load(h: Harness, list_id: str, body: bytes) -> None:
    await post(h, body, list_id)
    await work(Loader(h.ctx))


async def test_an_entry_says_where_else_its_party_is_listed(h: Harness) -> None:
    await load(h, LIST, sdn({1: "ZELMAR FREIGHT", 2: "ZELMAR FREIGHT", 3: "OTHER"}, {1: TAX, 3: "Tax ID No. 99999999999 (Iran)"}))
    await load(h, CONS, sdn({7: "Zelmar Shipping OOO", 8: "OTHER"}, {7: TAX}))
    told = {"list": CONS, "uid": "7", "signal_id": f"{CONS}:7", "name": "Zelmar Shipping OOO", "programs": ["TEST"]}
    assert (await entry(h, LIST, 1))["also_listed_as"] == [told]
    assert [(one["list"], one["uid"]) for one in (await entry(h, CONS, 7))["also_listed_as"]] == [(LIST, "1")]
    for list_id, uid in ((LIST, 2), (LIST, 3), (CONS, 8)):
        assert (await entry(h, list_id, uid))["also_listed_as"] == [], "a name alone joins nobody"


async def test_one_that_is_gone_is_told_no_more(h: Harness) -> None:
    rest = {n: f"SOUND {n}" for n in range(100, 120)}
    await load(h, LIST, sdn({1: "ZELMAR FREIGHT"}, {1: TAX}))
    await load(h, CONS, sdn({7: "Zelmar", **rest}, {7: TAX}))
    await load(h, CONS, sdn(rest))
    assert (await entry(h, LIST, 1))["also_listed_as"] == []
