"""The EU's consolidated list of financial sanctions (FSF), version 1.1: as XML, and as a table with a row for each name, address, birth date and so on.

Both tell the same: an entity's `logicalId` is its id, its first strong name is its name, programmes come from its regulations.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from services.intelligence.lists import un, xml
from services.intelligence.lists.gathered import Gathered, Parties
from services.intelligence.lists.party import MAX_VALUE, UNKNOWN_TYPE, Unreadable, birth_day, iso_day, joined, records
from services.intelligence.lists.records import holding_records
from services.intelligence.lists.spec import About, Layout, ListFile, ListSpec, Quarantined, Record
from services.intelligence.lists.tables import Row, fold, table
from shared.events.signals import Schema

_ROOT, _ENTITY = "export", "sanctionEntity"
_SCHEMAS: dict[str, Schema] = {"person": "person", "p": "person", "enterprise": "organisation", "e": "organisation"}
_REQUIRED = ("Entity_LogicalId", "NameAlias_WholeName")
_DAYS = ("%d/%m/%Y", "%Y-%m-%d")
_Told = Callable[[str], str]  # a fact by the name that its XML attribute has


@holding_records
def read_xml(files: Mapping[str, Path], *, list_id: str, release_id: str) -> Iterator[Record]:
    """Entries in the file's order; what stands among the entities and is none is quarantined."""
    path = files["primary"]
    if dated := iso_day(xml.root(path).attribute("generationDate")):
        yield About(dated=dated)
    listed = (found for found in xml.elements(path, depth=2, what="primary") if found.within)
    yield from records(enumerate(listed, 1), _uid, lambda uid, one: _from_element(one).entry(uid, list_id, release_id))


def recognises_xml(head: bytes) -> bool:
    root, *inside = xml.opening(head) or (xml.Element("", {}),)
    return root.name == _ROOT and (not inside or inside[0].name == _ENTITY or "generationDate" in root.attributes)


def _uid(one: xml.Element) -> str:
    if one.name != _ENTITY:
        raise Unreadable(UNKNOWN_TYPE)
    return one.attribute("logicalId")


def _told(part: xml.Element, name: str) -> str:
    return joined(*part.values("remark"), by="; ") if name == "remark" else part.attribute(name)


def _from_element(one: xml.Element) -> Gathered:
    found = Gathered()
    for kind in one.all("subjectType"):
        found.schema = found.schema or _schema(kind.attribute("code"), kind.attribute("classificationCode"))
    _entity(found, one.attribute)
    for rule in one.all("regulation"):
        found.programs.update(word for word in (rule.attribute("programme"),) if word)
    for tell, name in (
        (_name, "nameAlias"),
        (_address, "address"),
        (_birth, "birthdate"),
        (_number, "identification"),
        (_citizen, "citizenship"),
    ):
        for part in one.all(name):
            tell(found, partial(_told, part))
    for text in one.values("remark"):
        found.remark("", text)
    return found


@holding_records
def read_table(files: Mapping[str, Path], *, list_id: str, release_id: str) -> Iterator[Record]:
    """Entries in the order of their first rows. A row that cannot be read, or that names no entity, is quarantined for itself."""
    parties, dated = Parties(), None
    for row in table(files["primary"], _REQUIRED):
        uid = row.get("entity logicalid")
        if row.fault or not uid:
            yield Quarantined(row=row.number, reason=row.fault or "it has no id")
            continue
        if dated is None and (dated := iso_day(row.get("filegenerationdate"), *_DAYS)):
            yield About(dated=dated)
        _from_row(parties.of(uid, row.number), row)
    yield from parties.records(list_id, release_id)


def recognises_table(head: bytes) -> bool:
    first = (cell for line in head.decode("utf-8-sig", "replace").splitlines()[:5] for cell in line.replace('"', "").split(";"))
    columns = {fold(cell) for cell in first if len(cell) <= MAX_VALUE}
    return all(fold(name) in columns for name in _REQUIRED)


def _from_row(found: Gathered, row: Row) -> None:
    def of(group: str) -> _Told:
        return lambda name: row.get(f"{group} {_COLUMNS.get(name, name.lower())}")

    entity = of("entity")
    found.schema = found.schema or _schema(entity("subjectType"), entity("subjecttype classificationcode"))
    _entity(found, entity)
    found.remark("", entity("remark"))
    found.programs.update(word for word in (entity("regulation programme"),) if word)
    _name(found, of("namealias"))
    _address(found, of("address"))
    _birth(found, of("birthdate"))
    _number(found, of("identification"))
    _citizen(found, of("citizenship"))


_COLUMNS = {  # whose names in the table are other than in the XML
    "euReferenceNumber": "eu referencenumber",
    "dayOfMonth": "day",
    "monthOfYear": "month",
    "identificationTypeCode": "typecode",
    "identificationTypeDescription": "typedescription",
}


def _schema(*words: str) -> Schema | None:
    return next((known for word in words if (known := _SCHEMAS.get(word.lower()))), None)


def _entity(found: Gathered, told: _Told) -> None:
    found.number("EU Reference Number", told("euReferenceNumber"))
    found.number(un.REFERENCE, told("unitedNationId"))
    found.remark("", told("designationDetails"))
    if day := iso_day(told("designationDate"), *_DAYS):
        found.listed.add(day)


def _name(found: Gathered, told: _Told) -> None:
    whole = told("wholeName") or joined(told("firstName"), told("middleName"), told("lastName"))
    found.name(whole, weak=told("strong").lower() == "false")
    found.remark("", told("remark"))
    found.remark("Title", told("title"))
    found.remark("Function", told("function"))


def _address(found: Gathered, told: _Told) -> None:
    box = joined("PO Box", told("poBox")) if told("poBox") else ""
    lines = (told("street"), box, told("place"), told("zipCode"), told("region"))
    found.place(*lines, city=told("city"), where=_land(told))
    found.remark("", told("remark"))


def _birth(found: Gathered, told: _Told) -> None:
    """As far as it is known; of another calendar as it is written, for it is another day."""
    land = told("countryDescription")
    where = joined(told("place"), told("city"), told("region"), "" if land.upper() == "UNKNOWN" else land, by=", ")
    found.remark("Born in" if where else "", where)
    found.remark("", told("remark"))
    written = told("birthdate")
    if (calendar := told("calendarType").upper()) not in ("", "GREGORIAN"):
        year = joined(told("year"), told("monthOfYear"), told("dayOfMonth"), by="-")
        found.born(joined(written or year, f"({calendar.lower()})")[:MAX_VALUE] if written or year else "")
        return
    start, end = birth_day(told("yearRangeFrom")), birth_day(told("yearRangeTo"))
    if start and end:
        found.born(f"{start} to {end}")
        return
    day = (
        iso_day(written, *_DAYS)
        or birth_day(told("year"), told("monthOfYear"), told("dayOfMonth"))
        or start
        or end
        or joined(written)[:MAX_VALUE]
    )
    found.born(f"circa {day}" if day and told("circa").lower() in ("true", "1") else day)


def _number(found: Gathered, told: _Told) -> None:
    kind = told("identificationTypeDescription") or told("identificationTypeCode")
    for number in (told("number"), told("latinNumber")):  # the latter where the first is in another script
        found.number(kind, number, _land(told))
    found.remark("", told("remark"))


def _citizen(found: Gathered, told: _Told) -> None:
    found.land(_land(told))
    found.remark("", told("remark"))


def _land(told: _Told) -> str:
    """`00` stands for a country that is not known."""
    code = told("countryIso2Code").upper()
    name = told("countryDescription").partition(" (was ")[0]
    return code if code not in ("", "00") else "" if name.upper() == "UNKNOWN" else name


_ADDRESS = "https://webgate.ec.europa.eu/fsd/fsf/public/files/{}/content?token=dG9rZW4tMjAxNw"
_FILES = {
    "xmlFullSanctionsList_1_1": ("xmlFullSanctionsList_1_1.xml", read_xml, recognises_xml),
    "csvFullSanctionsList_1_1": ("csvFullSanctionsList_1_1.csv", read_table, recognises_table),
}
SPECS = (
    ListSpec(
        id="eu_fsf",
        title="Consolidated list of persons, groups and entities subject to EU financial sanctions",
        publisher="European Commission",
        layouts=tuple(
            Layout(
                name=name,
                files=(ListFile(role="primary", name=file, address=_ADDRESS.format(name)),),
                read=read,
                recognises=recognises,
            )
            for name, (file, read, recognises) in _FILES.items()
        ),
    ),
)
