"""Lines of a text file from outside, one after the other in bounded memory, whatever the bytes are."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from shared.errors import Malformed

MAX_LINE = 1_000_000  # characters; the longest line seen in OpenSanctions' entities has about 300,000
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class Line(NamedTuple):
    number: int  # from 1
    text: str  # without its end; empty where there is a fault
    fault: str = ""


def lines(path: Path, what: str = "primary") -> Iterator[Line]:
    """Lines ended by CR, LF or both; UTF-8 with or without a mark, or Windows-1252 where a line is not. 0x1A, the end-of-file mark of DOS, is left out.

    A line with a NUL byte or longer than `MAX_LINE` is told with its fault. `what` names the file in errors.
    """
    with path.open("rb") as raw:
        if raw.read(2) in _UTF16:
            raise Malformed(f"The {what} file is in UTF-16; send it in UTF-8")
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline=None) as file:
        number = 0
        while text := file.readline(MAX_LINE + 1):
            number += 1
            if len(text) > MAX_LINE and not text.endswith("\n"):
                while (text := file.readline(MAX_LINE)) and not text.endswith("\n"):
                    pass  # the rest of it is passed over, not held
                yield Line(number, "", f"it is longer than {MAX_LINE} characters")
            elif "\0" in text:
                yield Line(number, "", "it holds a NUL byte")
            else:
                yield Line(number, (text if text.isascii() else _decoded(text)).rstrip("\n").replace("\x1a", ""))


def _decoded(line: str) -> str:
    raw = line.encode("utf-8", "surrogateescape")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")
