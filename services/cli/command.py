"""How a command is declared: its own parameters, an example, the role it needs; the options that all have come by themselves."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.session import DEFAULT_URL, Session

Limit = Annotated[int, typer.Option(help="How many at most, up to 500.", min=1, max=500)]
Cursor = Annotated[str | None, typer.Option(help="Where to go on: what the page before gave.")]
SupplierRef = Annotated[str, typer.Argument(metavar="SUPPLIER", help="Its id, or SYSTEM:NUMBER.")]
SupplierOption = Annotated[str | None, typer.Option("--supplier", metavar="SUPPLIER", help="Only of this one: its id, or SYSTEM:NUMBER.")]

_PANEL = "System and output"
_Url = Annotated[str, typer.Option(envvar="DUEWATCH_URL", help="Where the system is.", rich_help_panel=_PANEL)]
_Token = Annotated[str, typer.Option(help="A bearer token; else DUEWATCH_TOKEN.", show_default=False, rich_help_panel=_PANEL)]
_TokenFile = Annotated[
    Path | None,
    typer.Option(
        help="A file with the token; else DUEWATCH_TOKEN_FILE, else admin-token of the folder DUEWATCH_DATA.", rich_help_panel=_PANEL
    ),
]
_Json = Annotated[bool, typer.Option("--json", help="Print what the API answers, as it is.", rich_help_panel=_PANEL)]


def _option(name: str, annotation: Any, default: object) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


_CONNECTION = [_option("url", _Url, DEFAULT_URL), _option("token", _Token, ""), _option("token_file", _TokenFile, None)]
_OUTPUT = [_option("as_json", _Json, False)]


def group(help_: str, example: str) -> typer.Typer:
    """A family of commands."""
    return typer.Typer(help=help_, epilog=f"Example: {example}", no_args_is_help=True, rich_markup_mode="rich")


def command(
    app: typer.Typer, name: str, *, example: str, role: str = "", local: bool = False, panel: str | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Registers a function of a Session and its own parameters. `local`: it asks no system, and takes no address and no token."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(function, eval_str=True)
        own = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in list(signature.parameters.values())[1:]]
        common = _OUTPUT if local else _CONNECTION + _OUTPUT

        def run(**given: Any) -> None:
            where = {"url": "", "token": "", "token_file": None} | {p.name: given.pop(p.name) for p in common}
            session = Session(**where, role=role)
            try:
                function(session, **given)
            finally:
                session.close()

        run.__doc__ = function.__doc__
        # Typer reads parameters from a function's signature and annotations: these are made here, once for all commands.
        run.__dict__["__signature__"] = signature.replace(parameters=own + common)
        run.__annotations__ = {p.name: p.annotation for p in own + common}
        app.command(name, epilog=f"Example: {example}", rich_help_panel=panel)(run)
        return function

    return register
