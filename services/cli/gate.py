"""`duewatch gate`: may we buy?"""

from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from services.cli.failures import WrongUse
from services.cli.session import Session, reference
from services.cli.show import Columns, table

_MOST = 500


def gate(
    session: Session,
    refs: Annotated[list[str], typer.Argument(metavar="SUPPLIER", help="Ids, or SYSTEM:NUMBER; up to 500.")],
    effect: Annotated[str, typer.Option(help="What is to be done: purchase_order, new_site or payment.")] = "purchase_order",
) -> None:
    """Asks the gate: may we buy from these suppliers?

    Each answer is a decision that is kept, and that `duewatch why` explains.
    """
    if len(refs) > _MOST:
        raise WrongUse(f"At most {_MOST} suppliers at once")
    items = [{**_supplier(ref), "effect": effect} for ref in refs]
    answer = session.api.post("/v1/decisions", items[0] if len(items) == 1 else {"items": items})
    session.answer(answer, lambda body: decisions(refs, body.get("items", [body])))


def _supplier(ref: str) -> dict[str, Any]:
    return {"supplier_ref": reference(ref)} if ":" in ref else {"supplier_id": ref}


def decisions(refs: list[str], items: list[Any]) -> RenderableType:
    """The gate's answers, in the order asked."""
    rows = [{"ref": ref, **item} for ref, item in zip(refs, items, strict=True)]
    columns: Columns = {"supplier": "ref", "answer": "decision", "reasons": _told, "valid until": "valid_until", "decision": "id"}
    return Group(table(rows, columns), Text(f"Why: duewatch why {items[0]['id']}", "dim"))


def _told(row: Any) -> str:
    return "; ".join([reason["text"] for reason in row["reasons"]] + [f"on condition: {one}" for one in row["conditions"]])
