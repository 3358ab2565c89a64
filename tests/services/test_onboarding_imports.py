"""Imports: streamed in, worked on row by row, resumed after a crash, none standing in another's way."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.onboarding.imports.files import Files
from services.onboarding.service import SERVICE
from shared.events.suppliers import SupplierRegistered
from tests.services.harness import Harness, harness
from tests.services.onboarding_steps import HEADER, by_ref, counts, imported, seen, sent, work


@pytest.fixture
async def h(tmp_path: Path) -> AsyncIterator[Harness]:
    async with harness(tmp_path, SERVICE) as started:
        yield started


@pytest.fixture
def buyer(h: Harness) -> httpx.AsyncClient:
    return h.client("buyer", subject="bea")


async def test_rows_become_suppliers_and_a_second_time_nothing_changes(h: Harness, buyer: httpx.AsyncClient) -> None:
    body = "\ufeff" + HEADER + '1,Mills One,CN\r\n2,"Mills, Two ""2""",de\r\n\r\n3,工厂,CN'
    job, results = await imported(h, buyer, body)
    assert (job["state"], *counts(job)) == ("done", 3, 3, 0, 0, 0)
    assert [(r["row"], r["number"], r["outcome"], r["errors"]) for r in results] == [(n, str(n), "created", []) for n in (1, 2, 3)]
    two = await by_ref(buyer, "S4:2")
    assert two is not None
    assert (two["id"], two["name"], two["country"]) == (results[1]["supplier_id"], 'Mills, Two "2"', "DE")
    assert (two["import_id"], two["status_cause"]["actor"]) == (job["id"], "bea")
    again, results = await imported(h, buyer, body)
    assert counts(again) == (3, 0, 0, 3, 0)
    assert {r["outcome"] for r in results} == {"unchanged"}
    assert [type(e) for e in await h.told("suppliers")] == [SupplierRegistered] * 3


async def test_bad_rows_are_refused_alone_with_their_field_and_nothing_of_the_input(h: Harness, buyer: httpx.AsyncClient) -> None:
    rows = (
        b"number,name,country\n1,Good One Mills,DE\n2,,DE\n3,=cmd|' /C calc'!A0,DE\n4,Zzmark\x00Nul,DE\n5,Zzmark \xe2\x80\xaeevil,DE\n"
        b'6,Good Two Mills,DE\n7,Zzmark Country,ZZ\n1,Good One Again,DE\n8,\xff\xfe Zzmark,DE\n9,"Zzmark open,DE\n10,Good Three,DE\n'
        b'11,Zzmark,DE,DE\n12,Zzmark "quoted" inside,DE\n13,7" Pipes,DE\n14,' + b"Zzmark" * 30_000 + b",DE\n,Zzmark,ZZ\n15,Last Mills,DE\n"
    )
    job, results = await imported(h, buyer, rows)
    refused = {r["row"]: [e["field"] for e in r["errors"]] for r in results if r["outcome"] == "rejected"}
    wanted = {2: "name", 4: "name", 5: "name", 7: "country", 9: "name", 10: "row", 12: "row", 15: "row", 16: "number"}
    assert refused == {row: [field] for row, field in wanted.items()}
    assert [r["row"] for r in results] == list(range(1, 18))
    assert results[7]["outcome"] == "updated"
    assert results[7]["supplier_id"] == results[0]["supplier_id"]
    assert counts(job) == (17, 7, 1, 0, 9)
    assert "zzmark" not in json.dumps([r for r in results if r["outcome"] == "rejected"]).lower()
    one = await by_ref(buyer, "S4:1")
    assert one is not None
    assert one["name"] == "Good One Again"
    assert await by_ref(buyer, "S4:15") is not None


async def test_a_dry_run_tells_what_would_happen_and_writes_nothing(h: Harness, buyer: httpx.AsyncClient) -> None:
    await imported(h, buyer, HEADER + "1,Mills,CN\n2,Works,CN\n")
    taken = {"external_refs": [{"system": "S4", "number": "9"}, {"system": "OLD", "number": "7"}], "name": "T", "country": "CN"}
    assert (await buyer.post("/v1/suppliers", json={**taken, "external_refs": [{"system": "OLD", "number": "7"}]})).status_code == 201
    told = await h.told("suppliers")
    job, results = await imported(h, buyer, HEADER + "1,Mills,CN\n2,New,CN\n3,Three,CN\n3,Three,CN\n3,Drei,CN\n4,,CN\n", mode="dry_run")
    assert [r["outcome"] for r in results] == ["unchanged", "updated", "created", "unchanged", "updated", "rejected"]
    assert counts(job) == (6, 1, 2, 2, 1)
    _, results = await imported(h, buyer, json.dumps(taken), mode="dry_run", kind="application/x-ndjson")
    assert results[0]["errors"] == [{"field": "external_ref", "message": "is taken"}]
    assert await by_ref(buyer, "S4:3") is None
    assert await h.told("suppliers") == told


@pytest.mark.parametrize("kind", ["text/csv", "application/x-ndjson"])
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"1,Good,DE\n", ""),
        (b"", "empty"),
        (bytes(range(256)) * 100, "binary"),
        ("number,name,country".encode("utf-16"), "UTF-16"),
        (b"x" * 300_000, ""),
        (b"number,name\n1,A\n", ""),
    ],
)
async def test_a_file_that_cannot_be_read_fails_and_stops_nobody(
    h: Harness, buyer: httpx.AsyncClient, body: bytes, reason: str, kind: str
) -> None:
    bad = await sent(buyer, body, kind=kind)
    good = await sent(buyer, HEADER + "1,Good,DE\n")
    await work(h)
    job, results = await seen(buyer, bad)
    assert (job["state"], *counts(job), results) == ("failed", 0, 0, 0, 0, 0, [])
    assert reason in job["reason"]
    assert len(job["reason"]) < 300
    assert (await seen(buyer, good))[0]["state"] == "done"
    assert Files(h.ctx.folder).waiting() == []


async def test_unknown_and_doubled_columns_are_told_by_their_place(h: Harness, buyer: httpx.AsyncClient) -> None:
    job, _ = await imported(h, buyer, "number,name,country,zzmark\n1,A,DE,x\n")
    assert job["state"] == "failed"
    assert "4" in job["reason"]
    assert "zzmark" not in job["reason"]
    job, _ = await imported(h, buyer, "number,name,country,name\n1,A,DE,B\n")
    assert job["state"] == "failed"
    assert "twice" in job["reason"]


async def test_columns_state_their_fields_and_leave_the_others(h: Harness, buyer: httpx.AsyncClient) -> None:
    header = "number,name,country,other_names,lei,vat,register_number,address,city,region,goods,owners,upstream\n"
    row = (
        '1,Mills,CN,Trade Mills;棉纺厂,529900T8BM49AURSDO55,,,"1 Road\nBlock 2",Hotan,CN-XJ,5201:CN:CN-XJ; 5205:IN,'
        "Holding|HK|50.1;Li Wei|CN||person|1970-05,2;2;77\n2,Spinner,CN,,,,,,,,,,\n"
    )
    job, results = await imported(h, buyer, header + row)
    assert counts(job) == (2, 2, 0, 0, 0), results
    one = await by_ref(buyer, "S4:1")
    assert one is not None
    assert one["other_names"] == [{"name": "Trade Mills", "kind": "trade"}, {"name": "棉纺厂", "kind": "local"}]
    assert one["identifiers"] == [{"kind": "lei", "value": "529900T8BM49AURSDO55"}]
    assert one["addresses"] == [{"text": "1 Road\nBlock 2", "city": "Hotan", "country": "CN"}]
    assert one["sites"] == [{"name": "Mills", "country": "CN", "region": "CN-XJ", "address": "1 Road\nBlock 2"}]
    assert one["goods"] == [{"hs": "5201", "origin": "CN", "region": "CN-XJ"}, {"hs": "5205", "origin": "IN"}]
    assert one["owners"] == [
        {"name": "Holding", "kind": "organisation", "country": "HK", "percent": "50.1"},
        {"name": "Li Wei", "kind": "person", "country": "CN", "birth_date": "1970-05"},
    ]
    assert one["upstream"][0] == {"supplier_id": results[1]["supplier_id"]}
    assert len(one["upstream"]) == 2
    await buyer.patch(f"/v1/suppliers/{one['id']}", json={"identifiers": [*one["identifiers"], {"kind": "duns", "value": "123456789"}]})
    job, _ = await imported(h, buyer, "number,name,country,lei,goods\n1,Mills,CN,,\n")
    after = await by_ref(buyer, "S4:1")
    assert after is not None
    assert counts(job) == (1, 0, 1, 0, 0)
    assert (after["goods"], after["identifiers"]) == ([], [{"kind": "duns", "value": "123456789"}])
    assert (after["owners"], after["sites"]) == (one["owners"], one["sites"])
    await imported(h, buyer, "number,name,country,upstream\n77,Late,CN,\n")
    late = await by_ref(buyer, "S4:77")
    assert late is not None
    assert late["id"] == one["upstream"][1]["supplier_id"]


async def test_all_that_is_wrong_with_a_row_is_told(h: Harness, buyer: httpx.AsyncClient) -> None:
    header = "number,name,country,lei,vat,region,goods,owners,upstream\n"
    bad = "1,Mills,DE,529900T8BM49AURSDO00,DE1,CN-XJ,5201,A|DE|101,\n2,Mills,DE,,,,,A||60;B||60,\n3,Mills,DE,,,,,,3\n4,Mills,DE,,,,,A|||person|1970-13,\n"
    job, results = await imported(h, buyer, header + bad)
    assert counts(job)[4] == 4
    assert sorted({e["field"] for e in results[0]["errors"]}) == ["goods", "lei", "owners", "region", "vat"]
    assert [e["field"] for e in results[1]["errors"]] == ["owners"]
    assert [e["field"] for e in results[2]["errors"]] == ["upstream"]
    assert [e["field"] for e in results[3]["errors"]] == ["owners"]


async def test_who_was_registered_by_hand_is_found_by_its_number_and_never_by_its_name(h: Harness, buyer: httpx.AsyncClient) -> None:
    refs = [{"system": "S4", "number": "1"}, {"system": "OLD", "number": "7"}]
    made = (await buyer.post("/v1/suppliers", json={"name": "Mills", "country": "DE", "external_refs": refs})).json()
    rows = "number,name,country,upstream\n1,Mills AG,DE,\n2,Mills AG,DE,1\n"
    _job, results = await imported(h, buyer, rows)
    assert [r["outcome"] for r in results] == ["updated", "created"]
    assert results[0]["supplier_id"] == made["id"]
    one, two = await by_ref(buyer, "S4:1"), await by_ref(buyer, "S4:2")
    assert one is not None
    assert two is not None
    assert (one["name"], one["external_refs"]) == ("Mills AG", refs)
    assert two["upstream"] == [{"supplier_id": made["id"]}]
    _, results = await imported(h, buyer, HEADER + "1,Mills AG,DE\n", system="S5")
    assert results[0]["outcome"] == "created"


async def test_ndjson_rows_are_suppliers_as_the_api_takes_them(h: Harness, buyer: httpx.AsyncClient) -> None:
    ref = {"external_refs": [{"system": "S4", "number": "1"}], "name": "Mills", "country": "DE"}
    rows: list[object] = [
        {**ref, "goods": [{"hs": "5201", "origin": "CN"}]},
        {**ref, "name": "Mills AG"},
        {"name": "No number", "country": "DE"},
        {**ref, "zzmark": 1},
        {**ref, "country": "ZZ", "owners": [{"name": "A", "kind": "zzmark"}]},
    ]
    body = "\n".join(map(json.dumps, rows)) + '\n{"zzmark\n[]\n' + "[" * 20_000 + "\n"
    _job, results = await imported(h, buyer, body.encode() + b"\xff\n", kind="application/x-ndjson")
    assert [r["outcome"] for r in results] == ["created", "updated", *["rejected"] * 7]
    fields = [sorted(e["field"] for e in r["errors"]) for r in results[2:]]
    assert fields == [["external_refs"], ["row"], ["country", "owners.0.kind"], ["row"], ["row"], ["row"], ["row"]]
    assert "zzmark" not in json.dumps(results)
    one = await by_ref(buyer, "S4:1")
    assert one is not None
    assert one["name"] == "Mills AG"
    assert one["goods"] == [{"hs": "5201", "origin": "CN"}]


@pytest.mark.parametrize("mode", ["dry_run", "apply"])
async def test_a_reference_of_another_refuses_its_own_row_only(h: Harness, buyer: httpx.AsyncClient, mode: str) -> None:
    theirs = {"system": "OLD", "number": "7"}
    await buyer.post("/v1/suppliers", json={"name": "Owner", "country": "DE", "external_refs": [theirs]})
    mine = {"system": "S4", "number": "1"}
    rows = [
        {"name": "Mills", "country": "DE", "external_refs": [mine]},
        {"name": "Mills AG", "country": "DE", "external_refs": [mine, theirs]},
        {"name": "Works", "country": "DE", "external_refs": [{"system": "S4", "number": "2"}]},
    ]
    job, results = await imported(h, buyer, "\n".join(map(json.dumps, rows)), kind="application/x-ndjson", mode=mode)
    assert [r["outcome"] for r in results] == ["created", "rejected", "created"]
    assert [e["field"] for e in results[1]["errors"]] == ["external_ref"]
    assert counts(job) == (3, 2, 0, 0, 1)


async def test_who_is_registered_while_an_import_runs_is_updated(
    h: Harness, buyer: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = await sent(buyer, HEADER + "1,Mills AG,DE\n2,Works,DE\n")
    resolve = h.ctx.store.resolve
    made: list[str] = []

    async def late(*asked: Any) -> dict[str, str]:
        found = await resolve(*asked)
        if not made:
            refs = [{"system": "S4", "number": "1"}]
            made.append((await buyer.post("/v1/suppliers", json={"name": "Mills", "country": "DE", "external_refs": refs})).json()["id"])
        return found

    monkeypatch.setattr(h.ctx.store, "resolve", late)
    await work(h)
    _job, results = await seen(buyer, import_id)
    assert [(r["outcome"], r["supplier_id"] == made[0]) for r in results] == [("updated", True), ("created", False)]


async def test_a_number_that_was_taken_away_comes_back_to_its_supplier(h: Harness, buyer: httpx.AsyncClient) -> None:
    _job, results = await imported(h, buyer, HEADER + "1,Mills,DE\n")
    path = f"/v1/suppliers/{results[0]['supplier_id']}"
    await buyer.patch(path, json={"external_refs": [{"system": "S4", "number": "2"}]})
    job, again = await imported(h, buyer, HEADER + "1,Mills,DE\n3,Works,DE\n")
    assert counts(job) == (2, 1, 1, 0, 0)
    assert again[0]["supplier_id"] == results[0]["supplier_id"]
    assert [r["number"] for r in (await buyer.get(path)).json()["external_refs"]] == ["2", "1"]


async def test_a_repeated_key_is_the_same_import_and_another_body_a_conflict(h: Harness, buyer: httpx.AsyncClient) -> None:
    first = await sent(buyer, HEADER + "1,Mills,DE\n", key="k")
    assert await sent(buyer, HEADER + "1,Mills,DE\n", key="k") == first
    assert len(Files(h.ctx.folder).waiting()) == 1
    await work(h)
    assert await sent(buyer, HEADER + "1,Mills,DE\n", key="k") == first
    headers = {"Content-Type": "text/csv", "Idempotency-Key": "k"}
    other = await buyer.post("/v1/supplier-imports?source_system=S4&mode=apply", content=b"number", headers=headers)
    assert other.status_code == 409
    assert Files(h.ctx.folder).waiting() == []
    assert (await seen(buyer, first))[0]["created"] == 1


async def test_what_is_no_import_is_refused_before_its_body_is_kept(h: Harness, buyer: httpx.AsyncClient) -> None:
    good = "/v1/supplier-imports?source_system=S4&mode=apply"
    for path, kind, status in (
        (good, "application/json", 415),
        (good, "text/csv; charset=utf-16", 415),
        ("/v1/supplier-imports?source_system=S4", "text/csv", 422),
        ("/v1/supplier-imports?source_system=S4&mode=zzmark", "text/csv", 422),
        ("/v1/supplier-imports?source_system=a:zzmark&mode=apply", "text/csv", 422),
    ):
        answer = await buyer.post(path, content=b"x", headers={"Content-Type": kind})
        assert answer.status_code == status
        assert "zzmark" not in answer.text
    assert (await h.client("analyst").post(good, content=b"x", headers={"Content-Type": "text/csv"})).status_code == 403
    assert Files(h.ctx.folder).waiting() == []


async def test_imports_are_listed_and_belong_to_a_tenant(h: Harness, buyer: httpx.AsyncClient) -> None:
    made = [await sent(buyer, HEADER + f"{n},Mills,DE\n") for n in range(3)]
    eve = h.client("buyer", tenant="other")
    for path in (f"/v1/supplier-imports/{made[0]}", f"/v1/supplier-imports/{made[0]}/results"):
        assert (await eve.get(path)).status_code == 404
    assert (await eve.get("/v1/supplier-imports")).json()["items"] == []
    first = (await buyer.get("/v1/supplier-imports?limit=2&state=running")).json()
    rest = (await buyer.get(f"/v1/supplier-imports?limit=2&cursor={first['next']}")).json()
    assert {i["id"] for i in [*first["items"], *rest["items"]]} == set(made)
    assert rest["next"] is None
    assert (await buyer.get("/v1/supplier-imports?state=done")).json()["items"] == []
    await imported(h, eve, HEADER + "1,Theirs,DE\n")
    mine = await by_ref(buyer, "S4:1")
    assert mine is not None
    assert mine["name"] == "Mills"
