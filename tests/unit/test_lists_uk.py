"""The UK Sanctions List as a table and as XML, in small files of our own: both give the same parties."""

import csv
import io
from pathlib import Path

import pytest

from services.intelligence.lists import catalogue
from services.intelligence.lists.spec import About, Quarantined
from shared.errors import Malformed
from shared.events.signals import PartySignal, SignalAddress, SignalIdentifier, SignalName
from tests.unit.lists_reading import Reading, read_sent

COLUMNS = [
    *(
        "Last Updated",
        "Unique ID",
        "OFSI Group ID",
        "UN Reference Number",
        "Name 6",
        "Name 1",
        "Name 2",
        "Name 3",
        "Name 4",
        "Name 5",
        "Name type",
    ),
    *(
        "Alias strength",
        "Title",
        "Name non-latin script",
        "Non-latin script type",
        "Non-latin script language",
        "Regime Name",
        "Designation Type",
    ),
    *("Designation source", "Sanctions Imposed", "Other Information", "UK Statement of Reasons", "Address Line 1", "Address Line 2"),
    *(
        "Address Line 3",
        "Address Line 4",
        "Address Line 5",
        "Address Line 6",
        "Address Postal Code",
        "Address Country",
        "Phone number",
        "Website",
    ),
    *(
        "Email address",
        "Date Designated",
        "D.O.B",
        "Nationality(/ies)",
        "National Identifier number",
        "National Identifier additional information",
    ),
    *("Passport number", "Passport additional information", "Position", "Gender", "Town of birth", "Country of birth", "Type of entity"),
    *("Subsidiaries", "Parent company", "Business registration number (s)", "IMO number", "Current owner/operator (s)"),
    *(
        "Previous owner/operator (s)",
        "Current believed flag of ship",
        "Previous flags",
        "Type of ship",
        "Tonnage of ship",
        "Length of ship",
    ),
    *("Year Built", "Hull identification number (HIN)"),
]
PERSON = {
    "Unique ID": "RUS9001",
    "OFSI Group ID": "14001",
    "UN Reference Number": "QDi.901",
    "Regime Name": "The Russia Regulations 2019",
    "Designation Type": "Individual",
    "Date Designated": "16/03/2022",
    "Title": "Dr",
    "Sanctions Imposed": "Asset freeze|Travel Ban",
}
SHIP = {
    "Unique ID": "RUS9002",
    "Designation Type": "Ship",
    "Name 6": "NORTHERN GULL",
    "Name type": "Primary Name",
    "Regime Name": "The Russia Regulations 2019",
}
ROWS = [
    {**PERSON, "Name 6": "CROW", "Name 1": "Arlo", "Name 2": "Ben", "Name type": "Alias", "Alias strength": "Good quality"},
    {
        **PERSON,
        "Name 6": "CROWE",
        "Name 1": "Arlo",
        "Name type": "Primary Name",
        "Name non-latin script": "Арло Кроу",
        "D.O.B": "09/03/1971",
    },
    {**SHIP, "IMO number": "9876543", "Current believed flag of ship": "Panama", "Type of ship": "Oil tanker"},
    {
        **PERSON,
        "Name 6": "Bird",
        "Name type": "Alias",
        "Alias strength": "Low quality",
        "D.O.B": "00/04/1970",
        "Nationality(/ies)": "(1) Russia (2) Iran",
    },
    {
        **PERSON,
        "Name 6": "CROWE",
        "Name 1": "Arlo",
        "Name type": "Primary Name",
        "D.O.B": "dd/mm/1969",
        "Passport number": "(1) A1234 (2) B5678",
    },
    {
        **PERSON,
        "Name 6": "RAVEN",
        "Name type": "FKA",
        "Address Line 1": "1 Hill",
        "Address Line 6": "Moscow",
        "Address Postal Code": "101000",
    }
    | {"Address Country": "Russia", "Position": "Minister", "National Identifier number": "77-1"},
]
XML = """<?xml version="1.0" encoding="utf-8"?><Designations><DateGenerated>13/02/2026</DateGenerated>
<Designation><LastUpdated>01/01/2026</LastUpdated><DateDesignated>16/03/2022</DateDesignated><UniqueID>RUS9001</UniqueID><OFSIGroupID>14001</OFSIGroupID>
<UNReferenceNumber>QDi.901</UNReferenceNumber><Names><Name><Name1>Arlo</Name1><Name2>Ben</Name2><Name6>CROW</Name6><NameType>Alias</NameType>
<AliasStrength>Good quality</AliasStrength></Name><Name><Name1>Arlo</Name1><Name6>CROWE</Name6><NameType>Primary Name</NameType></Name>
<Name><Name6>Bird</Name6><NameType>Alias</NameType><AliasStrength>Low quality</AliasStrength></Name><Name><Name6>RAVEN</Name6><NameType>FKA</NameType></Name>
</Names><NonLatinNames><NonLatinName><NameNonLatinScript>Арло Кроу</NameNonLatinScript></NonLatinName></NonLatinNames><Titles><Title>Dr</Title></Titles>
<RegimeName>The Russia Regulations 2019</RegimeName><IndividualEntityShip>Individual</IndividualEntityShip><SanctionsImposed>Asset freeze|Travel Ban</SanctionsImposed>
<Addresses><Address><AddressLine1>1 Hill</AddressLine1><AddressLine6>Moscow</AddressLine6><AddressPostalCode>101000</AddressPostalCode>
<AddressCountry>Russia</AddressCountry></Address></Addresses><IndividualDetails><Individual><DOBs><DOB>09/03/1971</DOB><DOB>00/04/1970</DOB>
<DOB>dd/mm/1969</DOB></DOBs><Nationalities><Nationality>Russia</Nationality><Nationality>Iran</Nationality></Nationalities>
<PassportDetails><Passport><PassportNumber>A1234</PassportNumber></Passport><Passport><PassportNumber>B5678</PassportNumber></Passport></PassportDetails>
<NationalIdentifierDetails><NationalIdentifier><NationalIdentifierNumber>77-1</NationalIdentifierNumber></NationalIdentifier></NationalIdentifierDetails>
<Positions><Position>Minister</Position></Positions></Individual></IndividualDetails></Designation>
<Designation><UniqueID>RUS9002</UniqueID><Names><Name><Name6>NORTHERN GULL</Name6><NameType>Primary Name</NameType></Name></Names>
<RegimeName>The Russia Regulations 2019</RegimeName><IndividualEntityShip>Ship</IndividualEntityShip><ShipDetails><Ship>
<IMONumbers><IMONumber>9876543</IMONumber></IMONumbers><CurrentBelievedFlagOfShips><CurrentBelievedFlagOfShip>Panama</CurrentBelievedFlagOfShip>
</CurrentBelievedFlagOfShips><TypeOfShipDetails><TypeOfShip>Oil tanker</TypeOfShip></TypeOfShipDetails></Ship></ShipDetails></Designation></Designations>"""


def table(*rows: dict[str, str], columns: list[str] = COLUMNS, above: str = "Report Date: 13-Feb-2026\r\n") -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return above + text.getvalue()


def read(tmp_path: Path, content: str) -> Reading:
    return read_sent(catalogue.find("gb_sanctions"), content.encode(), tmp_path)


def test_the_layout_has_58_columns() -> None:
    assert len(COLUMNS) == 58


@pytest.mark.parametrize("content", [table(*ROWS), "\ufeff" + table(*ROWS), XML], ids=["table", "table with a mark", "xml"])
def test_individuals_and_ships(tmp_path: Path, content: str) -> None:
    reading = read(tmp_path, content)
    assert reading.about == About(dated="2026-02-13")
    assert (reading.read, reading.published) == (2, 2)
    person, ship = (one.signal for one in reading.entries)
    assert person.subject == PartySignal(
        names=(
            SignalName(name="Arlo CROWE", kind="primary"),
            SignalName(name="Arlo Ben CROW"),
            SignalName(name="Bird", weak=True),
            SignalName(name="RAVEN", kind="former"),
            SignalName(name="Арло Кроу"),
        ),
        schema="person",
        countries=("IR", "RU"),
        addresses=(SignalAddress(text="1 Hill, Moscow, 101000", country="RU"),),
        identifiers=(
            SignalIdentifier(kind="National Identifier", value="77-1"),
            SignalIdentifier(kind="OFSI Group ID", value="14001"),
            SignalIdentifier(kind="Passport", value="A1234"),
            SignalIdentifier(kind="Passport", value="B5678"),
            SignalIdentifier(kind="UN Reference Number", value="QDi.901"),
        ),
        birth_dates=("1969", "1970-04", "1971-03-09"),
    )
    assert (person.source.uid, person.source.programs) == ("RUS9001", ("The Russia Regulations 2019",))
    assert person.remarks == "Listed on 2022-03-16; Position Minister; Sanctions Imposed Asset freeze|Travel Ban; Title Dr"
    assert ship.subject == PartySignal(
        names=(SignalName(name="NORTHERN GULL", kind="primary"),),
        schema="vessel",
        countries=("PA",),
        identifiers=(SignalIdentifier(kind="IMO Number", value="9876543"),),
    )


def test_both_layouts_give_the_same_digests(tmp_path: Path) -> None:
    one, other = read(tmp_path, table(*ROWS)), read(tmp_path, XML)
    assert [entry.signal.digest for entry in one.entries] == [entry.signal.digest for entry in other.entries]


def test_the_order_of_rows_changes_nothing(tmp_path: Path) -> None:
    one, other = read(tmp_path, table(*ROWS)), read(tmp_path, table(*reversed(ROWS)))
    assert {entry.uid: entry.signal.digest for entry in one.entries} == {entry.uid: entry.signal.digest for entry in other.entries}


def test_columns_are_found_by_name(tmp_path: Path) -> None:
    older = [name if name != "Designation Type" else "Individual, Entity, Ship" for name in reversed(COLUMNS)]
    rows = [{older[COLUMNS[::-1].index(key)]: value for key, value in row.items()} for row in ROWS]
    content = table(*rows, columns=[*older, "A new column"], above="Report Date: 13/02/2026\n")
    assert read(tmp_path, content).about == About(dated="2026-02-13")
    digests = [[entry.signal.digest for entry in read(tmp_path, text).entries] for text in (content, table(*ROWS))]
    assert digests[0] == digests[1]
    with pytest.raises(Malformed, match="Designation Type"):
        read(
            tmp_path,
            table(
                *[{k: v for k, v in row.items() if k != "Designation Type"} for row in ROWS],
                columns=[c for c in COLUMNS if c != "Designation Type"],
            ),
        )


def test_what_cannot_be_published_is_counted(tmp_path: Path) -> None:
    rows = [{"Unique ID": "X1", "Name 6": "BOX", "Designation Type": "Container"}, {"Name 6": "Nobody", "Designation Type": "Entity"}]
    reading = read(tmp_path, table(*ROWS, *rows, {"Unique ID": "X2", "Designation Type": "Entity"}) + "01/01/2026,X3\r\n")
    assert (reading.read, reading.published) == (6, 2)
    assert {(q.row, q.reason, q.uid) for q in reading.quarantined} == {
        (9, "its type is none that is known", "X1"),
        (10, "it has no id", None),
        (11, "it has no name", "X2"),
        (12, "it has 2 columns where 58 are expected", None),
    }
    unknown = "<Designation><UniqueID>X1</UniqueID><Names><Name><Name6>B</Name6></Name></Names></Designation><Other><UniqueID>9</UniqueID></Other>"
    reading = read(tmp_path, XML.replace("</Designations>", unknown + "</Designations>"))
    assert (reading.read, reading.published) == (4, 2)
    assert [q.uid for q in reading.quarantined] == ["X1", None]
    assert reading.quarantined[1] == Quarantined(row=4, reason="its type is none that is known")


def test_the_retired_list_says_what_to_load_instead(tmp_path: Path) -> None:
    columns = "Name 6,Name 1,Name 2,Title,DOB,Other Information,Group Type,Alias Type,Alias Quality,Regime,Listed On,Last Updated,Group ID"
    with pytest.raises(Malformed, match=r"retired on 2026-01-28; load the UK Sanctions List"):
        read(
            tmp_path,
            f"Last Updated,27/04/2020,,,,,,,,,,,\n{columns}\nCROW,Arlo,,,28/09/1955,x,Individual,Prime Alias,,Iran,24/03/2007,27/06/2017,9053\n",
        )
    targets = "<ArrayOfFinancialSanctionsTarget xmlns='http://schemas.hmtreasury.gov.uk/'><FinancialSanctionsTarget/></ArrayOfFinancialSanctionsTarget>"
    with pytest.raises(Malformed, match="retired on 2026-01-28"):
        read(tmp_path, targets)


def test_a_party_beyond_all_bounds(tmp_path: Path) -> None:
    rows = [
        {"Unique ID": "X1", "Designation Type": "Entity", "Name 6": f"MILL {n}", "Other Information": "x" * 99 + str(n)}
        for n in range(2001)
    ]
    assert [q.reason for q in read(tmp_path, table(*rows)).quarantined] == ["it has more than 2000 names, places, numbers and dates"]
    (entry,) = read(tmp_path, table(*rows[:2000])).entries
    assert len(entry.signal.remarks) <= 32_768


def test_what_has_no_field_stands_in_the_remarks_and_no_day_is_lost(tmp_path: Path) -> None:
    long = "of the register " * 20
    row = {**PERSON, "Name 6": "CROW", "Name type": "Primary Name", "D.O.B": "(1) 01/02/1970 (2) 1971 (3) March 1972"}
    row |= {
        "Nationality(/ies)": "Russia (2) Stateless",
        "Town of birth": "Omsk",
        "Country of birth": "USSR",
        "National Identifier number": long,
    }
    signal = read(tmp_path, table(row | {"Previous owner/operator (s)": "Old Lines"})).entries[0].signal
    assert isinstance(signal.subject, PartySignal)
    assert (signal.subject.birth_dates, signal.subject.countries) == (("1970-02-01", "1971", "March 1972"), ("RU",))
    for told in ("Of Stateless", "Born in Omsk, USSR", "Previous Owner or Operator Old Lines", f"National Identifier {long.strip()}"):
        assert told in signal.remarks
