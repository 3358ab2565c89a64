"""`duewatch up` and `serve`: running it."""

import json
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from services.cli.session import Session


class Only(StrEnum):
    """Half of a service."""

    API = "api"
    REACTIONS = "reactions"


def _sayer(session: Session) -> Callable[[str], None]:
    def say(text: str) -> None:
        if session.json:
            typer.echo(json.dumps({"message": text.strip()}))
        else:
            session.out.print(text, soft_wrap=True)

    return say


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

    run_up(settings, _sayer(session))


def serve(
    session: Session,
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="One service, or gateway.")],
    only: Annotated[Only | None, typer.Option(help="Only its API, or only what it does by itself: to scale them apart.")] = None,
    host: Annotated[str | None, typer.Option(help="The address to listen at; else DUEWATCH_HOST, else 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="The port; else DUEWATCH_PORT, else 8080.", min=1, max=65535)] = None,
) -> None:
    """Runs one service by itself, on the distributed runtime: Kafka and MongoDB, by DUEWATCH_BUS and DUEWATCH_STORE.

    The embedded runtime has all services in `duewatch up`.
    """
    from shared.settings import Settings

    settings = Settings.read(host=host, port=port)
    from services.runtime.serving import serve as run_serve

    run_serve(settings, service, only.value if only else None, _sayer(session))
