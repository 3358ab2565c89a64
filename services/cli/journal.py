"""`duewatch journal`: the proof that nothing of the past was changed."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from services.cli.command import command, group
from services.cli.failures import Refused, WrongUse
from services.cli.session import Session
from services.cli.show import Columns, fields, page, table

app = group("Verify the journal, and keep its signed heads.", "duewatch journal verify")


@command(app, "verify", example="duewatch journal verify --data ./data", role="operator")
def verify(
    session: Session,
    data: Annotated[
        Path | None,
        typer.Option(
            help="The data folder, read without a running system; else the system verifies its own.", exists=True, file_okay=False
        ),
    ] = None,
    kept: Annotated[
        Path | None,
        typer.Option("--heads", help="Heads kept elsewhere, as `journal heads --json` wrote them.", exists=True, dir_okay=False),
    ] = None,
) -> None:
    """Verifies every chain, every document's head and every signed head; says where one is broken.

    Only with --heads does a whole file show that was put back from an older copy.
    """
    heads = _kept(kept) if kept else []
    if data is None:
        answer = session.api.post("/v1/journal/verification", {"heads": heads} if heads else None)
        files = answer.body["files"]
        session.answer(answer, _look)
    else:
        files = _verified(data, heads)
        session.tell({"holds": not any(file["faults"] for file in files), "files": files}, _look({"files": files}))
    if faults := [fault for file in files for fault in file["faults"]]:
        raise Refused("The journal does not hold", *faults)


@command(app, "heads", example="duewatch journal heads --json > heads.json", role="operator")
def heads(session: Session) -> None:
    """The last signed head of each file.

    With a copy kept elsewhere (--json) nobody can rewrite unseen what was before it: `journal verify --heads heads.json`.
    """
    columns: Columns = {"file": "store", "entries": "seq", "signed": "signed_at", "digest": "digest"}
    session.answer(session.api.get("/v1/journal/heads"), lambda body: page(body, columns, empty="No head is signed yet."))


def _kept(path: Path) -> list[dict[str, Any]]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["items"]
        return [{"store": str(h["store"]), "seq": int(h["seq"]), "digest": str(h["digest"])} for h in found]
    except (ValueError, LookupError, TypeError):
        raise WrongUse(f"{path} holds no heads: keep them with `duewatch journal heads --json > {path.name}`") from None


def _verified(data: Path, heads: list[dict[str, Any]]) -> list[dict[str, Any]]:
    import msgspec

    from services.runtime.checking import KeptHead
    from services.runtime.verification import verify as verify_folder

    try:
        found = verify_folder(data, [KeptHead(**head) for head in heads])
    except FileNotFoundError:
        raise WrongUse(f"There is no key in {data} to verify the signed heads with: is it a data folder?") from None
    if not found:
        raise WrongUse(f"There is no journal in {data}: is it a data folder?")
    return [msgspec.to_builtins(file) for file in found]


def _look(body: Any) -> RenderableType:
    rows = [file | {"holds": not file["faults"]} for file in body["files"]]
    shown = table(
        rows, {"file": "store", "entries": "entries", "chains": "aggregates", "unsigned": "unsigned", "erased": "erased", "holds": "holds"}
    )
    return shown if rows else fields({"files": 0})
