"""A tenant's alert budget: acts on what is screened from then on, and on what stands; nobody else's."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.screening.matching.budget import LEAST, threshold_of
from services.screening.matching.model import REVIEW, STRONG
from services.screening.rescreening import Rescreening
from services.screening.service import SERVICE
from shared.events.signals import PartySignal, Signal, SignalName, SignalPublished, Source
from shared.events.suppliers import Profile, SupplierChanged, SupplierRegistered
from tests.services.harness import Harness, harness

ENTRY = "us_ofac_sdn:36"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Harness]:
    async with harness(tmp_path, SERVICE) as h:
        yield h


def entry(name: str = "ZELMAR OVERSEAS FREIGHT") -> SignalPublished:
    about = PartySignal(names=(SignalName(name=name, kind="primary"),))
    return SignalPublished(signal=Signal(subject=about, source=Source(kind="list_entry", list="us_ofac_sdn", uid="36"), digest=name))


async def listed(h: Harness) -> None:
    await h.publish("signals", entry(), subject=ENTRY, tenant="public", kind="entry")
    await h.step()


async def supplied(h: Harness, name: str, *, id_: str = "sup_1", tenant: str = "default", again: bool = False) -> None:
    profile = Profile(name=name, country="DE")
    payload = SupplierChanged(profile=profile) if again else SupplierRegistered(profile=profile)
    await h.publish("suppliers", payload, subject=id_, tenant=tenant, kind="supplier")
    await h.step()


async def put(h: Harness, tenant: str = "default", **body: Any) -> Any:
    answer = await h.client("admin", tenant=tenant).put("/v1/screening-settings", json={"reason": "our desk is small", **body})
    if answer.status_code == 200:
        rescreening = Rescreening(h.ctx)
        while await rescreening.step():
            pass
    return answer


async def matches(h: Harness, tenant: str = "default") -> dict[str, str]:
    items = (await h.client("analyst", tenant=tenant).get("/v1/matches")).json()["items"]
    return {m["supplier_id"]: m["state"] for m in items}


HIGHEST = threshold_of(LEAST)  # that may be set
WEAK = "Zelmer Freight"  # scores between the two thresholds that are shipped


async def test_a_smaller_budget_takes_matches_away_and_a_larger_one_brings_them_back(world: Harness) -> None:
    await listed(world)
    await supplied(world, WEAK)
    (match,) = (await world.client("analyst").get("/v1/matches")).json()["items"]
    assert REVIEW <= match["score"] < STRONG
    for body, state in (
        ({"alert_budget": 0.001}, "withdrawn"),
        ({"alert_budget": 0.05}, "open"),
        ({"review_threshold": HIGHEST}, "withdrawn"),
        ({}, "open"),
    ):
        assert (await put(world, **body)).status_code == 200
        assert await matches(world) == {"sup_1": state}
    history = (await world.client("analyst").get(f"/v1/matches/{match['id']}")).json()["history"]
    assert [h["type"].split(".")[2] for h in history] == ["opened", "withdrawn", "opened", "withdrawn", "opened"]


async def test_it_acts_on_what_comes_from_then_on_whichever_comes_second(world: Harness) -> None:
    await put(world, alert_budget=0.001)
    await supplied(world, WEAK)
    await listed(world)
    await supplied(world, WEAK, id_="sup_2")
    await supplied(world, WEAK, id_="sup_3", tenant="other")
    assert await matches(world) == {}
    assert await matches(world, "other") == {"sup_3": "open"}


async def test_a_start_knows_it_before_anything_comes(tmp_path: Path) -> None:
    async with harness(tmp_path, SERVICE) as h:
        await put(h, alert_budget=0.001)
        await supplied(h, WEAK)
    async with harness(tmp_path, SERVICE) as h:
        await listed(h)
        assert await matches(h) == {}


async def test_what_people_settled_comes_back_settled(world: Harness) -> None:
    await listed(world)
    await supplied(world, WEAK)
    (match,) = (await world.client("analyst").get("/v1/matches")).json()["items"]
    await world.client("analyst").post(
        f"/v1/matches/{match['id']}/review", json={"outcome": "cleared", "reason_code": "different_business"}
    )
    assert await matches(world) == {"sup_1": "cleared"}
    await put(world, alert_budget=0.001)
    await put(world, alert_budget=0.01)
    assert await matches(world) == {"sup_1": "cleared"}


async def test_what_was_judged_by_the_settings_of_before_does_not_undo_the_later_ones(world: Harness) -> None:
    """A batch that was under way comes late: the same sides by older settings have nothing to say; a newer side has, until it is screened again."""
    await listed(world)
    await supplied(world, WEAK)
    await put(world, alert_budget=0.001)
    newer = world.ctx.own.join.thresholds.tenants.pop("default")
    await world.publish("signals", entry(), subject=ENTRY, tenant="public", kind="entry")
    await world.step()
    assert await matches(world) == {"sup_1": "open"}
    world.ctx.own.join.thresholds.tenants["default"] = newer
    await world.ctx.kernel.apply_many([], consumed={f"settings/default/{p}": 0 for p in range(4)})
    while await Rescreening(world.ctx).step():
        pass
    assert await matches(world) == {"sup_1": "withdrawn"}


async def test_what_is_set_is_told_with_who_and_why_and_another_tenant_sees_its_own(world: Harness) -> None:
    shipped = {"review": REVIEW, "strong": STRONG}
    answer = await put(world, alert_budget=0.002)
    told = (await world.client("analyst").get("/v1/screening-settings")).json()
    assert answer.json() == told
    assert (told["alert_budget"], told["review_threshold"], told["version"], told["set_by"], told["reason"]) == (
        0.002, None, 1, "ada", "our desk is small",
    )  # fmt: skip
    assert told["in_force"]["review"] > REVIEW
    other = (await world.client("analyst", tenant="other").get("/v1/screening-settings")).json()
    assert (other["alert_budget"], other["in_force"], other["version"], other["set_by"]) == (None, shipped, 0, None)
    assert (await put(world, alert_budget=0.002)).json()["version"] == 1  # nothing new
    highest = (await put(world, alert_budget=0.0005)).json()["in_force"]
    assert highest["strong"] == highest["review"] > STRONG
    assert (await put(world)).json()["in_force"] == shipped
    (row,) = [r for r in await world.ctx.store.history("screening_settings", "default", "screening") if r.version == 1]
    assert b"our desk is small" in row.data


@pytest.mark.parametrize(
    "body",
    [
        {"alert_budget": 0.0001}, {"alert_budget": 0.5}, {"alert_budget": "NaN"}, {"review_threshold": 0.001}, {"review_threshold": 1.0},
        {"alert_budget": 0.01, "review_threshold": 0.5}, {"alert_budget": 0.01, "reason": ""}, {"budget": 0.01},
    ],
)  # fmt: skip
async def test_what_would_switch_screening_off_or_drown_it_is_refused(world: Harness, body: dict[str, Any]) -> None:
    assert (await put(world, **body)).status_code == 422


@pytest.mark.parametrize("role", ["analyst", "buyer", "operator", "auditor"])
async def test_only_an_admin_sets_it(world: Harness, role: str) -> None:
    answer = await world.client(role).put("/v1/screening-settings", json={"alert_budget": 0.01, "reason": "mine"})
    assert answer.status_code == 403
