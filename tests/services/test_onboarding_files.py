"""Files that are not quite what was asked for: what can be read of them is, and what cannot says why."""

import asyncio
import gzip
import json
import resource
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from services.onboarding.imports.files import Files
from services.onboarding.imports.running import Importer
from services.onboarding.service import SERVICE
from tests.services.harness import Harness, harness
from tests.services.onboarding_steps import HEADER, by_ref, counts, imported, sent

GOOD = json.dumps({"name": "Mills", "country": "DE", "external_refs": [{"system": "S4", "number": "1"}]})
NDJSON = "application/x-ndjson"


@pytest.fixture
async def h(tmp_path: Path) -> AsyncIterator[Harness]:
    async with harness(tmp_path, SERVICE) as started:
        yield started


@pytest.fixture
def buyer(h: Harness) -> httpx.AsyncClient:
    return h.client("buyer", subject="bea")


@pytest.mark.parametrize("first", ["garbage", '{"name":"' + "a" * 200_000 + '"}', "[1]", "\n"])
async def test_a_bad_first_line_of_ndjson_costs_no_other(h: Harness, buyer: httpx.AsyncClient, first: str) -> None:
    job, _ = await imported(h, buyer, f"{first}\n{GOOD}\n", kind=NDJSON)
    assert (job["state"], job["created"]) == ("done", 1)


async def test_what_is_no_ndjson_at_all_fails_as_a_whole(h: Harness, buyer: httpx.AsyncClient) -> None:
    job, results = await imported(h, buyer, HEADER + "1,Mills,DE\n" * 100, kind=NDJSON)
    assert (job["state"], results) == ("failed", [])


async def test_a_refused_line_of_ndjson_is_told_with_its_number_and_what_is_wrong(h: Harness, buyer: httpx.AsyncClient) -> None:
    body = json.dumps({**json.loads(GOOD), "country": "ZZ", "goods": [{"hs": 5201, "origin": "CN"}]})
    job, (told,) = await imported(h, buyer, body, kind=NDJSON)
    assert counts(job) == (1, 0, 0, 0, 1)
    assert (told["number"], told["outcome"]) == ("1", "rejected")
    assert {e["field"]: e["message"] for e in told["errors"]}["goods.0.hs"] == "Must be text"


@pytest.mark.parametrize("content_type", ["text/csv; header=present; charset=UTF-8", 'TEXT/CSV;charset="utf-8"', "text/csv;"])
async def test_parameters_of_the_type_may_stand_in_any_order(h: Harness, buyer: httpx.AsyncClient, content_type: str) -> None:
    job, _ = await imported(h, buyer, HEADER + "1,Mills,DE\n", kind=content_type)
    assert job["state"] != "failed"


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/json"},
        {"Content-Type": "text/csv; charset=latin1"},
        {"Content-Type": "text/csv; header=absent"},
        {"Content-Type": "text/csv", "Content-Encoding": "gzip"},
        {},
    ],
)
async def test_another_type_is_refused_with_what_to_send(h: Harness, buyer: httpx.AsyncClient, headers: dict[str, str]) -> None:
    body = gzip.compress((HEADER + "1,Mills,DE\n").encode())
    answer = await buyer.post("/v1/supplier-imports?source_system=S4&mode=apply", content=body, headers=headers)
    assert answer.status_code == 415
    assert len(answer.json()["detail"]) > 15
    assert Files(h.ctx.folder).waiting() == []


async def test_a_system_of_another_form_is_told_which(buyer: httpx.AsyncClient) -> None:
    answer = await buyer.post("/v1/supplier-imports?source_system=a:b&mode=apply", content=b"x", headers={"Content-Type": "text/csv"})
    assert answer.json()["errors"][0]["message"].startswith("Must be of the form ^[A-Za-z0-9]")


async def test_a_vat_number_of_another_country_of_the_eu_is_kept_as_that_countrys(h: Harness, buyer: httpx.AsyncClient) -> None:
    job, _ = await imported(h, buyer, "number,name,country,vat\n1,Mills,CN,DE136695976;91350211M000100Y46\n2,Mills,GR,GR094259216\n")
    assert counts(job) == (2, 2, 0, 0, 0)
    one, two = await by_ref(buyer, "S4:1"), await by_ref(buyer, "S4:2")
    assert one is not None
    assert two is not None
    assert [(i["value"], i["country"]) for i in one["identifiers"]] == [("DE136695976", "DE"), ("91350211M000100Y46", "CN")]
    assert [(i["value"], i["country"]) for i in two["identifiers"]] == [("EL094259216", "GR")]


async def test_what_was_cut_off_is_taken_away_and_what_still_comes_in_is_not(h: Harness) -> None:
    files, go_on = Files(h.ctx.folder), asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"x" * 3_000_000
        await go_on.wait()
        yield b"end"

    coming = asyncio.create_task(files.store(files.name(h.clock.now(), "default", "imp_x", "up_x"), body()))
    folder = h.ctx.folder / "imports" / "waiting"
    cut_off = folder / (files.name(h.clock.now(), "default", "imp_y", "up_y") + ".part")
    cut_off.write_bytes(b"from before a kill")
    while len(list(folder.iterdir())) < 2:
        await asyncio.sleep(0.01)
    files.discard_parts(60, time.time())
    assert cut_off.exists(), "too young to be sure of it"
    files.discard_parts(60, time.time() + 61)
    assert not cut_off.exists()
    go_on.set()
    assert (await coming).size == 3_000_003


async def test_a_tenant_waits_with_more_files_than_may_lie_here_at_once(h: Harness, buyer: httpx.AsyncClient) -> None:
    path, kind = "/v1/supplier-imports?source_system=S4&mode=apply", {"Content-Type": "text/csv"}
    for n in range(19):
        assert (await buyer.post(path, content=HEADER + f"{n},Mills,DE\n", headers=kind)).status_code == 202
    go_on = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield HEADER.encode()
        await go_on.wait()

    coming = asyncio.create_task(buyer.post(path, content=slow(), headers=kind))
    while Files(h.ctx.folder).held("default") < 20:
        await asyncio.sleep(0.01)
    refused = await buyer.post(path, content=HEADER, headers=kind)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "30")
    assert (await h.client("buyer", tenant="other").post(path, content=HEADER, headers=kind)).status_code == 202
    go_on.set()
    assert (await coming).status_code == 202


async def test_tenants_take_turns_and_a_tenants_files_keep_their_order(h: Harness, buyer: httpx.AsyncClient) -> None:
    other = h.client("buyer", tenant="other")
    made: dict[str, list[str]] = {"mine": [], "theirs": []}
    for whose in ("mine", "mine", "mine", "theirs", "theirs"):
        h.clock.advance(1)
        made[whose].append(await sent(buyer if whose == "mine" else other, HEADER + "1,Mills,DE\n"))
    mine, theirs = made.values()
    importer, done = Importer(h.ctx), list[str]()
    while await importer.step():
        for caller in (buyer, other):
            ended = (await caller.get("/v1/supplier-imports?state=done")).json()["items"]
            done += [one["id"] for one in ended if one["id"] not in done]
    assert done == [mine[0], theirs[0], mine[1], theirs[1], mine[2]]


async def test_a_full_disk_is_said_and_nothing_stays(h: Harness, buyer: httpx.AsyncClient) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, before[1]))
    try:
        answer = await buyer.post(
            "/v1/supplier-imports?source_system=S4&mode=apply", content=b"1,Mills,DE\n" * 80_000, headers={"Content-Type": "text/csv"}
        )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert answer.status_code == 503
    assert "no room" in answer.json()["detail"]
    assert Files(h.ctx.folder).held("default") == 0
