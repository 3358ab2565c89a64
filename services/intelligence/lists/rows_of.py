"""Rows of an official file that may be a table with a header, the JSON of an API, or XML: cells by folded names, whichever it is."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from services.intelligence.lists.lines import lines
from services.intelligence.lists.pairs import Found
from services.intelligence.lists.tables import MAX_PREAMBLE, find_header, fold, table
from shared.errors import Malformed, TooLarge

MAX_JSON_BYTES = 64_000_000  # a document is held whole; an API gives pages of some MB
_WRAPPERS = ("data", "results", "items", "records", "rows")


def of_table(path: Path, *needed: Sequence[str]) -> Iterator[Found]:
    """Rows of a table that has, of each of `needed`, at least one column; `Malformed` naming what is missing."""
    for row in table(path, _columns(path, needed)):
        yield Found(row.number, row.cells, row.fault)


def _columns(path: Path, needed: Sequence[Sequence[str]]) -> list[str]:
    """Which of the names the header has: the first line that has one of each."""
    head = list(islice(lines(path), MAX_PREAMBLE))
    for line in head:
        chosen = []
        for names in needed:
            for name in names:
                if _has(line, name):
                    chosen.append(name)
                    break
        if len(chosen) == len(needed):
            return chosen
    missing = [names[0] for names in needed if not any(_has(line, name) for line in head for name in names)]
    raise Malformed(f"The primary file has no header with the required columns; missing: {', '.join(missing or [n[0] for n in needed])}")


def _has(line: Any, name: str) -> bool:
    try:
        find_header(iter([line]), [name], "primary")
    except Malformed:
        return False
    return True


def of_json(path: Path, *needed: Sequence[str]) -> Iterator[Found]:
    """Records of a JSON document: a list of objects, or an object with one under `data`. `Malformed` where none has the fields that are needed."""
    if path.stat().st_size > MAX_JSON_BYTES:
        raise TooLarge(f"A JSON file of this list may have at most {MAX_JSON_BYTES // 1_000_000} MB")
    try:
        document = msgspec.json.decode(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Malformed("The primary file is not sound JSON in UTF-8") from None
    rows = document
    if isinstance(document, dict):
        rows = next((document[name] for name in _WRAPPERS if isinstance(document.get(name), list)), None)
    if not isinstance(rows, list):
        raise Malformed("The primary file holds no list of records")
    found = [_cells(row) for row in rows if isinstance(row, dict)]
    missing = [names[0] for names in needed if not any(name in cells for cells in found for name in names)]
    if found and missing:
        raise Malformed(f"The primary file has no record with the required fields; missing: {', '.join(missing)}")
    for number, row in enumerate(rows, 1):
        yield Found(number, _cells(row)) if isinstance(row, dict) else Found(number, {}, "it is no record")


def _cells(row: Mapping[str, Any]) -> dict[str, str]:
    return {fold(name): _text(value) for name, value in row.items()}


def _text(value: Any) -> str:
    """A plain value as a table would have it; what holds others is none."""
    if value is None or isinstance(value, dict):
        return ""
    if isinstance(value, list):
        return ", ".join(_text(one) for one in value if not isinstance(one, list | dict))
    return str(value)
