"""The steps of an audit, each a command: assign, start, record, report; plan and prove; verify and close."""

from typing import Annotated, Any

import typer
from rich.console import RenderableType

from services.cli.command import command
from services.cli.failures import WrongUse
from services.cli.followup import Evidence, corrective, evidence_of
from services.cli.followup import audits as audits
from services.cli.session import Session, segment
from services.cli.show import fields, record

Audit = Annotated[str, typer.Argument(metavar="AUDIT")]
_FREE = {"paid_by_supplier": False, "adviser_to_supplier": False, "author_of_plan": False}


@command(audits, "assign", example="duewatch audits assign aud_... --auditor ada --independent", role="auditor")
def assign(
    session: Session,
    audit: Audit,
    auditor: Annotated[str, typer.Option(help="As in that person's token.")],
    independent: Annotated[
        bool, typer.Option("--independent", help="The auditor declares: not paid by the supplier, not its adviser, not author of its plan.")
    ] = False,
) -> None:
    """Gives an audit to an auditor who is independent of the supplier."""
    if not independent:
        raise WrongUse("Only an independent auditor can be assigned; say so with --independent")
    _step(session, audit, "assignment", {"auditor": auditor, "declarations": _FREE})


@command(audits, "visit", example="duewatch audits visit aud_... --on 2027-02-03", role="auditor")
def visit(
    session: Session,
    audit: Audit,
    on: Annotated[str, typer.Option(metavar="DATE", help="The day, as 2027-02-03.")],
    announced: Annotated[bool, typer.Option("--announced", help="The supplier knows of it; else only auditors do.")] = False,
) -> None:
    """Sets the day on site."""
    _step(session, audit, "visit", {"on": on, "announced": announced})


@command(audits, "start", example="duewatch audits start aud_...", role="auditor")
def start(session: Session, audit: Audit) -> None:
    """The assigned auditor begins."""
    _step(session, audit, "start")


@command(
    audits,
    "record",
    example="duewatch audits record aud_... --grade critical --clause 'ETI 1.1' --text 'Passports are kept'",
    role="auditor",
)
def record_non_conformity(
    session: Session,
    audit: Audit,
    grade: Annotated[str, typer.Option(help="minor, major, critical or business_critical.")],
    clause: Annotated[str, typer.Option(help="The requirement that is not met.")],
    text: Annotated[str, typer.Option(help="What was found.")],
    evidence: Evidence = [],  # noqa: B006  # Typer copies it
) -> None:
    """Records a non-conformity; it counts in the rating at once."""
    _step(session, audit, "non-conformities", {"grade": grade, "clause": clause, "text": text, "evidence": evidence_of(evidence)})


@command(audits, "report", example="duewatch audits report aud_... --summary 'Two days on site; three faults'", role="auditor")
def report(session: Session, audit: Audit, summary: Annotated[str, typer.Option(help="What was seen.")], evidence: Evidence = []) -> None:  # noqa: B006
    """Ends the looking; what was found is to be answered by a corrective action plan."""
    _step(session, audit, "report", {"summary": summary, "evidence": evidence_of(evidence)})


@command(audits, "faults", example="duewatch audits faults aud_...", role="buyer")
def faults(session: Session, audit: Audit) -> None:
    """What a reported audit found, and the plan that answers it: the part that buyers see."""
    session.answer(session.api.get(f"/v1/audits/{segment(audit)}/corrective-action-plan"), corrective)


@command(
    audits, "plan", example="duewatch audits plan aud_... --action 'nc1|2027-03-01|works council|Give the passports back'", role="buyer"
)
def plan(
    session: Session,
    audit: Audit,
    action: Annotated[list[str], typer.Option(help="NON-CONFORMITY|LAST DAY|WHO|WHAT; at least one for every non-conformity.")],
) -> None:
    """The supplier's corrective action plan; who submits it counts as its author."""
    _step(session, audit, "corrective-action-plan", {"actions": [_action(one) for one in action]})


@command(audits, "prove", example="duewatch audits prove aud_... a1 --evidence 's3://files/receipts.pdf'", role="buyer")
def prove(session: Session, audit: Audit, action: Annotated[str, typer.Argument(metavar="ACTION")], evidence: Evidence) -> None:
    """Gives evidence that an action was taken."""
    _step(session, audit, f"corrective-action-plan/actions/{segment(action)}/evidence", {"evidence": evidence_of(evidence)})


@command(audits, "verify", example="duewatch audits verify aud_... nc1 --note 'seen on site'", role="auditor")
def verify(
    session: Session,
    audit: Audit,
    non_conformity: Annotated[str, typer.Argument(metavar="NON-CONFORMITY")],
    note: Annotated[str, typer.Option(help="What it rests on.")],
    outcome: Annotated[str, typer.Option(help="verified or rejected.")] = "verified",
) -> None:
    """Says whether a non-conformity is put right; not for who planned or proved it."""
    _step(session, audit, f"non-conformities/{segment(non_conformity)}/verification", {"outcome": outcome, "note": note})


@command(audits, "close", example="duewatch audits close aud_...", role="auditor")
def close(session: Session, audit: Audit) -> None:
    """Closes an audit of which every non-conformity is verified."""
    _step(session, audit, "closure")


def _action(given: str) -> dict[str, str]:
    parts = [part.strip() for part in given.split("|", 3)]
    if len(parts) != 4:
        raise WrongUse("An action is written NON-CONFORMITY|LAST DAY|WHO|WHAT, as 'nc1|2027-03-01|works council|Give the passports back'")
    return dict(zip(("non_conformity_id", "due_on", "responsible", "text"), parts, strict=True))


def _step(session: Session, audit: str, step: str, body: dict[str, Any] | None = None) -> None:
    session.answer(session.api.post(f"/v1/audits/{segment(audit)}/{step}", body), _told)


def _told(body: Any) -> RenderableType:
    """What the step made, as far as one line each can tell."""
    if "open_non_conformities" in body:
        left = {f"open {grade.replace('_', ' ')}": n for grade, n in body["open_non_conformities"].items() if n}
        return fields({"audit": body["id"], "state": body["state"], "auditor": body["auditor"], **left})
    return record(body)
