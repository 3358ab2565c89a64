"""`duewatch suppliers`: what changes one supplier that is registered already."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.command import SupplierRef
from services.cli.failures import WrongUse
from services.cli.session import Session, segment
from services.cli.show import record
from services.cli.supplier import look

_Reason = Annotated[str, typer.Option(help="Why; it stays with the supplier.")]


def change(
    session: Session,
    supplier: SupplierRef,
    file: Annotated[Path, typer.Argument(help="A JSON object of the fields to replace, as the API takes them; - for standard input.")],
    version: Annotated[int | None, typer.Option(help="Only while it is at this version, as `show` tells it.", min=1)] = None,
) -> None:
    """Replaces fields of its profile: names, identifiers, sites, owners, goods and so on."""
    fields = profile(file)
    headers = {} if version is None else {"If-Match": f'"{version}"'}
    session.answer(session.api.patch(_path(session, supplier), fields, headers), look)


def deactivate(session: Session, supplier: SupplierRef, reason: _Reason) -> None:
    """Takes a supplier out of use; its history stays."""
    session.answer(session.api.post(f"{_path(session, supplier)}/deactivation", {"reason": reason}), look)


def reactivate(session: Session, supplier: SupplierRef, reason: _Reason) -> None:
    """Takes a supplier into use again, as far as its last rating allows."""
    session.answer(session.api.post(f"{_path(session, supplier)}/reactivation", {"reason": reason}), look)


def acknowledge(
    session: Session,
    supplier: SupplierRef,
    code_version: Annotated[str, typer.Option(help="The version of the code of conduct.")],
    by: Annotated[str, typer.Option(help="The person who acknowledged it for the supplier.")],
) -> None:
    """Records that it acknowledged a version of the code of conduct."""
    said = {"code_version": code_version, "acknowledged_by": by}
    session.answer(session.api.post(f"{_path(session, supplier)}/code-acknowledgements", said), record)


def profile(file: Path) -> dict[str, Any]:
    """The JSON object in a file; WrongUse where there is none."""
    text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise WrongUse("The file holds no JSON object")
    return found


def _path(session: Session, supplier: str) -> str:
    return f"/v1/suppliers/{segment(session.supplier_id(supplier) or '')}"
