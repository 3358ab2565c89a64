"""The EU's list as XML and as a table, in small files of our own: both give the same entries."""

from pathlib import Path

import pytest

from services.intelligence.lists import catalogue
from services.intelligence.lists.spec import About, Quarantined
from shared.errors import Malformed
from shared.events.signals import PartySignal, SignalAddress, SignalIdentifier, SignalName
from tests.unit.lists_reading import Reading, read_sent

RULE = '<regulation regulationType="amendment" numberTitle="2019/555 (OJ L97)" programme="{}" logicalId="1"><publicationUrl>https://x</publicationUrl></regulation>'
PERSON = f"""<sanctionEntity designationDate="2008-07-03" designationDetails="" unitedNationId="QDi.901" euReferenceNumber="EU.1.82" logicalId="5295">
<remark>Said to be away.</remark>{RULE.format("TAQA")}{RULE.format("IRQ")}<subjectType code="person" classificationCode="P"/>
<nameAlias firstName="Arlo" middleName="" lastName="Crow" wholeName="Arlo Crow" function="Minister" title="Dr" strong="true" logicalId="9">
<remark>of a passport</remark><regulationSummary numberTitle="2019/555"/></nameAlias>
<nameAlias firstName="Arlo" middleName="B." lastName="Crowe" wholeName="" function="" title="" nameLanguage="EN" strong="true" logicalId="10"/>
<nameAlias firstName="" middleName="" lastName="" wholeName="Bird" strong="false" logicalId="11"/>
<citizenship region="" countryIso2Code="DZ" countryDescription="ALGERIA" logicalId="526"/>
<birthdate circa="false" calendarType="GREGORIAN" birthdate="1965-12-12" dayOfMonth="12" monthOfYear="12" year="1965" city="Oran" countryIso2Code="DZ" logicalId="1"/>
<birthdate circa="true" calendarType="GREGORIAN" year="1958" countryIso2Code="DZ" logicalId="2"/>
<birthdate circa="false" calendarType="GREGORIAN" year="1959" monthOfYear="4" logicalId="3"/>
<birthdate circa="false" calendarType="GREGORIAN" yearRangeFrom="1960" yearRangeTo="1962" logicalId="4"/>
<birthdate circa="false" calendarType="ISLAMIC" year="1380" logicalId="5"/>
<identification number="L191609" latinNumber="L-191609" countryIso2Code="TN" countryDescription="TUNISIA" identificationTypeCode="passport"
 identificationTypeDescription="National passport" logicalId="68"/>
<identification number="488555" countryIso2Code="00" countryDescription="UNKNOWN" identificationTypeCode="id" identificationTypeDescription="" logicalId="6"/>
<address city="Tunis" street="23 50th Street" poBox="7" zipCode="1000" region="" place="" countryIso2Code="TN" countryDescription="TUNISIA" logicalId="3"/>
</sanctionEntity>"""
ENTERPRISE = f"""<sanctionEntity euReferenceNumber="EU.2.1" logicalId="42">{RULE.format("SYR")}<subjectType code="enterprise" classificationCode="E"/>
<nameAlias wholeName="Stone Mills" strong="true" logicalId="12"/>
<address city="" street="" countryIso2Code="" countryDescription="CONGO, Democratic Republic of (was Zaire)" logicalId="4"/></sanctionEntity>"""

HEADER = (
    "fileGenerationDate;Entity_LogicalId;Entity_EU_ReferenceNumber;Entity_UnitedNationId;Entity_DesignationDate;Entity_Remark;Entity_SubjectType;"
    "Entity_SubjectType_ClassificationCode;Entity_Regulation_Programme;NameAlias_LastName;NameAlias_FirstName;NameAlias_MiddleName;"
    "NameAlias_WholeName;NameAlias_Title;NameAlias_Function;NameAlias_Strong;NameAlias_Remark;BirthDate_City;Identification_LatinNumber;Address_City;Address_Street;Address_PoBox;Address_ZipCode;"
    "Address_CountryIso2Code;Address_CountryDescription;BirthDate_BirthDate;BirthDate_Day;BirthDate_Month;BirthDate_Year;BirthDate_YearRangeFrom;"
    "BirthDate_YearRangeTo;BirthDate_Circa;BirthDate_CalendarType;Identification_Number;Identification_TypeCode;Identification_TypeDescription;"
    "Identification_CountryIso2Code;Identification_CountryDescription;Citizenship_CountryIso2Code;Citizenship_CountryDescription"
)


def export(*entities: str, namespace: str = "http://eu.europa.ec/fpi/fsd/export") -> bytes:
    return (
        f"<export xmlns='{namespace}' generationDate='2026-04-15T15:29:22.497+02:00' globalFileId='1'>{''.join(entities)}</export>".encode()
    )


def row(uid: object, kind: str = "person", programme: str = "TAQA", **cells: str) -> str:
    told = {"fileGenerationDate": "15/04/2026", "Entity_LogicalId": str(uid), "Entity_SubjectType": kind[:1].upper(), **cells}
    told |= {"Entity_SubjectType_ClassificationCode": kind, "Entity_Regulation_Programme": programme}
    assert told.keys() <= set(HEADER.split(";"))
    return ";".join(told.get(column, "") for column in HEADER.split(";")) + "\r\n"


def rows() -> str:
    entity = {"Entity_EU_ReferenceNumber": "EU.1.82", "Entity_UnitedNationId": "QDi.901", "Entity_DesignationDate": "2008-07-03"}
    address = {"Address_City": "Tunis", "Address_Street": "23 50th Street", "Address_PoBox": "7", "Address_ZipCode": "1000"}
    passport = {
        "Identification_Number": "L191609",
        "Identification_LatinNumber": "L-191609",
        "Identification_TypeDescription": "National passport",
        "Identification_CountryIso2Code": "TN",
    }
    return "".join(
        (
            row(
                5295,
                NameAlias_WholeName="Arlo Crow",
                NameAlias_Title="Dr",
                NameAlias_Function="Minister",
                NameAlias_Remark="of a passport",
                **entity,
            ),
            row(5295, programme="IRQ", Entity_Remark='"Said to be away."', **entity),
            row(42, "enterprise", "SYR", NameAlias_WholeName="Stone Mills", Entity_EU_ReferenceNumber="EU.2.1"),
            row(5295, NameAlias_FirstName="Arlo", NameAlias_MiddleName="B.", NameAlias_LastName="Crowe"),
            row(5295, NameAlias_WholeName="Bird", NameAlias_Strong="false"),
            row(5295, Citizenship_CountryIso2Code="DZ", Citizenship_CountryDescription="ALGERIA"),
            row(5295, BirthDate_BirthDate="1965-12-12", BirthDate_CalendarType="GREGORIAN", BirthDate_Year="1965", BirthDate_City="Oran"),
            row(5295, BirthDate_Year="1958", BirthDate_Circa="true"),
            row(5295, BirthDate_Year="1959", BirthDate_Month="4", BirthDate_Circa="false"),
            row(5295, BirthDate_YearRangeFrom="1960", BirthDate_YearRangeTo="1962"),
            row(5295, BirthDate_Year="1380", BirthDate_CalendarType="ISLAMIC"),
            row(5295, **passport),
            row(5295, Identification_Number="488555", Identification_TypeCode="id", Identification_CountryDescription="UNKNOWN"),
            row(5295, Address_CountryIso2Code="TN", Address_CountryDescription="TUNISIA", **address),
            row(42, "enterprise", "SYR", Address_CountryDescription="CONGO, Democratic Republic of (was Zaire)"),
        )
    )


def read(tmp_path: Path, content: bytes) -> Reading:
    return read_sent(catalogue.find("eu_fsf"), content, tmp_path)


@pytest.mark.parametrize("content", [export(PERSON, ENTERPRISE), ("\ufeff" + HEADER + "\r\n" + rows()).encode()], ids=["xml", "table"])
def test_persons_and_enterprises(tmp_path: Path, content: bytes) -> None:
    reading = read(tmp_path, content)
    assert reading.about == About(dated="2026-04-15")
    assert (reading.read, reading.published) == (2, 2)
    person, enterprise = (one.signal for one in reading.entries)
    assert person.subject == PartySignal(
        names=(SignalName(name="Arlo Crow", kind="primary"), SignalName(name="Arlo B. Crowe"), SignalName(name="Bird", weak=True)),
        schema="person",
        countries=("DZ", "TN"),
        addresses=(SignalAddress(text="23 50th Street, PO Box 7, 1000", city="Tunis", country="TN"),),
        identifiers=(
            SignalIdentifier(kind="EU Reference Number", value="EU.1.82"),
            SignalIdentifier(kind="National passport", value="L-191609", country="TN"),
            SignalIdentifier(kind="National passport", value="L191609", country="TN"),
            SignalIdentifier(kind="UN Reference Number", value="QDi.901"),
            SignalIdentifier(kind="id", value="488555"),
        ),
        birth_dates=("1380 (islamic)", "1959-04", "1960 to 1962", "1965-12-12", "circa 1958"),
    )
    assert (person.source.uid, person.source.programs) == ("5295", ("IRQ", "TAQA"))
    assert person.remarks == "Listed on 2008-07-03; Born in Oran; Function Minister; Said to be away.; Title Dr; of a passport"
    assert isinstance(enterprise.subject, PartySignal)
    assert (enterprise.subject.schema, enterprise.subject.countries, enterprise.source.programs) == ("organisation", ("CD",), ("SYR",))


def test_both_layouts_give_the_same_digests(tmp_path: Path) -> None:
    one, other = read(tmp_path, export(PERSON, ENTERPRISE)), read(tmp_path, (HEADER + "\n" + rows()).encode())
    assert [entry.signal.digest for entry in one.entries] == [entry.signal.digest for entry in other.entries]


def test_the_namespace_may_change(tmp_path: Path) -> None:
    assert read(tmp_path, export(PERSON, namespace="urn:new")).published == 1


def test_what_cannot_be_published_is_counted(tmp_path: Path) -> None:
    vessel = (
        '<sanctionEntity logicalId="7"><subjectType code="vessel" classificationCode="V"/><nameAlias wholeName="Boat"/></sanctionEntity>'
    )
    nameless = '<sanctionEntity logicalId="8"><subjectType code="person"/><nameAlias wholeName=" "/></sanctionEntity>'
    reading = read(
        tmp_path, export(PERSON, vessel, nameless, PERSON, "<newRecord/>", '<sanctionEntity><subjectType code="person"/></sanctionEntity>')
    )
    assert (reading.read, reading.published) == (6, 1)
    assert reading.quarantined == [
        Quarantined(row=2, reason="its type is none that is known", uid="7"),
        Quarantined(row=3, reason="it has no name", uid="8"),
        Quarantined(row=4, reason="its id stands on an earlier record", uid="5295"),
        Quarantined(row=5, reason="its type is none that is known"),
        Quarantined(row=6, reason="it has no id"),
    ]


def test_rows_that_cannot_be_read(tmp_path: Path) -> None:
    more = row(7, "vessel", NameAlias_WholeName="Boat") + row("", NameAlias_WholeName="Nobody") + "15/04/2026;9\r\n" + row(8)
    reading = read(tmp_path, (HEADER + "\n" + more + rows()).encode())
    assert (reading.read, reading.published) == (6, 2)
    assert {(q.row, q.uid) for q in reading.quarantined} == {(2, "7"), (3, None), (4, None), (5, "8")}


@pytest.mark.parametrize("content", [export(), (HEADER + "\n").encode()], ids=["xml", "table"])
def test_files_without_any_entity(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(Malformed, match="no record"):
        read(tmp_path, content)
