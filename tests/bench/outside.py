"""Figures of a running system, over HTTP: start, import, list change to gate, memory."""

import time
from datetime import datetime
from typing import Any

import httpx

from tests.bench import data
from tests.bench.figures import percentile, show
from tests.bench.runtimes import Measured
from tests.system.running import System

LIST = "us_ofac_sdn"
_LOOK_S = 0.25  # at an import that runs: each look costs the system, too
STAFF = ("operator", "admin", "buyer", "analyst", "partner")


def staff(system: System) -> httpx.Client:
    """Somebody who may do all that is measured."""
    return httpx.Client(
        base_url=system.url, headers={"Authorization": f"Bearer {system.token(*STAFF, subject='bench')}"}, timeout=600, trust_env=False
    )


def wait(client: httpx.Client, path: str, running: tuple[str, ...], *, every_s: float = 0.02, seconds: float = 1800.0) -> Any:
    """The answer at `path` once its state is none of these."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = client.get(path).raise_for_status().json()
        if found["state"] not in running:
            return found
        time.sleep(every_s)
    raise TimeoutError(path)


def load_list(client: httpx.Client, body: bytes) -> Any:
    """Loads a release and waits until every partition is swept."""
    made = client.post(f"/v1/lists/{LIST}/releases", content=body, headers={"Content-Type": "application/zip"}).raise_for_status().json()
    release = wait(client, f"/v1/lists/{LIST}/releases/{made['id']}", ("received",))
    if release["state"] == "accepted":
        wait(client, f"/v1/sweeps/{release['sweep_id']}", ("running",))
    return release


def start_import(client: httpx.Client, body: bytes) -> str:
    """Sends an import file."""
    path = "/v1/supplier-imports?source_system=S4&mode=apply"
    return str(client.post(path, content=body, headers={"Content-Type": "text/csv"}).raise_for_status().json()["id"])


def question(number: str) -> dict[str, Any]:
    """May we order from S4:number?"""
    return {"supplier_ref": {"system": "S4", "number": number}, "effect": "purchase_order"}


def until_known(client: httpx.Client, numbers: list[str]) -> None:
    """Waits until the gate knows the last 20 suppliers of an import: one alone says nothing of the other partitions."""
    body = {"items": [question(number) for number in numbers[-20:]]}
    while any(found["supplier_id"] is None for found in client.post("/v1/decisions", json=body).raise_for_status().json()["items"]):
        time.sleep(0.05)


def imports(found: Measured, client: httpx.Client, n: int) -> None:
    """A whole import, into a system that has the whole list; what it costs each process."""
    body, before, written = data.as_csv(data.suppliers(n)), found.cpu(), found.beside_s()
    began = time.perf_counter()
    job = wait(client, f"/v1/supplier-imports/{start_import(client, body)}", ("running",), every_s=_LOOK_S)
    done = time.perf_counter() - began
    assert job["created"] == n, job
    until_known(client, [f"M{i}" for i in range(n)])
    known = time.perf_counter() - began
    show("import_suppliers_per_s", n / done, "1/s", n, "until the import says done; it keeps pace with screening against the whole list")
    show("import_to_gate_suppliers_per_s", n / known, "1/s", n, "until the gate knows the last ones: screened and rated")
    spent = {name: (after - before[name]) / n * 1e6 for name, after in found.cpu().items()}
    beside = (found.beside_s() - written) / n * 1e6
    show(
        "import_cpu_us_per_supplier",
        sum(spent.values()),
        "us",
        n,
        f"processor time until the gate knows the last ones: {_by_process(spent)}; of it in threads beside the first {beside:.0f}",
    )
    rss = found.rss()
    show("rss_mb", sum(rss.values()), "MB", n, "pages that processes share count for each: " + _by_process(rss))


def _by_process(values: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.0f}" for name, value in sorted(values.items(), key=lambda one: -one[1]))


def latency(client: httpx.Client, files: dict[str, bytes], n_suppliers: int, n: int) -> None:
    """From a one-entry release being accepted to the gate answering block, asked every 2 ms."""
    rows, took = "", []
    for i, (number, name, _) in enumerate(data.listed_later(n_suppliers, n)):
        rows += data.entry(900_000 + i, name)
        sent = client.post(
            f"/v1/lists/{LIST}/releases", content=data.with_entries(files, rows), headers={"Content-Type": "application/zip"}
        )
        end = time.monotonic() + 60
        while client.post("/v1/decisions", json=question(number)).json()["decision"] != "block" and time.monotonic() < end:
            time.sleep(0.002)
        seen = time.time()
        release = wait(client, f"/v1/lists/{LIST}/releases/{sent.json()['id']}", ("received",))
        took.append((seen - datetime.fromisoformat(release["accepted_at"]).timestamp()) * 1000)
    note = f"{n_suppliers} suppliers; from accepted_at to the first block, asked over HTTP every 2 ms; the slowest took {max(took):.0f}"
    show("list_change_to_gate_p50_ms", percentile(took, 0.5), "ms", len(took), note)
    show("list_change_to_gate_p99_ms", percentile(took, 0.99), "ms", len(took), note)
