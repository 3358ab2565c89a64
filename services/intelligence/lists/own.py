"""Lists of one's own, such as internal deny lists or those of customers: any table or JSON lines, read as its mapping says."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from services.intelligence.lists.countries import country_of
from services.intelligence.lists.days import in_forms
from services.intelligence.lists.lines import lines
from services.intelligence.lists.mapping import Mapping as Mapped
from services.intelligence.lists.parties import (
    LONG_NAME,
    NO_NAME,
    NO_UID,
    UNKNOWN_TYPE,
    derived_uid,
    iso_day,
    no_countries,
    no_identifiers,
    sorted_addresses,
    sorted_identifiers,
    values,
)
from services.intelligence.lists.records import MAX_NAME, entry, holding_records, party_names
from services.intelligence.lists.spec import Layout, ListFile, ListSpec, Quarantined, Record
from services.intelligence.lists.tables import fold, table
from shared.errors import Malformed
from shared.events.signals import PartySignal, Schema, SignalAddress, SignalIdentifier, SignalName

NO_JSON = "it is no JSON object"
_TYPES: dict[str, Schema] = {
    "organisation": "organisation", "organization": "organisation", "company": "organisation", "entity": "organisation", "supplier": "organisation",
    "legalentity": "organisation", "person": "person", "individual": "person", "vessel": "vessel", "ship": "vessel", "aircraft": "aircraft",
    "airplane": "aircraft",
}  # fmt: skip
_MAX_REMARKS = 20_000


def spec_of(mapping: Mapped) -> ListSpec:
    """The list that a mapping describes; it has no address to be pulled from."""
    name = f"{mapping.list}.{mapping.format}"
    read = partial(_read, mapping)
    return ListSpec(
        id=mapping.list,
        title=mapping.title,
        publisher=mapping.publisher,
        licence=mapping.licence,
        layouts=(
            Layout(name=mapping.format, files=(ListFile(role="primary", name=name, address=""),), read=read, recognises=lambda head: True),
        ),
        minimum_entries=mapping.minimum_entries,
        max_shrink_share=mapping.max_shrink_share,
    )


@holding_records
def _read(mapping: Mapped, files: Mapping[str, Path], *, list_id: str, release_id: str) -> Iterator[Record]:
    rows = _table if mapping.format == "csv" else _objects
    return rows(mapping, files["primary"], list_id, release_id)


def _table(mapping: Mapped, path: Path, list_id: str, release_id: str) -> Iterator[Record]:
    columns = mapping.columns
    for row in table(path, [name for name in (columns.name, columns.uid) if name]):
        if row.fault:
            yield Quarantined(row=row.number, reason=row.fault)
        else:
            yield _Party(mapping, row.cells).record(row.number, list_id, release_id)


def _objects(mapping: Mapped, path: Path, list_id: str, release_id: str) -> Iterator[Record]:
    named = False
    for number, text, fault in lines(path):
        if not text.strip() and not fault:
            continue
        try:
            told = None if fault else msgspec.json.decode(text)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            told = None
        if not isinstance(told, dict):
            yield Quarantined(row=number, reason=fault or NO_JSON)
            continue
        cells = {fold(key): _text(value, mapping.between) for key, value in told.items()}
        named = named or fold(mapping.columns.name) in cells
        yield _Party(mapping, cells).record(number, list_id, release_id)
    if not named:
        raise Malformed("No object of the file has the key that the mapping names for the name")


def _text(told: Any, between: str) -> str:
    if isinstance(told, list):
        return between.join(_text(one, between) for one in told)
    return "" if told is None or isinstance(told, dict) else " ".join(str(told).replace("\0", "").split())


class _Party:
    """One record, read through a mapping."""

    def __init__(self, mapping: Mapped, cells: Mapping[str, str]) -> None:
        self.mapping, self.columns, self.cells = mapping, mapping.columns, cells

    def one(self, column: str | None) -> str:
        """A cell's text in one line."""
        return " ".join(self.cells.get(fold(column), "").split()) if column else ""

    def all(self, columns: str | list[str]) -> Iterable[str]:
        """What several columns, each with several values, hold."""
        for column in [columns] if isinstance(columns, str) else columns:
            yield from (" ".join(value.split()) for value in values(self.cells.get(fold(column), ""), self.mapping.between))

    def record(self, at: int, list_id: str, release_id: str) -> Record:
        columns, name = self.columns, self.one(self.columns.name)
        told = self.one(columns.type).lower().replace(" ", "")
        schema = _TYPES.get(told) if told else self.mapping.type
        countries = tuple(sorted({code for word in self.all(columns.countries) if (code := country_of(word))}))
        born = tuple(sorted({self.day(written) for written in self.all(columns.birth_dates)}))
        uid = self.one(columns.uid) if columns.uid else derived_uid(name, *countries, "", *born)
        if reason := self._objection(uid, name, schema):
            return Quarantined(row=at, reason=reason, uid=uid if columns.uid and 0 < len(uid) <= 200 else None)
        numbers = [
            SignalIdentifier(kind=kind, value=value) for kind, column in self.mapping.identifiers.items() for value in self.all(column)
        ]
        subject = PartySignal(
            names=party_names(name, self._others()),
            schema=schema or "organisation",
            countries=countries,
            addresses=sorted_addresses([self._address(countries)]),
            identifiers=sorted_identifiers(numbers),
            birth_dates=born,
        )
        since = self.day(self.one(columns.listed_on))
        beyond = [*no_countries(self.all(columns.countries)), *no_identifiers(numbers)]
        remarks = "; ".join([*beyond, *self.all(columns.remarks)])[:_MAX_REMARKS]
        return entry(
            list_id,
            release_id,
            uid,
            subject,
            programs=tuple(sorted(set(self.all(columns.programs)))),
            remarks=remarks,
            listed_on=since or None,
        )

    @staticmethod
    def _objection(uid: str, name: str, schema: Schema | None) -> str:
        if not uid or len(uid) > 200:
            return NO_UID
        if not name or len(name) > MAX_NAME:
            return LONG_NAME if name else NO_NAME
        return UNKNOWN_TYPE if schema is None else ""

    def _others(self) -> Iterator[SignalName]:
        yield from (SignalName(name=name) for name in self.all(self.columns.aliases))
        yield from (SignalName(name=name, weak=True) for name in self.all(self.columns.weak_aliases))
        yield from (SignalName(name=name, kind="former") for name in self.all(self.columns.former_names))

    def _address(self, countries: tuple[str, ...]) -> SignalAddress | None:
        parts = [self.columns.address] if isinstance(self.columns.address, str) else self.columns.address
        text = ", ".join(part for column in parts if (part := self.one(column)))[:1000]
        city = self.one(self.columns.city)[:200]
        country = countries[0] if len(countries) == 1 else None
        return SignalAddress(text=text or None, city=city or None, country=country) if text or city else None

    def day(self, written: str) -> str:
        """ISO 8601 where it is a day in the mapping's form, else as it is written."""
        if self.mapping.dates:
            found = in_forms(written, (self.mapping.dates,))
            return found.isoformat() if found else written[:40]
        return iso_day(written) or written[:40] if written else ""
