"""A party of the UK Sanctions List, from a row of its table or from an element of its XML.

Both call their facts by the same words, written `Passport number` or `PassportNumber`; compared are letters and digits alone.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import zip_longest

from services.intelligence.lists import un, xml
from services.intelligence.lists.gathered import Gathered
from services.intelligence.lists.party import MAX_VALUE, birth_day, iso_day, joined
from shared.events.signals import Schema

_SCHEMAS: dict[str, Schema] = {
    "individual": "person",
    "entity": "organisation",
    "ship": "vessel",
    "vessel": "vessel",
    "aircraft": "aircraft",
}
_DAYS = ("%d/%m/%Y", "%Y-%m-%d", "%d-%b-%Y")
_BETWEEN = re.compile(r"\(\d{1,2}\)|[;|]")  # several values in one: (1) A1234 (2) B5678
_BIRTH = re.compile(r"\b([0-9A-Za-z]{1,2})[/.-]([0-9A-Za-z]{1,2})[/.-](\d{4})\b")  # 00, or dd and mm, where a day or a month is not known
_IMO = re.compile(r"\b\d{7}\b")
_APART = re.compile(r"[\W_]+")
_NUMBERS = {
    "Passport": ("passportnumber",),
    "National Identifier": ("nationalidentifiernumber",),
    "Business Registration Number": ("businessregistrationnumber", "businessregistrationnumbers"),
    "Hull Identification Number": ("hullidentificationnumber", "hullidentificationnumberhin"),
}
_LANDS = ("nationality", "nationalityies", "currentbelievedflagofship")
_REMARKS = {
    "Title": ("title",),
    "Position": ("position",),
    "Ship Type": ("typeofship",),
    "Owner or Operator": ("currentowneroperator", "currentowneroperators"),
    "Previous Owner or Operator": ("previousowneroperator", "previousowneroperators"),
    "Previous Flags": ("previousflags",),
    "Subsidiaries": ("subsidiaries", "subsidiary"),
    "Type of Entity": ("typeofentity",),
    "Website": ("website", "websites"),
    "Email": ("emailaddress", "emailaddresses"),
    "Parent Company": ("parentcompany",),
    "Sanctions Imposed": ("sanctionsimposed",),
    "": ("otherinformation", "ukstatementofreasons", "passportadditionalinformation", "nationalidentifieradditionalinformation"),
}
_STREET = (*(f"addressline{n}" for n in range(1, 7)), "addresspostalcode")
_NAMES = tuple(f"name{n}" for n in range(1, 7))
_Facts = Mapping[str, list[str]]


@lru_cache(maxsize=4096)
def _key(name: str) -> str:
    return _APART.sub("", name).casefold()


def add_row(found: Gathered, cells: Mapping[str, str]) -> None:
    """What one row tells: a name, an address and all else beside them."""
    facts = defaultdict(list, {_key(column): [cell] for column, cell in cells.items() if cell})
    _add_name(found, facts)
    _add_address(found, facts)
    _add_all_else(found, facts)


def add_designation(found: Gathered, one: xml.Element) -> None:
    """What one designation tells; names and addresses each by themselves."""
    for name in one.all("Names", "Name"):
        _add_name(found, _facts(name))
    for place in one.all("Addresses", "Address"):
        _add_address(found, _facts(place))
    _add_all_else(found, _facts(one))


def _facts(one: xml.Element) -> _Facts:
    """Texts of an element's descendants by the words that they are called by."""
    facts: dict[str, list[str]] = defaultdict(list)
    below = list(one.children)
    while below:
        child = below.pop()
        if child.text:
            facts[_key(child.name)].append(child.text)
        below.extend(child.children)
    return facts


def _of(facts: _Facts, *keys: str) -> Iterator[str]:
    for key in keys:
        yield from facts.get(key, ())


def _first(facts: _Facts, *keys: str) -> str:
    return next(_of(facts, *keys), "")


def _several(facts: _Facts, *keys: str) -> Iterator[str]:
    """Values, where one cell or element may hold some."""
    for text in _of(facts, *keys):
        yield from (part for part in (part.strip(" ,") for part in _BETWEEN.split(text)) if part)


def _add_name(found: Gathered, facts: _Facts) -> None:
    kind = joined(_first(facts, "nametype")).lower()
    strength = joined(_first(facts, "aliasstrength", "individualaliasstrength")).lower()
    name = joined(*(_first(facts, key) for key in _NAMES))
    former = kind.startswith(("f", "previous"))
    found.name(name, primary=kind in ("primary name", "primary"), former=former, weak=strength.startswith(("low", "weak")))


def _add_address(found: Gathered, facts: _Facts) -> None:
    found.place(*(_first(facts, key) for key in _STREET), where=_first(facts, "addresscountry"))


def _add_all_else(found: Gathered, facts: _Facts) -> None:
    kind = joined(_first(facts, "designationtype", "individualentityship")).lower()
    found.schema = found.schema or _SCHEMAS.get(kind)
    found.programs.update(joined(regime) for regime in _of(facts, "regimename"))
    for text in _of(facts, "datedesignated"):
        if day := iso_day(text, *_DAYS):
            found.listed.add(day)
    for name in _of(facts, "namenonlatinscript"):
        found.name(name)
    for word in _several(facts, *_LANDS):
        found.land(word)
    for text in _of(facts, "dob", "dateofbirth"):
        for day in _births(text):
            found.born(day)
    for where in zip_longest(_of(facts, "townofbirth"), _of(facts, "countryofbirth"), fillvalue=""):
        found.remark("Born in", joined(*where, by=", "))
    _add_numbers(found, facts)
    for label, keys in _REMARKS.items():
        for text in _of(facts, *keys):
            found.remark(label, text)


def _add_numbers(found: Gathered, facts: _Facts) -> None:
    for label, keys in _NUMBERS.items():
        for value in _several(facts, *keys):
            found.number(label, value)
    for text in _of(facts, "imonumber"):
        for value in _IMO.findall(text) or [text]:
            found.number("IMO Number", value)
    for group in _of(facts, "ofsigroupid"):
        found.number("OFSI Group ID", group)
    for reference in _several(facts, "unreferencenumber"):
        found.number(un.REFERENCE, reference)


def _births(text: str) -> Iterator[str]:
    """As far as each is known; as it is written where it is no date."""
    for part in _BETWEEN.split(text):
        if dates := [day for told in _BIRTH.findall(part) if (day := birth_day(*reversed(told)))]:
            yield from dates
        else:
            yield iso_day(part, *_DAYS) or birth_day(part.strip()) or joined(part)[:MAX_VALUE]
