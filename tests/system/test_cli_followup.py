"""An audit and a remediation case, walked from the command line by those who may: from a verified finding to both closed."""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.system.test_cli import Run, duewatch, system  # noqa: F401  # fixtures

pytestmark = pytest.mark.xdist_group("cli")
NAME = "Amber Valley Knitting"


def opened(duewatch: Run, group: str, supplier: str, role: str) -> Any:
    """The one audit or case of a supplier, once it is there."""
    until = time.monotonic() + 15
    while not (found := duewatch(group, "list", "--supplier", supplier, "--json", roles=(role,)).body["items"]):
        assert time.monotonic() < until
        time.sleep(0.1)
    assert len(found) == 1
    return found[0]["id"]


@pytest.fixture
def supplier(duewatch: Run) -> str:
    made: str = duewatch("suppliers", "add", NAME, "GB", "--json", roles=("buyer",)).body["id"]
    report = duewatch(
        "reports", "send", "--name", NAME, "--country", "GB", "--indicator", "isolation", "--text", "x", "--json", roles=("reporter",)
    )
    draft = ("findings", "draft", report.body["id"], "--summary", "Nobody may leave", "--json")
    finding = duewatch(*draft, roles=("analyst",), subject="ada").body["id"]
    assert duewatch("findings", "verify", finding, "--reason", "seen on site", roles=("analyst",), subject="bo").code == 0
    return made


def test_an_audit_and_a_case_from_a_finding_to_their_closure(duewatch: Run, supplier: str, tmp_path: Path) -> None:
    auditor: dict[str, Any] = {"roles": ("auditor",), "subject": "ann"}
    buyer: dict[str, Any] = {"roles": ("buyer",), "subject": "bea"}
    audit = opened(duewatch, "audits", supplier, "auditor")
    assert duewatch("audits", "assign", audit, "--auditor", "ann", **auditor).code == 2, "nobody said that she is independent"
    assert "assigned" in duewatch("audits", "assign", audit, "--auditor", "ann", "--independent", **auditor).out
    day = duewatch("audits", "show", audit, "--json", **auditor).body["due_at"][:10]
    assert duewatch("audits", "visit", audit, "--on", day, **auditor).code == 0
    assert duewatch("audits", "start", audit, **auditor).code == 0
    found = ("audits", "record", audit, "--clause", "ETI 1.1", "--text", "Gates are locked", "--evidence", f"photo#{'a' * 64}")
    assert duewatch(*found, "--grade", "grave", **auditor).code == 1
    assert "nc1" in duewatch(*found, "--grade", "critical", **auditor).out
    assert duewatch("audits", "report", audit, "--summary", "One fault", **auditor).code == 0
    assert duewatch("audits", "plan", audit, "--action", "nc1", **buyer).code == 2
    assert duewatch("audits", "plan", audit, "--action", f"nc1|{day}|works council|Open the gates", **buyer).code == 0
    seen = duewatch("audits", "faults", audit, **buyer)
    assert "Open the gates" in seen.out, seen.err + seen.out
    assert duewatch("audits", "prove", audit, "a1", "--evidence", "film", **buyer).code == 0
    assert duewatch("audits", "verify", audit, "nc1", "--note", "walked out", **auditor).code == 0
    assert "closed" in duewatch("audits", "close", audit, **auditor).out
    shown = duewatch("audits", "show", audit, "--json", **auditor).body
    assert shown["non_conformities"][0]["evidence"] == [{"ref": "photo", "sha256": "a" * 64}]

    worker: dict[str, Any] = {"roles": ("case_worker",), "subject": "cem"}
    case = opened(duewatch, "cases", supplier, "case_worker")
    assert duewatch("cases", "assign", case, "--worker", "cem", **worker).code == 0
    assert duewatch("cases", "start", case, "t1", **worker).code == 0
    for task in duewatch("cases", "show", case, "--json", **worker).body["tasks"]:
        assert duewatch("cases", "done", case, task["id"], "--evidence", "dms:1", **worker).code == 0
    owed = ("cases", "enter", case, "owed", "--worker", "w-1", "--currency", "GBP", "--amount")
    assert duewatch(*owed, "12,5", **worker).code == 1
    assert duewatch(*owed, "12.50", **worker).code == 0
    assert duewatch("cases", "reverse", case, "r1", "--reason", "another worker", **worker).code == 0
    assert "-12.50" in duewatch("cases", "ledger", case, **worker).out
    (tmp_path / "person.txt").write_text("Speaks Farsi")
    refer = ("cases", "refer", case, "--service", "Shelter North", "--details-file", tmp_path / "person.txt")
    assert duewatch(*refer, **worker).code == 2, "nobody said that the person agrees"
    referral = duewatch(*refer, "--consent", "--json", **worker).body["id"]
    assert "Speaks Farsi" in duewatch("cases", "referral", case, referral, **worker).out
    assert "open" in duewatch("cases", "referrals", case, **worker).out
    assert duewatch("cases", "close", case, "--independent", **auditor).code == 1, "a referral is open"
    assert duewatch("cases", "end-referral", case, referral, "--outcome", "completed", **worker).code == 0
    assert duewatch("cases", "close", case, "--independent", **worker).code == 1, "he worked on it"
    assert duewatch("cases", "close", case, **auditor).code == 2
    assert "closed" in duewatch("cases", "close", case, "--independent", **auditor).out
