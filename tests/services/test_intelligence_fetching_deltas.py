"""OpenSanctions pulled: all of it first, then the changes from version to version, and all of it again where the way between is not known."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.intelligence.releases.loading import Loader
from services.intelligence.service import SERVICE
from tests.services.harness import Harness, harness
from tests.services.intelligence_lists import work
from tests.services.list_publisher import Files, serving

LIST = "opensanctions"
MANY = {f"n{n}": f"Number {n} Mills" for n in range(8)}  # so that one of them may go without a person's word
V1, V2, V3, V4 = (f"2026010{n}000000-abc" for n in range(1, 5))


def entity(uid: str, name: str) -> dict[str, Any]:
    return {"id": uid, "schema": "Company", "target": True, "properties": {"name": [name]}}


class Publisher(Files):
    """One that has versions, and the changes between them."""

    def holds(self, version: str, names: dict[str, str], deltas: dict[str, list[dict[str, Any]]]) -> None:
        """All of a version, and the deltas of its window by the version that each leads to."""
        self.asked.clear()
        self.files = {f"d-{v}": "\n".join(map(json.dumps, changes)).encode() for v, changes in deltas.items()}
        self.files["entities"] = "\n".join(json.dumps(entity(*one)) for one in names.items()).encode()
        self.files["index"] = json.dumps({"version": version, "delta_url": f"{self.base}/delta"}).encode()
        self.files["delta"] = json.dumps({"versions": {v: f"{self.base}/d-{v}" for v in deltas}}).encode()


@pytest.fixture
async def publisher() -> AsyncIterator[Publisher]:
    found = Publisher()
    async with serving(found.answer) as found.base:
        yield found


@pytest.fixture
async def h(tmp_path: Path, publisher: Publisher) -> AsyncIterator[Harness]:
    addresses = f"    primary: {publisher.base}/entities\n    index: {publisher.base}/index\n"
    (tmp_path / "lists.yaml").write_text(f"{LIST}:\n  files:\n{addresses}")
    async with harness(tmp_path / "data", SERVICE, egress_allow="127.0.0.0/8", lists=str(tmp_path / "lists.yaml")) as started:
        yield started


async def pull(h: Harness) -> dict[str, Any]:
    operator = h.client("operator", subject="op")
    answer = await operator.post(f"/v1/lists/{LIST}/pulls", json={}, headers={"Idempotency-Key": h.ctx.ids.new("key")})
    assert answer.status_code == 202, answer.text
    await work(Loader(h.ctx))
    release = (await operator.get(f"/v1/lists/{LIST}/releases/{answer.json()['id']}")).json()
    entries = (await operator.get(f"/v1/lists/{LIST}/entries")).json()["items"]
    return {"outcome": answer.json()["outcome"], "names": {e["uid"]: e["name"] for e in entries}, **release}


async def test_changes_are_applied_in_the_order_of_versions(h: Harness, publisher: Publisher) -> None:
    publisher.holds(V1, {**MANY, "a": "Alder Mills", "b": "Birch Mills"}, {V1: []})
    first = await pull(h)
    assert (first["state"], first["version"], first["names"]) == ("accepted", V1, {**MANY, "a": "Alder Mills", "b": "Birch Mills"})
    assert (await pull(h))["outcome"] == "unchanged"

    two = [{"op": "ADD", "entity": entity("c", "Cedar Mills")}, {"op": "MOD", "entity": entity("a", "Alder Works")}]
    three = [{"op": "DEL", "entity": {"id": "b"}}, {"op": "MOD", "entity": entity("c", "Cedar Works")}]
    publisher.holds(V3, {}, {V1: [], V2: two, V3: three})
    third = await pull(h)
    assert publisher.asked == ["index", "delta", f"d-{V2}", f"d-{V3}"]
    assert (third["state"], third["version"], third["deleted"]) == ("accepted", V3, 1)
    assert third["names"] == {**MANY, "a": "Alder Works", "c": "Cedar Works"}


async def test_all_of_it_is_fetched_where_the_window_no_longer_reaches_back(h: Harness, publisher: Publisher) -> None:
    publisher.holds(V1, {"a": "Alder Mills"}, {V1: []})
    await pull(h)
    publisher.holds(V4, {"a": "Alder Mills", "d": "Dogwood Mills"}, {V3: [], V4: []})
    fourth = await pull(h)
    assert "entities" in publisher.asked
    assert (fourth["version"], fourth["names"]) == (V4, {"a": "Alder Mills", "d": "Dogwood Mills"})


async def test_a_step_that_is_missing_changes_nothing(h: Harness, publisher: Publisher) -> None:
    publisher.holds(V1, {"a": "Alder Mills"}, {V1: []})
    await pull(h)
    publisher.holds(V3, {}, {V1: [], V2: [], V3: []})
    del publisher.files[f"d-{V3}"]
    operator = h.client("operator", subject="op")
    answer = await operator.post(f"/v1/lists/{LIST}/pulls", json={})
    assert answer.status_code == 503
    await work(Loader(h.ctx))
    assert (await operator.get(f"/v1/lists/{LIST}")).json()["release"]["version"] == V1
