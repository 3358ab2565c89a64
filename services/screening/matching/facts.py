"""What is known of a party besides its names and countries, and what two parties' facts say of whether they are one. Pure."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, Literal, NamedTuple

import msgspec

from services.screening.matching.addresses import compare_places, places_of
from services.screening.matching.births import Birth, BirthKind, births_of, compare_births, days
from services.screening.matching.numbers import Number, NumbersKind, compare_numbers, numbers_of
from services.screening.matching.settings import BIRTH_FINDS

FactKind = NumbersKind | BirthKind | Literal["address"]
_FINDS: Final = frozenset(("identifier_conflict", "birth_date", "birth_date_conflict"))
_AGAINST: Final = frozenset(("identifier_conflict", "birth_date_conflict"))
FOR: Final[frozenset[str]] = frozenset(("identifier", "identifier_local", "birth_date", "birth_date_partial", "address"))


class Facts(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Numbers, addresses and dates of birth of one party, ready to be compared."""

    numbers: tuple[Number, ...] = ()
    places: tuple[str, ...] = ()
    births: tuple[Birth, ...] = ()

    @property
    def tokens(self) -> list[str]:
        """By any of which another party is found that shares it, whatever its names: numbers, and days of birth."""
        return [*dict.fromkeys(number.token for number in self.numbers), *days(self.births)]


class Told(NamedTuple):
    """One thing that facts say: log odds for one party, and what stands on either side."""

    kind: FactKind
    ours: str
    theirs: str
    odds: float


def facts_of(
    *,
    identifiers: Iterable[tuple[str, str, str | None]] = (),
    addresses: Iterable[tuple[str | None, str | None, str | None]] = (),
    birth_dates: Iterable[str] = (),
) -> Facts | None:
    """Of identifiers (kind, value, country), addresses (text, city, country) and dates of birth, each in the words of whoever wrote them; None
    where they tell nothing, so that a party without facts costs nothing."""
    numbers, places, births = numbers_of(identifiers), places_of(addresses), births_of(birth_dates)
    return _one(Facts(numbers, places, births)) if numbers or places or births else None


@lru_cache(maxsize=16_384)
def _one(facts: Facts) -> Facts:
    """One object for all parties of which the same is known: most suppliers tell no more than a town."""
    return facts


def tell(ours: Facts, theirs: Facts) -> list[Told]:
    """What both sides' numbers and dates say. Symmetric, but for which side is which."""
    told = [Told(*one) for one in compare_numbers(ours.numbers, theirs.numbers)]
    if born := compare_births(ours.births, theirs.births):
        told.append(Told(*born))
    return told


def tell_places(ours: Facts, theirs: Facts) -> list[Told]:
    """What both sides' addresses say."""
    found = compare_places(ours.places, theirs.places)
    return [Told("address", *found)] if found else []


def decides(told: Iterable[Told]) -> bool:
    """Is a number the same of which there are no two?"""
    return any(one.kind == "identifier" for one in told)


def makes_certain(same_name: bool, told: Iterable[Told]) -> bool:
    """Does what agrees need no forgiving? The same telling words and nothing that contradicts; a number of which there are no two; or, beside a name that is
    near, the same day of birth."""
    kinds = {one.kind for one in told}
    return "identifier" in kinds or (not kinds & _AGAINST and (same_name or "birth_date" in kinds))


def odds_of_finding(told: Iterable[Told]) -> float:
    """Log odds that count when it is asked whether names have found anybody: what speaks against, and some of an equal day of birth.

    The rest only makes stronger what they have found: a search that an address may lift over the threshold would have to look at many more names.
    """
    return sum(min(one.odds, BIRTH_FINDS) for one in told if one.kind in _FINDS)


def odds_in_all(told: Iterable[Told]) -> float:
    """Log odds of all but a number that decides."""
    return sum(one.odds for one in told if one.kind != "identifier")
