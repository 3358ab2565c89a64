"""`duewatch audits` and `cases`, to look at; their steps stand in `audit_steps` and `case_steps`."""

import re
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from services.cli.command import Cursor, Limit, SupplierOption, command, group
from services.cli.session import Session, segment
from services.cli.show import Columns, fields, page, table, text, when

audits = group("Audits: looking closer.", "duewatch audits list --overdue")
cases = group("Remediation cases: putting it right.", "duewatch cases list --supplier S4:100001")

_SHA256 = re.compile(r"[0-9a-f]{64}")
State = Annotated[str | None, typer.Option(help="Only in this state; a wrong one is answered with those there are.")]
Evidence = Annotated[list[str], typer.Option(help="Where evidence lies, as REFERENCE or REFERENCE#SHA256; repeat it for several.")]
Overdue = Annotated[bool, typer.Option("--overdue", help="Only those past their time.")]


@command(audits, "list", example="duewatch audits list --supplier S4:100001", role="auditor")
def list_audits(
    session: Session,
    supplier: SupplierOption = None,
    state: State = None,
    overdue: Overdue = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> None:
    """Audits, with their cause and by when they are due."""
    columns: Columns = {
        "audit": "id",
        "supplier": "supplier_id",
        "state": "state",
        "due": _due,
        "auditor": "auditor",
        "because of": _because,
    }
    _list(session, "/v1/audits", columns, supplier, state, overdue, limit, cursor)


@command(audits, "show", example="duewatch audits show aud_...", role="auditor")
def show_audit(session: Session, audit: Annotated[str, typer.Argument(metavar="AUDIT")]) -> None:
    """One audit: what was found, and the corrective action plan."""
    session.answer(session.api.get(f"/v1/audits/{segment(audit)}"), _audit)


@command(cases, "list", example="duewatch cases list --overdue", role="case_worker")
def list_cases(
    session: Session,
    supplier: SupplierOption = None,
    state: State = None,
    overdue: Overdue = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> None:
    """Remediation cases, with their cause and by when they are due."""
    columns: Columns = {
        "case": "id",
        "supplier": "supplier_id",
        "state": "state",
        "due": _due,
        "worker": "worker",
        "because of": _because,
    }
    _list(session, "/v1/cases", columns, supplier, state, overdue, limit, cursor)


@command(cases, "show", example="duewatch cases show cas_...", role="case_worker")
def show_case(session: Session, case: Annotated[str, typer.Argument(metavar="CASE")]) -> None:
    """One case: its tasks, what is owed to workers, and what is left to do."""
    session.answer(session.api.get(f"/v1/cases/{segment(case)}"), _case)


def evidence_of(given: list[str]) -> list[dict[str, str]]:
    """As the API takes it."""
    parted = [(ref, mark, sha256) for ref, mark, sha256 in (one.rpartition("#") for one in given)]
    return [
        {"ref": ref, "sha256": sha256} if mark and _SHA256.fullmatch(sha256) else {"ref": ref + mark + sha256}
        for ref, mark, sha256 in parted
    ]


def _list(
    session: Session,
    path: str,
    columns: Columns,
    supplier: str | None,
    state: str | None,
    overdue: bool,
    limit: int,
    cursor: str | None,
) -> None:
    asked = {"supplier_id": session.supplier_id(supplier), "state": state, "overdue": overdue or None, "limit": limit, "cursor": cursor}
    session.answer(session.api.get(path, asked), lambda body: page(body, columns, empty="None."))


def _due(row: Any) -> Text:
    return Text(when(row["due_at"]) or "–", "bold red" if row.get("overdue") else "")


def _because(row: Any) -> str:
    """The signal behind it, where it is known; else the event that asked for it."""
    cause = row["cause"]
    if cause.get("finding_id"):
        return f"finding {cause['finding_id']}"
    if cause.get("list"):
        return f"{cause['list']} {cause['uid']}"
    return f"{cause['type']} {cause['id']}"


def _common(body: Any, name: str) -> dict[str, object]:
    return {
        name: body["id"], "supplier": body["supplier_id"], "state": body["state"], "because of": _because(body),
        "indicators": body["cause"].get("indicators"), "cause holds": body.get("cause_holds"), "opened": when(body.get("opened_at")), "due": _due(body),
    }  # fmt: skip


def _audit(body: Any) -> RenderableType:
    plan, report = body.get("plan") or {}, body.get("report") or {}
    rows = _common(body, "audit") | {
        "auditor": body.get("auditor"), "reported": report.get("summary"), "plan due": when(body.get("plan_due_at")), "plan by": plan.get("author"),
    }  # fmt: skip
    return Group(fields(rows), Text(), corrective(body))


def corrective(body: Any) -> RenderableType:
    """What an audit found, and the actions that answer it."""
    found = table(
        body.get("non_conformities", []),
        {"id": "id", "grade": "grade", "clause": "clause", "what": "text", "verified": "verified"},
        empty="No non-conformities.",
    )
    actions = {
        "action": "id",
        "for": "non_conformity_id",
        "what": "text",
        "responsible": "responsible",
        "due": "due_at",
        "answered": "answered",
    }
    return Group(found, table((body.get("plan") or {}).get("actions", []), actions, empty=""))


def _case(body: Any) -> RenderableType:
    rows = _common(body, "case") | {
        "worker": body.get("worker"),
        "round": body.get("round"),
        "open referrals": sum(one["open"] for one in body.get("referrals", [])),
    }
    rows["left to do"] = "; ".join(body.get("left_to_do", []))
    tasks = {"task": "id", "what": "title", "for": "role", "due": "due_at", "state": "state", "done by": "done_by"}
    owed: Columns = {"worker": "worker_ref", "owed": lambda row: text(f"{row['owed']} {row['currency']}")}
    return Group(
        fields(rows), Text(), table(body.get("tasks", []), tasks, empty="No tasks."), table(body.get("balances", []), owed, empty="")
    )
