"""The UK Sanctions List: a table with a row for each name, address and birth date of a party, and the same as XML.

`Unique ID` joins the rows; Name 6 is a family name or a whole one, Names 1 to 5 stand before it. The consolidated list of OFSI, whose table has a
`Group ID`, was retired on 2026-01-28: it is known here only so that its loading can say so.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path

from services.intelligence.lists import uk_party, xml
from services.intelligence.lists.gathered import Gathered, Parties
from services.intelligence.lists.party import UNKNOWN_TYPE, Unreadable, iso_day, records
from services.intelligence.lists.records import holding_records
from services.intelligence.lists.spec import HEAD_BYTES, About, Layout, ListFile, ListSpec, Quarantined, Record
from services.intelligence.lists.tables import MAX_PREAMBLE, fold, table
from shared.errors import Malformed

_ROOT, _RECORD, _GENERATED = "Designations", "Designation", "DateGenerated"
_REQUIRED = ("Unique ID", "Name 6")
_TYPES = ("Designation Type", "Individual, Entity, Ship")  # the column was renamed; one of the two must be there
_RETIRED = ("Group ID", "Name 6", "Group Type")  # columns of OFSI's list
_RETIRED_ROOT = "ArrayOfFinancialSanctionsTarget"  # of its XML
_SAID_OF_RETIRED = (
    "This is OFSI's consolidated list of targets, which was retired on 2026-01-28; load the UK Sanctions List in its place: "
    "UK-Sanctions-List.csv or UK-Sanctions-List.xml of the Foreign, Commonwealth and Development Office"
)
_REPORTED = re.compile(r"Report\s+Date[\s:,\"]*([^\s\",;]+(?: [A-Za-z]+ \d{4})?)", re.IGNORECASE)
_DAYS = ("%d/%m/%Y", "%d-%b-%Y", "%d-%B-%Y", "%d %b %Y", "%d %B %Y", "%Y-%m-%d")
_LONGEST_NAME = 100  # characters of a column's


@holding_records
def read_table(files: Mapping[str, Path], *, list_id: str, release_id: str) -> Iterator[Record]:
    """Entries in the order of their first rows. A row that cannot be read, or that names no party, is quarantined for itself."""
    path = files["primary"]
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    columns = _columns(head)
    if _is_retired(columns):
        raise Malformed(_SAID_OF_RETIRED)
    if columns and not columns & {fold(name) for name in _TYPES}:
        raise Malformed(f"The primary file has no header with the required columns; missing: {_TYPES[0]}")
    if (said := _REPORTED.search(head[:1000].decode("utf-8-sig", "replace"))) and (dated := iso_day(said[1], *_DAYS)):
        yield About(dated=dated)
    parties = Parties()
    for row in table(path, _REQUIRED):
        uid = row.get("unique id")
        if row.fault or not uid:
            yield Quarantined(row=row.number, reason=row.fault or "it has no id")
        else:
            uk_party.add_row(parties.of(uid, row.number), row.cells)
    yield from parties.records(list_id, release_id)


def recognises_table(head: bytes) -> bool:
    columns = _columns(head)
    return all(fold(name) in columns for name in _REQUIRED) or _is_retired(columns)


def _is_retired(columns: frozenset[str]) -> bool:
    return all(fold(name) in columns for name in _RETIRED) and fold(_REQUIRED[0]) not in columns


def _columns(head: bytes) -> frozenset[str]:
    """Folded names of the columns, where the first lines of a file hold a header."""
    for line in head.decode("utf-8-sig", "replace").splitlines()[:MAX_PREAMBLE]:
        for separator in ",;\t|":
            cells = next(csv.reader((line.replace("\0", ""),), delimiter=separator), [])
            columns = frozenset(fold(cell) for cell in cells if len(cell) <= _LONGEST_NAME)
            if fold(_REQUIRED[1]) in columns:
                return columns
    return frozenset()


@holding_records
def read_xml(files: Mapping[str, Path], *, list_id: str, release_id: str) -> Iterator[Record]:
    """Entries in the file's order; what stands among the designations and is none is quarantined."""
    if xml.root(files["primary"]).name == _RETIRED_ROOT:
        raise Malformed(_SAID_OF_RETIRED)
    found = (one for one in xml.elements(files["primary"], depth=2, what="primary") if one.within)
    first = next(found, None)
    if first and first.name == _GENERATED and (dated := iso_day(first.text, *_DAYS)):
        yield About(dated=dated)
    listed = (one for one in chain((first,) if first else (), found) if one.name != _GENERATED)
    yield from records(enumerate(listed, 1), _uid, lambda uid, one: _gathered(one).entry(uid, list_id, release_id))


def _uid(one: xml.Element) -> str:
    if one.name != _RECORD:
        raise Unreadable(UNKNOWN_TYPE)
    return one.value("UniqueID")


def _gathered(one: xml.Element) -> Gathered:
    found = Gathered()
    uk_party.add_designation(found, one)
    return found


def recognises_xml(head: bytes) -> bool:
    return next((one.name for one in xml.opening(head)), "") in (_ROOT, _RETIRED_ROOT)


_ADDRESS = "https://sanctionslist.fcdo.gov.uk/docs/"
_LAYOUTS = (("UK-Sanctions-List.csv", read_table, recognises_table), ("UK-Sanctions-List.xml", read_xml, recognises_xml))
SPECS = (
    ListSpec(
        id="gb_sanctions",
        title="UK Sanctions List",
        publisher="UK Foreign, Commonwealth and Development Office",
        layouts=tuple(
            Layout(name=name, files=(ListFile(role="primary", name=name, address=_ADDRESS + name),), read=read, recognises=recognises)
            for name, read, recognises in _LAYOUTS
        ),
    ),
)
