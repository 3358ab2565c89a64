"""Exceptions at the gate: two people, a reason, an end, and nothing forgiven that they did not know of."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from services.assessment import service as assessment
from services.assessment.decisions import gate as at_the_gate
from services.assessment.decisions import service as gate
from tests.services.assessment_steps import approved, asked, listed, override, screened
from tests.services.harness import Harness, harness


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Harness]:
    async with harness(tmp_path, assessment.SERVICE, gate.SERVICE) as h:
        yield h


@pytest.mark.parametrize("decision", ["review", "block"])
async def test_an_override_may_ask_for_more_than_a_low_rating(world: Harness, decision: str) -> None:
    await screened(world)
    id_ = await override(world, decision)
    told = await asked(world)
    assert (told["decision"], told["override_id"]) == (decision, id_)


async def test_an_override_forgives_nothing_that_came_after_it(world: Harness) -> None:
    await screened(world)
    await listed(world, "weak")
    assert (await asked(world))["decision"] == "review"
    await override(world, "allow")
    assert (await asked(world))["decision"] == "allow"
    await listed(world, "strong")
    told = await asked(world)
    assert (told["decision"], told["override_id"]) == ("block", None)
    await override(world, "allow")  # these two know of it
    assert (await asked(world))["decision"] == "allow"


async def test_of_several_overrides_the_last_approved_one_counts(world: Harness) -> None:
    await screened(world)
    await listed(world)
    first = await override(world, "allow", approve=False)
    world.clock.advance(1)
    await override(world, "review")
    assert (await asked(world))["decision"] == "review"
    world.clock.advance(1)
    await approved(world, first)
    assert (await asked(world))["decision"] == "allow"


async def test_conditions_go_with_the_word_that_the_override_gives(world: Harness) -> None:
    await screened(world)
    await listed(world)
    await override(world, "allow_with_conditions")
    told = await asked(world)
    assert told["decision"] == "allow_with_conditions"
    assert told["conditions"]
    await override(world, "block")
    assert (await asked(world))["conditions"] == []


@pytest.mark.parametrize("few", [0, 1])
async def test_an_override_holds_however_many_there_are(world: Harness, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    monkeypatch.setattr(at_the_gate, "_FEW", few)
    await screened(world)
    await listed(world)
    id_ = await override(world, "allow")
    told = await asked(world)
    assert (told["decision"], told["override_id"]) == ("allow", id_)


async def test_an_override_needs_two_people_and_ends(world: Harness) -> None:
    await screened(world)
    await listed(world)
    id_ = await override(world, "allow", days=0.01, approve=False)
    assert (await approved(world, id_, by="ada")).status_code == 403
    assert (await asked(world))["decision"] == "block"
    assert (await approved(world, id_)).status_code == 200
    told = await asked(world)
    assert told["valid_until"] <= (world.clock.now() + timedelta(days=0.01)).isoformat().replace("+00:00", "Z")
    world.clock.advance(0.01 * 86_400)
    assert (await asked(world))["decision"] == "block"  # before its alarm, too
    await world.step()
    assert (await world.client("analyst").get(f"/v1/overrides/{id_}")).json()["state"] == "expired"


async def test_an_override_cannot_be_approved_after_its_end(world: Harness) -> None:
    await screened(world)
    id_ = await override(world, "block", days=0.01, approve=False)
    world.clock.advance(0.01 * 86_400)
    assert (await approved(world, id_)).status_code == 409


@pytest.mark.parametrize("reason", ["   ", "x", " x ", "a\0bc", "x" * 1001])
async def test_a_reason_says_something(world: Harness, reason: str) -> None:
    await screened(world)
    id_ = await override(world, "block", approve=False)
    answer = await world.client("analyst").post(f"/v1/overrides/{id_}/revocation", json={"reason": reason})
    assert answer.status_code == 422
    assert [e["field"] for e in answer.json()["errors"]] == ["reason"]


async def test_overrides_of_another_tenant_are_not_there(world: Harness) -> None:
    await screened(world)
    id_ = await override(world, "block")
    stranger = world.client("analyst", tenant="other")
    assert (await stranger.get(f"/v1/overrides/{id_}")).status_code == 404
    assert (await stranger.post(f"/v1/overrides/{id_}/revocation", json={"reason": "mine"})).status_code == 404
    assert (await stranger.get("/v1/overrides")).json()["items"] == []
