"""Tables with a header: columns by name, faults in their place, neighbours untouched."""

import csv
import io
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intelligence.lists.lines import MAX_LINE
from services.intelligence.lists.tables import MAX_CELL, MAX_COLUMNS, Row, table
from shared.errors import Malformed


def read(folder: Path, content: bytes, required: tuple[str, ...] = ("id", "name")) -> list[Row]:
    path = folder / "table"
    path.write_bytes(content)
    return list(table(path, required))


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_columns_are_found_by_name_whatever_separates_them(tmp_path: Path, separator: str) -> None:
    head, row = separator.join(["Extra", "NAME", "_id"]), separator.join(["x", '"A, B; C"', "7"])
    (found,) = read(tmp_path, f"{head}\r\n{row}\r\n".encode())
    assert (found.number, found.get("id"), found.get("name"), found.get("extra"), found.get("none")) == (2, "7", "A, B; C", "x", "")


def test_lines_before_the_header_and_empty_rows_are_passed_over(tmp_path: Path) -> None:
    found = read(tmp_path, b"Report Date: 01-Feb-2026\n\nid,name\n\n,\n1,A\n")
    assert [(row.number, row.get("name")) for row in found] == [(6, "A")]


def test_missing_columns_are_named(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match=r"missing: name$"):
        read(tmp_path, b"id,title\n1,A\n")
    with pytest.raises(Malformed, match=r"missing: id, name$"):
        read(tmp_path, b"")


@pytest.mark.parametrize(
    ("raw", "name"),
    [("\ufeffid,name\n1,Ünal\n".encode(), "Ünal"), ("id,name\n1,Ünal\n".encode("cp1252"), "Ünal"), (b"id,name\n1,\x81x\n", "\ufffdx")],
)
def test_encodings_are_told_line_by_line(tmp_path: Path, raw: bytes, name: str) -> None:
    (found,) = read(tmp_path, raw + "2,Þór\n".encode())[:1]
    assert found.get("name") == name


def test_utf_16_is_refused_with_a_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="UTF-16"):
        read(tmp_path, "id,name\n1,A\n".encode("utf-16"))


def test_quoted_cells_go_over_lines(tmp_path: Path) -> None:
    found = read(tmp_path, b'id,name,c,d\n1,"A ""x""\nB, c",,\n2,B,,\n')
    assert [(row.number, row.get("name"), row.fault) for row in found] == [(2, 'A "x"\nB, c', ""), (4, "B", "")]


@pytest.mark.parametrize(
    ("damaged", "reason"),
    [
        (b'5,"open,c,d', "quotation"),
        (b'5,"a"b,c,d', "quotation"),
        (b"5,a\0,c,d", "NUL"),
        (b"5,a", "2 columns where 4"),
        (b"5,a,b,c,d", "5 columns where 4"),
        (b"id,name,c,d", "header"),
        (b"5," + b"x" * (MAX_CELL + 1) + b",c,d", "longer"),
        (b'5,"' + b"x" * (MAX_CELL + 1) + b'",c,d', "longer"),
        (b"5," + b"x" * (MAX_LINE + 1), "longer"),
    ],
)
def test_a_damaged_row_is_told_and_costs_no_neighbour(tmp_path: Path, damaged: bytes, reason: str) -> None:
    found = read(tmp_path, b"id,name,c,d\n1,A,,\n" + damaged + b'\n2,"B",,\n3,C,"x",\n4,D,,\n')
    assert [row.get("id") for row in found if not row.fault] == ["1", "2", "3", "4"]
    (fault,) = [row for row in found if row.fault]
    assert fault.number == 3
    assert reason in fault.fault


def test_two_open_quotations_do_not_swallow_what_stands_between(tmp_path: Path) -> None:
    found = read(tmp_path, b'id,name,c,d\n1,"A,,\n2,B,,\n3,C",,\n4,D,,\n')
    assert [(row.number, row.get("name"), bool(row.fault), row.first) for row in found] == [
        (2, "", True, "1"),
        (3, "B", False, ""),
        (4, 'C"', False, ""),  # a mark inside an unquoted cell is text
        (5, "D", False, ""),
    ]


def test_a_surplus_of_empty_cells_is_no_fault(tmp_path: Path) -> None:
    assert [row.get("name") for row in read(tmp_path, b"id,name\n1,A,,\n")] == ["A"]


def test_columns_of_one_name_are_all_kept(tmp_path: Path) -> None:
    (found,) = read(tmp_path, b"id,name,name,\n1,A,B,C\n")
    assert dict(found.cells) == {"id": "1", "name": "A", "name 3": "B", "column 4": "C"}


def test_too_many_columns_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="columns"):
        read(tmp_path, b"id,name" + b",x" * MAX_COLUMNS + b"\n")


def test_open_quotations_in_every_row_take_no_longer(tmp_path: Path) -> None:
    content = b"id,name\n" + b'1,"a\n' * 20_000 + b"2,b\n" * 20_000
    started = time.monotonic()
    found = read(tmp_path, content)
    assert time.monotonic() - started < 10
    assert sum(not row.fault for row in found) == 20_000


CELL = st.text(st.characters(exclude_characters="\0\x1a\r", exclude_categories=("Cs",)), max_size=12)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 999), CELL, CELL, CELL), max_size=12), st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
def test_what_a_sound_writer_wrote_is_read_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, str, str, str]], quoting: int
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, quoting=quoting)  # type: ignore[arg-type]
    writer.writerow(["id", "name", "c", "d", "e"])
    writer.writerows([[*row, ""] for row in rows])
    found = read(tmp_path_factory.mktemp("t"), out.getvalue().encode())
    assert [(row.fault, row.get("id"), row.get("name"), row.get("c"), row.get("d")) for row in found] == [
        ("", str(n), *(cell.strip() for cell in cells)) for n, *cells in rows
    ]
