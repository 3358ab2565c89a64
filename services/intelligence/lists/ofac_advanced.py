"""OFAC's lists in the advanced XML layout (SDN_ADVANCED.XML, CONS_ADVANCED.XML): parties that refer to what stands elsewhere in the file by ids.

Read twice: first what is referred to (kinds, countries, places, documents, programmes), then the parties. A profile's id is the CSV's `ent_num`, and
names, numbers and dates are put as the CSV puts them; names in other scripts, which only this layout has, come beside them.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from services.intelligence.lists import xml
from services.intelligence.lists.ofac_advanced_dates import period
from services.intelligence.lists.ofac_advanced_names import names
from services.intelligence.lists.ofac_advanced_references import References
from services.intelligence.lists.ofac_party import Told, place
from services.intelligence.lists.party import UNKNOWN_TYPE, Unreadable, joined, records
from services.intelligence.lists.records import holding_records
from services.intelligence.lists.spec import About, Entry, Record
from shared.events.signals import Schema

_ROOT, _PARTIES, _PARTY, _PROFILE = "Sanctions", "DistinctParties", "DistinctParty", "Profile"
_TYPES: dict[str, Schema] = {"vessel": "vessel", "aircraft": "aircraft", "entity": "organisation", "individual": "person"}
_DETAILS = {
    "title": "Title",
    "vessel type": "Vessel Type",
    "vessel tonnage": "Tonnage",
    "vessel gross registered tonnage": "Gross Registered Tonnage",
    "vessel gross tonnage": "Gross Registered Tonnage",
    "vessel owner": "Vessel Owner",
}
_LANDS = ("nationality country", "citizenship country", "vessel flag", "other vessel flag")


@holding_records
def read(files: Mapping[str, Path], *, list_id: str, release_id: str) -> Iterator[Record]:
    """Entries in the file's order, one a profile; what stands among the parties and is none is quarantined."""
    path = files["primary"]
    known = References(path)
    if known.dated:
        yield About(dated=known.dated)
    yield from records(enumerate(_profiles(path), 1), _uid, lambda uid, told: _Profile(known, *told).entry(uid, list_id, release_id))


def recognises(head: bytes) -> bool:
    return next((one.name for one in xml.opening(head)), "") == _ROOT


def _profiles(path: Path) -> Iterator[tuple[xml.Element, xml.Element]]:
    """Each party with each of its profiles; itself in place of one where it has none."""
    for party in xml.elements(path, depth=3, what="primary", inside=(_PARTIES,)):
        if len(party.within) == 2:
            yield from ((party, profile) for profile in (list(party.all(_PROFILE)) or [party]))


def _uid(told: tuple[xml.Element, xml.Element]) -> str:
    party, profile = told
    if party.name != _PARTY:
        raise Unreadable(UNKNOWN_TYPE)
    return profile.attribute("ID") or party.attribute("FixedRef")


class _Profile:
    """One profile of a party, with what the file says of it elsewhere."""

    def __init__(self, known: References, party: xml.Element, profile: xml.Element) -> None:
        self._known, self._party, self._profile = known, party, profile
        self._told = Told()

    def entry(self, uid: str, list_id: str, release_id: str) -> Entry:
        schema = _TYPES.get(self._known.party_type(self._profile.attribute("PartySubTypeID")).lower())
        if schema is None:
            raise Unreadable(UNKNOWN_TYPE)
        primary = ""
        for one in names(self._profile, self._known):
            if one.primary and not primary:
                primary = one.text
            else:
                self._told.name(one.text, one.kind, weak=one.weak)
        for identity in self._profile.all("Identity"):
            for number in self._known.numbers(identity.attribute("ID")):
                self._told.document(*number)
        beside = [] if self._party is self._profile else list(self._party.all("Feature"))
        for feature in (*self._profile.all("Feature"), *beside):
            self._feature(feature)
        programs, listed_on = self._known.listing(uid)
        comment = joined(self._party.value("Comment"))
        return self._told.entry(list_id, release_id, uid, primary, schema, programs, text=comment, listed_on=listed_on)

    def _feature(self, feature: xml.Element) -> None:
        label = joined(self._known.text("FeatureType", feature.attribute("FeatureTypeID"))).rstrip(":").rstrip()
        for version in list(feature.all("FeatureVersion")) or [feature]:
            places = [self._known.place(one.attribute("LocationID")) for one in version.all("VersionLocation")]
            dates = [text for one in version.all("DatePeriod") if (text := period(one))]
            words = [text for one in version.all("VersionDetail") if (text := self._detail(one))]
            self._tell(label, places, dates, words)

    def _detail(self, detail: xml.Element) -> str:
        return joined(self._known.text("DetailReference", detail.attribute("DetailReferenceID")) or detail.text)

    def _tell(self, label: str, places: list[tuple[str, str, str, str]], dates: list[str], words: list[str]) -> None:
        told, kind = self._told, label.lower()
        if kind == "birthdate":
            for text in dates or words:
                told.born(text)
        elif kind == "location":
            for street, town, country, note in places:
                told.addresses.add(place(street, town, country, note))
        elif kind in _LANDS or kind.startswith("nationality"):
            for word in (*(country for _, _, country, _ in places), *words):
                told.land(label, word)
        elif kind == "place of birth":
            for text in (*words, *(joined(*reversed(where), by=", ") for where in places)):
                told.note("POB", text)
        elif kind == "vessel call sign":
            for word in words:
                told.call_sign(word)
        elif detail := _DETAILS.get(kind):
            told.details[detail] = joined(told.details.get(detail, ""), *words, by="; ")
        else:
            for text in (*words, *dates, *(joined(*where, by=", ") for where in places)):
                told.number(label, text)
