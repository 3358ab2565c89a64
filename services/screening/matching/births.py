"""Dates of birth, as far as they are known: a day, a month, a year, or years between which it lies."""

import re
from collections.abc import Iterable, Sequence
from itertools import product
from typing import Final, Literal, NamedTuple

import msgspec

from services.screening.matching.settings import BIRTH_CIRCA_YEARS, BIRTH_DAY_DIFFERS, BIRTH_EQUAL, BIRTH_PARTIAL, BIRTH_YEAR_DIFFERS

BirthKind = Literal["birth_date", "birth_date_partial", "birth_date_conflict"]
_ISO: Final = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
_YEAR: Final = re.compile(r"(?<![0-9])(?:1[6-9]|20)[0-9]{2}(?![0-9])")
_MOST: Final = 20  # dates of one party
_NO_DAY: Final = "01-01"  # what registers write where they know the year only


class Birth(msgspec.Struct, frozen=True, gc=False, array_like=True, order=True):
    """Born in one of the years `first` to `last`; `month` and `day` as two digits where they are known; `text` as it was given."""

    first: int
    last: int
    month: str = ""
    day: str = ""
    text: str = ""


class BirthsCompared(NamedTuple):
    """What two dates say: log odds, and both as they were given."""

    kind: BirthKind
    ours: str
    theirs: str
    odds: float


def births_of(texts: Iterable[str]) -> tuple[Birth, ...]:
    """Those that name a year, sorted, each once: ISO 8601 (reduced where less is known), or words such as `circa 1951` and `1961 to 1963`."""
    return tuple(sorted({found for text in texts if (found := _read(text.strip()))})[:_MOST])


def _read(text: str) -> Birth | None:
    if parts := _ISO.fullmatch(text):
        year, month, day = int(parts[1]), parts[2] or "", parts[3] or ""
        return Birth(year, year, text=text) if f"{month}-{day}" == _NO_DAY else Birth(year, year, month, day, text)
    years = [int(found) for found in _YEAR.findall(text)]
    if not years:
        return None
    doubt = BIRTH_CIRCA_YEARS if len(years) == 1 else 0
    return Birth(min(years) - doubt, max(years) + doubt, text=text[:50])


def days(births: Iterable[Birth]) -> list[str]:
    """Those of which the day is known, as ISO 8601 has them."""
    return [f"{born.first:04}-{born.month}-{born.day}" for born in births if born.day]


def compare_births(ours: Sequence[Birth], theirs: Sequence[Birth]) -> BirthsCompared | None:
    """What speaks most for one person, of several dates on either side; None where they say nothing. Symmetric."""
    if not ours or not theirs:
        return None
    odds, _, kind, a, b = max(
        ((odds, tuple(sorted((a.text, b.text))), kind, a, b) for a, b in product(ours, theirs) for kind, odds in (_pair(a, b),)),
        key=lambda one: one[:2],
    )
    return BirthsCompared(kind, a.text, b.text, odds) if odds else None


def _pair(a: Birth, b: Birth) -> tuple[BirthKind, float]:
    apart = max(a.first, b.first) - min(a.last, b.last)
    if apart > 1:
        return "birth_date_conflict", BIRTH_YEAR_DIFFERS
    if apart == 1:  # calendars and memories differ by one
        return "birth_date_partial", 0.0
    if a.first < a.last or b.first < b.last or not (a.month and b.month):
        return "birth_date_partial", BIRTH_PARTIAL
    if a.day and b.day:
        if (a.month, a.day) == (b.month, b.day):
            return "birth_date", BIRTH_EQUAL
        if (a.month, a.day) == (b.day, b.month):  # day and month in the other order
            return "birth_date_partial", BIRTH_PARTIAL
        return "birth_date_conflict", BIRTH_DAY_DIFFERS
    return ("birth_date_partial", BIRTH_PARTIAL) if a.month == b.month else ("birth_date_conflict", BIRTH_DAY_DIFFERS)
