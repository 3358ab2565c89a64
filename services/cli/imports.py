"""`duewatch suppliers import`: a file of suppliers, sent and followed row by row."""

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from services.cli.command import Cursor, Limit
from services.cli.failures import Refused, WrongUse
from services.cli.session import Session, segment
from services.cli.show import Columns, fields, page, table

_TYPES: Final = {".csv": "text/csv", ".ndjson": "application/x-ndjson", ".jsonl": "application/x-ndjson"}
_CHUNK: Final = 256 * 1024
_SHOWN_REJECTED: Final = 10


def import_file(
    session: Session,
    file: Annotated[Path, typer.Argument(help="CSV or NDJSON in UTF-8.", exists=True, dir_okay=False)],
    source_system: Annotated[str, typer.Option(help="The system whose vendor numbers these are.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would happen.")] = False,
    wait: Annotated[bool, typer.Option(help="Wait until every row is worked on.")] = True,
    results: Annotated[Path | None, typer.Option(help="Write what became of each row to this file, as NDJSON.", dir_okay=False)] = None,
) -> None:
    """Imports suppliers. A number that is known already is brought up to date; a bad row never loses the others."""
    if (content_type := _TYPES.get(file.suffix.lower())) is None:
        raise WrongUse("The name of the file says what it is: .csv, .ndjson or .jsonl")
    if results is not None and not wait:
        raise WrongUse("--results needs the import to be waited for: leave --no-wait out")
    asked = {"source_system": source_system, "mode": "dry_run" if dry_run else "apply"}
    with session.progress() as bars, file.open("rb") as source:
        size = file.stat().st_size
        chunks = bars.read("Sending", iter(lambda: source.read(_CHUNK), b""), size)
        sent = session.api.upload("/v1/supplier-imports", chunks, size, content_type, asked)
        path = f"/v1/supplier-imports/{sent.body['id']}"
        if wait:
            bar = bars.start("Trying" if dry_run else "Importing", size or 1)

            def done(body: Any) -> bool:
                bars.show(bar, body["bytes_read"], f"{body['rows']:,} rows")
                return bool(body["state"] != "running")

            ended = session.api.wait(path, done)
    if not wait:
        session.answer(sent, lambda body: fields({"import": body["id"], "state": "running"}))
        return
    rejected = _results(session, path, results, ended.body["rejected"])
    session.answer(ended, lambda body: _look(body, rejected))
    if results is not None:
        session.note(f"What became of each row is in {results}")
    if ended.body["state"] == "failed":
        raise Refused("The import failed", ended.body["reason"] or "")


def list_imports(
    session: Session,
    state: Annotated[str | None, typer.Option(help="running, done or failed.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> None:
    """The tenant's imports, and how far each is."""
    names = ("state", "mode", "rows", "created", "updated", "unchanged", "rejected")
    columns: Columns = {"import": "id", **{name: name for name in names}, "received": "received_at"}
    asked = {"state": state, "limit": limit, "cursor": cursor}
    session.answer(session.api.get("/v1/supplier-imports", asked), lambda body: page(body, columns, empty="No such imports."))


def imported(
    session: Session,
    import_id: Annotated[str, typer.Argument(metavar="IMPORT")],
    results: Annotated[
        Path | None, typer.Option(help="Write what became of each row so far to this file, as NDJSON.", dir_okay=False)
    ] = None,
) -> None:
    """One import: how far it is, and the rows that were rejected."""
    path = f"/v1/supplier-imports/{segment(import_id)}"
    found = session.api.get(path)
    rejected = _results(session, path, results, found.body["rejected"])
    session.answer(found, lambda body: _look(body, rejected))
    if results is not None:
        session.note(f"What became of each row is in {results}")


def _results(session: Session, path: str, target: Path | None, rejected: int) -> list[dict[str, Any]]:
    """The first rejected rows; all rows go to the file `target`."""
    first: list[dict[str, Any]] = []
    if target is None and (session.json or not rejected):
        return first
    with session.api.lines(f"{path}/results") as lines:
        if target is None:
            for line in lines:
                _collect(first, line)
                if len(first) == min(rejected, _SHOWN_REJECTED):
                    break
            return first
        with target.open("w", encoding="utf-8") as file:
            for line in lines:
                file.write(line + "\n")
                if len(first) < _SHOWN_REJECTED:
                    _collect(first, line)
    return first


def _collect(rejected: list[dict[str, Any]], line: str) -> None:
    if '"rejected"' in line and (row := json.loads(line))["outcome"] == "rejected":
        rejected.append(row)


def _look(body: Any, rejected: list[dict[str, Any]]) -> RenderableType:
    counts = {name: body[name] for name in ("rows", "created", "updated", "unchanged", "rejected")}
    kind = "dry run: nothing was written" if body["mode"] == "dry_run" else ""
    shown = fields({"import": body["id"], "state": body["state"], "reason": body["reason"], "mode": kind, **counts})
    if not rejected:
        return shown
    columns: Columns = {
        "row": "row",
        "number": "number",
        "why": lambda row: "; ".join(f"{e['field']}: {e['message']}" for e in row["errors"]),
    }
    title = Text(
        "Rejected rows:" if len(rejected) == body["rejected"] else f"The first {len(rejected)} rejected rows (all with --results FILE):"
    )
    return Group(shown, Text(), title, table(rejected, columns))
