"""The steps of a remediation case, each a command: tasks, the repayment ledger, referrals of victims, and its closure."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from services.cli.command import command
from services.cli.failures import WrongUse
from services.cli.followup import Evidence, evidence_of
from services.cli.followup import cases as cases
from services.cli.session import Session, segment
from services.cli.show import fields, page, record

Case = Annotated[str, typer.Argument(metavar="CASE")]
Task = Annotated[str, typer.Argument(metavar="TASK", help="As `cases show` has it, such as t1.")]
Referral = Annotated[str, typer.Argument(metavar="REFERRAL")]
_FREE = {"worked_on_case": False, "paid_by_supplier": False, "adviser_to_supplier": False}


@command(cases, "assign", example="duewatch cases assign case_... --worker cem", role="case_worker")
def assign(session: Session, case: Case, worker: Annotated[str, typer.Option(help="As in that person's token.")]) -> None:
    """Gives a case to a case worker."""
    _step(session, case, "assignment", {"worker": worker})


@command(cases, "start", example="duewatch cases start case_... t1", role="case_worker")
def start(session: Session, case: Case, task: Task) -> None:
    """Takes a task up."""
    _step(session, case, f"tasks/{segment(task)}/start")


@command(cases, "done", example="duewatch cases done case_... t1 --evidence 'dms:4711'", role="case_worker")
def done(session: Session, case: Case, task: Task, evidence: Evidence) -> None:
    """A task is done, and here is its evidence."""
    _step(session, case, f"tasks/{segment(task)}/completion", {"evidence": evidence_of(evidence)})


@command(cases, "ledger", example="duewatch cases ledger case_...", role="case_worker")
def ledger(session: Session, case: Case) -> None:
    """What workers are owed and were paid: every entry."""
    columns = {
        "entry": "id", "kind": "kind", "worker": "worker_ref", "amount": "amount", "currency": "currency", "reverses": "reverses", "by": "by",
        "reason": "reason",
    }  # fmt: skip
    answer = session.api.get(f"{_path(case)}/repayments")
    session.answer(answer, lambda body: page({"items": body["entries"], "next": None}, columns, empty="No entries."))


@command(cases, "enter", example="duewatch cases enter case_... owed --worker w-0017 --amount 120.50 --currency INR", role="case_worker")
def enter(
    session: Session,
    case: Case,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="owed, paid or correction.")],
    worker: Annotated[str, typer.Option(help="An opaque reference, never a name.")],
    amount: Annotated[str, typer.Option(help="Such as 120.50; a correction may be below zero.")],
    currency: Annotated[str, typer.Option(help="Three letters of ISO 4217.")],
    reason: Annotated[str | None, typer.Option(help="A correction needs it.")] = None,
    evidence: Evidence = [],  # noqa: B006  # Typer copies it
) -> None:
    """Enters a sum that a worker is owed or was paid, or a correction."""
    body = {"kind": kind, "worker_ref": worker, "amount": amount, "currency": currency, "reason": reason}
    _step(session, case, "repayments", body | {"evidence": evidence_of(evidence)})


@command(cases, "reverse", example="duewatch cases reverse case_... r2 --reason 'entered twice'", role="case_worker")
def reverse(
    session: Session,
    case: Case,
    entry: Annotated[str, typer.Argument(metavar="ENTRY", help="As `cases ledger` has it.")],
    reason: Annotated[str, typer.Option(help="Why it was wrong.")],
) -> None:
    """Takes an entry back by another; nothing is ever deleted."""
    _step(session, case, f"repayments/{segment(entry)}/reversal", {"reason": reason})


@command(
    cases,
    "refer",
    example="duewatch cases refer case_... --service 'Shelter North' --details-file person.txt --consent",
    role="case_worker",
)
def refer(
    session: Session,
    case: Case,
    service: Annotated[str, typer.Option(help="Who helps.")],
    details_file: Annotated[Path, typer.Option(help="What the service needs to know; - reads it from the terminal.")],
    worker: Annotated[str | None, typer.Option(help="The ledger's opaque reference.")] = None,
    consent: Annotated[bool, typer.Option("--consent", help="The person, or a child's guardian, has agreed.")] = False,
) -> None:
    """Hands a victim to a service that helps; sealed, and the case stays open until it has ended."""
    if not consent:
        raise WrongUse("Nobody is referred without their informed consent; say so with --consent")
    body = {"service": service, "details": _read(details_file), "worker_ref": worker, "consent": True}
    _step(session, case, "referrals", body)


@command(cases, "referrals", example="duewatch cases referrals case_...", role="case_worker")
def referrals(session: Session, case: Case) -> None:
    """The referrals of a case, without whom they are about."""
    columns = {"referral": "id", "state": "state", "opened by": "opened_by", "opened": "opened_at", "ended": "ended_at"}
    session.answer(session.api.get(f"{_path(case)}/referrals"), lambda body: page(body, columns, empty="No referrals."))


@command(cases, "referral", example="duewatch cases referral case_... ref_...", role="case_worker")
def referral(session: Session, case: Case, referral: Referral) -> None:
    """One referral, unsealed."""
    session.answer(session.api.get(f"{_path(case)}/referrals/{segment(referral)}"), record)


@command(cases, "end-referral", example="duewatch cases end-referral case_... ref_... --outcome completed", role="case_worker")
def end_referral(
    session: Session,
    case: Case,
    referral: Referral,
    outcome: Annotated[str, typer.Option(help="completed or declined.")],
    note_file: Annotated[Path | None, typer.Option(help="More about it, sealed like the rest; - reads it from the terminal.")] = None,
) -> None:
    """The service took the person up, or the person declined."""
    _step(session, case, f"referrals/{segment(referral)}/outcome", {"outcome": outcome, "note": _read(note_file) if note_file else None})


@command(cases, "close", example="duewatch cases close case_... --independent --evidence 'dms:4712'", role="auditor")
def close(
    session: Session,
    case: Case,
    independent: Annotated[
        bool, typer.Option("--independent", help="You declare: had no part in the case, not paid by the supplier, not its adviser.")
    ] = False,
    evidence: Evidence = [],  # noqa: B006
) -> None:
    """Somebody independent says that it is put right."""
    if not independent:
        raise WrongUse("Only somebody independent closes a case; say so with --independent")
    _step(session, case, "closure", {"declarations": _FREE, "evidence": evidence_of(evidence)})


def _read(path: Path) -> str:
    """A victim's details are never arguments: those stand in the shell's history and in the list of processes."""
    try:
        return sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise WrongUse("The text is not UTF-8") from None


def _path(case: str) -> str:
    return f"/v1/cases/{segment(case)}"


def _step(session: Session, case: str, step: str, body: dict[str, Any] | None = None) -> None:
    session.answer(session.api.post(f"{_path(case)}/{step}", body), _told)


def _told(body: Any) -> RenderableType:
    if "left_to_do" in body:
        return fields({"case": body["id"], "state": body["state"], "worker": body["worker"], "left to do": "; ".join(body["left_to_do"])})
    return record(body)
