"""Assessment and the gate from outside: ratings with their causes, policies, decisions and why."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.assessment import service as assessment
from services.assessment.decisions import service as gate
from shared.events.envelope import Meta
from shared.events.matches import Match, MatchOpened, SignalRef
from shared.events.signals import Source
from shared.events.suppliers import Upstream
from tests.services.assessment_steps import POLICY, STRICTER, SUPPLIER, asked, listed, override, put_policy, ratings, screened
from tests.services.harness import Harness, harness


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Harness]:
    async with harness(tmp_path, assessment.SERVICE, gate.SERVICE) as h:
        yield h


# ---- ratings ----


async def test_every_reassessment_is_kept_with_its_cause_also_where_the_tier_stays(world: Harness) -> None:
    causes = [await screened(world), await listed(world), await screened(world, version=2)]
    found = await ratings(world)
    assert [(r["cause"]["id"], r["tier"], r["previous_tier"]) for r in found] == [
        (causes[0], "low", None), (causes[1], "prohibited", "low"), (causes[2], "prohibited", "prohibited"),
    ]  # fmt: skip


async def test_each_change_of_policy_rates_everyone_once_with_the_change_as_cause(world: Harness) -> None:
    await listed(world)
    await screened(world)
    await screened(world, "sup_2", upstream=(Upstream(supplier_id=SUPPLIER),))
    versions = [await put_policy(world, text) for text in (STRICTER, POLICY, STRICTER, STRICTER)]
    for supplier in (SUPPLIER, "sup_2"):
        again = [r for r in await ratings(world, supplier) if r["cause"]["type"] == "duewatch.policy.changed.v1"]
        assert [r["policy_version"] for r in again] == versions[:3]
        assert len({r["id"] for r in again}) == len({r["cause"]["id"] for r in again}) == 3
    told = {msgspec.json.decode(row.meta, type=Meta).id for row in await world.ctx.store.history("policy", "default", "policy")}
    assert told == {r["cause"]["id"] for r in again}


async def test_who_was_stopped_half_way_rates_back_what_the_policy_of_before_finds(world: Harness) -> None:
    await screened(world)
    first = await put_policy(world, POLICY)
    await world.client("admin").put("/v1/policy", content=STRICTER)
    own = world.ctx.own
    rerate = own._rerate_by_policy

    async def dies() -> int:
        await rerate()
        raise RuntimeError("killed")

    own._rerate_by_policy = dies
    with pytest.raises(RuntimeError):
        await own.policy_step()
    own._rerate_by_policy = rerate
    await put_policy(world, POLICY)
    assert (await ratings(world))[-1]["policy_version"] == first


async def test_a_finding_fades_tier_by_tier_each_time_with_its_alarm_as_cause(world: Harness) -> None:
    await screened(world)
    source = Source(kind="finding", finding_id="fnd_1", indicators=("debt_bondage",))
    signal = SignalRef(id="fnd_1", source=source, event_id="evt_f", event_type="duewatch.signal.published.v1", event_time=world.clock.now())
    match = Match(supplier_id=SUPPLIER, signal=signal, about="party", party_name="Acme", score=1.0, strength="strong")
    await world.publish("matches", MatchOpened(match=match), subject="mat_1", kind="match", partitionkey=SUPPLIER)
    await world.step()
    assert await world.ctx.own.fade_step() == 0
    for _ in range(5 * 53):
        world.clock.advance(7 * 86_400)
        await world.ctx.own.fade_step()
    assert await world.ctx.own.fade_step() == 0
    told = [(r["cause"]["type"], r["tier"]) for r in await ratings(world)]
    assert told == [
        ("duewatch.supplier.screened.v1", "low"), ("duewatch.match.opened.v1", "critical"), ("duewatch.alarm", "high"),
        ("duewatch.alarm", "medium"), ("duewatch.alarm", "low"), ("duewatch.alarm", "low"),
    ]  # fmt: skip  # the last: it is forgotten
    assert len({r["cause"]["id"] for r in await ratings(world)}) == len(told)


# ---- decisions ----


@pytest.mark.parametrize(
    ("body", "field", "told"),
    [
        ({"supplier_id": "s", "effect": "zzmark"}, "effect", "purchase_order, new_site and payment"),
        ({"supplier_ref": {"system": "S4"}}, "supplier_ref", "system and number"),
        ({"supplier_ref": {"system": "S4", "number": 5}}, "supplier_ref.number", "a text"),
        ({"items": [{"supplier_id": "s", "zzmark": 1}]}, "items", "no other field"),
        ({"zzmark": 1}, "body", "no other field"),
        (["zzmark"], "body", "an object"),
        ({}, "supplier_ref", "either supplier_ref or supplier_id"),
        ({"items": []}, "items", "1 to 500"),
        ({"items": [{"supplier_id": "s"}] * 501}, "items", "1 to 500"),
        ({"items": [{"supplier_id": "s"}], "supplier_id": "s"}, "items", "not both"),
    ],
)
async def test_a_question_that_is_none_is_told_what_belongs_there(world: Harness, body: Any, field: str, told: str) -> None:
    answer = await world.client("buyer").post("/v1/decisions", json=body)
    assert answer.status_code == 422
    assert "zzmark" not in answer.text
    (fault,) = answer.json()["errors"]
    assert fault["field"] == field
    assert told in fault["message"]


async def test_answers_come_in_the_order_asked_and_a_repeat_gets_the_first(world: Harness) -> None:
    await screened(world)
    await listed(world)
    await screened(world, "sup_2")
    items = [{"supplier_id": id_} for id_ in ("sup_2", SUPPLIER, "nobody", SUPPLIER)]
    first = await world.client("buyer").post("/v1/decisions", json={"items": items}, headers={"Idempotency-Key": "k"})
    assert [i["decision"] for i in first.json()["items"]] == ["allow", "block", "review", "block"]
    await listed(world, state="cleared")
    again = await world.client("buyer").post("/v1/decisions", json={"items": items}, headers={"Idempotency-Key": "k"})
    assert again.json() == first.json()
    other = await world.client("buyer").post("/v1/decisions", json={"items": items[:1]}, headers={"Idempotency-Key": "k"})
    assert other.status_code == 409
    stranger = world.client("buyer", tenant="other")
    assert [i["supplier_id"] for i in (await stranger.post("/v1/decisions", json={"items": items})).json()["items"]] == [None] * 4


async def test_a_deactivated_supplier_gets_no_new_order_but_its_money(world: Harness) -> None:
    await screened(world, status="inactive")
    for effect, word in (("purchase_order", "review"), ("new_site", "review"), ("payment", "allow")):
        assert (await asked(world, effect))["decision"] == word
    told = await asked(world)
    assert [r["code"] for r in told["reasons"]] == ["inactive_supplier"]
    await screened(world, version=2)
    assert (await asked(world))["decision"] == "allow"


async def test_the_reason_of_an_allow_has_its_time(world: Harness) -> None:
    await screened(world)
    decision = await asked(world)
    chain = (await world.client("buyer").get(f"/v1/decisions/{decision['id']}/why")).json()["chain"]
    assert [link["type"].split(".")[1] for link in chain] == ["decisions", "rating", "supplier"]
    assert all(link["time"] for link in chain)


async def test_why_tells_what_was_known_then(world: Harness) -> None:
    await screened(world)
    await listed(world)
    id_ = await override(world, "allow")
    decision = await asked(world)
    await world.client("analyst").post(f"/v1/overrides/{id_}/revocation", json={"reason": "withdrawn"})
    await listed(world, state="cleared")
    told = (await world.client("buyer").get(f"/v1/decisions/{decision['id']}/why")).json()
    assert (told["chain"][0]["data"]["decision"], told["chain"][1]["data"]["tier"]) == ("allow", "prohibited")
    assert (told["override"]["state"], told["override"]["decided_by"], told["override"]["version"]) == ("active", "bo", 2)
    assert (await world.client("buyer").get(f"/v1/overrides/{id_}")).json()["state"] == "revoked"


# ---- laws ----


async def test_a_rating_and_its_why_name_what_laws_ask_and_the_catalogue_says_the_rest(world: Harness) -> None:
    await screened(world)
    await listed(world)
    buyer = world.client("buyer")
    rating = (await buyer.get(f"/v1/suppliers/{SUPPLIER}/rating")).json()
    asked_for = [duty["id"] for duty in rating["drivers"][0]["obligations"]]
    assert asked_for == ["us_ofac_50.block", "us_ofac_50.report", "us_ofac_records.keep"]
    assert [duty["id"] for duty in rating["legal_obligations"]] == asked_for
    why = (await buyer.get(f"/v1/decisions/{(await asked(world))['id']}/why")).json()
    assert [duty["id"] for duty in why["chain"][1]["data"]["driver"]["obligations"]] == asked_for
    laws = {law["id"]: law for law in (await buyer.get("/v1/laws")).json()["items"]}
    records = laws["us_ofac_records"]
    assert (records["status"], records["retention"]["period"]) == ("unverified", "P10Y")
    assert {
        "id": "us_ofac_50.report",
        "due": "within 10 working days, from the day the property is blocked or the transaction rejected",
    }.items() <= laws["us_ofac_50"]["duties"][1].items()
    assert laws["us_ofac_50"]["status"] == "unverified"
    assert (await buyer.get("/v1/laws/us_ofac_50")).json() == laws["us_ofac_50"]
    assert {law["id"] for law in (await buyer.get("/v1/laws?jurisdiction=FR")).json()["items"]} == {"fr_vigilance"}
    assert (await buyer.get("/v1/laws/nowhere")).status_code == 404
    assert (await world.client("reporter").get("/v1/laws")).status_code == 403
