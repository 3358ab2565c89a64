"""What readers of lists of parties share: values joined in a cell, days, addresses, numbers, and ids for records without one."""

import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache

from services.intelligence.lists.countries import beyond_country, country_of
from services.intelligence.lists.days import in_forms
from shared.events.signals import SignalAddress, SignalIdentifier

MAX_UID = 200  # characters
LONGEST_VALUE = 200  # of an identifier
NO_NAME = "it has no name"
NO_UID = "it has no id"
UNKNOWN_TYPE = "its type is none that is known"
STANDS_ABOVE = "its id stands on an earlier record"
LONG_NAME = "its name is longer than 1000 characters"
_AND = re.compile(r"^(?:and|&)\s+")
_DAYS = ("%Y-%m-%d", "%m/%d/%Y", "%B %d, %Y", "%b %d, %Y", "%d %b %Y", "%d %B %Y", "%Y/%m/%d")


def values(cell: str, separator: str = ";") -> tuple[str, ...]:
    """What stands in one cell, in its order; an `and` before the last of several is left out, one with which a name begins stays."""
    *before, last = (part.strip() for part in cell.split(separator))
    return tuple(value for value in (*before, _AND.sub("", last) if before else last) if value)


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
    code = country_of(tail)
    text = ", ".join(part for part in (head if comma else "", beyond_country(tail.strip())) if part) if code else written
    text = text.strip(" ,")[:1000]
    return SignalAddress(text=text or None, country=code) if text or code else None


def sorted_addresses(found: Iterable[SignalAddress | None]) -> tuple[SignalAddress, ...]:
    return tuple(sorted({place for place in found if place}, key=lambda p: (p.country or "", p.city or "", p.text or "")))


def sorted_identifiers(found: Iterable[SignalIdentifier]) -> tuple[SignalIdentifier, ...]:
    kept = {number for number in found if 0 < len(number.value) <= LONGEST_VALUE}
    return tuple(sorted(kept, key=lambda n: (n.kind, n.value, n.country or "")))


def no_identifiers(found: Iterable[SignalIdentifier]) -> list[str]:
    """Those that are longer than a number can be, in words for the remarks."""
    return sorted({f"{number.kind} {number.value}" for number in found if len(number.value) > LONGEST_VALUE})


def no_countries(words: Iterable[str]) -> list[str]:
    """Words of columns of countries that name none of today, for the remarks."""
    return sorted({f"Country {word}" for word in words if word and country_of(word) is None})
