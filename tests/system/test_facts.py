"""What is known beside names, on a running system: the same LEI blocks another name, a date of birth parts namesakes, an alert budget acts at once."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.system.lists import OTHERS, get, load, staff, until, zipped
from tests.system.running import running

LEI = "529900T8BM49AURSDO55"
REMARKS = {36: f"Legal Entity Number {LEI}", 37: "DOB 15 Jan 1955"}


def official() -> bytes:
    entries = {n: name.upper() for n, name in enumerate(OTHERS, 100)} | {
        36: "ZELMAR OVERSEAS FREIGHT",
        37: "QUARZUM, Viktor Anatolijevitch",
    }
    kinds, nulls = {37: "individual"}, ",".join(["-0- "] * 7)
    rows = (f'{uid},"{name}",{kinds.get(uid, "-0- ")},"TEST",{nulls},"{REMARKS.get(uid, "-0- ")}"\r\n' for uid, name in entries.items())
    return zipped({"SDN.CSV": ("".join(rows) + "\x1a").encode(), "ALT.CSV": b"\x1a"})


def registered(client: httpx.Client, number: str, name: str, **parts: Any) -> str:
    body = {"external_refs": [{"system": "S4", "number": number}], "name": name, "country": "RU", **parts}
    return str(client.post("/v1/suppliers", json=body).raise_for_status().json()["id"])


def owned_by(birth_date: str | None) -> dict[str, Any]:
    born = {"birth_date": birth_date} if birth_date else {}
    return {"owners": [{"name": "Viktor Quarzum", "kind": "person", "percent": "60", **born}]}


@pytest.mark.timeout(180)
def test_numbers_and_dates_of_birth_decide_and_an_alert_budget_acts_at_once(tmp_path: Path) -> None:
    with running(tmp_path) as system, staff(system) as client:
        load(client, official())
        ids = {
            "lei": registered(client, "1", "Lakeside Berry House", identifiers=[{"kind": "lei", "value": LEI}]),
            "born": registered(client, "2", "Third Mill Works", **owned_by("1955-01-15")),
            "namesake": registered(client, "3", "Fourth Cotton Gin", **owned_by("1971")),
            "unknown": registered(client, "4", "Broken Bridge Works", **owned_by(None)),
        }

        def found() -> dict[str, tuple[str, str]]:
            items = get(client, "/v1/matches")["items"]
            return {m["supplier_id"]: (m["state"], m["strength"]) for m in items}

        wanted = {ids["lei"]: ("open", "strong"), ids["born"]: ("open", "strong"), ids["unknown"]: ("open", "weak")}
        until(found, lambda matches: matches == wanted)
        for name, tier in (("lei", "prohibited"), ("namesake", "low")):
            until(
                lambda id_=ids[name]: client.get(f"/v1/suppliers/{id_}/rating"),
                lambda a, t=tier: a.status_code == 200 and a.json()["tier"] == t,
            )

        def budget(**body: Any) -> None:
            client.put("/v1/screening-settings", json={"reason": "two people read alerts", **body}).raise_for_status()

        budget(alert_budget=0.001)
        until(found, lambda matches: matches == wanted | {ids["unknown"]: ("withdrawn", "weak")})
        budget()
        until(found, lambda matches: matches == wanted)
