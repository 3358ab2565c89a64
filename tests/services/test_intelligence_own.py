"""A list of one's own over HTTP: mapped, loaded, read, in the table of all lists."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.intelligence.releases.loading import Loader
from services.intelligence.service import SERVICE
from tests.services.harness import Harness, harness
from tests.services.intelligence_lists import post, read, work

LIST = "own_blocked"
MAPPING = f'{{list: {LIST}, title: Suppliers we do not buy from, columns: {{uid: "No", name: Company, countries: Country}}}}'


@pytest.fixture
async def h(tmp_path: Path) -> AsyncIterator[Harness]:
    async with harness(tmp_path, SERVICE) as started:
        yield started


async def test_from_the_mapping_to_an_entry(h: Harness) -> None:
    operator, analyst = h.client("operator", subject="op"), h.client("analyst")
    assert (await operator.post(f"/v1/lists/{LIST}/releases", content=b"x")).status_code == 404
    answer = await operator.put(f"/v1/lists/{LIST}/mapping", content=MAPPING)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["mapped_by"], answer.json()["mapping"]["columns"]["uid"]) == ("op", "No")
    assert (await analyst.get(f"/v1/lists/{LIST}/mapping")).json() == answer.json()
    release = await post(h, b"No;Company;Country\n7;Acme GmbH;DE\n8;;DE\n", LIST)
    await work(Loader(h.ctx))
    found = await read(h, release, LIST)
    assert (found["state"], found["entries"], found["quarantined"]) == ("accepted", 1, 1), found
    assert (await analyst.get(f"/v1/lists/{LIST}/entries/7")).json()["countries"] == ["DE"]
    assert LIST in [one["id"] for one in (await analyst.get("/v1/lists")).json()["items"]]
    assert LIST in [one["list"] for one in (await analyst.get("/v1/lists/status")).json()["items"]]
    assert (await analyst.get(f"/v1/lists/{LIST}")).json()["title"] == "Suppliers we do not buy from"


async def test_a_mapping_that_changes_is_kept_and_one_that_does_not_is_no_event(h: Harness) -> None:
    operator = h.client("operator", subject="op")
    first = (await operator.put(f"/v1/lists/{LIST}/mapping", content=MAPPING)).json()
    again = (await h.client("operator", subject="other").put(f"/v1/lists/{LIST}/mapping", content=MAPPING)).json()
    assert again == first
    changed = (await operator.put(f"/v1/lists/{LIST}/mapping", content=MAPPING.replace("Company", "Firm"))).json()
    assert changed["mapping"]["columns"]["name"] == "Firm"


@pytest.mark.parametrize(
    ("list_id", "content", "status"),
    [
        (LIST, "a: [", 422), (LIST, MAPPING.replace("name", "nam"), 422), ("own_other", MAPPING, 422), ("us_ofac_sdn", MAPPING, 422),
        (LIST, "x" * 70_000, 413), (LIST, "", 422),
    ],
)  # fmt: skip
async def test_a_wrong_mapping_is_refused(h: Harness, list_id: str, content: str, status: int) -> None:
    answer = await h.client("operator").put(f"/v1/lists/{list_id}/mapping", content=content)
    assert answer.status_code == status, answer.text
    assert (await h.client("analyst").get(f"/v1/lists/{LIST}/mapping")).status_code == 404


async def test_only_an_operator_maps(h: Harness) -> None:
    assert (await h.client("analyst").put(f"/v1/lists/{LIST}/mapping", content=MAPPING)).status_code == 403
