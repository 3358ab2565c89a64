"""Records of an uploaded file, one by one, in bounded memory: physical lines, and of CSV (RFC 4180) cells.

RFC 4180 lets a quoted cell go on over line breaks, so one quote too many could swallow the rest of a file. Here a record goes on over lines
only if that gives exactly the header's number of cells and the breaks stand in an address; else its first line is refused alone, and
reading goes on with the next.
"""

import codecs
import csv
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

MAX_RECORD_BYTES = 128 * 1024  # the csv module's own limit of a cell
MAX_RECORD_LINES = 20
_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Unreadable(Exception):
    """The file as a whole cannot be read; the text says why, and never what stood there."""


class Fault(NamedTuple):
    """Why a record is refused: field and message."""

    field: str
    message: str


class Record(NamedTuple):
    """One record: the offset behind it, and its text or cells, or what is wrong with it."""

    end: int
    text: str = ""
    cells: tuple[str, ...] = ()
    fault: Fault | None = None


TOO_LONG = Fault("row", f"Longer than {MAX_RECORD_BYTES // 1024} KiB")
NOT_UTF8 = "Not UTF-8"
QUOTES = Fault("row", "Quotes that do not fit: quote a whole cell, and double the quotes inside it")


class Lines:
    """Physical lines of a file from an offset on; one too long comes as None. A reader may look some lines ahead."""

    def __init__(self, file: BinaryIO, offset: int = 0) -> None:
        self._file, self.offset = file, offset
        self._ahead: deque[tuple[bytes | None, int]] = deque()
        file.seek(offset)

    def next(self) -> tuple[bytes | None, int] | None:
        """A line with its length in the file; None at the end."""
        found = self._ahead.popleft() if self._ahead else self._read()
        if found is not None:
            self.offset += found[1]
        return found

    def peek(self, n: int) -> bytes | None:
        """The n-th line that comes (from 0); None where it is too long, or there is none."""
        while len(self._ahead) <= n:
            found = self._read()
            if found is None:
                return None
            self._ahead.append(found)
        return self._ahead[n][0]

    def _read(self) -> tuple[bytes | None, int] | None:
        line = self._file.readline(MAX_RECORD_BYTES)
        if not line:
            return None
        length = len(line)
        if line[-1] == 10 or length < MAX_RECORD_BYTES:
            return line, length
        while line and line[-1] != 10:
            line = self._file.readline(MAX_RECORD_BYTES)
            length += len(line)
        return None, length


def begin(file: BinaryIO) -> Lines:
    """The lines of a file from its beginning, a byte order mark aside. Unreadable where it is not UTF-8 text at all."""
    start = file.read(4096)
    if not start:
        raise Unreadable("The file is empty")
    if start.startswith(_BOMS):
        raise Unreadable("The file is UTF-16; save it as UTF-8")
    if b"\x00" in start.split(b"\n", 1)[0]:
        raise Unreadable("The file is binary; it must be UTF-8 text")
    return Lines(file, len(codecs.BOM_UTF8) if start.startswith(codecs.BOM_UTF8) else 0)


def text_records(lines: Lines) -> Iterator[Record]:
    """A record a line; blank lines are none."""
    while (found := lines.next()) is not None:
        line = found[0]
        if line is None:
            yield Record(lines.offset, fault=TOO_LONG)
        elif line.strip():
            try:
                yield Record(lines.offset, line.decode())
            except UnicodeDecodeError:
                yield Record(lines.offset, fault=Fault("row", NOT_UTF8))


def csv_header(lines: Lines) -> tuple[str, ...]:
    """The names in the first line, in lower case; Unreadable where it cannot be one."""
    found = lines.next()
    line = found[0] if found else None
    try:
        text = line.decode() if line is not None else ""
        cells = _cells(text.rstrip("\r\n"))
    except (UnicodeDecodeError, csv.Error):
        cells = None
    if not cells:
        raise Unreadable("The first line must be the header, in UTF-8: number,name,country")
    return tuple(cell.strip().lower() for cell in cells)


def csv_records(lines: Lines, columns: tuple[str, ...]) -> Iterator[Record]:
    """The cells of each record; blank lines are none."""
    count = len(columns)
    while (found := lines.next()) is not None:
        line = found[0]
        if line is None:
            yield Record(lines.offset, fault=TOO_LONG)
            continue
        try:
            text = line.decode().rstrip("\r\n")
        except UnicodeDecodeError:
            yield Record(lines.offset, fault=Fault(_undecodable(line, columns), NOT_UTF8))
            continue
        if not text.strip():
            continue
        if '"' not in text:
            cells: tuple[str, ...] | None = tuple(text.split(","))
        else:
            cells = _strict(text) or _joined(lines, text, columns)
        if cells is None:
            yield Record(lines.offset, fault=QUOTES)
        elif len(cells) != count:
            yield Record(lines.offset, fault=Fault("row", f"It has not the header's {count} cells"))
        else:
            yield Record(lines.offset, cells=cells)


def _cells(text: str) -> tuple[str, ...]:
    return tuple(next(csv.reader([text], strict=True), ()))


def _strict(text: str) -> tuple[str, ...] | None:
    try:
        return _cells(text)
    except csv.Error:
        return None


def _joined(lines: Lines, first: str, columns: tuple[str, ...]) -> tuple[str, ...] | None:
    """The record that begins with a line whose quotes stay open, with the lines it goes on over; None where it does not hold together."""
    text, size = first, len(first)
    for n in range(MAX_RECORD_LINES - 1):
        more = lines.peek(n)
        size += len(more) if more else 0
        if more is None or size > MAX_RECORD_BYTES:
            return None
        try:
            text += "\n" + more.decode().rstrip("\r\n")
        except UnicodeDecodeError:
            return None
        if more.count(b'"') % 2:
            cells = _strict(text)
            if cells is None or len(cells) != len(columns):
                return None
            if any("\n" in cell and name != "address" for name, cell in zip(columns, cells, strict=True)):
                return None
            for _ in range(n + 1):
                lines.next()
            return cells
    return None


def _undecodable(line: bytes, columns: tuple[str, ...]) -> str:
    """The column of the first cell that is not UTF-8, where no quotes make that unsure."""
    if b'"' in line:
        return "row"
    for name, cell in zip(columns, line.split(b","), strict=False):
        try:
            cell.decode()
        except UnicodeDecodeError:
            return name
    return "row"
