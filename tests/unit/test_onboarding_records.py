"""Records of hostile files: no line takes another with it, and memory ends somewhere."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.onboarding.imports.records import (
    MAX_RECORD_BYTES,
    MAX_RECORD_LINES,
    Lines,
    Record,
    Unreadable,
    begin,
    csv_header,
    csv_records,
    text_records,
)

COLUMNS = ("number", "name", "country", "address")


def records(body: bytes, columns: tuple[str, ...] = COLUMNS, offset: int = 0) -> list[Record]:
    return list(csv_records(Lines(io.BytesIO(body), offset), columns))


def cells(body: bytes) -> list[tuple[str, ...] | None]:
    return [None if r.fault else r.cells for r in records(body)]


_cell = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\r\n\x00"), max_size=20)
_address = st.lists(_cell.map(str.strip), min_size=1, max_size=3).map("\n".join)
_row = st.tuples(_cell.map(lambda t: "n" + t), _cell, _cell, _address)


@given(st.lists(_row, max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_what_the_csv_module_writes_is_read_back(rows: list[tuple[str, ...]], end: str) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator=end).writerows(rows)
    assert cells(out.getvalue().encode()) == rows


@given(st.lists(st.sampled_from([b"1,A,DE,x", b'2,"A,DE,x', b'3,A",DE,x', b'4,"A"x,DE,y', b"5,\xff,DE,x", b'6,"A, B",DE,x']), max_size=12))
def test_every_line_gives_its_own_record_whatever_its_quotes(lines: list[bytes]) -> None:
    found = records(b"\n".join(lines))
    assert len(found) == len(lines)
    good = {b"1": "A", b"6": "A, B"}
    for line, record in zip(lines, found, strict=True):
        if line[:1] in good:
            assert record.cells[1] == good[line[:1]]
        elif line[:1] != b"3":  # its quote stands inside a cell, and is a quote
            assert record.fault is not None


@given(
    st.lists(st.sampled_from([b"1,A,DE,x\n", b'2,A,DE,"x\ny"\r\n', b'3,"A,DE,x\n', b"\n", b"4," + b"z" * 300 + b"\n"]), max_size=12),
    st.data(),
)
def test_reading_goes_on_from_behind_any_record(lines: list[bytes], data: st.DataObject) -> None:
    body = b"".join(lines)
    whole = records(body)
    if whole:
        at = data.draw(st.integers(0, len(whole) - 1))
        assert records(body, offset=whole[at].end) == whole[at + 1 :]


def test_a_line_break_stands_in_an_address_only() -> None:
    assert cells(b'1,A,DE,"x\ny"\n') == [("1", "A", "DE", "x\ny")]
    assert cells(b'1,"A\nB",DE,x\n') == [None, None]
    assert cells(b'1,A,DE,"' + b"x\n" * MAX_RECORD_LINES + b'"\n2,B,DE,y')[-1] == ("2", "B", "DE", "y")


def test_a_line_too_long_is_passed_over() -> None:
    long = b"1," + b"x" * (3 * MAX_RECORD_BYTES)
    assert cells(long + b"\n2,B,DE,y\n" + long) == [None, ("2", "B", "DE", "y"), None]
    assert [r.text or None for r in text_records(Lines(io.BytesIO(long + b"\n{}\n")))] == [None, "{}\n"]


def test_a_record_is_never_longer_than_the_csv_module_reads() -> None:
    assert csv.field_size_limit() >= MAX_RECORD_BYTES


@pytest.mark.parametrize("body", [b"", b"\xff\xfea\x00", b"a\x00b\n", b'"a,b\n', b"\xff\n", b"\n"])
def test_what_is_no_text_with_a_header_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        csv_header(begin(io.BytesIO(body)))


def test_a_header_is_read_without_regard_to_case_mark_and_spaces() -> None:
    assert csv_header(begin(io.BytesIO(b'\xef\xbb\xbfNumber, "Name",country\r\n'))) == ("number", '"name"', "country")
    assert csv_header(begin(io.BytesIO(b'"number",name\n'))) == ("number", "name")
