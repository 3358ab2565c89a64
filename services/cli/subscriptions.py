"""`duewatch subscriptions`: who is told of changed ratings."""

from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from services.cli.command import Cursor, Limit, command, group
from services.cli.session import Session, segment
from services.cli.show import Columns, fields, page, record, when

_Id = Annotated[str, typer.Argument(metavar="SUBSCRIPTION")]
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


@command(app, "show", example="duewatch subscriptions show sub_...", role="partner")
def show(session: Session, subscription: _Id) -> None:
    """One subscription; `reason` says why it is disabled: asked for, or gone (its receiver answered 410)."""
    session.answer(session.api.get(_path(subscription)), _whole)


@command(app, "move", example="duewatch subscriptions move sub_... https://example.com/new-hook", role="partner")
def move(
    session: Session, subscription: _Id, address: Annotated[str, typer.Argument(metavar="URL", help="Where to send from now on.")]
) -> None:
    """Gives a subscription another address."""
    session.answer(session.api.patch(_path(subscription), {"url": address}), _whole)


@command(app, "disable", example="duewatch subscriptions disable sub_...", role="partner")
def disable(session: Session, subscription: _Id) -> None:
    """Stops deliveries; those under way are given up. What happens meanwhile is not delivered later by itself."""
    session.answer(session.api.patch(_path(subscription), {"state": "disabled"}), _whole)


@command(app, "enable", example="duewatch subscriptions enable sub_...", role="partner")
def enable(session: Session, subscription: _Id) -> None:
    """Goes on with deliveries, also after a 410; `replay` brings what was missed."""
    session.answer(session.api.patch(_path(subscription), {"state": "enabled"}), _whole)


@command(app, "rotate", example="duewatch subscriptions rotate sub_...", role="partner")
def rotate(session: Session, subscription: _Id) -> None:
    """A new secret, shown this once. For 24 hours the one before signs, too."""
    session.answer(session.api.post(f"{_path(subscription)}/secret"), _added)


@command(app, "test", example="duewatch subscriptions test sub_...", role="partner")
def test(session: Session, subscription: _Id) -> None:
    """Sends a test event, signed and retried like any other; `deliveries` says what became of it."""
    session.answer(
        session.api.post(f"{_path(subscription)}/test"), lambda body: fields({"delivery": body["id"], "event": body["event_id"]})
    )


@command(app, "replay", example="duewatch subscriptions replay sub_... --after CURSOR", role="partner")
def replay(
    session: Session,
    subscription: _Id,
    after: Annotated[str | None, typer.Option(help="A cursor of the feed; without it, from its beginning.")] = None,
) -> None:
    """Sends again what stands in the feed of risk changes behind a cursor and passes the filters."""
    session.answer(session.api.post(f"{_path(subscription)}/replay", {"after": after}), _whole)


@command(app, "deliveries", example="duewatch subscriptions deliveries sub_... --state dead", role="partner")
def deliveries(
    session: Session,
    subscription: _Id,
    state: Annotated[str | None, typer.Option(help="waiting, queued, delivered or dead.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> None:
    """What became of a subscription's deliveries, by the time of their event, with the last answer of the receiver."""
    columns: Columns = {
        "delivery": "id",
        "supplier": "supplier_id",
        "state": "state",
        "tries": "tries",
        "last answer": _last_answer,
        "next try": lambda row: when(row["due_at"]),
        "reason": "reason",
    }
    answer = session.api.get(f"{_path(subscription)}/deliveries", {"state": state, "limit": limit, "cursor": cursor})
    session.answer(answer, lambda body: page(body, columns, empty="No deliveries."))


@command(app, "redeliver", example="duewatch subscriptions redeliver sub_... dlv_...", role="partner")
def redeliver(session: Session, subscription: _Id, delivery: Annotated[str, typer.Argument(metavar="DELIVERY")]) -> None:
    """A new series of attempts for a dead delivery."""
    answer = session.api.post(f"{_path(subscription)}/deliveries/{segment(delivery)}/redeliver")
    session.answer(answer, lambda body: fields({"delivery": body["id"], "state": body["state"]}))


@command(app, "remove", example="duewatch subscriptions remove sub_...", role="partner")
def remove(session: Session, subscription: _Id) -> None:
    """Ends a subscription; deliveries under way are given up."""
    session.api.delete(_path(subscription))
    session.note("The subscription is removed.")


def _path(subscription: str) -> str:
    return f"/v1/subscriptions/{segment(subscription)}"


def _last_answer(row: Any) -> str:
    """The HTTP status, or why there was none."""
    last = row["attempts"][-1] if row["attempts"] else {}
    return str(last.get("status") or last.get("error") or "")


def _whole(body: Any) -> RenderableType:
    return record({**body, "filters": _filters(body)})


def _filters(row: Any) -> str:
    told = {name: ", ".join(values) for name, values in row["filters"].items() if values}
    return "; ".join(f"{name.replace('_', ' ')}: {values}" for name, values in told.items())


def _added(body: Any) -> RenderableType:
    keep = Text("Keep the secret: it verifies the signatures (Standard Webhooks) and is not shown again.", "dim")
    return Group(fields({"subscription": body["id"], "secret": body["secret"], "filters": _filters(body)}), keep)
