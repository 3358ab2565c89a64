"""Releases fetched from an address: whole, through the egress guard, and once for one Idempotency-Key."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.intelligence.lists import catalogue
from services.intelligence.releases.loading import Loader
from services.intelligence.service import SERVICE
from tests.services.harness import Harness, harness
from tests.services.intelligence_lists import LIST, MARK, mills, read, sdn, work, zipped
from tests.services.list_publisher import Files, serving

PULLS = f"/v1/lists/{LIST}/pulls"


@pytest.fixture
async def publisher() -> AsyncIterator[Files]:
    found = Files()
    async with serving(found.answer) as found.base:
        yield found


@pytest.fixture
async def h(tmp_path: Path) -> AsyncIterator[Harness]:
    async with harness(tmp_path, SERVICE, egress_allow="127.0.0.0/8") as started:
        yield started


async def pull(h: Harness, body: dict[str, Any], expect: int = 202, **headers: str) -> Any:
    answer = await h.client("operator", subject="op").post(PULLS, json=body, headers={k.replace("_", "-"): v for k, v in headers.items()})
    assert answer.status_code == expect, answer.text
    assert MARK not in answer.text
    return answer.json()


def parts(h: Harness) -> list[str]:
    return [p.name for p in (h.ctx.folder / "raw").iterdir() if "." in p.name]


async def test_all_files_of_the_publisher_become_one_release(h: Harness, publisher: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = catalogue.find(LIST)
    files = tuple(msgspec.structs.replace(f, address=f"{publisher.base}/{f.name}") for f in spec.files)
    layout = msgspec.structs.replace(spec.layouts[0], files=files)
    monkeypatch.setitem(catalogue.CATALOGUE, LIST, msgspec.structs.replace(spec, layouts=(layout,)))
    publisher.files = {
        "SDN.CSV": sdn(mills(5)),
        "ALT.CSV": b'1,1,"aka","OTHER NAME",-0- \r\n',
        "ADD.CSV": b"\x1a",
        "SDN_COMMENTS.CSV": b"\x1a",
    }
    first = await pull(h, {})
    await work(Loader(h.ctx))
    release = await read(h, first["id"])
    assert (release["state"], release["added"], release["source"]) == ("accepted", 5, "pull")
    names = (await h.client("analyst").get(f"/v1/lists/{LIST}/entries/1")).json()["names"]
    assert [n["name"] for n in names] == ["MILL NUMBER 1", "OTHER NAME"]
    h.clock.advance(86_400)
    again = await read(h, (await pull(h, {}))["id"])
    assert again["sha256"] == release["sha256"]  # the same files are the same archive
    del publisher.files["ALT.CSV"]
    await pull(h, {}, 503)  # a part of a release is none
    assert parts(h) == []


async def test_one_address(h: Harness, publisher: Files) -> None:
    publisher.files["all.zip"] = zipped({"SDN.CSV": sdn(mills(3))})
    release_id = (await pull(h, {"address": f"{publisher.base}/all.zip"}))["id"]
    await work(Loader(h.ctx))
    assert (await read(h, release_id))["state"] == "accepted"
    publisher.moved["away"] = "SDN.CSV"
    for missing, told in ((MARK, "answered 404"), ("away", "answered 404")):
        assert told in (await pull(h, {"address": f"{publisher.base}/{missing}"}, 503))["detail"]
    assert publisher.asked == ["all.zip", MARK, "away", "SDN.CSV"]
    assert parts(h) == []


async def test_a_repeat_fetches_nothing(h: Harness, publisher: Files) -> None:
    publisher.files["a"] = sdn(mills(3))
    body = {"address": f"{publisher.base}/a"}
    first = await pull(h, body, Idempotency_Key="once")
    publisher.files["a"] = sdn(mills(4))
    assert await pull(h, body, Idempotency_Key="once") == first
    assert publisher.asked == ["a"]
    await pull(h, {"address": f"{publisher.base}/b"}, 409, Idempotency_Key="once")


@pytest.mark.parametrize("address", ["http://10.0.0.1/x", f"ftp://example.org/{MARK}", "http://user:pw@127.0.0.1/x", MARK])
async def test_addresses_that_lead_inside_are_refused(h: Harness, address: str) -> None:
    await pull(h, {"address": address}, 422)
    assert (await h.client("analyst").get(f"/v1/lists/{LIST}/releases")).json()["items"] == []
    assert (await h.client("analyst").post(PULLS, json={})).status_code == 403
