"""Kills inside the windows that chance seldom hits; what was acknowledged is there afterwards, whole and once."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.system.lists import LIST, get, official, said, staff, until
from tests.system.running import System, running

ENTRIES = {n: f"QUORVEX {n * 7919} SYNDICATE" for n in range(1, 1200)}  # three batches of changes
RELEASE = official(ENTRIES)  # once: a zip made again holds another time, and so is another body for the same key
LISTED = {0: "Quorvex 7919 Syndicate", 700: "Quorvex 5543300 Syndicate", 1499: "Quorvex 15838 Syndicate"}
ROWS = 1500
PLACES = [
    "before-commit:12", "after-commit:12", "before-nudge:12", "before-commit:18", "after-commit:18", "import-batch:2", "release-compared", "release-batch:2",
]  # fmt: skip


def work(system: System) -> tuple[str, str]:
    """A release, an import and some single suppliers, each repeated with its key until it is acknowledged; ids of release and import."""
    rows = "number,name,country\n" + "".join(f"{n},{LISTED.get(n, f'Ordinary Maker {n} Works')},TR\n" for n in range(ROWS))
    with staff(system) as client:
        sent = {"Idempotency-Key": "release", "Content-Type": "application/zip"}
        release = client.post(f"/v1/lists/{LIST}/releases", content=RELEASE, headers=sent).raise_for_status().json()["id"]
        sent = {"Idempotency-Key": "import", "Content-Type": "text/csv"}
        path = "/v1/supplier-imports?source_system=S4&mode=apply"
        made = client.post(path, content=rows.encode(), headers=sent).raise_for_status().json()["id"]
        for n in range(20):
            body = {"external_refs": [{"system": "ONE", "number": str(n)}], "name": f"Single Maker {n}", "country": "DE"}
            client.post("/v1/suppliers", json=body, headers={"Idempotency-Key": f"single-{n}"}).raise_for_status()
        until(lambda: get(client, f"/v1/supplier-imports/{made}"), lambda job: job["state"] != "running")
        until(lambda: said(client, ["0", "700", "1499"]), lambda words: words == ["block"] * 3)
        return release, made


def pages(client: httpx.Client, path: str) -> list[dict[str, Any]]:
    """All items of a listing."""
    found: list[dict[str, Any]] = []
    page = get(client, f"{path}?limit=500")
    while True:
        found += page["items"]
        if not page["next"]:
            return found
        page = get(client, f"{path}?limit=500&cursor={page['next']}")


def whole(system: System, release: str, made: str) -> None:
    """Everything is there, once; chains hold."""
    with staff(system) as client:
        job = get(client, f"/v1/supplier-imports/{made}")
        assert (job["state"], job["rows"], job["rejected"]) == ("done", ROWS, 0)
        assert len(client.get(f"/v1/supplier-imports/{made}/results").text.splitlines()) == ROWS
        suppliers = pages(client, "/v1/suppliers")
        refs = [(ref["system"], ref["number"]) for s in suppliers for ref in s["external_refs"]]
        assert len(refs) == len(set(refs)) == ROWS + 20
        loaded = until(lambda: get(client, f"/v1/lists/{LIST}/releases/{release}"), lambda r: r["published"])
        assert (loaded["state"], loaded["added"]) == ("accepted", len(ENTRIES))
        sweep = until(lambda: get(client, f"/v1/sweeps/{loaded['sweep_id']}"), lambda s: s["state"] == "complete")
        assert sweep["partitions_done"] == sweep["partitions"]
        assert len(pages(client, f"/v1/lists/{LIST}/entries")) == len(ENTRIES)
        for number in ("0", "700", "1499", "3"):
            supplier = get(client, f"/v1/suppliers?external_ref=S4:{number}")["items"][0]
            causes = [r["cause"]["id"] for r in pages(client, f"/v1/suppliers/{supplier['id']}/ratings")]
            assert causes
            assert len(causes) == len(set(causes))
        told = [event["subject"] for event in get(client, "/v1/risk-changes?limit=500")["items"]]
        assert len(told) == len(set(told)) == len(LISTED)
        assert client.post("/v1/journal/verification").raise_for_status().json()["holds"]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("place", PLACES)
def test_killed_at(place: str, tmp_path: Path) -> None:
    with running(tmp_path, DUEWATCH_CRASH_AT=place) as system:
        with pytest.raises(httpx.TransportError):
            work(system)
        assert system.process.wait(20) == -9
    with running(tmp_path) as system:
        whole(system, *work(system))


@pytest.mark.timeout(240)
@pytest.mark.parametrize("place", ["screening-rebuild:2", "index-kept"])
def test_killed_while_it_recovers(place: str, tmp_path: Path) -> None:
    with running(tmp_path) as system:
        ids = work(system)
        system.kill()
    with pytest.raises(AssertionError), running(tmp_path, DUEWATCH_CRASH_AT=place):
        pass  # it dies before it is ready
    with running(tmp_path) as system:
        assert work(system) == ids
        whole(system, *ids)


@pytest.mark.timeout(240)
def test_a_stop_keeps_the_index_for_the_next_start(tmp_path: Path) -> None:
    with running(tmp_path) as system:
        ids = work(system)
    (kept,) = (tmp_path / "screening").glob("*.index")
    made = kept.stat().st_mtime_ns
    with running(tmp_path) as system:
        assert kept.stat().st_mtime_ns == made  # it served: one made anew from the log would have been kept in its place
        assert work(system) == ids
        whole(system, *ids)
