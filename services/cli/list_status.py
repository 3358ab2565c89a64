"""What to look at in official lists: how each stands, and which records of a release became no entry."""

from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from services.cli.command import Cursor, Limit, command
from services.cli.lists import ListId
from services.cli.lists import app as app
from services.cli.session import Session, segment
from services.cli.show import Columns, fields, page, when

_DAY_S, _HOUR_S = 86_400, 3_600
_STYLES = {"ok": "green", "never_loaded": "dim", "stale": "dark_orange", "refused": "red", "failing": "bold red"}
_SAYS_ALL = ("ok", "never_loaded")


@command(app, "status", example="duewatch lists status", role="analyst")
def status(session: Session) -> None:
    """How all lists stand: release, age, records, changes, health, next pull."""
    columns: Columns = {
        "list": "list", "release date": _date, "age": lambda row: _age(row["age_s"]), "records": "records", "changes": _changes, "health": _health,
        "next pull": lambda row: when(row["next_pull"]),
    }  # fmt: skip
    session.answer(session.api.get("/v1/lists/status"), lambda body: _with_reasons(page(body, columns), body["items"]))


@command(app, "quarantined", example="duewatch lists quarantined us_ofac_sdn rel_...", role="analyst")
def quarantined(
    session: Session,
    list_id: ListId,
    release_id: Annotated[str, typer.Argument(metavar="RELEASE")],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> None:
    """The records of a release that became no entry: where each stands, and why."""
    path = f"/v1/lists/{segment(list_id)}/releases/{segment(release_id)}/quarantined"
    columns: Columns = {"row": "row", "uid": "uid", "why": "reason"}
    answer = session.api.get(path, {"limit": limit, "cursor": cursor})
    session.answer(answer, lambda body: page(body, columns, empty="All records became entries."))


def _date(row: Any) -> str | None:
    """The publisher's own, or the day it came into force."""
    return row["dated"] or (when(row["accepted_at"])[:10] if row["accepted_at"] else None)


def _age(seconds: int | None) -> str | None:
    if seconds is None:
        return None
    return f"{seconds // _DAY_S} d" if seconds >= _DAY_S else f"{max(seconds, 0) // _HOUR_S} h"


def _changes(row: Any) -> str | None:
    return f"+{row['added']:,} ~{row['modified']:,} -{row['deleted']:,}" if row["release_id"] else None


def _health(row: Any) -> Text:
    return Text(str(row["health"]).replace("_", " "), _STYLES.get(row["health"], ""))


def _with_reasons(shown: RenderableType, rows: Any) -> RenderableType:
    """Why lists are not well stands below them, each in sentences as wide as the terminal: in a column they would make the table too wide to read."""
    why = {row["list"]: row["reason"] for row in rows if row["reason"] and row["health"] not in _SAYS_ALL}
    return Group(shown, fields(why)) if why else shown
