"""The UN Security Council's consolidated list: consolidated.xml.

INDIVIDUALS and ENTITIES, `DATAID` for an id, up to four names in a row, aliases of good or low quality (a.k.a. and f.k.a. of entities), many elements empty.
A committee's reference (`QDi.237`) stands among the identifiers, for other lists name it, too.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

from services.intelligence.lists import xml
from services.intelligence.lists.countries import country_of
from services.intelligence.lists.party import (
    MAX_VALUE,
    UNKNOWN_TYPE,
    Unreadable,
    address,
    birth_day,
    identifier,
    iso_day,
    joined,
    party,
    records,
    remarks,
)
from services.intelligence.lists.records import entry, holding_records
from services.intelligence.lists.spec import About, Entry, Layout, ListFile, ListSpec, Record
from shared.events.signals import Schema, SignalAddress, SignalIdentifier, SignalName

REFERENCE = "UN Reference Number"  # of its committees; the EU's and the UK's lists have it, too
_ROOT = "CONSOLIDATED_LIST"
_SCHEMAS: dict[str, Schema] = {"INDIVIDUAL": "person", "ENTITY": "organisation"}
_NAMES = ("FIRST_NAME", "SECOND_NAME", "THIRD_NAME", "FOURTH_NAME", "FIFTH_NAME", "SIXTH_NAME")
_NUMBER = re.compile(r"\b(?:[A-Z]{1,3}[- ]{1,2})?(?=(?:[A-Z-]*\d){4})[A-Z\d-]{5,}\b")
_BEYOND_NUMBER = re.compile(r"\b(?:issued|expire[sd]|expiration|born|dated?|valid|under)\b", re.IGNORECASE)
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})")


@holding_records
def read(files: Mapping[str, Path], *, list_id: str, release_id: str) -> Iterator[Record]:
    """Entries in the file's order. What stands where individuals and entities do, or beside them, and is neither, is quarantined."""
    path = files["primary"]
    if dated := iso_day(xml.root(path).attribute("dateGenerated")):
        yield About(dated=dated)
    listed = (found for found in xml.elements(path, depth=3, what="primary") if len(found.within) == 2)
    yield from records(enumerate(listed, 1), _uid, lambda uid, one: _entry(uid, one, list_id, release_id))


def recognises(head: bytes) -> bool:
    return any(one.name == _ROOT for one in islice(xml.opening(head), 1))


def _uid(one: xml.Element) -> str:
    uid = one.value("DATAID")
    if not uid and one.name not in _SCHEMAS:
        raise Unreadable(UNKNOWN_TYPE)
    return uid


def _entry(uid: str, one: xml.Element, list_id: str, release_id: str) -> Entry:
    schema = _SCHEMAS.get(one.name)
    if schema is None:
        raise Unreadable(UNKNOWN_TYPE)
    kind = one.name
    subject = party(
        joined(*(one.value(name) for name in _NAMES)) or joined(one.value("NAME_ORIGINAL_SCRIPT")),
        _aliases(one, kind),
        schema=schema,
        countries=[country_of(word) for word in one.values("NATIONALITY", "VALUE")],
        addresses=[_address(place) for place in one.all(f"{kind}_ADDRESS")],
        identifiers=[*_documents(one, kind), identifier(REFERENCE, one.value("REFERENCE_NUMBER"))],
        birth_dates=[day for told in one.all(f"{kind}_DATE_OF_BIRTH") for day in _birth(told)] + _births_of_aliases(one, kind),
    )
    details = [
        *(f"Title {word}" for word in one.values("TITLE", "VALUE")),
        *(f"Designation {word}" for word in one.values("DESIGNATION", "VALUE")),
        *(f"Nationality {word}" for word in one.values("NATIONALITY", "VALUE") if country_of(word) is None),
        *(f"Born in {where}" for place in one.all(f"{kind}_PLACE_OF_BIRTH") if (where := _place(place))),
        *(f"Document: {_words(paper)}" for paper in one.all(f"{kind}_DOCUMENT") if paper.value("NOTE") or _is_unnumbered(paper)),
        *(f"{joined(alias.value('ALIAS_NAME'))}: {note}" for alias in one.all(f"{kind}_ALIAS") if (note := joined(alias.value("NOTE")))),
        one.value("COMMENTS1"),
    ]
    programs = tuple(sorted(set(one.values("UN_LIST_TYPE"))))
    return entry(list_id, release_id, uid, subject, programs=programs, remarks=remarks(*details), listed_on=iso_day(one.value("LISTED_ON")))


def _aliases(one: xml.Element, kind: str) -> Iterator[SignalName]:
    for written in one.values("NAME_ORIGINAL_SCRIPT"):
        yield SignalName(name=joined(written))
    for alias in one.all(f"{kind}_ALIAS"):
        quality = alias.value("QUALITY").lower()
        for name in alias.values("ALIAS_NAME"):
            yield SignalName(name=joined(name), kind="former" if quality.startswith("f") else "alias", weak=quality == "low")


def _address(place: xml.Element) -> SignalAddress | None:
    lines = (place.value(name) for name in ("STREET", "STATE_PROVINCE", "ZIP_CODE", "NOTE"))
    return address(*lines, city=place.value("CITY"), where=place.value("COUNTRY"))


def _documents(one: xml.Element, kind: str) -> Iterator[SignalIdentifier | None]:
    """Their numbers; where the element for it is empty, the one that stands in the kind in words or in the note: `SSN 156-92-9858 (United States)`."""
    for paper in one.all(f"{kind}_DOCUMENT"):
        told = (joined(paper.value(name))[:MAX_VALUE] for name in ("TYPE_OF_DOCUMENT2", "NOTE"))  # bounded: searching is quadratic
        written = (found[0] for text in told if (found := _NUMBER.search(_BEYOND_NUMBER.split(text)[0])))
        label = paper.value("TYPE_OF_DOCUMENT") or paper.value("TYPE_OF_DOCUMENT2")
        number = paper.value("NUMBER") or next(written, "")
        yield identifier(label, number, paper.value("ISSUING_COUNTRY") or paper.value("COUNTRY_OF_ISSUE"))


def _is_unnumbered(paper: xml.Element) -> bool:
    return bool(_words(paper)) and not paper.value("NUMBER")


def _words(told: xml.Element) -> str:
    return joined(*dict.fromkeys(child.text for child in told.children), by=", ")


def _place(told: xml.Element) -> str:
    return joined(*(told.value(name) for name in ("STREET", "CITY", "STATE_PROVINCE", "COUNTRY", "NOTE")), by=", ")


def _births_of_aliases(one: xml.Element, kind: str) -> list[str]:
    """Days under which an alias is used, in ISO 8601 or as they are written."""
    written = [joined(text) for alias in one.all(f"{kind}_ALIAS") for text in alias.values("DATE_OF_BIRTH")]
    return [iso_day(text) or birth_day(text) or text[:MAX_VALUE] for text in written]


def _birth(told: xml.Element) -> Iterator[str]:
    """A day, a month or a year; `circa` before one that is approximate; a range as its publisher's two years; a note where it is all there is."""
    about = "circa " if told.value("TYPE_OF_DATE").upper().startswith("APPROX") else ""
    start, end = birth_day(told.value("FROM_YEAR")), birth_day(told.value("TO_YEAR"))
    if start and end:
        yield f"{start} to {end}"
    elif start or end:
        yield f"circa {start or end}"
    exact = [birth_day(*found.groups()) for text in told.values("DATE") if (found := _DAY.match(text))]
    days = [day for day in exact if day] or [day for text in told.values("YEAR") if (day := birth_day(text))]
    yield from (about + day for day in days)
    if not (start or end or days) and (note := joined(told.value("NOTE") or told.value("DATE") or told.value("YEAR"))):
        yield note[:MAX_VALUE]


SPECS = (
    ListSpec(
        id="un_sc",
        title="Consolidated List of the United Nations Security Council",
        publisher="United Nations Security Council",
        layouts=(
            Layout(
                name="consolidated.xml",
                files=(
                    ListFile(
                        role="primary", name="consolidated.xml", address="https://scsanctions.un.org/resources/xml/en/consolidated.xml"
                    ),
                ),
                read=read,
                recognises=recognises,
            ),
        ),
    ),
)
