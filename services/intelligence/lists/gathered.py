"""A party whose facts stand on several rows of a table, gathered by the publisher's id until the last row: nothing says that they stand together."""

from collections.abc import Iterator

from services.intelligence.lists.countries import country_of
from services.intelligence.lists.party import UNKNOWN_TYPE, Unreadable, address, identifier, joined, party, records, remarks
from services.intelligence.lists.records import entry
from services.intelligence.lists.spec import Entry, Record
from shared.errors import TooLarge
from shared.events.signals import Schema, SignalAddress, SignalIdentifier, SignalName

MAX_PARTIES = 1_000_000  # that are gathered at once; the lists that come in such tables have some 6,000


class Gathered:
    """What is known of one party so far; each fact is held once. `row` is its first."""

    def __init__(self, row: int = 0) -> None:
        self.row = row
        self.schema: Schema | None = None
        self.names: dict[SignalName, None] = {}  # in the file's order
        self.countries: set[str] = set()
        self.addresses: set[SignalAddress] = set()
        self.identifiers: set[SignalIdentifier] = set()
        self.birth_dates: set[str] = set()
        self.programs: set[str] = set()
        self.remarks: set[str] = set()
        self.listed: set[str] = set()  # ISO days

    def name(self, name: str, *, primary: bool = False, former: bool = False, weak: bool = False) -> None:
        if name := joined(name):
            self.names[SignalName(name=name, kind="primary" if primary else "former" if former else "alias", weak=weak)] = None

    def land(self, word: str) -> None:
        """A nationality, a citizenship or a flag; in words where it is no country of today."""
        if code := country_of(word):
            self.countries.add(code)
        else:
            self.remark("Of", word)

    def place(self, *lines: str, city: str = "", where: str = "") -> None:
        if place := address(*lines, city=city, where=where):
            self.addresses.add(place)

    def number(self, kind: str, value: str, where: str = "") -> None:
        """In words where it is longer than a number can be."""
        if number := identifier(kind, value, where):
            self.identifiers.add(number)
        else:
            self.remark(kind, value)

    def born(self, day: str) -> None:
        if day:
            self.birth_dates.add(day)

    def remark(self, label: str, text: str) -> None:
        if text := joined(text):
            self.remarks.add(joined(label, text))

    def entry(self, uid: str, list_id: str, release_id: str) -> Entry:
        """Its name is the first that is called primary, or else the first strong one, or else the first."""
        if self.schema is None:
            raise Unreadable(UNKNOWN_TYPE)
        first = min(self.names, key=lambda one: (one.kind != "primary", one.weak), default=SignalName(name=""))
        others = (SignalName(name=one.name, kind="former" if one.kind == "former" else "alias", weak=one.weak) for one in self.names)
        subject = party(
            first.name,
            others,
            schema=self.schema,
            countries=self.countries,
            addresses=self.addresses,
            identifiers=self.identifiers,
            birth_dates=self.birth_dates,
        )
        return entry(
            list_id,
            release_id,
            uid,
            subject,
            programs=tuple(sorted(self.programs)),
            remarks=remarks(*sorted(self.remarks)),
            listed_on=min(self.listed, default=None),
        )


class Parties:
    """All parties of a table, in the order of their first rows."""

    def __init__(self, what: str = "primary") -> None:
        self._what = what
        self._found: dict[str, Gathered] = {}

    def of(self, uid: str, row: int) -> Gathered:
        found = self._found.get(uid)
        if found is None:
            if len(self._found) >= MAX_PARTIES:
                raise TooLarge(f"The {self._what} file holds more than {MAX_PARTIES} parties")
            found = self._found[uid] = Gathered(row)
        return found

    def records(self, list_id: str, release_id: str) -> Iterator[Record]:
        found = ((one.row, (uid, one)) for uid, one in self._found.items())
        return records(found, lambda told: told[0], lambda uid, told: told[1].entry(uid, list_id, release_id))
