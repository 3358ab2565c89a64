"""A small list in OFAC's layout, and what systems under test are asked over HTTP."""

import io
import time
import zipfile
from collections.abc import Callable
from typing import Any, TypeVar

import httpx

from tests.system.running import System

LIST = "us_ofac_sdn"
STAFF = ("operator", "admin", "buyer", "analyst", "auditor", "case_worker", "partner")
_T = TypeVar("_T")

# Enough others that one entry more or less is no landslide; nobody of these names exists.
OTHERS = [f"Quorvex {word} Syndicate" for word in (
    "Amber", "Basalt", "Cobalt", "Dolomite", "Emerald", "Feldspar", "Garnet", "Hematite", "Indigo", "Jasper", "Krypton", "Lapis", "Malachite", "Nickel",
    "Obsidian", "Pyrite", "Quartz", "Rhodium", "Sapphire", "Topaz",
)]  # fmt: skip


def official(entries: dict[int, str], aliases: dict[int, str] | None = None) -> bytes:
    """SDN.CSV and ALT.CSV as a zip."""
    rows = "".join(f'{uid},"{name}",-0- ,"TEST",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \r\n' for uid, name in entries.items())
    alt = "".join(f'{uid},{uid}1,"aka","{name}",-0- \r\n' for uid, name in (aliases or {}).items())
    return zipped({"SDN.CSV": (rows + "\x1a").encode(), "ALT.CSV": (alt + "\x1a").encode()})


def zipped(files: dict[str, bytes]) -> bytes:
    """One archive of several files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def staff(system: System, *roles: str, subject: str = "staff") -> httpx.Client:
    """Somebody with these roles; all that a test needs, where none is named."""
    return system.client(system.token(*(roles or STAFF), subject=subject))


def until(ask: Callable[[], _T], wanted: Callable[[_T], bool], seconds: float = 60.0) -> _T:
    """Asks until the answer is as wanted; fails with the last one."""
    end = time.monotonic() + seconds
    while not wanted(found := ask()):
        assert time.monotonic() < end, found
        time.sleep(0.05)
    return found


def get(client: httpx.Client, path: str) -> Any:
    """The answer's JSON."""
    return client.get(path).raise_for_status().json()


def load(client: httpx.Client, body: bytes) -> Any:
    """Loads a release and waits until its sweep is complete."""
    made = client.post(f"/v1/lists/{LIST}/releases", content=body, headers={"Content-Type": "application/zip"}).raise_for_status().json()
    release = until(lambda: get(client, f"/v1/lists/{LIST}/releases/{made['id']}"), lambda r: r["state"] != "received")
    if release["state"] == "accepted":
        known = until(  # not before screening has heard of it
            lambda: client.get(f"/v1/sweeps/{release['sweep_id']}"), lambda r: r.status_code == 200 and r.json()["state"] == "complete"
        )
        sweep = known.json()
        assert sweep["partitions_done"] == sweep["partitions"]
    return release


def bring_in(client: httpx.Client, names: dict[str, str]) -> Any:
    """Imports suppliers, number -> name, and waits for the end."""
    rows = "number,name,country\n" + "".join(f'{number},"{name}",RU\n' for number, name in names.items())
    path = "/v1/supplier-imports?source_system=S4&mode=apply"
    made = client.post(path, content=rows.encode(), headers={"Content-Type": "text/csv"}).raise_for_status().json()
    return until(lambda: get(client, f"/v1/supplier-imports/{made['id']}"), lambda j: j["state"] != "running")


def gate(client: httpx.Client, numbers: list[str]) -> dict[str, Any]:
    """number -> the gate's answer for a purchase order."""
    items = [{"supplier_ref": {"system": "S4", "number": number}, "effect": "purchase_order"} for number in numbers]
    answers = client.post("/v1/decisions", json={"items": items}).raise_for_status().json()["items"]
    return dict(zip(numbers, answers, strict=True))


def said(client: httpx.Client, numbers: list[str]) -> list[str]:
    """The gate's words only."""
    return [answer["decision"] for answer in gate(client, numbers).values()]
