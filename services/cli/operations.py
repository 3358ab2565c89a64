"""`duewatch dead-letters` and `contracts`: what the platform's operator and its developers look after."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.command import Cursor, Limit, command, group
from services.cli.failures import Refused
from services.cli.session import Session, segment
from services.cli.show import Columns, page, record

dead_letters = group("Messages that could not be handled.", "duewatch dead-letters list")
contracts = group("The published contracts: schemas of events and APIs.", "duewatch contracts check")

Id = Annotated[str, typer.Argument(metavar="ID")]
Folder = Annotated[Path, typer.Argument(help="Where they lie.", file_okay=False)]


@command(dead_letters, "list", example="duewatch dead-letters list --state dead", role="operator")
def list_(
    session: Session,
    state: Annotated[str | None, typer.Option(help="dead, replaying or replayed.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> None:
    """Dead letters of all services; never what is in them."""
    columns: Columns = {
        "dead letter": "id",
        "state": "state",
        "service": "group",
        "type": "type",
        "attempts": "attempts",
        "at": lambda row: str(row["at"]),
        "error": "error",
    }
    answer = session.api.get("/v1/dead-letters", {"state": state, "limit": limit, "cursor": cursor})
    session.answer(answer, lambda body: page(body, columns, empty="No dead letters: everything was handled."))


@command(dead_letters, "show", example="duewatch dead-letters show dl_...", role="operator")
def show(session: Session, letter: Id) -> None:
    """One of them, with its error and where it came from."""
    session.answer(session.api.get(f"/v1/dead-letters/{segment(letter)}"), record)


@command(dead_letters, "replay", example="duewatch dead-letters replay dl_...", role="operator")
def replay(session: Session, letter: Id) -> None:
    """Has the service that gave it up try it again."""
    session.answer(session.api.post(f"/v1/dead-letters/{segment(letter)}/replay"), record)


@command(contracts, "write", example="duewatch contracts write", local=True)
def write(session: Session, folder: Folder = Path("contracts")) -> None:
    """Writes JSON Schemas of all events, AsyncAPI of all topics and OpenAPI of all services."""
    from services.runtime import contracts as catalogue

    catalogue.write(folder)
    session.tell({"folder": str(folder)}, f"The contracts are in {folder}")


@command(contracts, "check", example="duewatch contracts check", local=True)
def check(
    session: Session, folder: Annotated[Path, typer.Argument(help="Where they lie.", exists=True, file_okay=False)] = Path("contracts")
) -> None:
    """Says where the contracts are not as the code has them, or break what was released."""
    from services.runtime import contracts as catalogue

    faults = catalogue.check(folder)
    session.tell({"holds": not faults, "faults": faults}, "" if faults else "The contracts are as the code has them.")
    if faults:
        raise Refused("The contracts are not as the code has them", *faults)
