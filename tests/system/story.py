"""One input played into a system of either runtime: a list, suppliers, the next release, reports, reviews, changed suppliers; then what is seen."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.system.lists import get, load, staff
from tests.system.plain import Plain
from tests.system.running import System
from tests.system.seen import Eyes, Section

_STILL_S = 2.5  # it has come to rest when nothing moved for so long
_REST_S = 900.0
_REASONS = {"confirmed": "same_party", "cleared": "different_name", "escalated": "insufficient_information"}


@dataclass(frozen=True)
class Story:
    """`releases`: two, as zips. `suppliers` and `changed`: import files. `told`: what each report is about. `reviews`: how many matches are reviewed."""

    releases: tuple[bytes, bytes]
    suppliers: bytes
    changed: bytes
    told: tuple[dict[str, Any], ...]
    reviews: int = 12
    say: Callable[[str], None] = field(default=lambda _: None)


def play(story: Story, system: System) -> dict[str, Section]:
    """The story on an empty system; section -> name -> what stands there at its end, as `Eyes.everything` gives it."""
    plain = Plain()
    with staff(system, *_ALL) as client:
        eyes, told, stands = Eyes(client, plain), Telling(system, client, plain), dict[str, Section]()
        for what, act in (
            ("the first release", lambda: plain.learn(load(client, story.releases[0])["id"], "release 1")),
            ("suppliers", lambda: bring(client, plain, story.suppliers, "import 1")),
            ("the second release", lambda: plain.learn(load(client, story.releases[1])["id"], "release 2")),
            ("reports that become findings", lambda: told.verified(story.told)),
            ("reviews", lambda: review(system, eyes, client, story.reviews)),
            ("one finding withdrawn", told.withdraw),
            ("changed suppliers", lambda: bring(client, plain, story.changed, "import 2")),
        ):
            began = time.monotonic()
            act()
            rest(eyes)
            stands[f"after {what}"] = eyes.stand()
            story.say(f"{what}: {time.monotonic() - began:.1f} s until nothing moves")
        return {**eyes.everything(), **stands}


_ALL = ("operator", "admin", "buyer", "analyst", "auditor", "case_worker", "partner")


def rest(eyes: Eyes) -> None:
    """Waits until what a glance shows stands still."""
    end, seen, since = time.monotonic() + _REST_S, None, time.monotonic()
    while time.monotonic() < since + _STILL_S:
        if (now := eyes.glance()) != seen:
            seen, since = now, time.monotonic()
        assert time.monotonic() < end, "it does not come to rest"
        time.sleep(0.2)


def bring(client: httpx.Client, plain: Plain, rows: bytes, name: str) -> None:
    """Imports a CSV file of source system S4 and waits for its end."""
    path = "/v1/supplier-imports?source_system=S4&mode=apply"
    made = client.post(path, content=rows, headers={"Content-Type": "text/csv"}).raise_for_status().json()
    plain.learn(made["id"], name)
    while get(client, f"/v1/supplier-imports/{made['id']}")["state"] == "running":
        time.sleep(0.05)


def review(system: System, eyes: Eyes, client: httpx.Client, count: int) -> None:
    """An analyst confirms, clears and escalates in turn: spread over the open matches in an order that does not depend on their ids.
    What takes two people, another one approves."""
    numbers = {one["id"]: one["external_refs"][0]["number"] for one in eyes.pages("/v1/suppliers")}
    matches = [one for one in eyes.pages("/v1/matches?state=open") if one["signal"]["kind"] == "list_entry"]
    matches.sort(key=lambda one: (numbers[one["supplier_id"]], one["signal"]["uid"], one["party"], one["party_name"]))
    for at, one in enumerate(matches[:: max(1, len(matches) // max(1, count))][:count]):
        outcome = list(_REASONS)[at % len(_REASONS)]
        body = {"outcome": outcome, "reason_code": _REASONS[outcome], "note": "played"}
        said = client.post(f"/v1/matches/{one['id']}/review", json=body).raise_for_status().json()
        if said["proposal"]:
            with staff(system, "analyst", subject="bo") as bo:
                agreed = {"outcome": "approved", "reason": "seen, too"}
                bo.post(f"/v1/matches/{one['id']}/approval", json=agreed).raise_for_status()


class Telling:
    """Reports, drafted by one analyst, verified by another."""

    def __init__(self, system: System, client: httpx.Client, plain: Plain) -> None:
        self._system, self._client, self._plain = system, client, plain
        self._findings: list[str] = []

    def verified(self, told: Iterable[dict[str, Any]]) -> None:
        """A finding each."""
        with (
            staff(self._system, "reporter", subject="org") as reporter,
            staff(self._system, "analyst", subject="ada") as ada,
            staff(self._system, "analyst", subject="bo") as bo,
        ):
            for at, about in enumerate(told, 1):
                sent = {"about": about, "indicators": ["debt_bondage", "withholding_of_wages"], "text": "told by workers"}
                report = reporter.post("/v1/reports", json=sent).raise_for_status().json()
                finding = ada.post(f"/v1/reports/{report['id']}/findings", json={"summary": f"told {at}"}).raise_for_status().json()
                self._plain.learn(report["id"], f"report {at}")
                self._plain.learn(finding["id"], f"finding {at}")
                body = {"outcome": "verified", "reason": "independent sources"}
                bo.post(f"/v1/findings/{finding['id']}/verification", json=body).raise_for_status()
                self._findings.append(finding["id"])

    def withdraw(self) -> None:
        """The first one."""
        with staff(self._system, "analyst", subject="bo") as bo:
            for finding in self._findings[:1]:
                bo.post(f"/v1/findings/{finding}/retraction", json={"reason": "withdrawn by its source"}).raise_for_status()
