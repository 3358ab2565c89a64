"""OpenSanctions over HTTP: full loads and deltas, and ids that were merged: who has a review under the old one keeps it under the new one."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.intelligence.releases.loading import Loader
from services.intelligence.service import SERVICE
from tests.services.harness import Harness, harness
from tests.services.intelligence_lists import post, read, work, zipped

LIST = "opensanctions"
FIRST, SECOND = "20260101000000-aaa", "20260102000000-bbb"


@pytest.fixture
async def h(tmp_path: Path) -> AsyncIterator[Harness]:
    async with harness(tmp_path, SERVICE) as started:
        yield started


def entity(id_: str, name: str, *referents: str) -> dict[str, Any]:
    return {"id": id_, "caption": name, "schema": "Company", "properties": {"name": [name]}, "referents": list(referents), "target": True}


def lines(*told: Any) -> bytes:
    return "\n".join(map(json.dumps, told)).encode()


async def load(h: Harness, body: bytes) -> Any:
    release = await post(h, body, LIST)
    await work(Loader(h.ctx))
    return await read(h, release, LIST)


async def entry(h: Harness, uid: str) -> Any:
    return (await h.client("analyst").get(f"/v1/lists/{LIST}/entries/{uid}")).json()


async def full(h: Harness, *entities: Any) -> Any:
    rest = [entity(f"r{n}", f"Rest {n}") for n in range(20)]
    index = json.dumps({"version": FIRST, "last_export": "2026-01-01T00:00:00"}).encode()
    return await load(h, zipped({"entities.ftm.json": lines(*entities, *rest, {"id": "a", "schema": "Address"}), "index.json": index}))


async def test_a_delta_merges_two_ids(h: Harness) -> None:
    release = await full(h, entity("ofac-1", "Zelmar"), entity("eu-2", "Zelmar Freight"))
    assert (release["state"], release["entries"], release["version"]) == ("accepted", 22, FIRST), release
    changes = [
        {"version": SECOND, "base": FIRST}, {"op": "ADD", "entity": entity("NK-1", "Zelmar Freight OOO", "ofac-1", "eu-2", "un-9")},
        {"op": "DEL", "entity": {"id": "ofac-1"}}, {"op": "DEL", "entity": {"id": "eu-2"}}, {"op": "DEL", "entity": {"id": "a"}},
    ]  # fmt: skip
    release = await load(h, lines(*changes))
    assert (release["state"], release["entries"], release["added"], release["deleted"]) == ("accepted", 21, 1, 2), release
    assert (await entry(h, "NK-1"))["formerly"] == [f"{LIST}:eu-2", f"{LIST}:ofac-1"]
    again = await load(h, lines(*changes[:2]))
    assert again["state"] in ("unchanged", "refused"), "upon a version that is in force no more"


async def test_an_id_that_stays_is_nobodys_former_one(h: Harness) -> None:
    await full(h, entity("ofac-1", "Zelmar"), entity("eu-2", "Zelmar Freight"))
    await full(h, entity("NK-1", "Zelmar Freight OOO", "ofac-1", "eu-2"), entity("eu-2", "Zelmar Freight"))
    assert (await entry(h, "NK-1"))["formerly"] == [f"{LIST}:ofac-1"]


async def test_a_delta_upon_another_version_is_refused(h: Harness) -> None:
    await full(h, entity("ofac-1", "Zelmar"))
    release = await load(h, lines({"version": SECOND, "base": "20251231000000-zzz"}, {"op": "DEL", "entity": {"id": "ofac-1"}}))
    assert (release["state"], (await entry(h, "ofac-1"))["name"]) == ("refused", "Zelmar")
