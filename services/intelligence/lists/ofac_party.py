"""What OFAC's layouts have in common, so that an entry tells the same names, numbers, dates and places whichever of them it was read from."""

from collections.abc import Iterable

from services.intelligence.lists import remarks
from services.intelligence.lists.countries import alpha2
from services.intelligence.lists.party import MAX_VALUE, joined, party
from services.intelligence.lists.party import remarks as in_one
from services.intelligence.lists.records import entry
from services.intelligence.lists.spec import Entry
from shared.events.signals import Schema, SignalAddress, SignalIdentifier, SignalName

SCHEMAS: dict[str, Schema] = {"individual": "person", "entity": "organisation", "vessel": "vessel", "aircraft": "aircraft"}
DETAILS = (
    "Title",
    "Vessel Type",
    "Tonnage",
    "Gross Registered Tonnage",
    "Vessel Owner",
)  # without a field of their own, in the order of the CSV's columns
CALL_SIGN = "Call Sign"


def person(last: str, first: str) -> str:
    """`LAST, First`, as all of OFAC's layouts for reading write it."""
    return joined(last, first, by=", ")


def place(street: str, town: str, word: str, note: str = "") -> SignalAddress | None:
    """Words that are no country, and regions, which are less than their country, stay in the text."""
    country = alpha2(word)
    kept = word if country is None or word.startswith("Region: ") else ""
    text = ", ".join(part for part in (street, kept, note) if part)
    return SignalAddress(text=text or None, city=town or None, country=country) if text or town or country else None


def town(city: str, state: str, postal_code: str) -> str:
    """As the column of the CSV has them in one: `Miami, FL 33172`, `Zurich CH-8022`."""
    return joined(joined(city, state, by=", "), postal_code)


class Told:
    """What a structured layout says of one entry, put as the remarks of the CSV put it and read as they are."""

    def __init__(self) -> None:
        self.names: list[SignalName] = []
        self.countries: set[str | None] = set()
        self.addresses: set[SignalAddress | None] = set()
        self.identifiers: set[SignalIdentifier] = set()
        self.birth_dates: set[str] = set()
        self.details: dict[str, str] = {}
        self.notes: set[str] = set()  # what has no field

    def number(self, kind: str, value: str, where: str = "") -> bool:
        """A number of a kind that is known from the CSV's remarks is an identifier; all else (gender, risks, directives) is a note. True where it is one."""
        within = f" ({where})" if where else ""
        written = joined(kind, value.replace(";", ",")) + within
        found = remarks.parse(written).identifiers if value else []
        self.identifiers.update(found)
        if not found and written:
            self.notes.add(written)
        return bool(found)

    def document(self, kind: str, value: str, where: str = "") -> None:
        """A number of a document: an identifier although its kind may be none that is known from the CSV's remarks, where it is only read."""
        value = joined(value)
        if not self.number(kind, value, where) and any(c.isdigit() for c in value) and len(value) <= MAX_VALUE:
            self.identifiers.add(SignalIdentifier(kind=joined(kind)[:MAX_VALUE] or "Number", value=value, country=alpha2(where)))

    def call_sign(self, sign: str) -> None:
        self.identifiers.add(SignalIdentifier(kind=CALL_SIGN, value=sign))

    def name(self, name: str, kind: str, *, weak: bool) -> None:
        if name:
            self.names.append(SignalName(name=name, kind="former" if kind.lower().startswith("f") else "alias", weak=weak))

    def land(self, label: str, word: str) -> None:
        """A nationality, a citizenship or a flag; a note where it is no country of today."""
        if code := alpha2(word):
            self.countries.add(code)
        else:
            self.note(label, word)

    def note(self, label: str, text: str) -> None:
        if text := joined(text):
            self.notes.add(joined(label, text))

    def born(self, text: str) -> None:
        self.birth_dates.add(remarks.birth_date(joined(text)))

    def entry(
        self,
        list_id: str,
        release_id: str,
        uid: str,
        primary: str,
        schema: Schema,
        programs: Iterable[str],
        text: str = "",
        listed_on: str | None = None,
    ) -> Entry:
        noted = remarks.parse(text)
        subject = party(
            primary,
            (*self.names, *noted.names),
            schema=schema,
            countries=(*self.countries, *noted.countries),
            addresses=self.addresses,
            identifiers=(*self.identifiers, *noted.identifiers),
            birth_dates=(*self.birth_dates, *noted.birth_dates),
        )
        details = [f"{label} {self.details[label]}" for label in DETAILS if self.details.get(label)]
        said = in_one(*details, *sorted(self.notes), text)
        return entry(list_id, release_id, uid, subject, programs=tuple(sorted(set(programs))), remarks=said, listed_on=listed_on)
