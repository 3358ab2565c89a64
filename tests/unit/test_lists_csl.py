"""The US Consolidated Screening List: both column layouts and JSON, values joined in cells, agencies by source, ids."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.intelligence.lists.us_csl import SPECS
from shared.errors import Malformed
from shared.events.signals import PartySignal, SignalAddress, SignalIdentifier, SignalName
from tests.unit.lists_reading import Reading, read_sent

SPEC = SPECS[0]
COLUMNS = [
    "source",
    "entity_number",
    "type",
    "programs",
    "name",
    "title",
    "addresses",
    "federal_register_notice",
    "start_date",
    "end_date",
    "standard_order",
    "license_requirement",
    "license_policy",
    "call_sign",
    "vessel_type",
    "gross_tonnage",
    "gross_registered_tonnage",
    "vessel_flag",
    "vessel_owner",
    "remarks",
    "source_list_url",
    "alt_names",
    "citizenships",
    "dates_of_birth",
    "nationalities",
    "places_of_birth",
    "source_information_url",
    "ids",
]
SDN = "Specially Designated Nationals (SDN) - Treasury Department"
EL = "Entity List (EL) - Bureau of Industry and Security"


def csv_of(*rows: dict[str, str], columns: list[str] = COLUMNS) -> bytes:
    lines = [",".join(columns)]
    lines += [",".join('"' + row.get(column, "").replace('"', '""') + '"' for column in columns) for row in rows]
    return "\r\n".join(lines).encode()


def read(folder: Path, content: bytes) -> Reading:
    return read_sent(SPEC, content, folder)


def party(reading: Reading, at: int = 0) -> PartySignal:
    subject = reading.entries[at].signal.subject
    assert isinstance(subject, PartySignal)
    return subject


def test_a_row_of_the_layout_with_ids(tmp_path: Path) -> None:
    row = {
        "_id": "52291", "source": SDN, "entity_number": "52291", "type": "Individual", "programs": "NPWMD; DPRK", "name": "DOE, Jon",
        "addresses": "Shenyang, CN; Pyongyang, KP; nowhere known", "alt_names": "DOE, John; and JON D.", "dates_of_birth": "1978-12-05; 1955; 15 Jan 1956",
        "citizenships": "KP", "nationalities": "RU; XX", "remarks": "Known", "start_date": "2020-02-01", "vessel_flag": "Iran",
        "ids": "Passport, 836238033, KP; Secondary sanctions risk:, Regulations, sections 510.201 and 510.210; Gender, Male; SWIFT/BIC, RUDVRUMM",
    }  # fmt: skip
    reading = read(tmp_path, csv_of(row, columns=["_id", *COLUMNS]))
    (entry,) = reading.entries
    assert (entry.uid, entry.signal.source.programs) == ("52291", ("OFAC-SDN", "NPWMD", "DPRK"))
    told = party(reading)
    assert told.schema == "person"
    assert told.names == (SignalName(name="DOE, Jon", kind="primary"), SignalName(name="DOE, John"), SignalName(name="JON D."))
    assert told.addresses == (
        SignalAddress(text="nowhere known"), SignalAddress(text="Shenyang", country="CN"), SignalAddress(text="Pyongyang", country="KP"),
    )  # fmt: skip
    assert told.countries == ("CN", "IR", "KP", "RU")
    assert told.birth_dates == ("1955", "1956-01-15", "1978-12-05")
    assert told.identifiers == (
        SignalIdentifier(kind="Passport", value="836238033", country="KP"),
        SignalIdentifier(kind="SWIFT/BIC", value="RUDVRUMM"),
    )
    assert entry.signal.remarks.startswith(f"Listed on 2020-02-01; {SDN}; ")
    assert "Gender Male" in entry.signal.remarks
    assert "Country XX" in entry.signal.remarks
    assert entry.signal.remarks.endswith("; Known")


def test_numbers_of_the_older_layout_stand_the_other_way_round(tmp_path: Path) -> None:
    ids = (
        "US, 80-0890696, Tax ID No.; IMO 8898831, Vessel Registration Identification; 1148904001971, Registration ID; CO, 811038291-3, NIT #; "
        "Panama, Former Vessel Flag; http://example.org, Website; Subject to Directive 1, Executive Order 13662 Directive Determination -"
    )
    reading = read(
        tmp_path, csv_of({"source": SDN, "entity_number": "7", "type": "Vessel", "name": "SHIP", "ids": ids, "call_sign": "HMYN"})
    )
    assert party(reading).schema == "vessel"
    assert [(n.kind, n.value, n.country) for n in party(reading).identifiers] == [
        ("Call Sign", "HMYN", None), ("NIT", "811038291-3", "CO"), ("Registration ID", "1148904001971", None), ("Tax ID No.", "80-0890696", "US"),
        ("Vessel Registration Identification", "8898831", None),
    ]  # fmt: skip
    assert reading.entries[0].uid == "SDN-7"


@pytest.mark.parametrize(
    ("source", "program"),
    [
        (EL, "BIS-EL"),
        ("Denied Persons List (DPL) - Bureau of Industry and Security", "BIS-DPL"),
        ("ITAR Debarred (DTC) - State Department", "DDTC-DTC"),
        ("Nonproliferation Sanctions (ISN) - State Department", "ISN"),
        ("Non-SDN Chinese Military-Industrial Complex Companies List (NS-CMIC) - Treasury Department", "OFAC-NS-CMIC"),
        ("A new list - Some agency", "A new list"),
    ],
)
def test_the_source_column_tells_the_agency(tmp_path: Path, source: str, program: str) -> None:
    assert read(tmp_path, csv_of({"source": source, "name": "A"})).entries[0].signal.source.programs == (program,)


def test_a_record_without_any_id_gets_one_that_stays(tmp_path: Path) -> None:
    row = {"source": EL, "name": "32 Group China Ltd.", "start_date": "2015-11-12", "addresses": "Room 1905, HK"}
    first = read(tmp_path, csv_of(row)).entries[0]
    again = read(tmp_path, csv_of({"source": EL, "name": "B"}, row | {"name": "32 GROUP  China Ltd.", "remarks": "new"})).entries[1]
    assert first.uid == again.uid
    assert first.signal.digest != again.signal.digest


def test_what_is_added_to_a_name_is_no_part_of_it(tmp_path: Path) -> None:
    reading = read(tmp_path, csv_of({"source": "N (ISN) - S", "name": "Acme Export; and any successor, sub-unit, or subsidiary thereof"}))
    assert party(reading).names[0].name == "Acme Export"
    assert "any successor" in reading.entries[0].signal.remarks


def test_former_names_are_told_as_such(tmp_path: Path) -> None:
    reading = read(tmp_path, csv_of({"source": EL, "name": "A", "alt_names": "f.k.a., Old A; a.k.a. AA"}))
    assert party(reading).names[1:] == (SignalName(name="AA"), SignalName(name="Old A", kind="former"))


def test_every_record_is_accounted_for(tmp_path: Path) -> None:
    rows = [{"source": SDN, "entity_number": str(i), "name": f"N{i}", "type": "Entity"} for i in range(30)]
    bad = [{"source": SDN, "entity_number": "98", "type": "Spaceship", "name": "X"}, {"source": SDN, "entity_number": "99"}, rows[3]]
    content = csv_of(*rows, *bad) + b'\r\n"unclosed,x,y\r\n'
    reading = read(tmp_path, content)
    assert reading.read == 34
    assert reading.published == 30
    assert {q.uid for q in reading.quarantined} == {"SDN-98", "SDN-99", None}


def json_of(*results: Any, **others: Any) -> bytes:
    return json.dumps({"total": len(results), "sources": [{"value": "SDN", "count": 1}], **others, "results": list(results)}).encode()


def test_the_json_layout(tmp_path: Path) -> None:
    record = {
        "id": "abc", "source": SDN, "type": "Entity", "name": "Acme", "alt_names": ["Acme Ltd", None, "Acme; Co"], "programs": ["SDNTK"],
        "addresses": [{"address": "1 Road", "city": "Lefkosia", "state": None, "postal_code": "1066", "country": "CY"}, {"country": "??"}],
        "ids": [
            {"type": "Registration ID", "number": "C122790", "country": None, "issue_date": None},
            {"type": "Gender", "number": "Male"},
            {"type": "Passport", "number": 123456, "country": "IR"},
        ],
        "nationalities": None, "dates_of_birth": ["1955"], "start_date": "2015-01-02", "remarks": None,
    }  # fmt: skip
    reading = read(
        tmp_path, json_of(record, "no object", {"source": SDN, "id": "x"}, {"source": SDN, "id": "y", "name": "Y", "type": None})
    )
    assert [entry.uid for entry in reading.entries] == ["abc", "y"]
    assert [(q.row, q.uid) for q in reading.quarantined] == [(2, None), (3, "x")]
    told = party(reading)
    assert told.addresses == (SignalAddress(text="??"), SignalAddress(text="1 Road, 1066", city="Lefkosia", country="CY"))
    assert [(n.kind, n.value, n.country) for n in told.identifiers] == [("Passport", "123456", "IR"), ("Registration ID", "C122790", None)]
    assert {name.name for name in told.names} == {"Acme", "Acme Ltd", "Co"}  # an alias that is the name itself is none


def test_both_layouts_of_a_record_are_the_same_entry(tmp_path: Path) -> None:
    fields = {"source": SDN, "type": "Entity", "name": "Acme", "start_date": "2015-01-02", "remarks": "r"}
    one = read(tmp_path, csv_of({"_id": "9", **fields}, columns=["_id", *COLUMNS])).entries[0]
    two = read(tmp_path, json_of({"id": "9", **fields})).entries[0]
    assert one == two


@pytest.mark.parametrize(
    "content",
    [b'{"results": [', b'{"results": [{"name": "\xff"}]}', b'{"total": 1}', b'{"results": {}}', b"[]", b"{" * 10_000, b'{"results": [' + b"[" * 1000,
     b'{"results": []}', b"name;source\n"],
)  # fmt: skip
def test_what_is_no_list_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(Malformed):
        read(tmp_path, content)


def test_a_name_that_begins_with_and_keeps_it_and_a_long_number_is_told(tmp_path: Path) -> None:
    row = {
        "source": SDN,
        "entity_number": "7",
        "name": "DOE",
        "alt_names": "And Beyond Ltd; and Sons Co; & Co; and JON",
        "ids": f"Tax ID No., {'7' * 250}",
    }
    reading = read(tmp_path, csv_of(row))
    assert [name.name for name in party(reading).names] == ["DOE", "& Co", "And Beyond Ltd", "JON", "and Sons Co"]
    assert party(reading).identifiers == ()
    assert f"Tax ID No. {'7' * 250}" in reading.entries[0].signal.remarks


def test_an_alias_beyond_all_bounds_is_cut_and_not_left_out(tmp_path: Path) -> None:
    names = party(read(tmp_path, csv_of({"source": SDN, "entity_number": "7", "name": "DOE", "alt_names": "MILL " * 400 + "; JON"}))).names
    assert [(name.name[:9], len(name.name)) for name in names] == [("DOE", 3), ("JON", 3), ("MILL MILL", 999)]
