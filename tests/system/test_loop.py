"""The whole circle on a running system: a list, suppliers, the next release; who is blocked, why, who is told; a report; a restart."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest

from tests.system.lists import LIST, OTHERS, bring_in, gate, get, load, official, said, staff, until
from tests.system.running import System
from tests.system.subscriber import subscriber

FIRST = {n: name.upper() for n, name in enumerate(OTHERS, 100)} | {36: "ZELMAR OVERSEAS FREIGHT", 37: "TARQUENZA AIRLINES"}
SECOND = {uid: name for uid, name in FIRST.items() if uid != 37} | {
    200: "VORUNTEK MINING LIMITED LIABILITY COMPANY", 201: "BRELVANI STEEL WORKS", 202: "OSKANDRU TEXTILE COMBINE", 203: "PEMBRIDOR HOLDING"
}  # fmt: skip
ALIASES = {203: "NORDWELLA TRADING"}
SUPPLIERS = {
    "L1": "Zelmar Overseas Freight", "L2": "Tarquenza Airlines", "N1": "VORUNTEK MINING LIMITED LIABILITY COMPANY", "N2": "Voruntek Mining LLC",
    "N3": "brelvani steel works", "N4": "Oskandrv Textile Combine", "N5": "Nordwella Trading", "C1": "Lakeside Berry House", "C2": "General Trading Company Ltd",
}  # fmt: skip
NEW = ["N1", "N2", "N3", "N4", "N5"]
ALL = list(SUPPLIERS)


def feed(client: httpx.Client, after: str = "") -> tuple[list[dict[str, Any]], str]:
    """All changes behind a cursor, and where they end."""
    found: list[dict[str, Any]] = []
    while (page := get(client, "/v1/risk-changes" + (f"?after={after}" if after else "")))["items"]:
        found, after = found + page["items"], page["next"]
    return found, page["next"]


@pytest.mark.timeout(240)
def test_from_a_list_change_to_a_blocked_purchase_and_back(runtime: Callable[[], AbstractContextManager[System]]) -> None:
    with subscriber() as (url, got):
        with runtime() as system, staff(system) as client:
            assert load(client, official(FIRST))["entries"] == len(FIRST)
            job = bring_in(client, SUPPLIERS)
            assert (job["state"], job["created"], job["rejected"]) == ("done", len(SUPPLIERS), 0)
            before = ["block", "block", *["allow"] * 7]
            until(lambda: said(client, ALL), lambda words: words == before)
            blocked = {answer["supplier_id"] for answer in gate(client, ["L1", "L2"]).values()}
            until(lambda: {event["subject"] for event in feed(client)[0]}, lambda subjects: blocked <= subjects)
            _, cursor = feed(client)
            client.post("/v1/subscriptions", json={"url": url, "filters": {}}).raise_for_status()

            release = load(client, official(SECOND, ALIASES))
            assert (release["state"], release["added"], release["deleted"]) == ("accepted", 4, 1)
            until(
                lambda: said(client, ALL),
                lambda words: (
                    words[:5] == ["block", "allow", "block", "block", "block"]
                    and {*words[5:7]} <= {"block", "review"}
                    and words[7:] == ["allow"] * 2
                ),
            )
            answers = gate(client, ALL)
            chain = get(client, f"/v1/decisions/{answers['N1']['id']}/why")["chain"]
            assert (chain[-1]["data"]["list"], chain[-1]["data"]["uid"], chain[-1]["data"]["release_id"]) == (LIST, "200", release["id"])
            matches = get(client, f"/v1/matches?supplier_id={answers['L2']['supplier_id']}")["items"]
            assert [m["state"] for m in matches] == ["withdrawn"]
            followed_up(client, answers["N1"]["supplier_id"], {"scheduled"}, {"open"})
            followed_up(client, answers["L2"]["supplier_id"], {"cancelled"}, {"cancelled"})
            assert load(client, official(SECOND, ALIASES))["state"] == "unchanged"

            moved = {answers[n]["supplier_id"] for n in ("L2", *NEW)}
            until(lambda: {event["subject"] for _, event in got}, lambda subjects: moved <= subjects)
            until(  # what the feed has, the subscriber is sent a moment later
                lambda: (sorted(e["id"] for _, e in got), sorted(e["id"] for e in feed(client, cursor)[0])),
                lambda both: both[0] == both[1] == sorted(set(both[1])),
            )
            a_report_acts_and_is_withdrawn(client, lambda role, who: staff(system, role, subject=who))
            final = said(client, ALL)
        with runtime() as system, staff(system) as client:
            assert said(client, ALL) == final


def followed_up(client: httpx.Client, supplier_id: str, audit: set[str], case: set[str]) -> None:
    """One audit and one case for what a list says of a supplier; both go where the entry goes."""
    for kind, states in (("audits", audit), ("cases", case)):
        path = f"/v1/{kind}?supplier_id={supplier_id}"
        (found,) = until(lambda path=path: get(client, path)["items"], lambda items, states=states: {i["state"] for i in items} == states)
        assert (found["cause"]["kind"], found["cause"]["list"], found["due_at"] is not None) == ("list_entry", LIST, True)


def a_report_acts_and_is_withdrawn(client: httpx.Client, somebody: Any) -> None:
    """Two people verify; audit and case open once; the retraction unwinds."""
    about = {"kind": "party", "name": SUPPLIERS["C1"], "country": "RU"}
    with somebody("reporter", "org") as reporter, somebody("analyst", "ada") as ada, somebody("analyst", "bo") as bo:
        report = reporter.post("/v1/reports", json={"about": about, "indicators": ["debt_bondage"], "text": "told by workers"}).json()
        finding = ada.post(f"/v1/reports/{report['id']}/findings", json={"summary": "two sources"}).json()
        verification = {"outcome": "verified", "reason": "independent sources"}
        assert ada.post(f"/v1/findings/{finding['id']}/verification", json=verification).status_code in (403, 409)
        bo.post(f"/v1/findings/{finding['id']}/verification", json=verification).raise_for_status()
        until(lambda: said(client, ["C1"]), lambda words: words != ["allow"])
        answer = gate(client, ["C1"])["C1"]
        for kind in ("audits", "cases"):
            until(lambda kind=kind: get(client, f"/v1/{kind}?supplier_id={answer['supplier_id']}")["items"], lambda items: len(items) == 1)
        assert get(client, f"/v1/decisions/{answer['id']}/why")["chain"][-1]["data"]["finding_id"] == finding["id"]
        bo.post(f"/v1/findings/{finding['id']}/retraction", json={"reason": "withdrawn by its source"}).raise_for_status()
        until(lambda: said(client, ["C1"]), lambda words: words == ["allow"])
