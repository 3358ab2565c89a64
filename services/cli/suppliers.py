"""`duewatch suppliers`: the companies we buy from."""

from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from services.cli.command import Cursor, Limit, SupplierRef, command, group
from services.cli.failures import WrongUse
from services.cli.imports import import_file
from services.cli.session import Session, reference, segment
from services.cli.show import Columns, fields, page, table, when

app = group("Import suppliers, and look at them.", "duewatch suppliers import vendors.csv --source-system S4")
command(app, "import", example="duewatch suppliers import vendors.csv --source-system S4 --results out.ndjson", role="buyer")(import_file)


@command(app, "list", example="duewatch suppliers list --status blocked", role="buyer")
def list_(
    session: Session,
    status: Annotated[str | None, typer.Option(help="active, on_hold, blocked or inactive.")] = None,
    country: Annotated[str | None, typer.Option(help="Of its seat, as CN.")] = None,
    tier: Annotated[str | None, typer.Option(help="low, medium, high, critical or prohibited.")] = None,
    q: Annotated[str | None, typer.Option("--search", help="What its name holds.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> None:
    """Suppliers, with their status and tier."""
    asked = {"status": status, "country": country, "tier": tier, "q": q, "limit": limit, "cursor": cursor}
    columns: Columns = {
        "supplier": "id",
        "number": _numbers,
        "name": "name",
        "country": "country",
        "status": "status",
        "tier": "tier",
    }
    session.answer(session.api.get("/v1/suppliers", asked), lambda body: page(body, columns, empty="No such suppliers."))


@command(app, "show", example="duewatch suppliers show S4:100001", role="buyer")
def show(session: Session, supplier: SupplierRef) -> None:
    """One supplier: its profile, its status and who or what set it."""
    session.answer(session.api.get(f"/v1/suppliers/{segment(session.supplier_id(supplier) or '')}"), _look)


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
) -> None:
    """Registers one supplier; many come by `import`."""
    body: dict[str, Any] = {
        "name": name,
        "country": country,
        "external_refs": [reference(one) for one in ref],
        "goods": [_good(one) for one in good],
    }
    body["other_names"] = [{"name": one, "kind": "trade"} for one in other_name]
    session.answer(session.api.post("/v1/suppliers", body), _look)


@command(app, "deactivate", example="duewatch suppliers deactivate S4:100001 --reason 'contract ended'", role="buyer")
def deactivate(
    session: Session, supplier: SupplierRef, reason: Annotated[str, typer.Option(help="Why; it stays with the supplier.")]
) -> None:
    """Takes a supplier out of use; its history stays."""
    id_ = session.supplier_id(supplier) or ""
    session.answer(session.api.post(f"/v1/suppliers/{segment(id_)}/deactivation", {"reason": reason}), _look)


def _good(given: str) -> dict[str, str]:
    parts = given.split(":")
    if len(parts) not in (2, 3) or not all(parts):
        raise WrongUse("A good is written HS:ORIGIN or HS:ORIGIN:REGION, as 5201:CN:CN-XJ")
    return dict(zip(("hs", "origin", "region"), parts, strict=False))


def _numbers(row: Any) -> list[str]:
    return [f"{ref['system']}:{ref['number']}" for ref in row["external_refs"]]


def _look(body: Any) -> RenderableType:
    cause = body["status_cause"]
    by = " ".join(part for part in (cause.get("actor"), cause.get("type"), cause.get("id")) if part)
    lists = {
        "other names": [f"{one['name']} ({one['kind']})" for one in body["other_names"]],
        "identifiers": [f"{one['kind']} {one['value']}" for one in body["identifiers"]],
        "addresses": [", ".join(filter(None, (one.get("text"), one.get("city"), one.get("country")))) for one in body["addresses"]],
        "sites": [f"{one['name']} ({one.get('region') or one['country']})" for one in body["sites"]],
        "owners": [f"{one['name']} {one.get('percent') or '?'} %" for one in body["owners"]],
        "upstream": [one["supplier_id"] for one in body["upstream"]],
        "goods": [f"{one['hs']} from {one.get('region') or one['origin']}" for one in body["goods"]],
    }
    rows = {
        "supplier": body["id"], "numbers": _numbers(body), "name": body["name"], "country": body["country"], "status": body["status"],
        "set by": f"{by}: {cause['reason']}" if cause.get("reason") else by, "tier": body["tier"],
        **{name: "; ".join(values) for name, values in lists.items()}, "version": body["version"], "updated": when(body["updated_at"]),
    }  # fmt: skip
    return fields(rows)


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
    return Group(fields(about), Text(), drivers, duties)
