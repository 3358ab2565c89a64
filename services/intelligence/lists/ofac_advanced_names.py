"""Names of OFAC's advanced layout: parts of kinds that groups of the identity tell, put together as the CSV writes them (`LAST, First`)."""

from collections.abc import Iterator
from typing import NamedTuple

from services.intelligence.lists import xml
from services.intelligence.lists.ofac_advanced_references import References
from services.intelligence.lists.ofac_party import person
from services.intelligence.lists.party import joined

_GIVEN = ("first name", "middle name", "nickname")
_FAMILY = ("last name", "matronymic")
_EITHER = ("patronymic", "maiden name")  # family names where they stand before a given name (Spanish), given ones behind it (Russian)


class Name(NamedTuple):
    text: str
    kind: str  # A.K.A., F.K.A., N.K.A. or Name
    primary: bool
    weak: bool


def names(profile: xml.Element, known: References) -> Iterator[Name]:
    """Every documented name of every identity; of the primary ones that in Latin script first, for the lists give it in their other layouts."""
    found = [name for identity in profile.all("Identity") for name in _of_identity(identity, known)]
    yield from sorted(found, key=lambda name: (not name.primary, not name.text.isascii() and not _is_latin(name.text)))


def _of_identity(identity: xml.Element, known: References) -> Iterator[Name]:
    kinds = {
        group.attribute("ID"): known.text("NamePartType", group.attribute("NamePartTypeID")).lower()
        for group in identity.all("NamePartGroups", "MasterNamePartGroup", "NamePartGroup")
    }
    is_false = _is_true(identity, "False")
    for alias in identity.all("Alias"):
        kind = known.text("AliasType", alias.attribute("AliasTypeID"))
        primary = _is_true(alias, "Primary") and identity.attribute("Primary").lower() != "false" and not is_false
        for documented in alias.all("DocumentedName"):
            parts = [
                (kinds.get(one.attribute("NamePartGroupID"), ""), one.text) for one in documented.all("DocumentedNamePart", "NamePartValue")
            ]
            if text := _put_together(parts):
                yield Name(text, kind, primary, _is_true(alias, "LowQuality"))


def _put_together(parts: list[tuple[str, str]]) -> str:
    family: list[str] = []
    given: list[str] = []
    whole: list[str] = []
    for kind, text in parts:
        if kind in _GIVEN or (kind in _EITHER and given):
            given.append(text)
        elif kind in _FAMILY or kind in _EITHER:
            family.append(text)
        else:
            whole.append(text)
    return joined(*whole, person(joined(*family), joined(*given)))


def _is_true(one: xml.Element, name: str) -> bool:
    return one.attribute(name).lower() == "true"


def _is_latin(text: str) -> bool:
    """Letters up to U+024F, which all Latin alphabets share."""
    return all(ord(letter) < 0x250 for letter in text if letter.isalpha())
