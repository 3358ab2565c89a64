"""Entries that their publisher gives another id say which they had before."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.intelligence.service import SERVICE
from shared.events.signals import PartySignal, SignalPublished
from tests.services.harness import Harness, harness
from tests.services.intelligence_lists import LIST, load, sdn

OTHERS = {n: f"SOUND PARTY {n}" for n in range(200, 220)}  # enough that one entry more or less is no landslide
TAX = "Tax ID No. 7701 (Russia)"


@pytest.fixture
async def h(tmp_path: Path) -> AsyncIterator[Harness]:
    async with harness(tmp_path, SERVICE) as started:
        yield started


async def entry(h: Harness, uid: int) -> Any:
    answer = await h.client("analyst").get(f"/v1/lists/{LIST}/entries/{uid}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_an_entry_says_under_which_ids_its_publisher_had_the_same_party_before(h: Harness) -> None:
    for uid, told in ((1, TAX), (77, TAX), (78, TAX), (79, "Tax ID No. 9 (Russia)"), (80, "")):
        release = await load(h, sdn({uid: "ZELMAR FREIGHT", **OTHERS}, {uid: told}))
        assert release["state"] == "accepted"
    told = [t for t in await h.told("signals") if isinstance(t, SignalPublished)]
    told = [t for t in told if isinstance(t.signal.subject, PartySignal) and t.signal.subject.names[0].name == "ZELMAR FREIGHT"]
    assert [(t.signal.source.uid, t.signal.formerly) for t in told] == [
        ("1", ()), ("77", ("us_ofac_sdn:1",)), ("78", ("us_ofac_sdn:77", "us_ofac_sdn:1")), ("79", ()), ("80", ()),
    ]  # fmt: skip


async def test_it_says_so_as_long_as_it_stands_also_where_it_stood_before(h: Harness) -> None:
    await load(h, sdn({1: "ZELMAR FREIGHT", 2: "Zelmar Freight", **OTHERS}, {1: TAX, 2: TAX}))
    merged = await load(h, sdn({2: "Zelmar Freight", **OTHERS}, {2: TAX}))
    assert (merged["added"], merged["modified"], merged["deleted"]) == (0, 0, 1)
    assert (await entry(h, 2))["formerly"] == ["us_ofac_sdn:1"]
    await load(h, sdn({2: "Zelmar Freight", **OTHERS}, {2: f"{TAX}; Linked To: X"}))
    found = await entry(h, 2)
    assert (found["formerly"], [c["change"] for c in found["history"]]) == (["us_ofac_sdn:1"], ["added", "modified", "modified"])
    assert found["history"][1]["parts"] == ["formerly"]
    await load(h, sdn({1: "ZELMAR FREIGHT", **OTHERS}, {1: f"{TAX}; Linked To: X"}))
    assert (await entry(h, 1))["formerly"] == ["us_ofac_sdn:2"], "never itself"
