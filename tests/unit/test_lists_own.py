"""Lists of one's own: any table or JSON lines, read as a mapping says; a mapping that is wrong is told where."""

from pathlib import Path
from typing import Any

import pytest

from services.intelligence.lists.mapping import parse
from services.intelligence.lists.own import spec_of
from shared.errors import Invalid, Malformed
from shared.events.signals import PartySignal, SignalAddress, SignalIdentifier, SignalName
from tests.unit.lists_reading import Reading, read_sent

MAPPING = b"""
list: own_blocked
title: Suppliers we do not buy from
publisher: Example AG
between: "|"
dates: "%d.%m.%Y"
columns:
  uid: Number
  name: Company
  type: Kind
  aliases: [Other names, Short]
  former_names: Before
  weak_aliases: Nickname
  countries: Country
  address: [Street, Code]
  city: City
  birth_dates: Born
  programs: Reason
  remarks: Note
  listed_on: Since
identifiers:
  LEI: Lei code
"""
HEADER = "Number;Company;Kind;Other names;Short;Before;Nickname;Country;Street;Code;City;Born;Reason;Note;Since;Lei code"
ROW = "7;Acme GmbH;Company;Acme AG|ACME;AC;Alt GmbH;Ac;DE;1 Weg;10115;Berlin;03.02.1960;fraud|debt;known;01.02.2024;529900T8BM49AURSDO55"


def read(folder: Path, content: str, mapping: bytes = MAPPING) -> Reading:
    return read_sent(spec_of(parse(mapping)), content.encode(), folder)


def test_a_table(tmp_path: Path) -> None:
    (entry,) = read(tmp_path, f"{HEADER}\n{ROW}\n").entries
    subject = entry.signal.subject
    assert isinstance(subject, PartySignal)
    assert (entry.uid, entry.signal.source.list, entry.signal.source.programs) == ("7", "own_blocked", ("debt", "fraud"))
    assert entry.signal.remarks == "Listed on 2024-02-01; known"
    assert subject == PartySignal(
        names=(
            SignalName(name="Acme GmbH", kind="primary"), SignalName(name="AC"), SignalName(name="ACME"), SignalName(name="Ac", weak=True),
            SignalName(name="Acme AG"), SignalName(name="Alt GmbH", kind="former"),
        ),
        countries=("DE",), addresses=(SignalAddress(text="1 Weg, 10115", city="Berlin", country="DE"),),
        identifiers=(SignalIdentifier(kind="LEI", value="529900T8BM49AURSDO55"),), birth_dates=("1960-02-03",),
    )  # fmt: skip


def test_json_lines(tmp_path: Path) -> None:
    mapping = b"{list: own_json, title: T, format: jsonl, type: person, columns: {name: name, aliases: aka, countries: country, birth_dates: born}}"
    content = (
        '{"name": "Jon Doe", "aka": ["JD", "J. Doe"], "country": "Iran", "born": 1960}\n\n{"name": "JON  DOE", "country": "IR", "born": "1960"}\n'
        '[]\n{"name"\n{"other": 1}\n'
    )
    reading = read(tmp_path, content, mapping)
    first, second = reading.entries
    assert first.uid == second.uid  # derived from what makes the party
    assert [name.name for name in first.signal.subject.names] == ["Jon Doe", "J. Doe", "JD"]  # type: ignore[union-attr]
    assert first.signal.subject.schema == "person"  # type: ignore[union-attr]
    assert [(q.row, q.reason) for q in reading.quarantined] == [
        (4, "it is no JSON object"), (5, "it is no JSON object"), (6, "it has no name"),
    ]  # fmt: skip


def test_records_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    rows = [
        ROW,
        ROW.replace("7;Acme GmbH", "8;"),
        ROW.replace("7;", ";", 1),
        ROW.replace("Company", "Ghost"),
        "9;short",
        ROW.replace("DE", "Nowhere"),
    ]
    reading = read(tmp_path, "\n".join([HEADER, *rows]))
    assert [q.row for q in reading.quarantined] == [3, 4, 5, 6]
    assert [q.uid for q in reading.quarantined] == ["8", None, "7", None]
    assert "Country Nowhere" in reading.entries[1].signal.remarks


@pytest.mark.parametrize("content", ["Number;Firm\n1;A\n", "", HEADER])
def test_a_file_that_is_not_as_mapped_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(Malformed):
        read(tmp_path, content)


@pytest.mark.parametrize(
    ("mapping", "field"),
    [
        (b"list: own_x\ntitle: T\n", "mapping"),
        (b"list: us_ofac_sdn\ntitle: T\ncolumns: {name: A}\n", "list"),
        (b"list: own_x\ntitle: T\ncolumns: {nam: A}\n", "columns"),
        (b"list: own_x\ntitle: T\ncolumns: {name: [A]}\n", "columns.name"),
        (b"list: own_x\ntitle: T\ncolumns: {name: A}\nformat: xml\n", "format"),
        (b"list: own_x\ntitle: T\ncolumns: {name: A}\ndates: '%d'\n", "dates"),
        (b"list: own_x\ntitle: T\ncolumns: {name: A}\nmax_shrink_share: 7\n", "max_shrink_share"),
        (b"- 1\n", "mapping"),
    ],
)
def test_a_wrong_mapping_is_told_where(mapping: bytes, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse(mapping)
    assert [error["field"] for error in refused.value.errors] == [field]


@pytest.mark.parametrize(
    "mapping",
    [b"a: [", b"\xff", b"x" * 70_000, b"[" * 30_000, b"a: &a [x]\nb: *a\n", b"!!python/object/apply:os.system [ls]", b"columns: *x",
     b"list: own_x\ntitle: T\ncolumns: {name: '...'}\n", b"? {a: 1}\n: 2\n", b"columns: 2001-02-30"],
)  # fmt: skip
def test_hostile_mappings_are_refused(mapping: bytes) -> None:
    with pytest.raises(Invalid):
        parse(mapping)


def test_a_mapping_says_as_much_as_it_was_told() -> None:
    told: Any = spec_of(parse(MAPPING))
    assert (told.id, told.title, told.publisher, told.minimum_entries) == ("own_blocked", "Suppliers we do not buy from", "Example AG", 1)
