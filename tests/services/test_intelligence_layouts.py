"""Sanctions lists through the service: any of their layouts, a change of layout, and files that could harm."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.intelligence.releases.loading import Loader
from services.intelligence.service import SERVICE
from tests.services.harness import Harness, harness
from tests.services.intelligence_lists import post, read, work, zipped
from tests.unit import ofac_layouts
from tests.unit.lists_samples import SAMPLES

OFAC = "us_ofac_sdn"


@pytest.fixture
async def h(tmp_path: Path) -> AsyncIterator[Harness]:
    async with harness(tmp_path, SERVICE) as started:
        yield started


async def loaded(h: Harness, body: bytes, list_id: str) -> list[object]:
    release_id = await post(h, body, list_id)
    await work(Loader(h.ctx))
    release = await read(h, release_id, list_id)
    return [release[name] for name in ("state", "entries", "added", "deleted")]


@pytest.mark.parametrize("name", SAMPLES)
async def test_every_layout_is_recognised_by_what_it_holds(h: Harness, name: str) -> None:
    sample = SAMPLES[name]
    count = 3 if sample.list_id == OFAC else 2
    assert await loaded(h, sample.sound, sample.list_id) == ["accepted", count, count, 0]


async def test_a_change_of_layout_adds_and_deletes_nobody(h: Harness) -> None:
    names = {"primary": "SDN.CSV", "aliases": "ALT.CSV", "addresses": "ADD.CSV"}
    comma = zipped({names[role]: content.encode() for role, content in ofac_layouts.CSV.items()})
    assert await loaded(h, comma, OFAC) == ["accepted", 3, 3, 0]
    assert await loaded(h, ofac_layouts.plain().encode(), OFAC) == ["accepted", 3, 0, 0]
    assert await loaded(h, ofac_layouts.advanced().encode(), OFAC) == ["accepted", 3, 0, 0]


@pytest.mark.parametrize("name", [name for name in SAMPLES if "table" not in name])
async def test_what_could_harm_is_refused_and_the_last_good_release_kept(h: Harness, name: str) -> None:
    sample = SAMPLES[name]
    await loaded(h, sample.sound, sample.list_id)
    before = (await h.client("analyst").get(f"/v1/lists/{sample.list_id}")).json()["release"]["id"]
    root = sample.layout.recognises(sample.sound) and sample.sound.rpartition(b"</")[2].partition(b">")[0]
    assert root
    bomb = b"<!DOCTYPE " + root + b" [<!ENTITY a 'MARK'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]>"
    start = sample.sound.index(b"<" + root)
    for harmful in (sample.sound[:start] + bomb + sample.sound[start:], sample.sound[:-9], sample.sound.replace(b"</", b"\xff</", 1)):
        answer = await h.client("operator").post(f"/v1/lists/{sample.list_id}/releases", content=harmful)
        if answer.status_code == 202:
            await work(Loader(h.ctx))
            answer = await h.client("analyst").get(f"/v1/lists/{sample.list_id}/releases/{answer.json()['id']}")
            assert answer.json()["state"] in ("refused", "failed")
            assert answer.json()["reason"]
        else:
            assert answer.status_code in (400, 413)
        assert "MARK" not in answer.text
        assert (await h.client("analyst").get(f"/v1/lists/{sample.list_id}")).json()["release"]["id"] == before
