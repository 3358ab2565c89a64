"""Two people and a blocked purchase, on a running system: from the queue to the gate, and on to the id that the list gives the party next."""

from pathlib import Path

import httpx
import pytest

from tests.system.lists import OTHERS, bring_in, get, load, said, staff, until, zipped
from tests.system.running import running

FILL = {n: name.upper() for n, name in enumerate(OTHERS, 100)}


def official(entries: dict[int, str], remarks: str) -> bytes:
    """A release whose entries of no fill say the same remarks."""
    nulls = ",".join(["-0- "] * 7)
    rows = (f'{uid},"{name}",-0- ,"TEST",{nulls},"{"-0- " if uid in FILL else remarks}"\r\n' for uid, name in entries.items())
    return zipped({"SDN.CSV": ("".join(rows) + "\x1a").encode(), "ALT.CSV": b"\x1a"})


def post(client: httpx.Client, path: str, **body: object) -> httpx.Response:
    return client.post(path, json=body)


def forbidden(client: httpx.Client, supplier_id: str) -> int:
    """How many of a supplier's ratings forbade dealings."""
    return sum(rating["tier"] == "prohibited" for rating in get(client, f"/v1/suppliers/{supplier_id}/ratings")["items"])


@pytest.mark.timeout(180)
def test_what_two_people_cleared_lets_purchases_go_on_also_under_the_next_id(tmp_path: Path) -> None:
    tax = "Tax ID No. 7701 (Russia)"
    with running(tmp_path) as system, staff(system) as client, staff(system, "analyst", subject="bo") as bo:
        load(client, official({**FILL, 36: "ZELMAR OVERSEAS FREIGHT"}, tax))
        bring_in(client, {"L1": "Zelmar Overseas Freight", "C1": "Lakeside Berry House"})
        until(lambda: said(client, ["L1", "C1"]), lambda words: words == ["block", "allow"])
        (match,) = get(client, "/v1/matches?order=queue&state=open")["items"]

        asked = {"outcome": "cleared", "reason_code": "different_identifier", "note": "another tax number", "ids": [match["id"]]}
        assert post(client, "/v1/match-reviews", **asked).json()["items"][0]["result"] == "proposed"
        assert get(client, "/v1/matches?order=queue")["items"] == []
        assert said(client, ["L1"]) == ["block"]
        path = f"/v1/matches/{match['id']}/approval"
        assert post(client, path, outcome="approved", reason="so it is").status_code == 403
        (waiting,) = get(bo, "/v1/matches?order=queue&proposed=true")["items"]
        assert waiting["proposal"]["by"] == "staff"
        assert post(bo, path, outcome="approved", reason="seen in the register").json()["state"] == "cleared"
        until(lambda: said(client, ["L1"]), lambda words: words == ["allow"])
        before = forbidden(client, match["supplier_id"])

        release = load(client, official({**FILL, 77: "ZELMAR OVERSEAS FREIGHT"}, tax))
        assert (release["state"], release["added"], release["deleted"]) == ("accepted", 1, 1)
        found = until(lambda: get(client, f"/v1/matches?supplier_id={match['supplier_id']}")["items"], lambda items: len(items) == 2)
        states = {m["signal"]["uid"]: (m["state"], m["reviewed_by"], m["agreed_by"], m["carried_from"]) for m in found}
        assert states == {"36": ("withdrawn", "staff", "bo", None), "77": ("cleared", "staff", "bo", "us_ofac_sdn:36")}
        assert said(client, ["L1"]) == ["allow"]
        assert forbidden(client, match["supplier_id"]) == before, "not even for a moment"
        load(client, official({**FILL, 77: "ZELMAR OVERSEAS FREIGHT"}, f"{tax}; Registration ID 1 (Russia)"))
        until(lambda: said(client, ["L1"]), lambda words: words == ["block"])
