"""`duewatch suppliers`: the companies we buy from."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from services.cli import changes
from services.cli.command import Cursor, Limit, SupplierRef, command, group
from services.cli.failures import WrongUse
from services.cli.imports import import_file, imported, list_imports
from services.cli.session import Session, reference, segment
from services.cli.show import Columns, fields, held_through, page, table, when
from services.cli.supplier import look, numbers

app = group("Import suppliers, and look at them.", "duewatch suppliers import vendors.csv --source-system S4")
command(app, "import", example="duewatch suppliers import vendors.csv --source-system S4 --results out.ndjson", role="buyer")(import_file)
command(app, "imports", example="duewatch suppliers imports --state running", role="buyer")(list_imports)
command(app, "imported", example="duewatch suppliers imported imp_... --results out.ndjson", role="buyer")(imported)
command(app, "change", example="duewatch suppliers change S4:100001 fields.json --version 3", role="buyer")(changes.change)
command(app, "deactivate", example="duewatch suppliers deactivate S4:100001 --reason 'contract ended'", role="buyer")(changes.deactivate)
command(app, "reactivate", example="duewatch suppliers reactivate S4:100001 --reason 'new contract'", role="buyer")(changes.reactivate)
command(app, "acknowledge", example="duewatch suppliers acknowledge S4:100001 --code-version 2026 --by 'Li Wei'", role="buyer")(
    changes.acknowledge
)


@command(app, "list", example="duewatch suppliers list --status blocked", role="buyer")
def list_(
    session: Session,
    status: Annotated[str | None, typer.Option(help="active, on_hold, blocked or inactive.")] = None,
    country: Annotated[str | None, typer.Option(help="Of its seat, as CN.")] = None,
    tier: Annotated[str | None, typer.Option(help="low, medium, high, critical or prohibited.")] = None,
    q: Annotated[str | None, typer.Option("--search", help="What its name holds.")] = None,
    ref: Annotated[str | None, typer.Option(metavar="SYSTEM:NUMBER", help="Its number in a procurement system.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> None:
    """Suppliers, with their status and tier."""
    asked = {"status": status, "country": country, "tier": tier, "q": q, "external_ref": ref, "limit": limit, "cursor": cursor}
    columns: Columns = {
        "supplier": "id",
        "number": numbers,
        "name": "name",
        "country": "country",
        "status": "status",
        "tier": "tier",
    }
    session.answer(session.api.get("/v1/suppliers", asked), lambda body: page(body, columns, empty="No such suppliers."))


@command(app, "show", example="duewatch suppliers show S4:100001", role="buyer")
def show(session: Session, supplier: SupplierRef) -> None:
    """One supplier: its profile, its status and who or what set it."""
    session.answer(session.api.get(f"/v1/suppliers/{segment(session.supplier_id(supplier) or '')}"), look)


@command(app, "rating", example="duewatch suppliers rating S4:100001", role="buyer")
def rating(session: Session, supplier: SupplierRef) -> None:
    """Its rating, what drives it and what it obliges to."""
    session.answer(session.api.get(f"/v1/suppliers/{segment(session.supplier_id(supplier) or '')}/rating"), _rating)


@command(app, "add", example="duewatch suppliers add 'Acme Ltd' GB --ref S4:100001 --good 5201:CN:CN-XJ", role="buyer")
def add(
    session: Session,
    name: Annotated[str, typer.Argument(help="The legal name.")],
    country: Annotated[str, typer.Argument(help="Of its seat, as GB.")],
    ref: Annotated[list[str], typer.Option(metavar="SYSTEM:NUMBER", help="Its number in a procurement system.")] = [],  # noqa: B006  # Typer copies it
    good: Annotated[list[str], typer.Option(metavar="HS:ORIGIN[:REGION]", help="A good that it delivers.")] = [],  # noqa: B006
    other_name: Annotated[list[str], typer.Option(help="A name that it trades under.")] = [],  # noqa: B006
    more: Annotated[
        Path | None, typer.Option(help="A file with a JSON object of further fields: identifiers, sites, owners and so on.")
    ] = None,
) -> None:
    """Registers one supplier; many come by `import`."""
    body: dict[str, Any] = {
        "name": name,
        "country": country,
        "external_refs": [reference(one) for one in ref],
        "goods": [_good(one) for one in good],
    }
    body["other_names"] = [{"name": one, "kind": "trade"} for one in other_name]
    session.answer(session.api.post("/v1/suppliers", {**body, **(changes.profile(more) if more else {})}), look)


def _good(given: str) -> dict[str, str]:
    parts = given.split(":")
    if len(parts) not in (2, 3) or not all(parts):
        raise WrongUse("A good is written HS:ORIGIN or HS:ORIGIN:REGION, as 5201:CN:CN-XJ")
    return dict(zip(("hs", "origin", "region"), parts, strict=False))


def _rating(body: Any) -> RenderableType:
    about = {
        "supplier": body["supplier_id"],
        "tier": body["tier"],
        "score": body["score"],
        "policy": body["policy_version"],
        "as of": when(body["as_of"]),
    }
    drivers = table(
        body["drivers"], {"driver": "text", "points": "points", "tier": lambda row: row.get("tier")}, empty="Nothing speaks against it."
    )
    duties = table(body["obligations"], {"obligation": "text", "kind": "kind", "due in days": lambda row: row.get("due_days")}, empty="")
    ways = [Text(f"held: {line}") for driver in body["drivers"] for line in held_through(driver)]
    by_law = table(
        body["legal_obligations"],
        {"by law, where it binds you": "text", "see": lambda row: f"laws {row['id'].partition('.')[0]}"},
        empty="",
    )
    return Group(fields(about), Text(), drivers, *ways, duties, by_law)
