"""What readers of sanctions lists make parties with: ids told once, values folded, countries and days in one form, everything in an order of its own."""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import TypeVar

from services.intelligence.lists.countries import beyond_country, country_of
from services.intelligence.lists.days import in_forms
from services.intelligence.lists.records import MAX_NAME, party_names
from services.intelligence.lists.spec import Entry, Quarantined, Record
from shared.events.signals import PartySignal, Schema, SignalAddress, SignalIdentifier, SignalName

MAX_VALUE = 200  # characters of a number, a date or a kind
MAX_ADDRESS = 2000  # characters of an address
MAX_REMARKS = 32_768  # characters
MAX_FACTS = 2000  # names, numbers, places and dates of one party; of the lists of 2026 none has 300
_UID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,63}")
UNKNOWN_TYPE = "its type is none that is known"
Found = TypeVar("Found")


class Unreadable(Exception):
    """This record can become no entry; the reason is one for all of its kind and says nothing of what the record says."""


def records(found: Iterable[tuple[int, Found]], identify: Callable[[Found], str], make: Callable[[str, Found], Entry]) -> Iterator[Record]:
    """An entry or a quarantined record for each that is found, with its row; of two with one id the second is quarantined. `make` may raise `Unreadable`."""
    published: set[str] = set()
    for row, one in found:
        uid = ""
        try:
            uid = _checked(identify(one))
            if uid in published:
                raise Unreadable("its id stands on an earlier record")
            made = make(uid, one)
        except Unreadable as why:
            yield Quarantined(row=row, reason=str(why), uid=uid or None)
        else:
            published.add(uid)
            yield made


def _checked(uid: str) -> str:
    if not uid:
        raise Unreadable("it has no id")
    if not _UID.fullmatch(uid):
        raise Unreadable("its id is not of the layout")
    return uid


def party(
    primary: str,
    others: Iterable[SignalName] = (),
    *,
    schema: Schema = "organisation",
    countries: Iterable[str | None] = (),
    addresses: Iterable[SignalAddress | None] = (),
    identifiers: Iterable[SignalIdentifier | None] = (),
    birth_dates: Iterable[str] = (),
) -> PartySignal:
    """A party whose values come in any order and any number; nothing is told twice. Countries of addresses count among its own."""
    if not primary:
        raise Unreadable("it has no name")
    if len(primary) > MAX_NAME:
        raise Unreadable(f"its name is longer than {MAX_NAME} characters")
    names, places = party_names(primary, others), {place for place in addresses if place}
    numbers, days = {one for one in identifiers if one}, {day for day in birth_dates if day}
    if len(names) + len(places) + len(numbers) + len(days) > MAX_FACTS:
        raise Unreadable(f"it has more than {MAX_FACTS} names, places, numbers and dates")
    return PartySignal(
        names=names,
        schema=schema,
        countries=tuple(sorted({code for code in (*countries, *(place.country for place in places)) if code})),
        addresses=tuple(sorted(places, key=lambda p: (p.country or "", p.city or "", p.text or ""))),
        identifiers=tuple(sorted(numbers, key=lambda i: (i.kind, i.value, i.country or ""))),
        birth_dates=tuple(sorted(days)),
    )


def joined(*parts: str, by: str = " ") -> str:
    """Parts in one line, without empty ones and with single spaces."""
    return by.join(folded for part in parts if (folded := " ".join(part.split())))


def remarks(*parts: str) -> str:
    """Parts in one text, cut where it is longer than anybody reads."""
    return joined(*parts, by="; ")[:MAX_REMARKS].rstrip()


def identifier(kind: str, value: str, where: str = "") -> SignalIdentifier | None:
    """A number of a kind in words; none where it has no value or one beyond bounds."""
    value = joined(value)
    return (
        SignalIdentifier(kind=joined(kind)[:MAX_VALUE] or "Number", value=value, country=country_of(where))
        if 0 < len(value) <= MAX_VALUE
        else None
    )


def address(*lines: str, city: str = "", where: str = "") -> SignalAddress | None:
    """Words that name no country stay in the text."""
    code = country_of(where)
    text, town = joined(*lines, beyond_country(where), by=", ")[:MAX_ADDRESS], joined(city)[:MAX_ADDRESS]
    return SignalAddress(text=text or None, city=town or None, country=code) if text or town or code else None


def iso_day(text: str, *forms: str) -> str | None:
    """A day in one of strptime's forms, or at the beginning of an ISO time stamp, as ISO 8601; none for all else."""
    text = text.strip()
    if found := in_forms(text, forms):
        return found.isoformat()
    try:
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        return None


def birth_day(year: str, month: str = "", day: str = "") -> str:
    """`1971`, `1971-03`, `1971-03-09` from as many of the three as are numbers of a date; nothing without a year."""
    parts = []
    for text, least, most in ((year, 1000, 2999), (month, 1, 12), (day, 1, 31)):
        if not (text.isascii() and text.isdigit() and len(text) <= 4 and least <= int(text) <= most):
            break
        parts.append(int(text))
    if not parts:
        return ""
    try:
        date(*[*parts, 1, 1][:3])
    except ValueError:
        parts.pop()  # 31 April: the month is known
    return "-".join(f"{part:0{4 if place == 0 else 2}d}" for place, part in enumerate(parts))
