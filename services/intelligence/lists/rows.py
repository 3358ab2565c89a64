"""Rows of a headerless official CSV file, read line by line in bounded memory, whatever the bytes are.

A damaged row is reported in its place and never swallows its neighbours, as an open quotation mark would in an ordinary CSV reader.
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from shared.errors import Malformed, TooLarge

MAX_LINE = 65_536  # characters; the longest line seen in OFAC's files has 7,821 bytes
MAX_LINES = 200_000  # a file; the longest of 2025 has 24,244
_RECORD_START = re.compile(r"\s*\"?(\d{1,10})\"?\s*,")


class Row(NamedTuple):
    number: int  # of its first line, from 1
    cells: list[str]  # as written, padding included; empty where there is a fault
    fault: str = ""
    uid: str | None = None  # of a faulty row, where its beginning can be read


def rows(path: Path, columns: int, what: str) -> Iterator[Row]:
    """Rows with a number, blank ones and rows of empty cells left out; `what` names the file in errors."""
    for number, text in _records(path, what):
        row = _parse(number, text, columns)
        if row.fault or any(cell and not cell.isspace() for cell in row.cells):
            yield row


def _parse(number: int, text: str, columns: int) -> Row:
    fault, cells = "", []
    if "\0" in text:
        fault = "it holds a NUL byte"
    else:
        try:
            cells = next(csv.reader((text,), strict=True), [])
        except csv.Error:
            fault = "its quotation marks do not match"
        if cells and len(cells) != columns:
            fault = f"it has {len(cells)} columns where {columns} are expected"
    if not fault:
        return Row(number, cells)
    start = _RECORD_START.match(text)
    return Row(number, [], fault, start[1] if start else None)


def _records(path: Path, what: str) -> Iterator[tuple[int, str]]:
    """Lines, one a record; where quotation marks stay open, with the lines after it that do not begin a record themselves."""
    held, held_at = "", 0
    for number, line in _lines(path, what):
        if held and (_RECORD_START.match(line) or len(held) + len(line) > MAX_LINE):
            yield held_at, held
            held = ""
        if not held:
            held_at = number
        held += line
        if held.count('"') % 2 == 0:
            yield held_at, held
            held = ""
    if held:
        yield held_at, held


def _lines(path: Path, what: str) -> Iterator[tuple[int, str]]:
    """Lines ended by CR, LF or both, without the end-of-file mark 0x1A; UTF-8, or Windows-1252 where a line is not."""
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline=None) as file:
        number = 0
        while line := file.readline(MAX_LINE + 1):
            number += 1
            if len(line) > MAX_LINE:
                raise Malformed(f"Line {number} of the {what} file is longer than {MAX_LINE} characters: not the official layout")
            if number > MAX_LINES:
                raise TooLarge(f"The {what} file has more than {MAX_LINES} lines")
            if not line.isascii():
                line = _decoded(line)
            yield number, line.replace("\x1a", "")


def _decoded(line: str) -> str:
    raw = line.encode("utf-8", "surrogateescape")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")
