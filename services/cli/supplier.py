"""How one supplier looks in a terminal."""

from typing import Any

from rich.console import RenderableType

from services.cli.show import fields, when


def numbers(row: Any) -> list[str]:
    """Its numbers in procurement systems, each as SYSTEM:NUMBER."""
    return [f"{ref['system']}:{ref['number']}" for ref in row["external_refs"]]


def look(body: Any) -> RenderableType:
    """One supplier: its profile, its status and who or what set it."""
    cause = body["status_cause"]
    by = " ".join(part for part in (cause.get("actor"), cause.get("type"), cause.get("id")) if part)
    lists = {
        "other names": [f"{one['name']} ({one['kind']})" for one in body["other_names"]],
        "identifiers": [f"{one['kind']} {one['value']}" for one in body["identifiers"]],
        "addresses": [", ".join(filter(None, (one.get("text"), one.get("city"), one.get("country")))) for one in body["addresses"]],
        "sites": [f"{one['name']} ({one.get('region') or one['country']})" for one in body["sites"]],
        "owners": [_owner(one) for one in body["owners"]],
        "upstream": [one["supplier_id"] for one in body["upstream"]],
        "code of conduct": [f"{one['code_version']} by {one['acknowledged_by']}" for one in body["code_acknowledgements"]],
        "goods": [f"{one['hs']} from {one.get('region') or one['origin']}" for one in body["goods"]],
    }
    rows = {
        "supplier": body["id"], "numbers": numbers(body), "name": body["name"], "country": body["country"], "status": body["status"],
        "set by": f"{by}: {cause['reason']}" if cause.get("reason") else by, "tier": body["tier"],
        **{name: "; ".join(values) for name, values in lists.items()}, "version": body["version"], "updated": when(body["updated_at"]),
    }  # fmt: skip
    return fields(rows)


def _owner(one: Any) -> str:
    born = f", born {one['birth_date']}" if one.get("birth_date") else ""
    return f"{one['name']} {one.get('percent') or '?'} %{born}"
