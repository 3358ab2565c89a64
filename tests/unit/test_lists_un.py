"""The UN's consolidated.xml, in small files of our own."""

from pathlib import Path

import pytest

from services.intelligence.lists import catalogue
from services.intelligence.lists.spec import About, Quarantined
from shared.events.signals import PartySignal, SignalAddress, SignalIdentifier, SignalName
from tests.unit.lists_reading import Reading, read_sent

PERSON = """<INDIVIDUAL><DATAID>6900001</DATAID><VERSIONNUM>1</VERSIONNUM><FIRST_NAME>ARLO</FIRST_NAME><SECOND_NAME> BEN
   DAVID </SECOND_NAME><THIRD_NAME/><FOURTH_NAME>CROW</FOURTH_NAME><UN_LIST_TYPE>DRC</UN_LIST_TYPE>
<REFERENCE_NUMBER>CDi.901</REFERENCE_NUMBER><LISTED_ON>2012-12-31</LISTED_ON><COMMENTS1>Said to be away.</COMMENTS1>
<NAME_ORIGINAL_SCRIPT>ארלו</NAME_ORIGINAL_SCRIPT><TITLE><VALUE>Dr</VALUE></TITLE><DESIGNATION><VALUE>Colonel</VALUE></DESIGNATION>
<NATIONALITY><VALUE>Iran (Islamic Republic of)</VALUE><VALUE>Congo</VALUE></NATIONALITY><LIST_TYPE><VALUE>UN List</VALUE></LIST_TYPE>
<INDIVIDUAL_ALIAS><QUALITY/><ALIAS_NAME/></INDIVIDUAL_ALIAS>
<INDIVIDUAL_ALIAS><QUALITY>Good</QUALITY><ALIAS_NAME>Arlo Crowe</ALIAS_NAME></INDIVIDUAL_ALIAS>
<INDIVIDUAL_ALIAS><QUALITY>Low</QUALITY><ALIAS_NAME>Bird</ALIAS_NAME><NOTE>call sign</NOTE></INDIVIDUAL_ALIAS>
<INDIVIDUAL_ADDRESS><STREET>1 Hill</STREET><CITY>Goma</CITY><STATE_PROVINCE>North Kivu</STATE_PROVINCE>
<COUNTRY>Democratic Republic of the Congo</COUNTRY></INDIVIDUAL_ADDRESS><INDIVIDUAL_ADDRESS><COUNTRY/></INDIVIDUAL_ADDRESS>
<INDIVIDUAL_DATE_OF_BIRTH><TYPE_OF_DATE>EXACT</TYPE_OF_DATE><DATE>1971-03-09</DATE></INDIVIDUAL_DATE_OF_BIRTH>
<INDIVIDUAL_DATE_OF_BIRTH><TYPE_OF_DATE>APPROXIMATELY</TYPE_OF_DATE><YEAR>1970</YEAR></INDIVIDUAL_DATE_OF_BIRTH>
<INDIVIDUAL_DATE_OF_BIRTH><TYPE_OF_DATE>BETWEEN</TYPE_OF_DATE><FROM_YEAR>1968</FROM_YEAR><TO_YEAR>1972</TO_YEAR></INDIVIDUAL_DATE_OF_BIRTH>
<INDIVIDUAL_DATE_OF_BIRTH><TYPE_OF_DATE>EXACT</TYPE_OF_DATE><NOTE>August 1969</NOTE></INDIVIDUAL_DATE_OF_BIRTH>
<INDIVIDUAL_PLACE_OF_BIRTH><COUNTRY/></INDIVIDUAL_PLACE_OF_BIRTH><INDIVIDUAL_DOCUMENT/>
<INDIVIDUAL_DOCUMENT><TYPE_OF_DOCUMENT>Passport</TYPE_OF_DOCUMENT><NUMBER>OB 024 </NUMBER><ISSUING_COUNTRY>Sudan</ISSUING_COUNTRY></INDIVIDUAL_DOCUMENT>
</INDIVIDUAL>"""
ENTITY = """<ENTITY><DATAID>110001</DATAID><FIRST_NAME>STONE MILLS</FIRST_NAME><UN_LIST_TYPE>DPRK</UN_LIST_TYPE>
<REFERENCE_NUMBER>KPe.901</REFERENCE_NUMBER><LISTED_ON>2016-03-02</LISTED_ON>
<ENTITY_ALIAS><QUALITY>a.k.a.</QUALITY><ALIAS_NAME>STONE MILLING</ALIAS_NAME></ENTITY_ALIAS>
<ENTITY_ALIAS><QUALITY>f.k.a.</QUALITY><ALIAS_NAME>OLD MILLS</ALIAS_NAME></ENTITY_ALIAS>
<ENTITY_ADDRESS><CITY>Nampo</CITY><COUNTRY>Democratic People's Republic of Korea</COUNTRY></ENTITY_ADDRESS></ENTITY>"""


def lists(individuals: str = PERSON, entities: str = ENTITY, more: str = "") -> str:
    return (
        "<?xml version='1.0' encoding='UTF-8' standalone='yes'?><CONSOLIDATED_LIST xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' "
        "xsi:noNamespaceSchemaLocation='https://www.un.org/sc/resources/sc-sanctions.xsd' dateGenerated='2026-02-27T00:00:09.554Z'>"
        f"<INDIVIDUALS>{individuals}</INDIVIDUALS><ENTITIES>{entities}</ENTITIES>{more}</CONSOLIDATED_LIST>"
    )


def read(tmp_path: Path, content: str) -> Reading:
    return read_sent(catalogue.find("un_sc"), content.encode(), tmp_path)


def test_people_and_entities(tmp_path: Path) -> None:
    reading = read(tmp_path, lists())
    assert reading.about == About(dated="2026-02-27")
    assert (reading.read, reading.published) == (2, 2)
    person, entity = (one.signal for one in reading.entries)
    assert person.subject == PartySignal(
        names=(
            SignalName(name="ARLO BEN DAVID CROW", kind="primary"),
            SignalName(name="Arlo Crowe"),
            SignalName(name="Bird", weak=True),
            SignalName(name="ארלו"),
        ),
        schema="person",
        countries=("CD", "CG", "IR"),
        addresses=(SignalAddress(text="1 Hill, North Kivu", city="Goma", country="CD"),),
        identifiers=(
            SignalIdentifier(kind="Passport", value="OB 024", country="SD"),
            SignalIdentifier(kind="UN Reference Number", value="CDi.901"),
        ),
        birth_dates=("1968 to 1972", "1971-03-09", "August 1969", "circa 1970"),
    )
    assert (person.source.uid, person.source.programs) == ("6900001", ("DRC",))
    assert person.remarks == "Listed on 2012-12-31; Title Dr; Designation Colonel; Bird: call sign; Said to be away."
    assert isinstance(entity.subject, PartySignal)
    assert (entity.source.uid, entity.subject.schema, entity.subject.countries) == ("110001", "organisation", ("KP",))
    assert entity.subject.names[1:] == (SignalName(name="OLD MILLS", kind="former"), SignalName(name="STONE MILLING"))


def test_what_cannot_be_published_is_counted(tmp_path: Path) -> None:
    nameless = "<INDIVIDUAL><DATAID>7</DATAID><FIRST_NAME/></INDIVIDUAL>"
    more = "<VESSELS><VESSEL><DATAID>8</DATAID><FIRST_NAME>BOAT</FIRST_NAME></VESSEL><VESSEL/></VESSELS><NOTES/>"
    reading = read(tmp_path, lists(PERSON + nameless + PERSON + "<INDIVIDUAL><FIRST_NAME>X</FIRST_NAME></INDIVIDUAL>", more=more))
    assert (reading.read, reading.published) == (7, 2)
    assert reading.quarantined == [
        Quarantined(row=2, reason="it has no name", uid="7"),
        Quarantined(row=3, reason="its id stands on an earlier record", uid="6900001"),
        Quarantined(row=4, reason="it has no id"),
        Quarantined(row=6, reason="its type is none that is known", uid="8"),
        Quarantined(row=7, reason="its type is none that is known"),
    ]


def test_order_within_a_record_changes_nothing(tmp_path: Path) -> None:
    alias = "<INDIVIDUAL_ALIAS><QUALITY>Good</QUALITY><ALIAS_NAME>Arlo Crowe</ALIAS_NAME></INDIVIDUAL_ALIAS>"
    turned = PERSON.replace(alias, "").replace("</INDIVIDUAL>", alias + "</INDIVIDUAL>")
    assert turned != PERSON
    (one, _), (other, _) = read(tmp_path, lists()).entries, read(tmp_path, lists(turned)).entries
    assert one.signal.digest == other.signal.digest


def test_sections_may_be_empty_or_away(tmp_path: Path) -> None:
    assert read(tmp_path, lists(entities="")).published == 1
    assert read(tmp_path, lists(individuals="").replace("dateGenerated", "other")).about == About()


def test_numbers_and_days_that_stand_elsewhere_are_found(tmp_path: Path) -> None:
    """As in the list of 2026: numbers in notes and in kinds of documents, days of birth with aliases, places of birth, countries of the past."""
    papers = [
        ("<TYPE_OF_DOCUMENT>Passport</TYPE_OF_DOCUMENT><NOTE>Libyan passport number 347834, issued on 21 Feb. 2014</NOTE>", "347834"),
        ("<TYPE_OF_DOCUMENT>Passport</TYPE_OF_DOCUMENT><NOTE>number L 191609 issued on 28 Feb. 1996</NOTE>", "L 191609"),
        ("<TYPE_OF_DOCUMENT2>Afghan identification card (tazkira) number 545167</TYPE_OF_DOCUMENT2><NOTE>issued in 1974</NOTE>", "545167"),
        ("<TYPE_OF_DOCUMENT>Passport</TYPE_OF_DOCUMENT><NOTE>issued in 1993, under name Arlo Crowe</NOTE>", None),
    ]
    documents = "".join(f"<INDIVIDUAL_DOCUMENT>{told}</INDIVIDUAL_DOCUMENT>" for told, _ in papers)
    more = (
        f"{documents}<NATIONALITY><VALUE>former Soviet Union</VALUE></NATIONALITY>"
        "<INDIVIDUAL_PLACE_OF_BIRTH><CITY>Goma</CITY><COUNTRY>Rwanda</COUNTRY></INDIVIDUAL_PLACE_OF_BIRTH>"
        "<INDIVIDUAL_ALIAS><QUALITY>Good</QUALITY><ALIAS_NAME>A. Crow</ALIAS_NAME><DATE_OF_BIRTH>1958-02-22</DATE_OF_BIRTH></INDIVIDUAL_ALIAS>"
        "<INDIVIDUAL_ALIAS><ALIAS_NAME>Crow</ALIAS_NAME><DATE_OF_BIRTH>1955</DATE_OF_BIRTH></INDIVIDUAL_ALIAS></INDIVIDUAL>"
    )
    signal = read(tmp_path, lists(PERSON.replace("</INDIVIDUAL>", more))).entries[0].signal
    assert isinstance(signal.subject, PartySignal)
    assert {number for _, number in papers if number} <= {one.value for one in signal.subject.identifiers}
    assert len(signal.subject.identifiers) == 5
    assert {"1958-02-22", "1955"} <= set(signal.subject.birth_dates)
    for told in ("Born in Goma, Rwanda", "Nationality former Soviet Union", "Document: Passport, issued in 1993, under name Arlo Crowe"):
        assert told in signal.remarks


@pytest.mark.timeout(20)
def test_a_note_of_any_length_takes_no_time(tmp_path: Path) -> None:
    paper = f"<INDIVIDUAL_DOCUMENT><TYPE_OF_DOCUMENT>Passport</TYPE_OF_DOCUMENT><NOTE>{'A-' * 200_000}</NOTE></INDIVIDUAL_DOCUMENT>"
    assert len(read(tmp_path, lists(PERSON.replace("</INDIVIDUAL>", f"{paper}</INDIVIDUAL>"))).entries) == 2
