"""Assessment and the gate from outside: ratings with their causes, policies, decisions, overrides and why."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.assessment import service as assessment
from services.assessment.decisions import service as gate
from services.assessment.policy import STANDARD
from shared.events.envelope import Meta
from shared.events.matches import Match, MatchChanged, MatchOpened, MatchReviewed, SignalRef, SupplierScreened
from shared.events.signals import Source
from shared.events.suppliers import ExternalRef, Profile, Status, Upstream
from tests.services.harness import Harness, harness

POLICY = STANDARD.read_text()
STRICTER = POLICY.replace("strong: 0.95", "strong: 0.96")
SUPPLIER = "sup_1"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Harness]:
    async with harness(tmp_path, assessment.SERVICE, gate.SERVICE) as h:
        yield h


async def screened(h: Harness, supplier: str = SUPPLIER, *, status: Status = "active", version: int = 1, **profile: Any) -> str:
    told = Profile(name="Acme", country="DE", external_refs=(ExternalRef(system="S4", number=supplier),), **profile)
    payload = SupplierScreened(supplier_id=supplier, supplier_version=version, profile=told, status=status, matches=0)
    event = await h.publish("matches", payload, subject=supplier, kind="screening", partitionkey=supplier)
    await h.step()
    return event


async def listed(h: Harness, strength: Any = "strong", state: Any = "open", supplier: str = SUPPLIER) -> str:
    source = Source(kind="list_entry", list="us_ofac_sdn", uid="36", release_id="rel_1")
    signal = SignalRef(id="us_ofac_sdn:36", source=source, name="ACME", event_id="evt_s", event_type="duewatch.signal.published.v1")
    match = Match(supplier_id=supplier, signal=signal, about="party", party_name="Acme", score=0.9, strength=strength, state=state)
    payload = (
        MatchReviewed(match=match) if state != "open" else MatchOpened(match=match) if strength == "weak" else MatchChanged(match=match)
    )
    event = await h.publish("matches", payload, subject="mat_1", kind="match", partitionkey=supplier)
    await h.step()
    return event


async def asked(h: Harness, effect: str = "purchase_order", **headers: str) -> dict[str, Any]:
    answer = await h.client("buyer").post("/v1/decisions", json={"supplier_id": SUPPLIER, "effect": effect}, headers=headers)
    assert answer.status_code == 200
    told: dict[str, Any] = answer.json()
    return told


async def override(h: Harness, decision: str, *, days: float = 1, approve: bool = True) -> str:
    until = (h.clock.now() + timedelta(days=days)).isoformat()
    body = {"supplier_id": SUPPLIER, "effect": "purchase_order", "decision": decision, "reason": "a licence", "expires_at": until}
    made = await h.client("analyst").post("/v1/overrides", json=body)
    assert made.status_code == 201, made.text
    id_ = str(made.json()["id"])
    if approve:
        assert (await approved(h, id_)).status_code == 200
    return id_


async def approved(h: Harness, id_: str, by: str = "bo") -> Any:
    body = {"outcome": "approved", "reason": "the licence was seen"}
    return await h.client("analyst", subject=by).post(f"/v1/overrides/{id_}/approval", json=body)


async def ratings(h: Harness, supplier: str = SUPPLIER) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await h.client("analyst").get(f"/v1/suppliers/{supplier}/ratings")).json()["items"]
    return items


async def put_policy(h: Harness, text: str) -> str:
    answer = await h.client("admin").put("/v1/policy", content=text)
    assert answer.status_code == 200, answer.text
    while await h.ctx.own.policy_step():
        pass
    await h.node.contexts["gate"].own.policies.refresh()
    return str(answer.json()["version"])


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


# ---- overrides ----


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


async def test_overrides_of_another_tenant_are_not_there(world: Harness) -> None:
    await screened(world)
    id_ = await override(world, "block")
    stranger = world.client("analyst", tenant="other")
    assert (await stranger.get(f"/v1/overrides/{id_}")).status_code == 404
    assert (await stranger.post(f"/v1/overrides/{id_}/revocation", json={"reason": "mine"})).status_code == 404
    assert (await stranger.get("/v1/overrides")).json()["items"] == []
