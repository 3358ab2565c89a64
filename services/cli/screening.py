"""`duewatch screen`, `matches` and `sweeps`: whom the lists and findings touch."""

import sys
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from services.cli.command import Cursor, Limit, SupplierOption, command, group
from services.cli.session import Session, segment
from services.cli.show import Columns, fields, page, reasons, table, text, when

matches = group("Look at matches, and decide about them.", "duewatch matches list --state open")
sweeps = group("See that a release was held against all suppliers.", "duewatch sweeps show swp_...")


def screen(
    session: Session,
    name: Annotated[str, typer.Argument(help="A name of an organisation, a person or a ship.")],
    country: Annotated[str | None, typer.Option(help="Of the party, as RU.")] = None,
    kind: Annotated[str | None, typer.Option(help="organisation, person, vessel or aircraft; left out: whatever it is.")] = None,
    born: Annotated[str | None, typer.Option(help="A person's date of birth, as 1970-05-12, 1970-05 or 1970.")] = None,
    lei: Annotated[str | None, typer.Option(help="An organisation's LEI: an equal one is found whatever the names are.")] = None,
    limit: Annotated[int, typer.Option(help="How many candidates at most.", min=1, max=100)] = 10,
) -> None:
    """Holds a name against all lists and findings; nothing is stored."""
    identifiers = [{"kind": "lei", "value": lei}] if lei else []
    body = {"name": name, "country": country, "kind": kind, "birth_date": born, "identifiers": identifiers, "limit": limit}
    session.answer(session.api.post("/v1/screenings", body), _candidates)


@command(matches, "list", example="duewatch matches list --supplier S4:100001 --state open", role="analyst")
def list_(
    session: Session,
    supplier: SupplierOption = None,
    state: Annotated[str | None, typer.Option(help="open, escalated, confirmed, cleared or withdrawn.")] = None,
    strength: Annotated[str | None, typer.Option(help="strong or weak.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> None:
    """Matches of suppliers with list entries and findings."""
    asked = {"supplier_id": session.supplier_id(supplier), "state": state, "strength": strength, "limit": limit, "cursor": cursor}
    columns: Columns = {
        "match": "id", "state": "state", "score": lambda row: _score(row), "ours": "party_name", "theirs": lambda row: row["signal"]["name"],
        "from": lambda row: _source(row["signal"]), "supplier": "supplier_id",
    }  # fmt: skip
    session.answer(session.api.get("/v1/matches", asked), lambda body: page(body, columns, empty="No such matches."))


@command(matches, "queue", example="duewatch matches queue --proposed", role="analyst")
def queue(
    session: Session,
    state: Annotated[str | None, typer.Option(help="open (left out) or escalated.")] = None,
    proposed: Annotated[bool, typer.Option("--proposed", help="What somebody has proposed and a second person has to decide.")] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> None:
    """What waits for people, the most urgent first: the probability of a match times what it would do."""
    asked = {"order": "queue", "state": state, "proposed": "true" if proposed else None, "limit": limit, "cursor": cursor}
    columns: Columns = {
        "match": "id", "priority": lambda row: f"{row['priority']:.3f}", "it is": "consequence", "score": lambda row: _score(row),
        "ours": "party_name", "theirs": lambda row: row["signal"]["name"], "from": lambda row: _source(row["signal"]),
        "proposed": lambda row: _proposed(row["proposal"]), "supplier": "supplier_id",
    }  # fmt: skip
    session.answer(session.api.get("/v1/matches", asked), lambda body: page(body, columns, empty="Nothing waits."))


MatchId = Annotated[str, typer.Argument(metavar="MATCH")]


@command(matches, "show", example="duewatch matches show mat_...", role="analyst")
def show(session: Session, match: MatchId) -> None:
    """One match, why it is one, and what happened to it."""
    session.answer(session.api.get(f"/v1/matches/{segment(match)}"), lambda body: Group(_match(body), _history(body["history"])))


ReasonCode = Annotated[str | None, typer.Option(help="The kind of reason, needed to clear; a wrong one is answered with those there are.")]
Note = Annotated[str | None, typer.Option(help="What the decision rests on; the reason `other` needs it.")]


@command(matches, "review", example="duewatch matches review mat_... --outcome cleared --reason-code different_business", role="analyst")
def review(
    session: Session,
    match: MatchId,
    outcome: Annotated[str, typer.Option(help="confirmed, cleared or escalated.")],
    reason_code: ReasonCode = None,
    note: Note = None,
) -> None:
    """Decides about a match; where it forbids dealings, or lets them go on, it is a proposal that somebody else approves.

    A cleared pair stays cleared until either side materially changes.
    """
    body = {"outcome": outcome, "reason_code": reason_code, "note": note}
    session.answer(session.api.post(f"/v1/matches/{segment(match)}/review", body), _match)


@command(matches, "approve", example="duewatch matches approve mat_... --reason 'register extract seen'", role="analyst")
def approve(
    session: Session,
    match: MatchId,
    reason: Annotated[str, typer.Option(help="Why; it is kept with your name.")],
    outcome: Annotated[str, typer.Option(help="approved or rejected.")] = "approved",
) -> None:
    """Decides about what somebody else has proposed for a match."""
    session.answer(session.api.post(f"/v1/matches/{segment(match)}/approval", {"outcome": outcome, "reason": reason}), _match)


@command(
    matches, "clear", example="duewatch matches clear mat_... mat_... --reason-code same_name_only --note 'none trades outside Chile'", role="analyst"
)  # fmt: skip
def clear(
    session: Session,
    ids: Annotated[list[str], typer.Argument(metavar="MATCH...", help="Up to 500; - for one a line on standard input.")],
    reason_code: ReasonCode = None,
    note: Note = None,
    key: Annotated[str | None, typer.Option(help="An Idempotency-Key: the same call again with it does nothing twice.")] = None,
) -> None:
    """Clears many matches for one reason; says of each what became of it."""
    asked = [line.strip() for line in sys.stdin if line.strip()] if ids == ["-"] else ids
    body = {"ids": asked, "outcome": "cleared", "reason_code": reason_code, "note": note}
    columns: Columns = {"match": "id", "result": "result", "why": lambda row: row.get("error")}
    answer = session.api.post("/v1/match-reviews", body, key=key)
    session.answer(answer, lambda body: table(body["items"], columns, empty="No matches were named."))


@command(matches, "settings", example="duewatch matches settings --alert-budget 0.002 --reason 'two people read alerts'", role="admin")
def settings(
    session: Session,
    alert_budget: Annotated[float | None, typer.Option(help="Share of clean suppliers that may alert, 0.0005 to 0.05.")] = None,
    review_threshold: Annotated[float | None, typer.Option(help="Score from which a match is opened, in place of a budget.")] = None,
    as_shipped: Annotated[bool, typer.Option("--as-shipped", help="Takes back what was set.")] = False,
    reason: Annotated[str | None, typer.Option(help="Why, needed to set it; it is kept with your name.")] = None,
) -> None:
    """From which score matches are opened; sets it where an option says so. What stands is then screened again."""
    if alert_budget is None and review_threshold is None and not as_shipped:
        answer = session.api.get("/v1/screening-settings")
    else:
        body = {"alert_budget": alert_budget, "review_threshold": review_threshold, "reason": reason}
        answer = session.api.put("/v1/screening-settings", body)
    session.answer(answer, _settings)


@command(sweeps, "show", example="duewatch sweeps show swp_...", role="analyst")
def sweep(session: Session, sweep: Annotated[str, typer.Argument(metavar="SWEEP", help="As the release names it.")]) -> None:
    """How far a release has been held against all suppliers."""
    session.answer(session.api.get(f"/v1/sweeps/{segment(sweep)}"), _sweep)


def _settings(body: Any) -> RenderableType:
    chosen = {"alert budget": body["alert_budget"], "review threshold": body["review_threshold"]}
    told = {name: f"{value:g}" for name, value in chosen.items() if value is not None} or {"set": "as shipped"}
    scores = {"opened from": f"{body['in_force']['review']:g}", "strong from": f"{body['in_force']['strong']:g}"}
    return fields({**told, **scores, "set by": body["set_by"], "set at": when(body["set_at"]), "reason": body["reason"]})


def _score(row: Any) -> Text:
    return text(float(row["score"]), "bold red" if row.get("strength") == "strong" else "dark_orange")


def _history(happened: Any) -> RenderableType:
    columns: Columns = {
        "when": lambda row: when(row["time"]), "what": lambda row: _event(row), "by": "actor", "then": "state", "reason": "reason_code",
        "said": "note", "carried from": "carried_from",
    }  # fmt: skip
    return table([{"reason_code": None, "note": None, "carried_from": None, "state": None, **row} for row in happened], columns, empty="")


def _event(row: Any) -> str:
    """As `proposed cleared`, or `proposal decided: approved`."""
    what = str(row["type"]).split(".")[2].replace("_", " ")
    if "approved" in row:
        return f"{what}: {'approved' if row['approved'] else 'rejected'}"
    return f"{what} {row['proposed']}" if "proposed" in row else what


def _proposed(said: Any) -> str:
    return f"{said['outcome']} by {said['by']}: {said['reason_code']}" if said else ""


def _source(signal: Any) -> str:
    return f"{signal['list']} {signal['uid']}" if signal.get("list") else f"finding {signal.get('finding_id') or ''}"


def _candidates(body: Any) -> RenderableType:
    columns: Columns = {
        "score": lambda row: _score(row), "name": lambda row: row["signal"]["name"], "from": lambda row: _source(row["signal"]),
        "programs": lambda row: row["signal"].get("programs"), "why": lambda row: reasons(row["why"]),
    }  # fmt: skip
    found = table(body["candidates"], columns, empty="Nothing resembles this name.")
    return found if body.get("screenable", True) else Text("This name says too little to be screened.", "yellow")


def _match(body: Any) -> RenderableType:
    signal = body["signal"]
    rows = {
        "match": body["id"], "state": body["state"], "score": _score(body), "strength": body["strength"], "about": body["about"],
        "it is": body["consequence"], "supplier": body["supplier_id"], "our name": body["party_name"], "their name": signal["name"], "from": _source(signal),
        "programs": signal.get("programs"), "why": reasons(body["why"]), "proposed": _proposed(body["proposal"]),
        "reviewed by": body["reviewed_by"], "agreed by": body["agreed_by"], "carried from": body["carried_from"], "reason": body["reason_code"],
        "note": body["note"], "reviewed": when(body["reviewed_at"]), "opened": when(body["opened_at"]), "changed": when(body["updated_at"]),
    }  # fmt: skip
    return fields(rows)


def _sweep(body: Any) -> RenderableType:
    rows = {
        "sweep": body["id"], "state": body["state"], "list": body.get("list"), "release": body.get("release_id"),
        "partitions": f"{body['partitions_done']} of {body['partitions']}", "suppliers": body["suppliers"], "signals": body["signals"],
        "hits": body["hits"], "started": when(body.get("started_at")), "completed": when(body.get("completed_at")),
    }  # fmt: skip
    proof = "" if body["state"] == "complete" else "Every partition must have taken part before a sweep proves anything."
    return Group(fields(rows), Text(proof, "dim")) if proof else fields(rows)
