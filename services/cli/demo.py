"""`duewatch demo`: the whole circle on made-up data, with the very commands that an operator would type.

It can be played again and again: each time begins with the first release, and takes back the finding of the time before.
"""

import csv
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from rich.text import Text

from services.cli import findings, followup, gate, lists, why
from services.cli.failures import Refused
from services.cli.imports import import_file
from services.cli.session import Session
from services.cli.show import Columns, table, when

SAMPLE: Final = Path(__file__).with_name("sample")
_LIST: Final = "us_ofac_sdn"
_PROGRAM: Final = "DEMO"  # of all entries of the sample's lists, and of no official one
_SYSTEM: Final = "DEMO"
_WAIT_S: Final = 60.0
_POLL_S: Final = 0.2
# Number of a supplier: what it is there for, and the gate's answers under the first and the second release.
CAST: Final = {
    "1001": ("listed from the start, in another spelling", "block", "block"),
    "1002": ("dropped by the next release", "block", "allow"),
    "1003": ("newly listed, with another legal form", "allow", "block"),
    "1004": ("newly listed, with a letter changed: a person must look", "allow", "review"),
    "1005": ("trades under an alias of a newly listed party", "allow", "block"),
    "1006": ("62 % belong to a newly listed party", "allow", "block"),
    "1007": ("buys from 1003", "allow", "review"),
    "1009": ("cotton from a region of presumed forced labour", "review", "review"),
    "1010": ("a name of everyday words: nobody's", "allow", "allow"),
}
_INTRODUCTION: Final = (
    "300 made-up suppliers, ten of them with a part to play, and two releases of a made-up sanctions list.",
    "Each $ line is a command that you can type yourself; what follows it is what the system answers.",
)
_REPORTED: Final = "1008"
_REPORTED_NAME: Final = "Ferrowell Brick Kilns"


def demo(session: Session) -> None:
    """Plays the whole circle on made-up suppliers and lists, in a few seconds.

    It needs the first token of a system, and a system that holds no real list: use a data folder of its own.
    The suppliers come into the tenant `default`, under the source system DEMO.
    """
    with _people(session) as people:
        _only_ours(people.operator)
        _play(session, people)


def _play(session: Session, people: "_People") -> None:
    operator, buyer, partner, bo = people.operator, people.buyer, people.partner, people.bo
    for left in _all(bo, "/v1/findings", {"state": "verified"}):
        if (left["about"] or {}).get("name") == _REPORTED_NAME:
            bo.api.post(f"/v1/findings/{left['id']}/retraction", {"reason": "the demo is played again"})

    for line in _INTRODUCTION:
        session.note(line)
    _title(buyer, "1  Suppliers come in", f"suppliers import {SAMPLE / 'suppliers.csv'} --source-system {_SYSTEM}")
    import_file(buyer, SAMPLE / "suppliers.csv", _SYSTEM)
    with (SAMPLE / "suppliers.csv").open(encoding="utf-8") as file:
        numbers = [row["number"] for row in csv.DictReader(file)]
    _until(lambda: all(answer["supplier_id"] for answer in _ask(buyer, numbers).values()), "Not all suppliers are screened in time")
    _title(operator, "2  A first release of a sanctions list is loaded", f"lists load {_LIST} {SAMPLE / 'list-1'}")
    lists.load(operator, _LIST, [str(SAMPLE / "list-1")])
    _title(buyer, "3  The gate, before", "gate " + " ".join(f"{_SYSTEM}:{number}" for number in CAST))
    before = _settled(buyer, {number: first for number, (_, first, _) in CAST.items()} | {_REPORTED: "allow"})
    buyer.out.print(table(_rows(before), {"supplier": "number", "answer": "before", "what it is there for": "story"}))

    cursor = _feed(partner, "")[1]
    _title(operator, "4  The next release: three parties more, one less", f"lists load {_LIST} {SAMPLE / 'list-2'}")
    lists.load(operator, _LIST, [str(SAMPLE / "list-2")])
    after = _settled(buyer, {number: second for number, (_, _, second) in CAST.items()})
    columns: Columns = {"supplier": "number", "before": "before", "after": "after", "what it is there for": "story"}
    _title(buyer, "5  Who was found, who is blocked, who is released", "")
    buyer.out.print(table(_rows(before, after), columns))
    _title(buyer, "6  Why?", f"why {after['1005']['id']}")
    why.why(buyer, after["1005"]["id"])
    _followed(people.worker, after["1003"]["supplier_id"])

    finding, answer = _report(people)
    moved = {a["supplier_id"] for number, a in after.items() if a["decision"] != before[number]["decision"]} | {answer["supplier_id"]}
    changes = _changes(partner, cursor, moved)
    _title(partner, "9  What subscribers were told, by webhook or from the feed /v1/risk-changes", "")
    partner.out.print(table(changes, _FEED))
    _title(buyer, "Next", "")
    for line in _next(after):
        session.note(line)
    words = {number: {"before": before[number]["decision"], "after": after[number]["decision"]} for number in CAST}
    session.tell({"gate": words, "finding": finding, "risk_changes": len(changes)}, "")


def _followed(worker: Session, supplier: str) -> None:
    """What the list change obliges to, beside the block: somebody looks, and nobody's workers are forgotten."""
    for kind, show in (("audits", followup.list_audits), ("cases", followup.list_cases)):
        _until(partial(_new, worker, kind, supplier, set()), f"The list change opens none of the {kind}")
        _command(worker, f"{kind} list --supplier {_SYSTEM}:1003")
        show(worker, supplier)


def _new(worker: Session, kind: str, supplier: str | None, known: set[str]) -> bool:
    return {item["id"] for item in _all(worker, f"/v1/{kind}", {"supplier_id": supplier})} > known


def _report(people: "_People") -> tuple[str, dict[str, Any]]:
    """A report becomes a finding, which acts once a second person has verified it. The finding's id and the gate's answer."""
    reporter, ada, bo, buyer, worker = people.reporter, people.ada, people.bo, people.buyer, people.worker
    supplier = buyer.supplier_id(f"{_SYSTEM}:{_REPORTED}")
    kept = {kind: {item["id"] for item in _all(worker, f"/v1/{kind}", {"supplier_id": supplier})} for kind in ("audits", "cases")}
    _title(reporter, "7  A report, in confidence; a finding that two people stand for", "")
    about = {"kind": "party", "name": _REPORTED_NAME, "country": "IN"}
    text = "Workers told us that advances are deducted for years and passports are kept. (Made up for the demo.)"
    indicators = ["debt_bondage", "retention_of_documents"]
    sent = reporter.api.post("/v1/reports", {"about": about, "indicators": indicators, "text": text}).body
    reporter.note(f"{sent['id']} is sent: its text and its sender are sealed")
    draft = {"summary": "Debt bondage and kept passports, told by two groups of workers"}
    finding = str(ada.api.post(f"/v1/reports/{sent['id']}/findings", draft).body["id"])
    try:
        findings.verify(ada, finding, "I am sure")
    except Refused as refusal:
        ada.note(f"ada drafted {finding} and may not verify it herself: {refusal.problem.get('detail') or refusal.title}")
    _command(bo, f"findings verify {finding} --reason 'two independent sources'")
    findings.verify(bo, finding, "two independent sources")
    answer = _settled(buyer, {_REPORTED: "block"})[_REPORTED]
    _title(worker, "8  It acts: the gate, an audit, a case", f"gate {_SYSTEM}:{_REPORTED}")
    buyer.out.print(gate.decisions([f"{_SYSTEM}:{_REPORTED}"], [answer]))
    _command(buyer, f"why {answer['id']}")
    why.why(buyer, answer["id"])
    for kind, known in kept.items():
        _until(partial(_new, worker, kind, supplier, known), f"The finding opens none of the {kind}")
    for kind, show in (("audits", followup.list_audits), ("cases", followup.list_cases)):
        _command(worker, f"{kind} list --supplier {_SYSTEM}:{_REPORTED}")
        show(worker, supplier)
    return finding, answer


@dataclass(frozen=True)
class _People:
    """Those who act, each with a token for what is theirs to do."""

    operator: Session
    buyer: Session
    partner: Session
    reporter: Session
    ada: Session
    bo: Session
    worker: Session


@contextmanager
def _people(session: Session) -> Iterator[_People]:
    with ExitStack() as ends:

        def who(subject: str, *roles: str) -> Session:
            asked = {"roles": roles, "subject": f"demo-{subject}", "tenant": "default", "ttl_s": 3600}
            somebody = session.somebody(session.api.post("/v1/tokens", asked).body["token"], roles[0])
            ends.callback(somebody.close)
            return somebody

        yield _People(
            operator=who("dora", "operator", "analyst"),
            buyer=who("ben", "buyer"),
            partner=who("pia", "partner"),
            reporter=who("org", "reporter"),
            ada=who("ada", "analyst"),
            bo=who("bo", "analyst"),
            worker=who("cem", "auditor", "case_worker"),
        )


def _only_ours(operator: Session) -> None:
    """The demo replaces what the list holds: that must be the demo's own."""
    if any(entry["programs"] != [_PROGRAM] for entry in _all(operator, f"/v1/lists/{_LIST}/entries", {})):
        raise Refused(
            f"This system holds a release of {_LIST} that is not the demo's; the demo would replace it",
            "Start one for the demo: duewatch up --data ./demo-data --port 8090",
            "and play it there: DUEWATCH_DATA=./demo-data duewatch demo --url http://127.0.0.1:8090",
        )


def _all(somebody: Session, path: str, asked: dict[str, Any]) -> Iterator[Any]:
    """The items of all pages."""
    cursor: str | None = None
    while True:
        page = somebody.api.get(path, {**asked, "limit": 500, "cursor": cursor}).body
        yield from page["items"]
        if not (cursor := page["next"]):
            return


def _ask(buyer: Session, numbers: Iterable[str]) -> dict[str, Any]:
    """The gate's answers by number."""
    asked = list(numbers)
    items = [{"supplier_ref": {"system": _SYSTEM, "number": number}, "effect": "purchase_order"} for number in asked]
    return dict(zip(asked, buyer.api.post("/v1/decisions", {"items": items}).body["items"], strict=True))


def _settled(buyer: Session, expected: dict[str, str]) -> dict[str, Any]:
    """The gate's answers, once they are as the story has it: ratings follow a sweep within moments."""
    answers: dict[str, Any] = {}

    def differ() -> list[str]:
        return [number for number, word in expected.items() if answers[number]["decision"] != word]

    def as_told() -> bool:
        answers.update(_ask(buyer, expected))
        return not differ()

    _until(as_told, lambda: f"The gate answers otherwise than the demo expects for {', '.join(differ())}; was the rating policy changed?")
    return answers


def _feed(partner: Session, after: str) -> tuple[list[Any], str]:
    """The risk changes behind a cursor, and the cursor behind them."""
    found: list[Any] = []
    while True:
        page = partner.api.get("/v1/risk-changes", {"after": after or None, "limit": 500}).body
        after = page["next"]
        if not page["items"]:
            return found, after
        found += page["items"]


def _changes(partner: Session, cursor: str, subjects: set[str]) -> list[Any]:
    """The changes behind a cursor, once they tell of all these suppliers."""
    changes: list[Any] = []

    def told() -> bool:
        changes[:] = _feed(partner, cursor)[0]
        return subjects <= {change["subject"] for change in changes}

    _until(told, "The feed does not tell of all changes")
    return changes


def _until(holds: Callable[[], bool], otherwise: str | Callable[[], str]) -> None:
    end = time.monotonic() + _WAIT_S
    while not holds():
        if time.monotonic() > end:
            raise Refused(otherwise if isinstance(otherwise, str) else otherwise())
        time.sleep(_POLL_S)


def _rows(before: dict[str, Any], after: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """The cast with the gate's words."""
    return [
        {
            "number": f"{_SYSTEM}:{number}",
            "story": story,
            "before": before[number]["decision"],
            "after": (after or before)[number]["decision"],
        }
        for number, (story, _, _) in CAST.items()
    ]


def _title(somebody: Session, title: str, typed: str) -> None:
    """A step, and the command that does it, which anybody can type."""
    somebody.out.print()
    somebody.out.print(Text(title, "bold cyan"))
    if typed:
        _command(somebody, typed)


def _command(somebody: Session, typed: str) -> None:
    somebody.out.print(Text(f"$ duewatch {typed}", "dim"), soft_wrap=True)


def _next(after: dict[str, Any]) -> list[str]:
    """What to look at afterwards; the first token alone may neither buy nor analyse."""
    return [
        "Where duewatch is found:      export PATH=$PWD/.venv/bin:$PATH, in the folder of this project",
        "A token for looking around:   duewatch tokens issue --role buyer --role analyst --role auditor --role case_worker"
        " --subject me --save me.token",
        f"Why 1006, by its owner:       duewatch why {after['1006']['id']} --token-file me.token",
        f"All that weighs on 1004:      duewatch why {_SYSTEM}:1004 --token-file me.token",
        f"The one that buys from 1003:  duewatch why {after['1007']['id']} --token-file me.token",
        "All that is blocked:          duewatch suppliers list --status blocked --token-file me.token",
        "Every chain of the journal:   duewatch journal verify",
        "The API, to try out:          /docs at the address of the system",
    ]


_FEED: Final[Columns] = {
    "supplier": lambda change: [f"{ref['system']}:{ref['number']}" for ref in change["data"]["external_refs"]],
    "tier before": lambda change: change["data"]["previous_tier"],
    "tier": lambda change: change["data"]["tier"],
    "because of": lambda change: change["data"]["cause"]["type"].removeprefix("duewatch.").removesuffix(".v1").replace(".", " "),
    "time": lambda change: when(change["time"]),
}
