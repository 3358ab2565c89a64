"""OFAC's lists in the plain XML layout: SDN.XML and CONSOLIDATED.XML, a root `sdnList` with one `sdnEntry` a party.

Its namespace changed in May 2024, its elements did not. `uid` is the CSV's `ent_num`, and names, numbers and dates are put as the CSV puts them.
"""

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path

from services.intelligence.lists import xml
from services.intelligence.lists.ofac_party import SCHEMAS, Told, person, place, town
from services.intelligence.lists.party import UNKNOWN_TYPE, Unreadable, iso_day, joined, records
from services.intelligence.lists.records import holding_records
from services.intelligence.lists.spec import About, Entry, Record

_ROOT, _RECORD, _ABOUT = "sdnList", "sdnEntry", "publshInformation"  # the publisher's own spelling
_STREET = ("address1", "address2", "address3")
_VESSEL = {
    "vesselType": "Vessel Type",
    "tonnage": "Tonnage",
    "grossRegisteredTonnage": "Gross Registered Tonnage",
    "vesselOwner": "Vessel Owner",
}


@holding_records
def read(files: Mapping[str, Path], *, list_id: str, release_id: str) -> Iterator[Record]:
    """Entries in the file's order; what stands among them and is none is quarantined."""
    found = (one for one in xml.elements(files["primary"], depth=2, what="primary") if one.within)
    first = next(found, None)
    if first and first.name == _ABOUT and (dated := iso_day(first.value("Publish_Date"), "%m/%d/%Y")):
        yield About(dated=dated)
    listed = (one for one in chain((first,) if first else (), found) if one.name != _ABOUT)
    yield from records(enumerate(listed, 1), _uid, lambda uid, one: _entry(uid, one, list_id, release_id))


def recognises(head: bytes) -> bool:
    return next((one.name for one in xml.opening(head)), "") == _ROOT


def _uid(one: xml.Element) -> str:
    if one.name != _RECORD:
        raise Unreadable(UNKNOWN_TYPE)
    return one.value("uid")


def _entry(uid: str, one: xml.Element, list_id: str, release_id: str) -> Entry:
    schema = SCHEMAS.get(one.value("sdnType").lower())
    if schema is None:
        raise Unreadable(UNKNOWN_TYPE)
    told = Told()
    for alias in one.all("akaList", "aka"):
        told.name(
            person(alias.value("lastName"), alias.value("firstName")), alias.value("type"), weak=alias.value("category").lower() == "weak"
        )
    for number in one.all("idList", "id"):
        told.number(number.value("idType"), number.value("idNumber"), number.value("idCountry"))
    for where in one.all("addressList", "address"):
        street = joined(*(where.value(line) for line in _STREET), by=", ")
        told.addresses.add(
            place(street, town(where.value("city"), where.value("stateOrProvince"), where.value("postalCode")), where.value("country"))
        )
    for kind, item in (("nationalityList", "nationality"), ("citizenshipList", "citizenship")):
        for word in one.values(kind, item, "country"):
            told.land(item, word)
    for day in one.values("dateOfBirthList", "dateOfBirthItem", "dateOfBirth"):
        told.born(day)
    for where_born in one.values("placeOfBirthList", "placeOfBirthItem", "placeOfBirth"):
        told.note("POB", where_born)
    _add_vessel(told, one)
    told.details["Title"] = joined(one.value("title"))
    primary = person(one.value("lastName"), one.value("firstName"))
    return told.entry(list_id, release_id, uid, primary, schema, one.values("programList", "program"), text=joined(one.value("remarks")))


def _add_vessel(told: Told, one: xml.Element) -> None:
    for vessel in one.all("vesselInfo"):
        told.details |= {label: joined(vessel.value(name)) for name, label in _VESSEL.items()}
        told.land("Flag", vessel.value("vesselFlag"))
        if sign := joined(vessel.value("callSign")):
            told.call_sign(sign)
