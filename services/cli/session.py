"""One run of a command: where the system is, who asks, and how answers are shown."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import typer
from rich.console import Console, RenderableType

from services.cli.failures import Refused, WrongUse

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from services.cli.client import Answer, Api

DEFAULT_URL = "http://127.0.0.1:8080"
_PIPED_WIDTH = 1000  # columns where no terminal says: one row, one line


def console(*, stderr: bool = False) -> Console:
    """Prints what it is given: no markup, no emoji codes, no guessed highlights."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _PIPED_WIDTH
    return Console(file=stream, width=width, markup=False, emoji=False, highlight=False)


class Session:
    """What a command works with. `role`: which role the command needs, for the advice when it is missing."""

    def __init__(self, *, url: str, token: str, token_file: Path | None, as_json: bool, role: str) -> None:
        self.json, self._url, self._given, self._file, self._role = as_json, url.rstrip("/"), token, token_file, role
        self._no_token = ""
        self.out = console()

    @cached_property
    def api(self) -> "Api":
        """The system's API; connects at the first question."""
        from services.cli.client import Api  # the HTTP library takes longer to load than all the rest

        if not self._url.startswith(("http://", "https://")):
            raise WrongUse("The address of the system begins with http:// or https://")
        return Api(self._url, self._token(), self._advice)

    def needs(self, role: str) -> None:
        """Which role the rest of the command needs, where its arguments decide."""
        self._role = role

    def close(self) -> None:
        """Ends the connection, if there is one."""
        if "api" in self.__dict__:
            self.api.close()

    def somebody(self, token: str, role: str) -> "Session":
        """The same system asked by whoever holds another token; silent with --json, where the caller tells the result."""
        other = Session(url=self._url, token=token, token_file=None, as_json=False, role=role)
        other.out = Console(quiet=True) if self.json else self.out
        return other

    def answer(self, answer: "Answer", look: Callable[[Any], RenderableType | str]) -> None:
        """Shows an answer: as it came with --json, else as `look` renders it."""
        if self.json:
            typer.echo(answer.text)
        else:
            self.out.print(look(answer.body))

    def tell(self, result: dict[str, Any], look: RenderableType | str) -> None:
        """Shows what was done here, where no system was asked: the result with --json, else as it is rendered."""
        if self.json:
            typer.echo(json.dumps(result, ensure_ascii=False))
        elif look:
            self.out.print(look, soft_wrap=isinstance(look, str))

    def note(self, text: str) -> None:
        """A sentence beside the answer; not with --json."""
        if not self.json:
            self.out.print(text, style="dim", soft_wrap=True)

    @contextmanager
    def progress(self) -> "Iterator[Bars]":
        """Bars on stderr, where that is a terminal and nobody asked for JSON."""
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # most commands need none

        shown = console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(40), TextColumn("{task.fields[told]}"), TimeElapsedColumn())
        with Progress(*columns, console=shown, disable=self.json or not shown.is_terminal) as progress:
            yield Bars(progress)

    def supplier_id(self, ref: str | None) -> str | None:
        """The id of a supplier given by its id or as SYSTEM:NUMBER."""
        if ref is None or ":" not in ref:
            return ref
        reference(ref)
        found = self.api.get("/v1/suppliers", {"external_ref": ref}).body["items"]
        if not found:
            raise Refused("No supplier has this number in that system")
        return str(found[0]["id"])

    def _token(self) -> str:
        """What is given with the command goes before the environment; then the first token of a system on this machine."""
        if self._given or (not self._file and os.environ.get("DUEWATCH_TOKEN")):
            return _sound(self._given or os.environ["DUEWATCH_TOKEN"])
        named = self._file or os.environ.get("DUEWATCH_TOKEN_FILE")
        path = Path(named) if named else Path(os.environ.get("DUEWATCH_DATA") or "data") / "admin-token"
        try:
            return _sound(path.read_text(encoding="utf-8"))
        except OSError as error:
            if named:
                raise WrongUse(f"The token file {path} cannot be read", error.strerror or "") from None
            self._no_token = f"No token was given, and there is none at {path}."
            return ""

    def _advice(self, status: int) -> list[str]:
        if status == 401:
            how = "Give one with --token-file or DUEWATCH_TOKEN_FILE, or name the data folder of a system on this machine in DUEWATCH_DATA."
            return [self._no_token or "The token that was given is not, or no longer, good.", how]
        if status == 403 and self._role:
            make = f"duewatch tokens issue --role {self._role} --subject NAME --save {self._role}.token"
            return [
                f"This needs the role {self._role}. Who administers the tenant issues a token: {make}",
                f"and the command takes it with --token-file {self._role}.token (or DUEWATCH_TOKEN_FILE)",
            ]
        return []


class Bars:
    """Progress of what is under way."""

    def __init__(self, progress: "Progress") -> None:
        self._progress = progress

    def start(self, title: str, total: float | None = None) -> "TaskID":
        """A new bar; without a total it only shows that something goes on."""
        return self._progress.add_task(title, total=total, told="")

    def show(self, bar: "TaskID", done: float | None = None, told: str = "", *, total: float | None = None) -> None:
        """How far it is, and that in words."""
        self._progress.update(bar, completed=done, total=total, told=told)

    def end(self, bar: "TaskID", told: str = "") -> None:
        """It is done, whatever its total was."""
        self._progress.update(bar, completed=1, total=1, told=told)

    def read(self, title: str, chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
        """Hands `size` bytes on while a bar shows how many went."""
        bar, sent = self.start(title, size or 1), 0
        for chunk in chunks:
            yield chunk
            sent += len(chunk)
            self.show(bar, sent, f"{sent / 1e6:,.1f} of {size / 1e6:,.1f} MB")


def segment(value: str) -> str:
    """What a user typed as one segment of a path; a dot alone would be taken for a step."""
    return quote(value, safe="") if value.strip(".") else "%2E"


def reference(given: str) -> dict[str, str]:
    """A supplier's number in a procurement system, written SYSTEM:NUMBER."""
    system, _, number = given.partition(":")
    if not (system and number):
        raise WrongUse("A number in a system is written SYSTEM:NUMBER, as S4:100001")
    return {"system": system, "number": number}


def _sound(token: str) -> str:
    token = token.strip()
    if not (token.isascii() and token.isprintable()):
        raise WrongUse("The token is not one: it holds more than letters and digits")
    return token
