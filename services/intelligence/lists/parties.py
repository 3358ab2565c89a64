"""What readers of lists of parties share: values joined in a cell, countries, days, ids for records without one, and what makes a file sound."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

import pycountry

from services.intelligence.lists.countries import alpha2
from services.intelligence.lists.days import in_forms
from services.intelligence.lists.spec import Entry, Record
from shared.errors import Malformed
from shared.events.signals import SignalAddress, SignalIdentifier

MAX_UID = 200  # characters
LONGEST_VALUE = 200  # of an identifier
NO_NAME = "it has no name"
NO_UID = "it has no id"
UNKNOWN_TYPE = "its type is none that is known"
STANDS_ABOVE = "its id stands on an earlier record"
LONG_NAME = "its name is longer than 1000 characters"
_AND = re.compile(r"^(?:and|&)\s+", re.IGNORECASE)
_DAYS = ("%Y-%m-%d", "%m/%d/%Y", "%B %d, %Y", "%b %d, %Y", "%d %b %Y", "%d %B %Y", "%Y/%m/%d")


def sound(records: Iterable[Record], what: str) -> Iterator[Record]:
    """The records; `Malformed` at their end where none is an entry. How many may be unread is the list's guard rail to say."""
    good = False
    for record in records:
        good = good or isinstance(record, Entry)
        yield record
    if not good:
        raise Malformed(f"The file holds no entry in the layout of {what}")


def values(cell: str, separator: str = ";") -> tuple[str, ...]:
    """What stands in one cell, in its order; an `and` before the last is left out."""
    return tuple(value for part in cell.split(separator) if (value := _AND.sub("", part.strip()).strip()))


@lru_cache(maxsize=4096)
def country_of(word: str) -> str | None:
    """`ru`, `RUS` or `Russia` -> `RU`; None for a word that names no country of today."""
    word = word.strip()
    if word[2:3] == "-":  # FollowTheMoney's parts of countries: `cn-xz`
        word = word[:2]
    if len(word) in (2, 3) and word.isascii() and word.isalpha():
        code = word.upper()
        if code in ("XK", "XKX"):
            return "XK"
        found = pycountry.countries.get(alpha_2=code) if len(code) == 2 else pycountry.countries.get(alpha_3=code)
        if found:
            return str(found.alpha_2)
    return alpha2(word) if word else None


@lru_cache(maxsize=4096)
def iso_day(written: str) -> str | None:
    """`06/19/2003` (month first, as US publishers write) or `June 21, 2022` -> ISO 8601; None for what is no day."""
    written = " ".join(written.split())[:40]
    if found := in_forms(written, _DAYS):
        return found.isoformat()
    return iso_day(written[:10]) if len(written) > 10 and written[4:5] == "-" else None


def derived_uid(*parts: str) -> str:
    """An id for a record whose publisher gives none, the same in every release as long as these parts are, whatever their case and spaces: 20 hex digits."""
    folded = "\x1f".join(" ".join(part.casefold().split()) for part in parts)
    return hashlib.sha256(folded.encode()).hexdigest()[:20]


def address_of(written: str) -> SignalAddress | None:
    """An address in one line, whose last part may be a country."""
    head, comma, tail = written.rpartition(",")
    country = country_of(tail)
    text = (head if comma else "") if country else written
    text = text.strip(" ,")[:1000]
    return SignalAddress(text=text or None, country=country) if text or country else None


def sorted_addresses(found: Iterable[SignalAddress | None]) -> tuple[SignalAddress, ...]:
    return tuple(sorted({place for place in found if place}, key=lambda p: (p.country or "", p.city or "", p.text or "")))


def sorted_identifiers(found: Iterable[SignalIdentifier]) -> tuple[SignalIdentifier, ...]:
    kept = {number for number in found if 0 < len(number.value) <= LONGEST_VALUE}
    return tuple(sorted(kept, key=lambda n: (n.kind, n.value, n.country or "")))
