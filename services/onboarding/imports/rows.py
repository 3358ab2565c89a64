"""What a row says of a supplier. A CSV row by plain functions, for Pydantic would cost more than storing it; NDJSON is the API's own body.

A row states the fields of its columns, an empty cell that there is none; what has no column is left as it stands.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec
from pydantic import ValidationError

from services.onboarding.imports.records import Fault, Unreadable
from services.onboarding.views import MAX_ADDRESS_CHARS, MAX_NUMBER_CHARS, SupplierBody
from shared.errors import Invalid
from shared.events.suppliers import Address, Identifier, OtherName, Owner, Site, SourcedGood
from shared.http.checks import check_birth_date, check_country, check_hs, check_percent, check_region, clean_name, clean_text, refuse
from shared.http.identifiers import check_identifier, issued_in
from shared.http.problems import message_of

REQUIRED = ("number", "name", "country")
IDENTIFIERS = {"lei": "lei", "vat": "vat", "duns": "duns", "gln": "gln", "register_number": "register"}
COLUMNS = (*REQUIRED, "other_names", *IDENTIFIERS, "address", "city", "region", "goods", "owners", "upstream")
_LAST_LATIN = "\u024f"  # of the block Latin Extended-B


class Row(NamedTuple):
    """A good row: the supplier's number and what is stated; `upstream` are numbers of the same source system, None where not stated."""

    number: str
    fields: dict[str, Any]
    kinds: frozenset[str] = frozenset()
    identifiers: tuple[Identifier, ...] = ()
    upstream: tuple[str, ...] | None = None


class Refused(NamedTuple):
    """A row at fault; its number, where that can be read."""

    faults: list[Fault]
    number: str | None = None


class CsvRows:
    """Reads the cells of one file's rows; Unreadable where its header is none of ours."""

    def __init__(self, columns: tuple[str, ...]) -> None:
        missing = [name for name in REQUIRED if name not in columns]
        if missing:
            raise Unreadable(f"The first line must be the header; it lacks {', '.join(missing)}")
        if len(set(columns)) < len(columns):
            raise Unreadable("The header names a column twice")
        unknown = [str(at) for at, name in enumerate(columns, 1) if name not in COLUMNS]
        if unknown:
            raise Unreadable(f"Unknown columns (counted from 1): {', '.join(unknown[:20])}. Known are {', '.join(COLUMNS)}")
        self._number, self._name, self._country = (columns.index(name) for name in REQUIRED)
        self._others = [(name, columns.index(name)) for name in COLUMNS[3:] if name in columns]
        self._kinds = frozenset(kind for column, kind in IDENTIFIERS.items() if column in columns)

    def read(self, cells: Sequence[str]) -> Row | Refused:
        """What the cells state, or all that is wrong with them."""
        try:
            number = clean_name(cells[self._number], "number", most=MAX_NUMBER_CHARS)
        except Invalid as error:
            return Refused(_faults(error))
        try:
            fields: dict[str, Any] = {"name": clean_name(cells[self._name]), "country": check_country(cells[self._country])}
        except Invalid:
            return Refused(_all_faults((clean_name, cells[self._name]), (check_country, cells[self._country])), number)
        if not self._others:
            return Row(number, fields)
        return self._read_others(number, fields, {name: cells[at].strip() for name, at in self._others})

    def _read_others(self, number: str, fields: dict[str, Any], cells: dict[str, str]) -> Row | Refused:
        country, faults = fields["country"], []
        identifiers: list[Identifier] = []
        for column, cell in cells.items():
            try:
                if column in IDENTIFIERS:
                    identifiers += _identifiers(column, cell, country)
                elif column in _LISTS:
                    fields[column] = tuple(map(_LISTS[column], _parted(cell)))
            except Invalid as error:
                faults += _faults(error)
        upstream = None
        try:
            if "upstream" in cells:
                upstream = tuple(clean_name(part, "upstream", most=MAX_NUMBER_CHARS) for part in _parted(cells["upstream"]))
            fields |= _places(fields["name"], country, cells)
        except Invalid as error:
            faults += _faults(error)
        return Refused(faults, number) if faults else Row(number, fields, self._kinds, tuple(identifiers), upstream)


def read_json(text: str, source_system: str) -> Row | Refused:
    """A line of NDJSON: one supplier as `POST /v1/suppliers` takes it, with a number of this source system."""
    try:
        body = SupplierBody.model_validate_json(text)
    except ValidationError as error:
        return Refused(
            [_readable(one) for one in error.errors(include_url=False, include_input=False)[:20]], _number_in(text, source_system)
        )
    number = next((ref.number for ref in body.external_refs if ref.system == source_system), None)
    if number is None:
        return Refused([Fault("external_refs", "Give the supplier's number in the import's source system")])
    return Row(number, body.stated())


def _readable(error: Any) -> Fault:
    """Pydantic's error without anything of the input; an unknown field's name is input, too."""
    kind, path = error["type"], error["loc"]
    if kind == "extra_forbidden":
        path = path[:-1]
    return Fault(".".join(map(str, path)) or "row", message_of(error))


class _Ref(msgspec.Struct):
    system: str
    number: str


class _Numbered(msgspec.Struct):
    external_refs: list[_Ref]


_numbered = msgspec.json.Decoder(_Numbered)


def _number_in(text: str, source_system: str) -> str | None:
    """The number in a line that is at fault elsewhere, so that its sender finds it again."""
    try:
        refs = _numbered.decode(text).external_refs
        return next((clean_name(ref.number, most=MAX_NUMBER_CHARS) for ref in refs if ref.system == source_system), None)
    except (msgspec.MsgspecError, Invalid, RecursionError, UnicodeError):
        return None


def _faults(error: Invalid) -> list[Fault]:
    return [Fault(one["field"], one["message"]) for one in error.errors]


def _all_faults(*checks: tuple[Callable[[str], Any], str]) -> list[Fault]:
    faults = []
    for check, cell in checks:
        try:
            check(cell)
        except Invalid as error:
            faults += _faults(error)
    return faults


def _parted(cell: str) -> list[str]:
    return [stripped for part in cell.split(";") if (stripped := part.strip())] if cell else []


def _identifiers(column: str, cell: str, country: str) -> list[Identifier]:
    kind: Any = IDENTIFIERS[column]
    of = country if kind in ("vat", "register") else None
    values = [check_identifier(kind, part, of, column) for part in _parted(cell)]
    return [Identifier(kind=kind, value=value, country=issued_in(kind, value, of)) for value in values]


def _other_name(text: str) -> OtherName:
    name = clean_name(text, "other_names")
    return OtherName(name=name, kind="local" if max(name) > _LAST_LATIN else "trade")


def _good(text: str) -> SourcedGood:
    parts = text.split(":")
    if len(parts) not in (2, 3):
        refuse("goods", "HS:ORIGIN or HS:ORIGIN:REGION, such as 5201:CN:CN-XJ")
    origin = check_country(parts[1], "goods")
    region = check_region(parts[2], "goods", country=origin) if len(parts) == 3 else None
    return SourcedGood(hs=check_hs(parts[0], "goods"), origin=origin, region=region)


def _owner(text: str) -> Owner:
    name, country, percent, kind, born, *more = [*map(str.strip, text.split("|")), "", "", "", ""]
    if any(more) or kind not in ("", "person", "organisation"):
        refuse("owners", "name|country|percent, and perhaps |person|1970-05-12; country, percent and the date of birth may be empty")
    return Owner(
        name=clean_name(name, "owners"),
        kind="person" if kind == "person" else "organisation",
        country=check_country(country, "owners") if country else None,
        percent=check_percent(percent, "owners") if percent else None,
        birth_date=check_birth_date(born, "owners") if born else None,
    )


_LISTS: dict[str, Callable[[str], Any]] = {"other_names": _other_name, "goods": _good, "owners": _owner}


def _places(name: str, country: str, cells: dict[str, str]) -> dict[str, Any]:
    """Address and city make an address; a region, which no address has, a site at it, named as the supplier."""
    stated: dict[str, Any] = {}
    text = clean_text(cells["address"], "address", most=MAX_ADDRESS_CHARS) if cells.get("address") else None
    city = clean_name(cells["city"], "city") if cells.get("city") else None
    if "address" in cells or "city" in cells:
        stated["addresses"] = (Address(text=text, city=city, country=country),) if text or city else ()
    if "region" in cells:
        region = check_region(cells["region"], country=country) if cells["region"] else None
        stated["sites"] = (Site(name=name, country=country, region=region, address=text),) if region else ()
    return stated
