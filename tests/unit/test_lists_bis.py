"""The BIS Denied Persons List: rows by tab, ids that stay, dates of orders."""

from pathlib import Path

import pytest

from services.intelligence.lists.us_bis import SPECS
from shared.errors import Malformed
from shared.events.signals import PartySignal, SignalAddress, SignalName
from tests.unit.lists_reading import Reading, read_sent

HEADER = [
    "Name",
    "Street_Address",
    "City",
    "State",
    "Country",
    "Postal_Code",
    "Effective_Date",
    "Expiration_Date",
    "Standard_Order",
    "Last_Update",
    "Action",
    "FR_Citation",
]
ROW = [
    " FU SUN  A/K/A FRANK SUN",
    '1 ""Old"" Road',
    "BEIJING",
    "",
    "PRC",
    "10",
    "11/09/2006",
    "11/09/2026",
    "Y",
    "2006-11-09",
    "20 YEAR DENIAL",
    "71 F.R.",
]
PLAIN = ["I. ASH", "", "PHOENIX", "AZ", "", "85043", "someday", "", "N", "2020-01-01", "", ""]


def file_of(*rows: list[str]) -> bytes:
    return "\r\n".join("\t".join(f'"{cell}"' for cell in row) for row in (HEADER, *rows)).encode()


def read(folder: Path, content: bytes) -> Reading:
    return read_sent(SPECS[0], content, folder)


def test_rows_become_entries(tmp_path: Path) -> None:
    first, second = read(tmp_path, file_of(ROW, PLAIN)).entries
    assert isinstance(first.signal.subject, PartySignal)
    assert first.signal.subject.names == (SignalName(name="FU SUN", kind="primary"), SignalName(name="FRANK SUN"))
    assert first.signal.subject.addresses == (SignalAddress(text='1 "Old" Road, 10', city="BEIJING", country="CN"),)
    assert first.signal.subject.countries == ("CN",)
    assert first.signal.remarks == "Listed on 2006-11-09; Expires on 2026-11-09; Standard order; 20 YEAR DENIAL; Federal Register 71 F.R."
    assert first.signal.source.programs == ("BIS-DPL",)
    assert second.signal.remarks == "Effective someday; Without end; No standard order"
    assert second.signal.subject.countries == ()  # type: ignore[union-attr]


def test_ids_stay_while_name_date_and_address_do(tmp_path: Path) -> None:
    one = read(tmp_path, file_of(ROW)).entries[0]
    two = read(tmp_path, file_of(PLAIN, [ROW[0].title(), *ROW[1:9], "2030-01-01", "NEW", ""])).entries[1]
    assert one.uid == two.uid
    assert one.signal.digest != two.signal.digest
    other = read(tmp_path, file_of([*ROW[:6], "11/10/2006", *ROW[7:]])).entries[0]
    assert other.uid != one.uid


def test_rows_that_are_the_same_are_each_a_record(tmp_path: Path) -> None:
    reading = read(tmp_path, file_of(ROW, PLAIN, ROW, ROW))
    assert (reading.read, reading.published, reading.quarantined) == (4, 4, [])
    alone = read(tmp_path, file_of(PLAIN, ROW)).entries[1].uid
    assert sorted(e.uid for e in reading.entries if e.uid.startswith(alone)) == [alone, f"{alone}-2", f"{alone}-3"]


def test_what_was_seen_last_is_no_change(tmp_path: Path) -> None:
    one, two = (read(tmp_path, file_of([*ROW[:9], day, *ROW[10:]])).entries[0].signal for day in ("2006-11-09", "2026-11-09"))
    assert one == two


def test_every_row_is_accounted_for(tmp_path: Path) -> None:
    reading = read(tmp_path, file_of(ROW, ["", *ROW[1:]], PLAIN[:5], PLAIN) + b'\r\n"x\t"y\r\n')
    assert (reading.read, len(reading.entries)) == (5, 2)
    assert [q.row for q in reading.quarantined] == [3, 4, 6]


@pytest.mark.parametrize("content", [b"<html>", file_of(), b"Name\tCity\n", b"Effective_Date\tName\n\n"])
def test_what_is_no_list_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(Malformed):
        read(tmp_path, content)
