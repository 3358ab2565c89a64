"""What a person sees of an exposure that a list gave: its codes, words, abuse and interval."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.intelligence.releases.loading import Loader
from services.intelligence.service import SERVICE
from tests.services.harness import Harness, harness
from tests.services.intelligence_lists import post, read, work


@pytest.fixture
async def h(tmp_path: Path) -> AsyncIterator[Harness]:
    async with harness(tmp_path, SERVICE) as made:
        yield made


async def test_an_exposure_of_a_list_is_told_with_all_that_it_says(h: Harness) -> None:
    table = (
        b"Good,Country,Child Labor,Forced Labor,Date Added,Date Removed\nCotton,China,Yes,No,2009,2031-05-01\nPornography,China,Yes,No,,\n"
    )
    release_id = await post(h, table, "us_ilab_tvpra")
    await work(Loader(h.ctx))
    assert (await read(h, release_id, "us_ilab_tvpra"))["state"] == "accepted"
    analyst = h.client("analyst")
    cotton = (await analyst.get("/v1/lists/us_ilab_tvpra/entries/cotton.CN")).json()
    assert {
        name: cotton[name] for name in ("about", "good", "hs", "more_hs", "origin", "abuses", "valid_from", "valid_until")
    } == {
        "about": "exposure", "good": "Cotton", "hs": "140420", "more_hs": ["5201", "5202", "5203"], "origin": "CN",
        "abuses": ["child_labour"], "valid_from": "2009-01-01", "valid_until": "2031-05-01",
    }  # fmt: skip
    uncoded = (await analyst.get("/v1/lists/us_ilab_tvpra/entries/pornography.CN")).json()
    assert (uncoded["good"], "hs" in uncoded) == ("Pornography", False)
