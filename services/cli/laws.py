"""`duewatch laws`: what laws ask of who buys, and how well that is known."""

from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from services.cli.session import Session, segment
from services.cli.show import Columns, fields, page, table


def laws(
    session: Session,
    law: Annotated[str, typer.Argument(metavar="[LAW]", help="One law, with its duties and clocks; without it all.")] = "",
    jurisdiction: Annotated[str | None, typer.Option(help="Only of this country, or of the EU.")] = None,
) -> None:
    """The laws that a match or an exposure can bring duties of. Not legal advice."""
    if law:
        session.answer(session.api.get(f"/v1/laws/{segment(law)}"), _law)
        return
    columns: Columns = {
        "law": "id",
        "name": "name",
        "of": "jurisdiction",
        "applies from": "applies_from",
        "duties": lambda row: len(row["duties"]),
        "keep": lambda row: (row["retention"] or {}).get("period"),
        "words read": lambda row: row["verified"] or "unverified",
    }
    session.answer(session.api.get("/v1/laws", {"jurisdiction": jurisdiction}), lambda body: page(body, columns, empty="No such law."))


def _law(body: Any) -> RenderableType:
    kept = body["retention"]
    about = {
        "law": body["name"],
        "of": body["jurisdiction"],
        "reference": body["reference"],
        "applies from": body["applies_from"],
        "binds": body["binds"],
        "keep": f"{kept['period']} from {kept['starts']} ({kept['rule']})" if kept else None,
        "source": body["source"],
        "words read": body["verified"] or f"unverified, looked for on {body['checked']}",
        "rests on": body["read"],
    }
    return Group(fields(about), Text(), table(body["duties"], {"duty": "id", "asks": "text", "due": "due"}))
