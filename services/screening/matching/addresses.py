"""Addresses as far as they speak for one party: the same street and number, postal code or town. Another address speaks against nobody."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import product
from typing import Final, NamedTuple

from rigour.names.tokenize import tokenize_name
from rigour.text.translit import ascii_text

from services.screening.matching.places import PLACES
from services.screening.matching.settings import ADDRESS_CITY, ADDRESS_LARGE_CITY, ADDRESS_POSTAL, ADDRESS_STREET, MAX_LETTERS

_PART: Final = "\x1f"
_MOST: Final = 20  # addresses of one party
_POSTAL_DIGITS: Final = 5  # from so many on, a number in an address is no house's
_TELLING: Final = 4  # letters of a word that may be a street's name
_COMMON: Final = (
    "avenue boulevard building block business center centre city complex corner county district economic estate floor free gate ground house"
    " industrial lane level near office park plaza plot port post province region republic road room square state street suite tower towers town unit"
    " village warehouse zone calle carrera avenida colonia edificio piso oficina departamento local rue ulitsa ploshchad prospekt strasse platz"
    " oblast raion kray respublika cadde caddesi sokak mahallesi new north south east west central main first second third"
)
_ANYWHERE: Final = frozenset(_COMMON.split())


class _Place(NamedTuple):
    """An address in words: of its town, where that is parted from the rest; all that tell it apart; house and postal codes; `text` as given."""

    country: str
    city: frozenset[str]
    words: frozenset[str]
    numbers: frozenset[str]
    text: str


class PlacesCompared(NamedTuple):
    """What two addresses have in common: log odds, and both as they were given."""

    ours: str
    theirs: str
    odds: float


def places_of(written: Iterable[tuple[str | None, str | None, str | None]]) -> tuple[str, ...]:
    """Of (text, city, country), each once, in the order given; those that name no more than a country are left out.

    They are kept as text, for a million suppliers have one, and taken apart when names have agreed.
    """
    found = (_PART.join((country or "", city or "", text or ""))[:MAX_LETTERS] for text, city, country in written if text or city)
    return tuple(dict.fromkeys(found))[:_MOST]


@lru_cache(maxsize=4096)
def _read(kept: str) -> _Place:
    country, city, text = (*kept.split(_PART, 2), "", "")[:3]
    town = frozenset(word for word in _words(city) if word.isalpha() and word not in _ANYWHERE and len(word) > 2)
    tokens = {*_words(text), *_words(city)}
    words = frozenset(word for word in tokens if word.isalpha() and len(word) >= _TELLING and word not in _ANYWHERE)
    numbers = frozenset(word.lstrip("0") or "0" for word in tokens if any(map(str.isdigit, word)))
    return _Place(country, town, words | town, numbers, ", ".join(part for part in (text, city) if part))


def _words(text: str) -> list[str]:
    lower = text.casefold()
    return list(tokenize_name(lower if lower.isascii() else ascii_text(lower.encode("utf-8", "ignore").decode()).casefold()))


def compare_places(ours: Sequence[str], theirs: Sequence[str]) -> PlacesCompared | None:
    """What agrees best; None where nothing does. Symmetric."""
    if not ours or not theirs:
        return None
    pairs = product(map(_read, ours), map(_read, theirs))
    found = [(odds, sorted((a.text, b.text)), a.text, b.text) for a, b in pairs if (odds := _alike(a, b))]
    if not found:
        return None
    odds, _, a, b = max(found, key=lambda one: one[:2])
    return PlacesCompared(a, b, odds)


def _alike(a: _Place, b: _Place) -> float:
    if a.country and b.country and a.country != b.country:
        return 0.0
    words, numbers = a.words & b.words, a.numbers & b.numbers
    town = _in(a.city, b) or _in(b.city, a)
    if numbers and (town or not (a.city or b.city)) and words - a.city - b.city - PLACES:  # every town has a Lenin street
        return ADDRESS_STREET
    if words and any(sum(map(str.isdigit, number)) >= _POSTAL_DIGITS for number in numbers):
        return ADDRESS_POSTAL
    return (ADDRESS_LARGE_CITY if words <= PLACES else ADDRESS_CITY) if town else 0.0


def _in(city: frozenset[str], other: _Place) -> bool:
    """The shorter of two towns' names stands in the longer one; or in the whole address, where that parts no town."""
    return bool(city) and city <= (other.city or other.words)
