"""`duewatch subscriptions`: who is told of changed ratings."""

from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from services.cli.command import Cursor, Limit, command, group
from services.cli.session import Session, segment
from services.cli.show import Columns, fields, page

app = group("Have webhooks told of changed ratings.", "duewatch subscriptions add https://example.com/hook --tier prohibited")


@command(app, "add", example="duewatch subscriptions add https://example.com/hook --tier critical --tier prohibited", role="partner")
def add(
    session: Session,
    address: Annotated[str, typer.Argument(metavar="URL", help="Where to send; https.")],
    tier: Annotated[list[str], typer.Option(help="Only when a supplier moves to this tier; repeat it for several.")] = [],  # noqa: B006  # Typer copies it
    kind: Annotated[list[str], typer.Option(help="Only when this caused it, as list_entry or finding.")] = [],  # noqa: B006
    country: Annotated[list[str], typer.Option(help="Only of suppliers in this country.")] = [],  # noqa: B006
    supplier: Annotated[list[str], typer.Option(help="Only of this supplier, by its id.")] = [],  # noqa: B006
) -> None:
    """Subscribes an address. The secret that signs the deliveries is shown this once."""
    filters = {"tiers": tier, "kinds": kind, "countries": country, "supplier_ids": supplier}
    session.answer(session.api.post("/v1/subscriptions", {"url": address, "filters": filters}), _added)


@command(app, "list", example="duewatch subscriptions list", role="partner")
def list_(session: Session, limit: Limit = 50, cursor: Cursor = None) -> None:
    """The tenant's subscriptions."""
    columns: Columns = {
        "subscription": "id",
        "url": "url",
        "state": "state",
        "reason": "reason",
        "filters": _filters,
        "created": "created_at",
    }
    answer = session.api.get("/v1/subscriptions", {"limit": limit, "cursor": cursor})
    session.answer(answer, lambda body: page(body, columns, empty="No subscriptions."))


@command(app, "remove", example="duewatch subscriptions remove sub_...", role="partner")
def remove(session: Session, subscription: Annotated[str, typer.Argument(metavar="SUBSCRIPTION")]) -> None:
    """Ends a subscription; deliveries under way are given up."""
    session.api.delete(f"/v1/subscriptions/{segment(subscription)}")
    session.note("The subscription is removed.")


def _filters(row: Any) -> str:
    told = {name: ", ".join(values) for name, values in row["filters"].items() if values}
    return "; ".join(f"{name.replace('_', ' ')}: {values}" for name, values in told.items())


def _added(body: Any) -> RenderableType:
    keep = Text("Keep the secret: it verifies the signatures (Standard Webhooks) and is not shown again.", "dim")
    return Group(fields({"subscription": body["id"], "secret": body["secret"], "filters": _filters(body)}), keep)
