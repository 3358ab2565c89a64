"""OFAC's XML layouts against its CSV: the same ids, and the same names, numbers, dates and places of each."""

from pathlib import Path

import pytest

from services.intelligence.lists import catalogue
from services.intelligence.lists.spec import About, Quarantined
from shared.events.signals import PartySignal, SignalAddress, SignalIdentifier, SignalName
from tests.unit import ofac_layouts
from tests.unit.lists_reading import Reading, read_sent

SPEC = catalogue.find("us_ofac_sdn")


def from_csv(tmp_path: Path) -> Reading:
    files = {}
    for role, content in ofac_layouts.CSV.items():
        files[role] = tmp_path / f"{role}.csv"
        files[role].write_text(content + "\x1a")
    return Reading(SPEC.layouts[0], files, SPEC.id)


def read(tmp_path: Path, content: str, list_id: str = SPEC.id) -> Reading:
    return read_sent(catalogue.find(list_id), content.encode(), tmp_path)


def subjects(reading: Reading) -> dict[str, PartySignal]:
    return {entry.uid: entry.signal.subject for entry in reading.entries if isinstance(entry.signal.subject, PartySignal)}


@pytest.mark.parametrize("content", [ofac_layouts.plain(), ofac_layouts.advanced()], ids=["plain", "advanced"])
def test_all_layouts_tell_the_same(tmp_path: Path, content: str) -> None:
    reading, expected = read(tmp_path, content), from_csv(tmp_path)
    assert reading.about == About(dated="2026-11-26")
    assert (reading.read, reading.published, expected.published) == (3, 3, 3)
    assert subjects(reading) == subjects(expected)
    for one, other in zip(reading.entries, expected.entries, strict=True):
        assert sorted(one.signal.source.programs) == sorted(other.signal.source.programs)
    person, _, vessel = (entry.signal.remarks for entry in reading.entries)
    assert "Title Minister; Gender Male; POB Najaf, Iraq" in person
    assert "Vessel Type Crude Oil Tanker; Tonnage 9,000; Gross Registered Tonnage 12,000; Vessel Owner GULL CO" in vessel


def test_a_whole_entry(tmp_path: Path) -> None:
    assert subjects(read(tmp_path, ofac_layouts.plain()))["306"] == PartySignal(
        names=(SignalName(name="CROW, Arlo Ben", kind="primary"), SignalName(name="BIRD", weak=True), SignalName(name="CROWE, Arlo")),
        schema="person",
        countries=("IQ", "IR", "US"),
        addresses=(SignalAddress(text="1 Hill, Floor 2", city="Miami, FL 33172", country="US"),),
        identifiers=(
            SignalIdentifier(kind="National ID No.", value="77-1"),
            SignalIdentifier(kind="Passport", value="A 123", country="IR"),
        ),
        birth_dates=("1951 to 1953", "1955-01-15", "1960-08", "circa 1951"),
    )


@pytest.mark.parametrize("namespace", ["http://tempuri.org/sdnList.xsd", "http://www.un.org/sanctions/1.0", "urn:new", ""])
def test_namespaces_may_change(tmp_path: Path, namespace: str) -> None:
    for content in (ofac_layouts.plain(namespace), ofac_layouts.advanced(namespace=namespace)):
        assert read(tmp_path, content, "us_ofac_cons").published == 3


def test_what_cannot_be_published_of_the_plain_layout(tmp_path: Path) -> None:
    more = (
        "<sdnEntry><uid>400</uid><lastName>BOX</lastName><sdnType>Container</sdnType></sdnEntry><sdnEntry><uid>401</uid><sdnType>Entity</sdnType></sdnEntry>"
        "<sdnEntry><uid>306</uid><lastName>AGAIN</lastName><sdnType>Entity</sdnType></sdnEntry><other><uid>9</uid></other><sdnEntry><uid/></sdnEntry>"
    )
    reading = read(tmp_path, ofac_layouts.plain().replace("</sdnList>", more + "</sdnList>"))
    assert (reading.read, reading.published) == (8, 3)
    assert reading.quarantined == [
        Quarantined(row=4, reason="its type is none that is known", uid="400"),
        Quarantined(row=5, reason="it has no name", uid="401"),
        Quarantined(row=6, reason="its id stands on an earlier record", uid="306"),
        Quarantined(row=7, reason="its type is none that is known"),
        Quarantined(row=8, reason="it has no id"),
    ]


def test_what_cannot_be_published_of_the_advanced_layout(tmp_path: Path) -> None:
    named = ofac_layouts.name(9, (83, "BOX"), primary="true")
    more = (
        *(ofac_layouts.party(400, 7, named), ofac_layouts.party(401, 3, ""), ofac_layouts.PARTIES[0], "<Other FixedRef='9'/>"),
        *("<DistinctParty FixedRef='402'/>", "<DistinctParty/>"),
    )
    reading = read(tmp_path, ofac_layouts.advanced(*ofac_layouts.PARTIES, *more))
    assert (reading.read, reading.published) == (9, 3)
    assert reading.quarantined == [
        Quarantined(row=4, reason="its type is none that is known", uid="400"),
        Quarantined(row=5, reason="it has no name", uid="401"),
        Quarantined(row=6, reason="its id stands on an earlier record", uid="306"),
        Quarantined(row=7, reason="its type is none that is known"),
        Quarantined(row=8, reason="its type is none that is known", uid="402"),
        Quarantined(row=9, reason="it has no id"),
    ]


def test_names_in_other_scripts_and_of_other_customs(tmp_path: Path) -> None:
    name, groups = ofac_layouts.name, ofac_layouts.groups(_1=1520, _2=1521, _3=91708, _4=91709)
    both = name(1, (1, "КРОУ"), (2, "Арло"), primary="true").replace("</Alias>", "") + name(2, (1, "CROW"), (2, "Arlo")).partition(">")[2]
    spanish = name(3, (3, "CUERVO"), (4, "MOLINO"), (2, "Arlo"), kind=1400)
    russian = name(4, (1, "CROW"), (2, "Arlo"), (3, "Benovich"), kind=1401)
    loose = name(5, (99, "CROW"), (98, "Junior"), kind=1400)
    reading = read(tmp_path, ofac_layouts.advanced(ofac_layouts.party(500, 4, both + spanish + russian + loose + groups)))
    assert subjects(reading)["500"].names == (
        SignalName(name="CROW, Arlo", kind="primary"),
        SignalName(name="CROW Junior"),
        SignalName(name="CROW, Arlo Benovich", kind="former"),
        SignalName(name="CUERVO MOLINO, Arlo"),
        SignalName(name="КРОУ, Арло"),
    )


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (("1976-01-01", "1976-01-01", "1978-12-30", "1978-12-30"), "01 Jan 1976 to 30 Dec 1978"),
        (("1961-04-01", "1961-04-30", "1962-05-01", "1962-05-31"), "Apr 1961 to May 1962"),
        (("1961-02-01", "1961-02-01", "1961-02-28", "1961-02-28"), "1961-02"),
        (("1961-02-01", "1961-02-28", "1961-02-01", "1961-02-28"), "1961-02"),
    ],
)
def test_periods(tmp_path: Path, days: tuple[str, ...], expected: str) -> None:
    one = ofac_layouts.party(500, 4, ofac_layouts.name(1, (83, "CROW"), primary="true"), ofac_layouts.born(*days))
    assert subjects(read(tmp_path, ofac_layouts.advanced(one)))["500"].birth_dates == (expected,)


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("<Start><From><Year>1948</Year></From></Start>", ("1948",)),
        ("<Start><From><Year>1948</Year><Month>12</Month></From></Start>", ("1948-12",)),
        ("<Start><From><Year>1948</Year><Month>12</Month><Day>10</Day></From></Start>", ("1948-12-10",)),
        ("<Start><From><Year>1948</Year><Month>13</Month></From></Start>", ()),
        ("<Start><From><Year>0</Year></From></Start>", ()),
        ("", ()),
    ],
)
def test_dates_that_are_known_in_part(tmp_path: Path, inside: str, expected: tuple[str, ...]) -> None:
    period = ofac_layouts.feature(8, f"<DatePeriod>{inside}</DatePeriod>")
    one = ofac_layouts.party(500, 4, ofac_layouts.name(1, (83, "CROW"), primary="true"), period)
    assert subjects(read(tmp_path, ofac_layouts.advanced(one)))["500"].birth_dates == expected


def test_kinds_of_parties_that_the_file_does_not_explain(tmp_path: Path) -> None:
    """OFAC's numbers for individuals, entities, vessels and aircraft have not changed since the layout exists."""
    named = ofac_layouts.name(1, (83, "CROW"), primary="true")
    content = ofac_layouts.advanced(*(ofac_layouts.party(500 + number, number, named) for number in (1, 2, 3, 4)))
    for section in ("PartyType", "PartySubType"):
        before, _, rest = content.partition(f"<{section}Values>")
        content = before + rest.partition(f"</{section}Values>")[2]
        found = subjects(read(tmp_path, content))
        assert {uid: one.schema for uid, one in found.items()} == {
            "501": "vessel",
            "502": "aircraft",
            "503": "organisation",
            "504": "person",
        }


def test_features_without_versions(tmp_path: Path) -> None:
    inside = "<DatePeriod><Start><From><Year>1948</Year></From></Start></DatePeriod>"
    one = ofac_layouts.party(500, 4, ofac_layouts.name(1, (83, "CROW"), primary="true"), f'<Feature FeatureTypeID="8">{inside}</Feature>')
    assert subjects(read(tmp_path, ofac_layouts.advanced(one)))["500"].birth_dates == ("1948",)


def test_a_document_of_a_new_kind_is_an_identifier(tmp_path: Path) -> None:
    """The CSV's remarks tell numbers by their kinds; here a document is one whatever its kind is called."""
    reading = read(tmp_path, ofac_layouts.advanced().replace("National ID No.", "Lunar Residence Permit"))
    assert SignalIdentifier(kind="Lunar Residence Permit", value="77-1") in subjects(reading)["306"].identifiers


@pytest.mark.parametrize("content", [ofac_layouts.plain(), ofac_layouts.advanced()], ids=["plain", "advanced"])
def test_a_nationality_that_is_no_country_of_today_is_told(tmp_path: Path, content: str) -> None:
    entry = next(one for one in read(tmp_path, content.replace("Iraq", "Yugoslavia")).entries if one.uid == "306")
    assert "Yugoslavia" in entry.signal.remarks.replace("POB Najaf, Yugoslavia", "")
