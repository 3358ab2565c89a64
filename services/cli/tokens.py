"""`duewatch tokens`: who may do what, as a bearer token."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.command import command, group
from services.cli.failures import WrongUse
from services.cli.session import Session

app = group("Issue bearer tokens, and change the keys that sign them.", "duewatch tokens issue --role buyer --subject ada")


@command(app, "issue", example="duewatch tokens issue --role buyer --subject ada --save buyer.token", role="admin")
def issue(
    session: Session,
    role: Annotated[
        list[str], typer.Option(help="What the person may do; repeat it for several. A wrong one is answered with those there are.")
    ],
    subject: Annotated[str, typer.Option(help="The person or system that it is for: the journal names it.")],
    tenant: Annotated[str, typer.Option(help="Whose data.")] = "default",
    ttl: Annotated[int, typer.Option(help="Seconds until it ends.", min=1)] = 28_800,
    save: Annotated[Path | None, typer.Option(help="Write it to this file, readable for you only, instead of printing it.")] = None,
) -> None:
    """Issues a token: an admin for the own tenant, an operator for any."""
    answer = session.api.post("/v1/tokens", {"roles": role, "subject": subject, "tenant": tenant, "ttl_s": ttl})
    if save is None:
        if session.json:
            typer.echo(answer.text)
        else:
            typer.echo(answer.body["token"])  # alone on its line: TOKEN=$(duewatch tokens issue ...)
        return
    from shared.security.keyfiles import write_private

    if not save.parent.is_dir():
        raise WrongUse(f"There is no folder {save.parent}")
    write_private(save, (answer.body["token"] + "\n").encode())
    session.note(f"The token is in {save}. Use it with --token-file {save}, or DUEWATCH_TOKEN_FILE={save}")


@command(app, "rotate", example="duewatch tokens rotate --data ./data --forget", local=True)
def rotate(
    session: Session,
    data: Annotated[Path, typer.Option(help="The system's folder.", envvar="DUEWATCH_DATA", file_okay=False)] = Path("data"),
    forget: Annotated[
        bool, typer.Option("--forget", help="Drop the old keys: every token issued so far ends, also one that leaked.")
    ] = False,
) -> None:
    """Makes a new key that signs tokens from the next start on; old tokens stay good until they end."""
    from shared.security.tokens import rotate as rotate_keys

    rotate_keys(data / "keys", forget=forget)
    ended = "; every token issued so far ends then, and admin-token is made anew" if forget else ""
    session.tell({"rotated": True, "forgotten": forget}, f"The new key is used from the next start of the system on{ended}.")
