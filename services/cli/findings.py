"""`duewatch reports` and `findings`: what somebody told us, and what we assert after two people looked."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from services.cli.command import Cursor, Limit, command, group
from services.cli.failures import WrongUse
from services.cli.session import Session, segment
from services.cli.show import Columns, fields, page, record

reports = group(
    "Send reports of abuse, in confidence, and see what became of them.", "duewatch reports send --name 'Acme Ltd' --text-file report.txt"
)
findings = group("Draft, verify and retract findings.", "duewatch findings draft rep_... --summary 'Wages withheld for months'")

ReportId = Annotated[str, typer.Argument(metavar="REPORT")]
FindingId = Annotated[str, typer.Argument(metavar="FINDING")]
Reason = Annotated[str, typer.Option(help="Why; it is kept, sealed, with your name.")]


@command(
    reports,
    "send",
    example="duewatch reports send --origin CN --region CN-XJ --hs 5201 --indicator debt_bondage --text-file report.txt",
    role="reporter",
)
def send(
    session: Session,
    name: Annotated[str | None, typer.Option(help="About a party: its name; --country, if known.")] = None,
    site: Annotated[str | None, typer.Option(help="Or about a site: its name; with --country, and --region, if known.")] = None,
    country: Annotated[str | None, typer.Option(help="Of the party or the site, as IN.")] = None,
    origin: Annotated[str | None, typer.Option(help="Or about a good: its country of origin; with --hs, --region or both.")] = None,
    hs: Annotated[str | None, typer.Option("--hs", help="The good's HS code, as 5201.")] = None,
    region: Annotated[str | None, typer.Option(help="Of the site or the origin, as CN-XJ.")] = None,
    indicator: Annotated[
        list[str],
        typer.Option(
            help="Of forced labour, by ILO's names, as debt_bondage or withholding_of_wages; repeat it for several. The API pages name all."
        ),
    ] = [],  # noqa: B006  # Typer copies it
    text: Annotated[
        str | None, typer.Option(help="What happened. Others on this machine can see it here: --text-file keeps it from them.")
    ] = None,
    text_file: Annotated[Path | None, typer.Option(help="A file with what happened; - for standard input.")] = None,
) -> None:
    """Sends a report. Its text and its sender are sealed.

    Keep the receipt: whoever holds it can ask what became of the report.
    """
    if (text is None) == (text_file is None):
        raise WrongUse("Say what happened: with --text-file FILE (or -), or with --text")
    body = {
        "about": _about(name, site, country, origin, hs, region),
        "indicators": indicator,
        "text": text if text is not None else _read(text_file),
    }
    session.answer(session.api.post("/v1/reports", body), lambda sent: fields({"report": sent["id"], "receipt": sent["receipt"]}))


@command(reports, "list", example="duewatch reports list", role="reporter")
def list_reports(
    session: Session,
    receipt: Annotated[str | None, typer.Option(help="The one of this receipt.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> None:
    """For a reporter what became of the own reports; for an analyst all, never who sent them."""
    columns: Columns = {
        "report": "id",
        "received": "received_at",
        "state": "state",
        "about": lambda row: _subject(row.get("about")),
        "indicators": lambda row: row.get("indicators"),
    }
    answer = session.api.get("/v1/reports", {"receipt": receipt, "limit": limit, "cursor": cursor})
    session.answer(answer, lambda body: page(body, columns, empty="No reports."))


@command(reports, "show", example="duewatch reports show rep_...", role="analyst")
def show_report(session: Session, report: ReportId) -> None:
    """One report: for its reporter what became of it, for an analyst what it says."""
    session.answer(session.api.get(f"/v1/reports/{segment(report)}"), _whole)


@command(reports, "identity", example="duewatch reports identity rep_... --reason 'warrant 12/26 of the district court'", role="custodian")
def identity(
    session: Session,
    report: ReportId,
    reason: Annotated[str, typer.Option(help="Why; the journal keeps it, in clear, with your name.")],
) -> None:
    """Opens who sent a report, once the journal says who opened it and why."""
    opened = session.api.post(f"/v1/reports/{segment(report)}/identity", {"reason": reason})
    session.answer(opened, lambda body: fields({"report": body["id"], "sent by": body["subject"]}))


@command(reports, "erase", example="duewatch reports erase rep_... --reason data_subject_request", role="admin")
def erase(
    session: Session,
    report: ReportId,
    reason: Annotated[str, typer.Option(help="data_subject_request, retention_ended, sent_by_mistake or legal_order.")],
) -> None:
    """Erases a report for good: nobody can read it, its sender or what was written about it again. A verified finding holds until retracted."""
    erased = session.api.delete(f"/v1/reports/{segment(report)}", {"reason": reason})
    session.answer(erased, lambda body: fields({"report": body["id"], "state": body["state"]}))


@command(findings, "list", example="duewatch findings list --state draft", role="analyst")
def list_findings(
    session: Session,
    state: Annotated[str | None, typer.Option(help="draft, verified, rejected or retracted.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> None:
    """Findings, and how far each is."""
    columns: Columns = {
        "finding": "id",
        "state": "state",
        "about": lambda row: _subject(row.get("about")),
        "indicators": "indicators",
        "drafted by": "drafted_by",
        "drafted": "drafted_at",
    }
    answer = session.api.get("/v1/findings", {"state": state, "limit": limit, "cursor": cursor})
    session.answer(answer, lambda body: page(body, columns, empty="No such findings."))


@command(findings, "show", example="duewatch findings show fnd_...", role="analyst")
def show_finding(session: Session, finding: FindingId) -> None:
    """One finding, who drafted it and who judged it."""
    session.answer(session.api.get(f"/v1/findings/{segment(finding)}"), _whole)


@command(findings, "draft", example="duewatch findings draft rep_... --summary 'Wages withheld for months'", role="analyst")
def draft(
    session: Session,
    report: ReportId,
    summary: Annotated[str, typer.Option(help="What we assert, in own words that do not give the reporter away.")],
) -> None:
    """Drafts a finding from a report; it acts once somebody else has verified it."""
    session.answer(session.api.post(f"/v1/reports/{segment(report)}/findings", {"summary": summary}), _state)


@command(findings, "verify", example="duewatch findings verify fnd_... --reason 'two payslips and a visit'", role="analyst")
def verify(
    session: Session, finding: FindingId, reason: Reason, outcome: Annotated[str, typer.Option(help="verified or rejected.")] = "verified"
) -> None:
    """Verifies or rejects a finding that somebody else drafted; verified, it acts at once."""
    session.answer(session.api.post(f"/v1/findings/{segment(finding)}/verification", {"outcome": outcome, "reason": reason}), _state)


@command(findings, "retract", example="duewatch findings retract fnd_... --reason 'the site was another one'", role="analyst")
def retract(session: Session, finding: FindingId, reason: Reason) -> None:
    """Takes a verified finding back, and with it all that it caused."""
    session.answer(session.api.post(f"/v1/findings/{segment(finding)}/retraction", {"reason": reason}), _state)


def _about(
    name: str | None, site: str | None, country: str | None, origin: str | None, hs: str | None, region: str | None
) -> dict[str, str]:
    if [name, site, origin].count(None) != 2:
        raise WrongUse("Say what it is about: a party (--name), a site (--site) or a good (--origin)")
    kind = "party" if name else "site" if site else "exposure"
    given = {"kind": kind, "name": name or site, "country": country, "origin": origin, "hs": hs, "region": region}
    return {field: value for field, value in given.items() if value is not None}


def _read(path: Path | None) -> str:
    try:
        return sys.stdin.read() if str(path) == "-" else Path(path or "").read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise WrongUse("The text is not UTF-8") from None


def _subject(about: Any) -> str:
    """What a report or a finding is about, in one line; None once erased."""
    if not about:
        return ""
    place = about.get("region") or about.get("origin") or about.get("country")
    what = about.get("name") or f"HS {about['hs']}" if about.get("hs") or about.get("name") else "goods"
    return f"{about['kind']}: {what}" + (f" ({place})" if place else "")


def _state(body: Any) -> RenderableType:
    return fields({"finding": body["id"], "state": body["state"]})


def _whole(body: Any) -> RenderableType:
    """All that the caller may see of a report or a finding."""
    return record({**body, "about": _subject(body.get("about"))})
