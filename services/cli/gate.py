"""`duewatch gate` and `why`: may we buy, and what that rests on."""

from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from services.cli.failures import WrongUse
from services.cli.session import Session, reference, segment
from services.cli.show import STYLES, Columns, clean, table, when

_MOST = 500
_TOLD = {
    "list": "list", "uid": "entry", "release_id": "release", "programs": "programs", "finding_id": "finding", "indicators": "indicators",
    "policy_version": "policy", "supplier_id": "supplier",
}  # fmt: skip


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
    session.answer(answer, lambda body: _decisions(refs, body.get("items", [body])))


def why(
    session: Session, decision: Annotated[str, typer.Argument(metavar="DECISION", help="The id that the gate gave with its answer.")]
) -> None:
    """Explains a decision: the chain of causes, back to the list entry or the finding."""
    session.answer(session.api.get(f"/v1/decisions/{segment(decision)}/why"), _tree)


def _supplier(ref: str) -> dict[str, Any]:
    return {"supplier_ref": reference(ref)} if ":" in ref else {"supplier_id": ref}


def _decisions(refs: list[str], items: list[Any]) -> RenderableType:
    rows = [{"ref": ref, **item} for ref, item in zip(refs, items, strict=True)]
    columns: Columns = {"supplier": "ref", "answer": "decision", "reasons": _told, "valid until": "valid_until", "decision": "id"}
    return Group(table(rows, columns), Text(f"Why: duewatch why {items[0]['id']}", "dim"))


def _told(row: Any) -> str:
    return "; ".join([reason["text"] for reason in row["reasons"]] + [f"on condition: {one}" for one in row["conditions"]])


def _tree(body: Any) -> RenderableType:
    first, *rest = body["chain"]
    tree = Tree(_link(first), guide_style="dim")
    at = tree
    for link in rest:
        at = at.add(_link(link))
    if body.get("others"):
        others = tree.add(Text("also", "bold"))
        for other in body["others"]:
            leaf = others.add(Text(clean(other["text"])))
            if other.get("leads_to"):
                leaf.add(_link(other["leads_to"]))
    if body.get("override"):
        override = body["override"]
        tree.add(
            Text(
                clean(f"by an exception of {override['proposed_by']}, approved by {override['decided_by']}: {override['reason']}"),
                "yellow",
            )
        )
    return tree


def _link(link: Any) -> Text:
    """What happened, then where it can be looked up."""
    data = link.get("data") or {}
    said = [
        f"{title} {', '.join(map(str, value)) if isinstance(value, list) else value}"
        for key, title in _TOLD.items()
        if (value := data.get(key))
    ]
    place = " · ".join(part for part in (when(link.get("time")), link["service"], link["id"]) if part)
    shown = Text(clean(link["summary"]), STYLES.get(data.get("decision") or data.get("tier") or "", "bold"))
    for line in filter(None, (", ".join(said), place)):
        shown.append(f"\n{clean(line)}", "dim")
    return shown
