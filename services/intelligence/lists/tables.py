"""Tables with a header in text files (comma, semicolon, tab or `|` between cells), as a lazy stream of rows in bounded memory.

A damaged row is reported in its place and never swallows its neighbours, as an open quotation mark would in an ordinary CSV reader. Columns are
found by name, whatever their order, their case and the marks between words; columns that nobody asked for are there, too.
"""

import csv
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from services.intelligence.lists.lines import Line, lines
from shared.errors import Malformed

MAX_CELL = 131_072  # characters; the limit of Python's csv module
MAX_COLUMNS = 256
MAX_PREAMBLE = 30  # lines above the header: titles, dates of publication
MAX_ROW_LINES = 200  # that a quoted cell may go on for
_SEPARATORS = ",;\t|"
_NO_SYNONYMS: Mapping[str, str] = {}
_TELLING_COLUMNS = 4  # from here on, a line with all columns inside an open quotation is a row of its own and no text
_APART = re.compile(r"[\W_]+")


class Row(NamedTuple):
    number: int  # of its first line, from 1
    cells: Mapping[str, str]  # by folded column name, without padding; empty where there is a fault
    fault: str = ""
    first: str = ""  # of a faulty row, its first cell where that can be read: often whose it is

    def get(self, column: str) -> str:
        """A cell by its column's folded name; empty, too, where the table has no such column."""
        return self.cells.get(column, "")


class Header(NamedTuple):
    number: int
    columns: tuple[str, ...]  # folded
    separator: str


@lru_cache(maxsize=4096)
def fold(name: str) -> str:
    """How column names are compared: `Entity_Number` and `entity number` are one."""
    return _APART.sub(" ", unicodedata.normalize("NFKC", name).casefold()).strip()


def table(
    path: Path,
    required: Collection[str],
    *,
    what: str = "primary",
    separators: str = _SEPARATORS,
    synonyms: Mapping[str, str] = _NO_SYNONYMS,
) -> Iterator[Row]:
    """Rows below the first line that holds all `required` columns; `Malformed` naming those that are missing.

    Rows of empty cells are left out; all others are told, a damaged one with its fault. `what` names the file in errors. `synonyms`: other folded
    names under which a column is known -> its name here; a column that has that name itself comes before them.
    """
    source = lines(path, what)
    header = find_header(islice(source, MAX_PREAMBLE), required, what, separators, synonyms)
    width = len(header.columns)
    for number, cells, fault in _records(source, header):
        if fault:
            yield Row(number, {}, fault, cells[0].strip() if cells else "")
        elif any(stripped := [cell.strip() for cell in cells]):
            if len(cells) != width and not (len(cells) > width and not any(stripped[width:])):
                yield Row(number, {}, f"it has {len(cells)} columns where {width} are expected", stripped[0])
            elif known_as(_named(stripped[:width]), synonyms) == header.columns:
                yield Row(number, {}, "it repeats the header")
            else:
                yield Row(number, dict(zip(header.columns, stripped, strict=False)))


def find_header(
    above: Iterator[Line], required: Collection[str], what: str, separators: str = _SEPARATORS, synonyms: Mapping[str, str] = _NO_SYNONYMS
) -> Header:
    """The first of some lines that holds all required columns."""
    wanted = {fold(name): name for name in required}
    nearest: Collection[str] = wanted
    for line in above:
        for separator in separators:
            cells, _ = _parsed(line.text, separator)
            if len(cells) > MAX_COLUMNS:
                raise Malformed(f"The {what} file has more than {MAX_COLUMNS} columns")
            columns = known_as(_named(cells), synonyms)
            missing = [name for name in wanted if name not in columns]
            if not missing:
                return Header(line.number, columns, separator)
            if len(missing) < len(nearest):
                nearest = missing
    names = ", ".join(wanted[name] for name in nearest)
    raise Malformed(f"The {what} file has no header with the required columns; missing: {names}")


def _named(cells: list[str]) -> tuple[str, ...]:
    """Names of all columns; one that comes again is numbered, one without a name is called by its place."""
    found: dict[str, int] = {}
    for place, cell in enumerate(cells, 1):
        name = fold(cell[:MAX_CELL]) or f"column {place}"
        while name in found:
            name = f"{name} {place}"
        found[name] = place
    return tuple(found)


def known_as(columns: tuple[str, ...], synonyms: Mapping[str, str]) -> tuple[str, ...]:
    """Columns under the names that are used here: the first that is known by another name takes it, where none has it already."""
    taken = set(columns)
    found: list[str] = []
    for column in columns:
        name = synonyms.get(column, column)
        if name != column and name in taken:
            name = column
        taken.add(name)
        found.append(name)
    return tuple(found)


def _records(source: Iterator[Line], header: Header) -> Iterator[tuple[int, list[str], str]]:
    """Line number, cells and fault of each record: a line, or where a quotation stays open, as many as it takes to close it."""
    waiting: list[Line] = []  # read ahead for a quotation that was never closed
    while True:
        line = waiting.pop() if waiting else next(source, None)
        if line is None:
            return
        cells, fault = ([], line.fault) if line.fault else _parsed(line.text, header.separator)
        if fault is not _OPEN:
            yield line.number, cells, fault
            continue
        whole, ahead = _closed(line, source, waiting, header)
        if whole is None:
            waiting.extend(reversed(ahead))
            yield line.number, cells, "its quotation marks do not match"
        else:
            cells, fault = _parsed(whole, header.separator)
            yield line.number, cells, fault or ""


def _closed(line: Line, source: Iterator[Line], waiting: list[Line], header: Header) -> tuple[str | None, list[Line]]:
    """The text of a record with the lines that close its quotation, or None with the lines that were looked at and stand for themselves."""
    ahead: list[Line] = []
    size = len(line.text)
    while len(ahead) < MAX_ROW_LINES:
        following = waiting.pop() if waiting else next(source, None)
        if following is None:
            break
        ahead.append(following)
        size += len(following.text)
        if following.fault or size > MAX_CELL * 2:
            break
        state = _after(following.text, header.separator)
        if state is _CLOSED:
            return "\n".join([line.text, *(part.text for part in ahead)]), []
        if state is _BROKEN or _is_row(following.text, header):
            break
    return None, ahead


def _is_row(text: str, header: Header) -> bool:
    if len(header.columns) < _TELLING_COLUMNS or header.separator not in text:
        return False
    cells, fault = _parsed(text, header.separator)
    return not fault and len(cells) == len(header.columns)


_OPEN = "a quotation stays open"
_CLOSED, _BROKEN = "closed", "broken"
_ENDS_QUOTATION = re.compile(r'(?:[^"]|"")*"(?!")')


def _after(text: str, separator: str) -> str:
    """What becomes of an open quotation on a further line: closed, still open, or broken, which no later line mends."""
    end = _ENDS_QUOTATION.match(text)
    if end is None:
        return _OPEN
    rest = text[end.end() :]
    if not rest:
        return _CLOSED
    if not rest.startswith(separator):
        return _BROKEN
    _, fault = _parsed(rest, separator)
    return _CLOSED if not fault else _OPEN if fault is _OPEN else _BROKEN


def _parsed(text: str, separator: str) -> tuple[list[str], str]:
    """Cells and fault of a text; cells that stand before the fault are told as far as they can be read."""
    if '"' not in text:
        return (text.split(separator), "") if len(text) <= MAX_CELL else _bounded(text.split(separator))
    try:
        return next(csv.reader((text,), delimiter=separator, strict=True), []), ""
    except csv.Error:
        return _until_fault(text, separator)


def _bounded(cells: list[str]) -> tuple[list[str], str]:
    return (cells, "") if max(map(len, cells)) <= MAX_CELL else (cells[:1], f"a cell is longer than {MAX_CELL} characters")


def _until_fault(text: str, separator: str) -> tuple[list[str], str]:
    """Walks cell by cell over what csv refuses: which cells are sound, and whether a quotation is open at the end."""
    cells: list[str] = []
    at = 0
    while at <= len(text):
        if text[at : at + 1] == '"':
            end = _ENDS_QUOTATION.match(text, at + 1)
            if end is None:
                return cells, _OPEN
            cells.append(text[at + 1 : end.end() - 1].replace('""', '"'))
            at = end.end()
            if text[at : at + 1] not in ("", separator):
                return cells[:-1], "its quotation marks do not match"
        else:
            stop = text.find(separator, at)
            stop = len(text) if stop < 0 else stop
            cells.append(text[at:stop])
            at = stop
        at += 1
    return _bounded(cells) if cells else (cells, "it cannot be read")
