"""Tables of an HTML page, row by row, with the text that stands above each. The standard library's parser reads tags and nothing else: no scripts, no requests."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

from shared.errors import Malformed, TooLarge

MAX_CELL = 20_000  # characters
MAX_CELLS = 64  # of a row
MAX_ROWS = 20_000  # of a page
MAX_BYTES = 4_000_000  # the page of 2026 has about 300,000
_MAX_TAG = 500_000  # characters that a tag, a comment or a script may have
_KEPT_ABOVE = 4_000  # characters of the text above a table
_CHUNK = 16_384
_SILENT = frozenset({"script", "style", "noscript", "template", "svg"})
_BREAKS = frozenset({"br", "p", "div", "li", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "section", "caption"})
_CHARSET = re.compile(rb"charset\s*=\s*[\"']?\s*(utf-?8|windows-1252|iso-8859-1)", re.IGNORECASE)


class HtmlRow(NamedTuple):
    table: int  # which of the page, from 1
    number: int  # which of the table, from 1
    cells: tuple[str, ...]
    above: str  # the end of the text between the table before and this one, its caption included
    fault: str = ""


def html_rows(path: Path) -> Iterator[HtmlRow]:
    """Rows of all tables; `Malformed` for a page that is cut off or has a tag beyond all bounds, `TooLarge` beyond the limits."""
    if path.stat().st_size > MAX_BYTES:
        raise TooLarge(f"A page may have at most {MAX_BYTES // 1_000_000} MB")
    with path.open("rb") as raw:
        told = _CHARSET.search(raw.read(4096))
    encoding = "cp1252" if told and not told[1].lower().startswith(b"utf") else "utf-8-sig"
    reader = _Reader()
    with path.open(encoding=encoding, errors="replace", newline=None) as file:
        while chunk := file.read(_CHUNK):
            reader.feed(chunk.replace("\0", "\ufffd"))
            if len(reader.rawdata) > _MAX_TAG:
                raise Malformed("The page holds a tag, a comment or a script that does not end")
            yield from reader.take()
    reader.close()
    yield from reader.take()
    if reader.is_open:
        raise Malformed("The page is cut off: it ends within a table or a script")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._done: list[HtmlRow] = []
        self._above = ""
        self._tables = self._rows = self._depth = self._silent = self._total = 0
        self._row: list[str] | None = None
        self._cell: list[str] | None = None
        self._size = 0
        self._fault = ""

    @property
    def is_open(self) -> bool:
        """Within a table, or in what is not shown, so that cells behind it would seem to be empty."""
        return self._depth > 0 or self._silent > 0

    def take(self) -> list[HtmlRow]:
        done, self._done = self._done, []
        return done

    def parse_marked_section(self, i: int, report: int = 1) -> int:
        """`<![if IE]>`, `<![CDATA[`: a comment up to its `>`, as HTML has it. Python's own reading of it fails where the word is none that it knows."""
        return self.parse_bogus_comment(i)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        elif tag == "table":
            self._depth += 1
            if self._depth == 1:
                self._tables += 1
                self._rows = 0
        elif tag == "tr" and self._depth == 1:
            self._end_row()
            self._row, self._fault = [], ""
        elif tag in ("td", "th") and self._depth == 1:
            self._end_cell()
            self._row = [] if self._row is None else self._row
            self._cell, self._size = [], 0
        elif tag in _BREAKS:
            self._add(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag == "table" and self._depth:
            self._depth -= 1
            if not self._depth:
                self._end_row()
                self._above = ""
        elif tag == "tr" and self._depth == 1:
            self._end_row()
        elif tag in ("td", "th") and self._depth == 1:
            self._end_cell()
        elif tag in _BREAKS:
            self._add(" ")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._add(data)

    def _add(self, text: str) -> None:
        if self._cell is None:
            self._above += text
            if len(self._above) > 2 * _KEPT_ABOVE:
                self._above = self._above[-_KEPT_ABOVE:]
            return
        self._size += len(text)
        if self._size <= MAX_CELL:
            self._cell.append(text)
        else:
            self._fault = f"a cell is longer than {MAX_CELL} characters"

    def _end_cell(self) -> None:
        if self._cell is None or self._row is None:
            return
        if len(self._row) < MAX_CELLS:
            self._row.append(" ".join("".join(self._cell).split()))
        else:
            self._fault = f"it has more than {MAX_CELLS} cells"
        self._cell = None

    def _end_row(self) -> None:
        self._end_cell()
        if self._row is None:
            return
        self._rows += 1
        self._total += 1
        if self._total > MAX_ROWS:
            raise TooLarge(f"The page has more than {MAX_ROWS} rows")
        self._done.append(HtmlRow(self._tables, self._rows, () if self._fault else tuple(self._row), self._above, self._fault))
        self._row = None
