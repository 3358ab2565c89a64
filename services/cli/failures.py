"""What can go wrong for an operator, and the exit code of each: scripts rely on these (INTERFACE.md, "Commands")."""

import json
import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from services.cli.show import clean
from shared.errors import DuewatchError, Invalid

REFUSED: Final = 1  # refused, or not found
WRONG_USE: Final = 2  # as Click has it, too
UNREACHABLE: Final = 3
INTERRUPTED: Final = 130  # 128 + SIGINT, as shells have it


class Failure(Exception):
    """An end other than success: what happened, more of it, and what to do."""

    code = REFUSED

    def __init__(self, title: str, *more: str, problem: dict[str, Any] | None = None) -> None:
        super().__init__(title)
        self.title, self.more, self.problem = title, more, problem or {"title": title, "detail": " ".join(more)}


class Refused(Failure):
    """The system said no, or has no such thing."""


class WrongUse(Failure):
    """The command cannot be carried out as it was given."""

    code = WRONG_USE


class Unreachable(Failure):
    """No system answers, or not yet."""

    code = UNREACHABLE


def of_error(error: DuewatchError) -> Failure:
    """One of our own errors, raised in this process."""
    kind = WrongUse if isinstance(error, Invalid) else Refused
    return kind(error.detail, *field_lines(error.errors))


def of_system(error: OSError | sqlite3.Error) -> Failure:
    """A file or a database that cannot be used; only the name of the file is told beside the system's own words."""
    if isinstance(error, sqlite3.Error):
        return Refused("A database file of the data folder cannot be read", str(error))
    place = f"{error.filename}: " if error.filename else ""
    return WrongUse(f"{place}{error.strerror or type(error).__name__}")


def field_lines(errors: Sequence[dict[str, str]]) -> list[str]:
    """Field errors of a problem document, one a line."""
    return [f"{one.get('field', '')}: {one.get('message', '')}" for one in errors]


def tell(failure: Failure, console: Console, *, as_json: bool) -> int:
    """Shows a failure and gives its exit code."""
    if as_json:
        console.file.write(json.dumps(failure.problem, ensure_ascii=False) + "\n")
    else:
        console.print(Text(clean(failure.title), "bold red"))
        for line in failure.more:
            console.print(Text(f"  {clean(line)}", "red"), soft_wrap=True)
    return failure.code
