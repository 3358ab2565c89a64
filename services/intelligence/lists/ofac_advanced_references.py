"""What parties of OFAC's advanced layout refer to: kinds in words, countries, places, documents of identities, programmes of profiles.

All of it is in memory while the parties are read, a few dozen bytes each; `MAX_KEPT` bounds it.
"""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from services.intelligence.lists import xml
from services.intelligence.lists.ofac_advanced_dates import day_of
from services.intelligence.lists.ofac_party import town
from services.intelligence.lists.party import joined
from shared.errors import TooLarge

MAX_KEPT = 2_000_000  # facts; the file of 2026 has some 150,000
_SETS, _LOCATIONS, _DOCUMENTS, _ENTRIES, _ISSUED = "ReferenceValueSets", "Locations", "IDRegDocuments", "SanctionsEntries", "DateOfIssue"
_PROGRAM = "program"
_USUAL_TYPES = {"1": "Vessel", "2": "Aircraft", "3": "Entity", "4": "Individual"}  # where the file does not say what its numbers mean
_STREET = ("address1", "address2", "address3")
_UNKNOWN = "unknown"  # a part of a place that is often its country

Place = tuple[str, str, str, str]  # street, town, country's word, note
Number = tuple[str, str, str]  # kind, value, country's word


class References:
    """Read from the whole file but its parties."""

    def __init__(self, path: Path) -> None:
        self._values: dict[tuple[str, str], tuple[str, dict[str, str]]] = {}
        self._places: dict[str, xml.Element] = {}
        self._listed: dict[str, set[str]] = defaultdict(set)
        self._programs: dict[str, list[tuple[str, str]]] = defaultdict(list)  # type of measure, comment
        self._documents: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
        self._kept = 0
        issued: dict[str, xml.Element] = {}
        for one in xml.elements(path, depth=3, what="primary", inside=(_SETS, _LOCATIONS, _DOCUMENTS, _ENTRIES, _ISSUED)):
            if len(one.within) == 2:
                if one.within[1] == _ISSUED:
                    issued[one.name] = one
                else:
                    self._keep(one.within[1], one)
        day = day_of(xml.Element(_ISSUED, {}, children=list(issued.values())))
        self.dated = day.isoformat() if day else None

    def text(self, kind: str, number: str) -> str:
        """The words of a reference value, or nothing."""
        return self._values.get((kind, number), ("", {}))[0]

    def party_type(self, number: str) -> str:
        """Individual, Entity, Vessel or Aircraft; a sub-type that is called unknown is of its party's type."""
        text, attributes = self._values.get(("PartySubType", number), (_USUAL_TYPES.get(number, ""), {}))
        if text and text.lower() != _UNKNOWN:
            return text
        return self.text("PartyType", attributes.get("PartyTypeID", "")) or _USUAL_TYPES.get(number, "")

    def country(self, number: str) -> str:
        text, attributes = self._values.get(("Country", number), ("", {}))
        return text or attributes.get("ISO2", "")

    def place(self, number: str) -> Place:
        location = self._places.get(number)
        if location is None:
            return "", "", "", ""
        parts = {
            self.text("LocPartType", part.attribute("LocPartTypeID")).lower(): joined(_value(part.all("LocationPartValue")))
            for part in location.all("LocationPart")
        }
        lands = [self.country(one.attribute("CountryID")) for one in location.all("LocationCountry")]
        lands += [
            self._values.get(("AreaCode", one.attribute("AreaCodeID")), ("", {}))[1].get("Description", "")
            for one in location.all("LocationAreaCode")
        ]
        unknown = parts.pop(_UNKNOWN, "")
        country = next((word for word in (*lands, unknown) if word and word.lower() != "undetermined"), "")
        street = joined(*(parts.pop(name, "") for name in _STREET), by=", ")
        in_town = town(parts.pop("city", ""), parts.pop("state/province", ""), parts.pop("postal code", ""))
        return street, in_town, country, joined(*parts.values(), unknown if unknown != country else "", by=", ")

    def listing(self, profile: str) -> tuple[list[str], str | None]:
        """Programmes of a profile, and the ISO day of its first listing."""
        measures = self._programs.get(profile, [])
        programs = [word for kind, word in measures if word and (self.text("SanctionsType", kind).lower() or _PROGRAM) == _PROGRAM]
        return programs, min(self._listed.get(profile, ()), default=None)

    def numbers(self, identity: str) -> list[Number]:
        """What its documents say of an identity."""
        return [(self.text("IDRegDocType", kind), value, self.country(land)) for kind, value, land in self._documents.get(identity, ())]

    def _keep(self, section: str, one: xml.Element) -> None:
        self._kept += 1 + len(one.children)
        if self._kept > MAX_KEPT:
            raise TooLarge(f"The primary file refers to more than {MAX_KEPT} values")
        if section == _SETS:
            for value in one.children:
                self._values[value.name, value.attribute("ID")] = joined(value.text), value.attributes
        elif section == _LOCATIONS:
            self._places[one.attribute("ID")] = one
        elif section == _DOCUMENTS:
            country = one.attribute("IssuedBy-CountryID") or next((by.attribute("CountryID") for by in one.all("IssuedBy")), "")
            self._documents[one.attribute("IdentityID")].append((one.attribute("IDRegDocTypeID"), one.value("IDRegistrationNo"), country))
        else:
            profile = one.attribute("ProfileID")
            self._programs[profile] += [(m.attribute("SanctionsTypeID"), joined(m.value("Comment"))) for m in one.all("SanctionsMeasure")]
            self._listed[profile] |= {day.isoformat() for told in one.all("EntryEvent", "Date") if (day := day_of(told))}


def _value(values: Iterable[xml.Element]) -> str:
    """Of a part that is given in several scripts the primary one."""
    found = sorted(values, key=lambda one: one.attribute("Primary").lower() == "false")
    return next((text for one in found if (text := one.value("Value"))), "")
