"""Suppliers over HTTP: registered, read, found, changed, ended; statuses that follow ratings."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.onboarding.service import SERVICE
from shared.events.ratings import CauseRef, RatingChanged, Tier
from shared.events.suppliers import CodeAcknowledged, SupplierChanged, SupplierRegistered, SupplierStatusChanged
from tests.services.harness import Harness, harness

MILLS = {
    "external_refs": [{"system": "S4", "number": "100001"}],
    "name": "Örnek Mills GmbH",
    "country": "DE",
    "other_names": [{"name": "Ornek Trade", "kind": "trade"}],
    "identifiers": [{"kind": "lei", "value": "529900T8BM49AURSDO55"}],
    "addresses": [{"text": "Weg 1\n20095 Hamburg", "city": "Hamburg", "country": "DE"}],
    "sites": [{"name": "Mill", "country": "CN", "region": "CN-XJ"}],
    "owners": [{"name": "A. Holding", "kind": "organisation", "percent": "51.0"}],
    "upstream": [{"supplier_id": "sup_" + "0" * 26}],
    "goods": [{"hs": "5201", "origin": "CN", "region": "CN-XJ"}],
}


@pytest.fixture
async def h(tmp_path: Path) -> AsyncIterator[Harness]:
    async with harness(tmp_path, SERVICE) as started:
        yield started


@pytest.fixture
def buyer(h: Harness) -> httpx.AsyncClient:
    return h.client("buyer", subject="bea")


async def registered(buyer: httpx.AsyncClient, **fields: object) -> dict[str, Any]:
    answer = await buyer.post("/v1/suppliers", json={"name": "Plain Mills", "country": "DE", **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def rate(h: Harness, supplier_id: object, tier: Tier, previous: Tier | None = None) -> str:
    cause = CauseRef(id="evt_x", type="duewatch.match.opened.v1")
    rating = RatingChanged(
        supplier_id=str(supplier_id), external_refs=(), country="DE", tier=tier, previous_tier=previous, cause=cause, policy_version="1"
    )
    event_id = await h.publish("ratings", rating, subject=f"rating-{supplier_id}")
    await h.step()
    return event_id


async def test_a_supplier_is_registered_with_all_that_is_known_and_read_back(h: Harness, buyer: httpx.AsyncClient) -> None:
    made = await registered(buyer, **MILLS)
    answer = await buyer.get(f"/v1/suppliers/{made['id']}")
    assert answer.headers["ETag"] == '"1"'
    assert answer.json() == made
    assert {k: made[k] for k in MILLS} == MILLS
    assert (made["version"], made["status"], made["tier"], made["code_acknowledgements"]) == (1, "active", None, [])
    assert made["status_cause"]["type"] == "command.register"
    assert made["status_cause"]["actor"] == "bea"
    (told,) = await h.told("suppliers")
    assert isinstance(told, SupplierRegistered)
    assert told.profile.name == MILLS["name"]
    assert told.profile.goods[0].region == "CN-XJ"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": "A\x00zzmark"}, "name"),
        ({"name": "A\u202ezzmark"}, "name"),
        ({"country": "ZZ"}, "country"),
        ({"zzmark": 1}, "body"),
        ({"identifiers": [{"kind": "lei", "value": "529900T8BM49AURSDO00"}]}, "identifiers.0"),
        ({"identifiers": [{"kind": "vat", "value": "DE136695977", "country": "DE"}]}, "identifiers.0"),
        ({"owners": [{"name": "B", "kind": "person", "percent": "250"}]}, "owners.0.percent"),
        ({"owners": [{"name": "B", "kind": "person", "birth_date": "12.5.1970"}]}, "owners.0.birth_date"),
        ({"owners": [{"name": n, "kind": "person", "percent": "50.5"} for n in "AB"]}, "owners"),
        ({"owners": [{"name": "B", "kind": "organisation", "birth_date": "1970"}]}, "owners"),
        ({"goods": [{"hs": "5201", "origin": "CN", "region": "IN-TN"}]}, "goods.0"),
        ({"external_refs": [{"system": "S:4", "number": "1"}]}, "external_refs.0.system"),
        ({"upstream": [{"supplier_id": "zzmark"}]}, "upstream.0.supplier_id"),
    ],
)
async def test_what_breaks_a_rule_is_refused_with_the_field_and_without_an_echo(
    buyer: httpx.AsyncClient, fields: dict[str, object], field: str
) -> None:
    answer = await buyer.post("/v1/suppliers", json={"name": "Plain Mills", "country": "DE", **fields})
    assert answer.status_code == 422
    assert [e["field"] for e in answer.json()["errors"]] == [field]
    assert "zzmark" not in answer.text


async def test_a_repeated_key_gives_the_first_answer_and_another_body_is_a_conflict(h: Harness, buyer: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "k1"}
    first = await buyer.post("/v1/suppliers", json=MILLS, headers=key)
    await buyer.patch(f"/v1/suppliers/{first.json()['id']}", json={"name": "Later Mills"})
    again = await buyer.post("/v1/suppliers", json=MILLS, headers=key)
    assert (again.status_code, again.content) == (201, first.content)
    assert (await buyer.post("/v1/suppliers", json={**MILLS, "name": "Other"}, headers=key)).status_code == 409
    assert len(await h.told("suppliers")) == 2


async def test_a_reference_belongs_to_one_supplier_of_a_tenant(h: Harness, buyer: httpx.AsyncClient) -> None:
    ref = [{"system": "S4", "number": "1"}]
    await registered(buyer, external_refs=ref)
    refused = await buyer.post("/v1/suppliers", json={"name": "B", "country": "DE", "external_refs": ref})
    assert refused.status_code == 409
    assert refused.json()["errors"][0]["field"] == "external_ref"
    second = await registered(buyer)
    assert (await buyer.patch(f"/v1/suppliers/{second['id']}", json={"external_refs": ref})).status_code == 409
    await registered(h.client("buyer", tenant="other"), external_refs=ref)


async def test_a_change_replaces_what_is_given_and_only_that(h: Harness, buyer: httpx.AsyncClient) -> None:
    made = await registered(buyer, **MILLS)
    path = f"/v1/suppliers/{made['id']}"
    changed = await buyer.patch(path, json={"name": "New Mills", "goods": []}, headers={"If-Match": '"1"'})
    assert changed.status_code == 200
    assert changed.headers["ETag"] == '"2"'
    assert (changed.json()["name"], changed.json()["goods"], changed.json()["owners"]) == ("New Mills", [], MILLS["owners"])
    same = await buyer.patch(path, json={"name": "New Mills"})
    assert same.json()["version"] == 2
    assert (await buyer.patch(path, json={"name": "X"}, headers={"If-Match": '"1"'})).status_code == 412
    assert (await buyer.patch(path, json={"upstream": [{"supplier_id": made["id"]}]})).status_code == 422
    assert (await buyer.patch(path, json={"name": None})).status_code == 422
    assert [type(e) for e in await h.told("suppliers")] == [SupplierRegistered, SupplierChanged]


async def test_suppliers_are_found_by_reference_status_country_tier_and_part_of_a_name(h: Harness, buyer: httpx.AsyncClient) -> None:
    mills = await registered(buyer, **MILLS)
    plain = await registered(buyer, country="FR")
    await rate(h, plain["id"], "high")
    wanted = {
        "external_ref=S4:100001": [mills],
        "external_ref=S4:%20100001%20": [mills],
        "external_ref=S4:1": [],
        "country=FR": [plain],
        "tier=high": [plain],
        "tier=low": [mills],
        "status=on_hold": [plain],
        "q=ORNEK m": [mills],
        "q=nek trade": [mills],
        "q=mills": [mills, plain],
        "q=mills&country=DE": [mills],
    }
    for query, expected in wanted.items():
        answer = await buyer.get(f"/v1/suppliers?{query}")
        assert {s["id"] for s in answer.json()["items"]} == {s["id"] for s in expected}, query
    for incomplete in ("S4", "S4:", ":1", "S4:%00"):
        assert (await buyer.get(f"/v1/suppliers?external_ref={incomplete}")).status_code == 422
    assert (await buyer.get("/v1/suppliers?cursor=zzmark")).status_code == 400


async def test_pages_show_every_supplier_once(buyer: httpx.AsyncClient) -> None:
    made = {(await registered(buyer))["id"] for _ in range(5)}
    seen: list[object] = []
    query = "limit=2"
    while True:
        answer = (await buyer.get(f"/v1/suppliers?{query}")).json()
        seen += [s["id"] for s in answer["items"]]
        if answer["next"] is None:
            break
        query = f"limit=2&cursor={answer['next']}"
    assert len(seen) == 5
    assert set(seen) == made


async def test_a_status_follows_the_ratings(h: Harness, buyer: httpx.AsyncClient) -> None:
    made = await registered(buyer)
    steps: list[tuple[Tier, str]] = [
        ("medium", "active"), ("high", "on_hold"), ("critical", "blocked"), ("prohibited", "blocked"), ("low", "active"),
    ]  # fmt: skip
    for tier, status in steps:
        event_id = await rate(h, made["id"], tier)
        now = (await buyer.get(f"/v1/suppliers/{made['id']}")).json()
        assert (now["status"], now["tier"]) == (status, tier)
        if tier not in ("medium", "prohibited"):  # these left the status as it was
            assert now["status_cause"]["id"] == event_id
            assert now["status_cause"]["type"] == RatingChanged.type
    moved = [e for e in await h.told("suppliers") if isinstance(e, SupplierStatusChanged)]
    assert [e.status for e in moved] == ["on_hold", "blocked", "active"]


async def test_a_rating_of_nobody_we_know_is_passed_over(h: Harness) -> None:
    await rate(h, "sup_" + "0" * 26, "critical")
    assert await h.told("suppliers") == []
    assert await h.ctx.store.dead_letters() == []


async def test_who_is_inactive_stays_so_and_comes_back_as_the_last_rating_lets_it(h: Harness, buyer: httpx.AsyncClient) -> None:
    made = await registered(buyer)
    path = f"/v1/suppliers/{made['id']}"
    ended = (await buyer.post(f"{path}/deactivation", json={"reason": "closed its mill"})).json()
    assert ended["status"] == "inactive"
    assert (ended["status_cause"]["actor"], ended["status_cause"]["reason"]) == ("bea", "closed its mill")
    await rate(h, made["id"], "prohibited")
    assert (await buyer.get(path)).json()["status"] == "inactive"
    repeated = (await buyer.post(f"{path}/deactivation", json={"reason": "again"})).json()
    assert repeated["status_cause"]["reason"] == "closed its mill"
    back = (await buyer.post(f"{path}/reactivation", json={"reason": "reopened"})).json()
    assert (back["status"], back["status_cause"]["reason"]) == ("blocked", "reopened")


async def test_the_code_of_conduct_is_acknowledged_once_a_version_and_person(h: Harness, buyer: httpx.AsyncClient) -> None:
    made = await registered(buyer)
    path = f"/v1/suppliers/{made['id']}/code-acknowledgements"
    body = {"code_version": "2026-1", "acknowledged_by": "Li Wei"}
    first = await buyer.post(path, json=body)
    h.clock.advance(60)
    again = await buyer.post(path, json=body)
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert first.json() == {**body, "acknowledged_at": "2026-01-01T00:00:00Z"}
    assert (await buyer.get(f"/v1/suppliers/{made['id']}")).json()["code_acknowledgements"] == [first.json()]
    assert [type(e) for e in await h.told("suppliers")] == [SupplierRegistered, CodeAcknowledged]


async def test_buyers_write_others_read_and_other_tenants_find_nothing(h: Harness, buyer: httpx.AsyncClient) -> None:
    made = await registered(buyer)
    path = f"/v1/suppliers/{made['id']}"
    for role in ("analyst", "auditor", "case_worker"):
        assert (await h.client(role).get(path)).status_code == 200
        assert (await h.client(role).patch(path, json={"name": "X"})).status_code == 403
    for role in ("reporter", "partner", "operator"):
        assert (await h.client(role).get("/v1/suppliers")).status_code == 403
    eve = h.client("buyer", tenant="other")
    for answer in (
        await eve.get(path),
        await eve.patch(path, json={"name": "X"}),
        await eve.post(f"{path}/deactivation", json={"reason": "x"}),
        await eve.post(f"{path}/code-acknowledgements", json={"code_version": "1", "acknowledged_by": "x"}),
    ):
        assert answer.status_code == 404
    assert (await eve.get("/v1/suppliers")).json()["items"] == []


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", ""])
async def test_json_that_does_not_say_so_is_told_how_to(buyer: httpx.AsyncClient, kind: str) -> None:
    answer = await buyer.post(
        "/v1/suppliers", content=b'{"name": "Mills", "country": "DE"}', headers={"Content-Type": kind} if kind else {}
    )
    assert answer.status_code == 415
    assert "Content-Type: application/json" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "allowed"), [("/v1/suppliers", "GET, POST"), ("/v1/suppliers/x", "GET, PATCH"), ("/v1/supplier-imports/x", "GET")]
)
async def test_another_method_is_told_all_there_are(buyer: httpx.AsyncClient, path: str, allowed: str) -> None:
    answer = await buyer.put(path, json={})
    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)


async def test_a_mistyped_filter_does_not_find_everything(buyer: httpx.AsyncClient) -> None:
    answer = await buyer.get("/v1/suppliers?zzmark=CN")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "query")
    assert "country" in answer.text
    assert "zzmark" not in answer.text
    assert (await buyer.get("/v1/supplier-imports/x?zzmark=1")).status_code == 422
    assert (await buyer.get("/v1/supplier-imports/x?limit=1")).status_code == 404


async def test_a_bug_is_logged_with_its_tenant_and_without_what_was_sent(
    h: Harness, buyer: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("zzmark")

    monkeypatch.setattr(h.ctx.store, "find", broken)
    answer = await buyer.get("/v1/suppliers?q=zzmark")
    assert answer.status_code == 500
    (record,) = [one for one in caplog.records if one.name == "duewatch.http"]
    assert (record.__dict__["tenant"], record.__dict__["id"]) == ("default", answer.json()["id"])
    assert "zzmark" not in str(record.__dict__)
