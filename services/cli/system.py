"""`duewatch up` and `serve`: running it."""

import json
from pathlib import Path
from typing import Annotated

import typer

from services.cli.failures import WrongUse
from services.cli.session import Session


def up(
    session: Session,
    data: Annotated[
        Path | None, typer.Option(help="Its folder, made where there is none; else DUEWATCH_DATA, else ./data.", file_okay=False)
    ] = None,
    host: Annotated[str | None, typer.Option(help="The address to listen at; else DUEWATCH_HOST, else 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="The port; else DUEWATCH_PORT, else 8080.", min=1, max=65535)] = None,
) -> None:
    """Runs the whole system on one folder, until stopped.

    The next start goes on where this one ended.
    """
    from shared.settings import Settings

    settings = Settings.read(data=data, host=host, port=port)
    from services.runtime.embedded import up as run_up  # the whole system: after what can be wrong with the settings

    def say(text: str) -> None:
        if session.json:
            typer.echo(json.dumps({"message": text.strip()}))
        else:
            session.out.print(text, soft_wrap=True)

    run_up(settings, say)


def serve(session: Session, service: Annotated[str, typer.Argument(metavar="SERVICE", help="One service.")]) -> None:
    """Runs one service by itself, on the distributed runtime.

    The embedded runtime has all services in `duewatch up`.
    """
    raise WrongUse(
        "The embedded runtime runs all services together: use `duewatch up`",
        "One process a service needs the distributed runtime (Kafka and MongoDB), which this version does not have.",
    )
