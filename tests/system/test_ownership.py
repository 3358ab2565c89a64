"""The 50 % rule on a running system: a chain of owners with a circle in it, blocked by a new list entry far above and released by its delisting."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest

from services.cli.main import run
from tests.system.lists import LIST, OTHERS, get, load, official, staff, until
from tests.system.running import System

WITHOUT = {n: name.upper() for n, name in enumerate(OTHERS, 100)}
LISTED = WITHOUT | {36: "VORUNTEK HOLDING"}
TOP = {"name": "Voruntek Holding", "kind": "organisation", "country": "RU"}


@pytest.mark.timeout(240)
def test_a_chain_of_owners_is_blocked_and_released_by_an_entry_above_it(
    runtime: Callable[[], AbstractContextManager[System]], capsys: pytest.CaptureFixture[str]
) -> None:
    with runtime() as system, staff(system) as client:
        load(client, official(WITHOUT))
        mill = registered(client, "Lakeside Berry House")
        middle = registered(client, "Pembridor Trust")
        top = registered(client, "Oskandru Invest", {**TOP, "percent": "50.5"}, owner("Lakeside Berry House", mill, "10"))
        owned_by(client, middle, owner("Oskandru Invest", top, "55"), owner("Lakeside Berry House", mill, "20"))
        owned_by(client, mill, owner("Pembridor Trust", middle, "60"), owner("Oskandru Invest", top, "5"))
        all_three = (mill, middle, top)
        answers = until(lambda: asked(client, *all_three), lambda told: words(told) == ["allow"] * 3)

        release = load(client, official(LISTED))
        answers = until(lambda: asked(client, *all_three), lambda told: words(told) == ["block"] * 3)
        assert until(lambda: driver(client, mill)["text"], lambda text: "65" in text).startswith("Blocked owners hold 65")
        paths = [[(step["name"], step["percent"]) for step in path["steps"]] for path in driver(client, mill)["paths"]]
        assert paths == [
            [("Pembridor Trust", "60"), ("Oskandru Invest", "55"), ("Voruntek Holding", "50.5")],
            [("Oskandru Invest", "5"), ("Voruntek Holding", "50.5")],
        ]
        assert {path["signal"]["source"]["uid"] for path in driver(client, mill)["paths"]} == {"36"}
        chain = get(client, f"/v1/decisions/{answers[0]['id']}/why")["chain"]
        assert (chain[-1]["data"]["list"], chain[-1]["data"]["uid"], chain[-1]["data"]["release_id"]) == (LIST, "36", release["id"])
        assert [link["type"] for link in chain[2:]] == [
            "duewatch.exposure.propagated.v1", "duewatch.match.opened.v1", "duewatch.signal.published.v1"
        ]  # fmt: skip
        rated = get(client, f"/v1/decisions/{asked(client, mill)[0]['id']}/why")["chain"][1]
        assert rated["data"]["driver"]["paths"] == driver(client, mill)["paths"]
        assert "Pembridor Trust 60 % ← Oskandru Invest 55 % ← Voruntek Holding 50.5 %: VORUNTEK HOLDING" in why(system, mill, capsys)
        assert told_why(client, mill) == told_why(client, top)  # one change in the world, one correlation down the chain

        owned_by(client, top, {**TOP, "percent": "49.99"}, owner("Lakeside Berry House", mill, "10"))
        until(lambda: words(asked(client, *all_three)), lambda told: told == ["allow_with_conditions", "allow_with_conditions", "review"])
        assert driver(client, top)["code"] == "owner_share"
        until(
            lambda: [driver(client, id_)["code"] for id_ in (mill, middle)], lambda codes: codes == ["upstream"] * 2
        )  # near a listed owner
        owned_by(client, top, {**TOP, "percent": "50.5"}, owner("Lakeside Berry House", mill, "10"))
        until(lambda: words(asked(client, *all_three)), lambda told: told == ["block"] * 3)

        load(client, official(WITHOUT))
        until(lambda: words(asked(client, *all_three)), lambda told: told == ["allow"] * 3)
        until(lambda: [get(client, f"/v1/suppliers/{id_}/rating")["drivers"] for id_ in all_three], lambda drivers: drivers == [[], [], []])


def registered(client: httpx.Client, name: str, *owners: dict[str, Any]) -> str:
    """A supplier's id."""
    made = client.post("/v1/suppliers", json={"name": name, "country": "DE", "owners": owners}).raise_for_status().json()
    return str(made["id"])


def owner(name: str, supplier_id: str, percent: str) -> dict[str, Any]:
    """An owner that is a supplier."""
    return {"name": name, "kind": "organisation", "percent": percent, "supplier_id": supplier_id}


def owned_by(client: httpx.Client, supplier_id: str, *owners: dict[str, Any]) -> None:
    """Replaces its owners; its status may move at the same moment, then once more."""
    path = f"/v1/suppliers/{supplier_id}"

    def change() -> int:
        tag = client.get(path).raise_for_status().headers["ETag"]
        return client.patch(path, json={"owners": owners}, headers={"If-Match": tag}).status_code

    until(change, lambda status: status == 200)


def asked(client: httpx.Client, *suppliers: str) -> list[Any]:
    """The gate's answers for a purchase order."""
    items = [{"supplier_id": id_, "effect": "purchase_order"} for id_ in suppliers]
    answers: list[Any] = client.post("/v1/decisions", json={"items": items}).raise_for_status().json()["items"]
    return answers


def words(answers: list[Any]) -> list[str]:
    return [answer["decision"] for answer in answers]


def driver(client: httpx.Client, supplier_id: str) -> Any:
    """What decides its rating; nothing is as good as an empty one."""
    drivers = get(client, f"/v1/suppliers/{supplier_id}/rating")["drivers"]
    return drivers[0] if drivers else {"code": "", "text": "", "paths": []}


def told_why(client: httpx.Client, supplier_id: str) -> str:
    """The event by which the world's word came, as the supplier's main driver has it."""
    return str(driver(client, supplier_id)["chain"][-1]["id"])


def why(system: System, supplier_id: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What `duewatch why` prints."""
    with pytest.raises(SystemExit) as end:
        run(["why", supplier_id, "--url", system.url, "--token", system.token("buyer"), "--json"])
    assert end.value.code in (0, None)
    assert "Pembridor Trust" in capsys.readouterr().out
    with pytest.raises(SystemExit) as end:
        run(["why", supplier_id, "--url", system.url, "--token", system.token("buyer")])
    assert end.value.code in (0, None)
    return " ".join(capsys.readouterr().out.replace("│", " ").split())
