"""What an index is asked for, and what it answers."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Self

import msgspec

from services.screening.matching.facts import Facts, Told
from services.screening.matching.normalise import Prepared
from services.screening.matching.parties import country_set
from services.screening.matching.score import Compared, kind_of
from services.screening.matching.settings import WEAK_ALIAS
from services.screening.matching.why import Why


class Search(NamedTuple):
    """A party to look for. `threshold`: the least score of its own names. `weak`: these are weak aliases. `keys` says which parties count, `least`
    from which score where that is a higher one; `limit` how many are told."""

    names: Sequence[str]
    threshold: float
    schema: str = "organisation"
    countries: Sequence[str] = ()
    facts: Facts | None = None
    weak: bool = False
    least: Callable[[str], float] | None = None
    limit: int | None = None
    keys: Callable[[str], bool] | None = None


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """One party that answers to a name asked: its best name, ours, both as written, and the reasons.

    `certain`: see facts.makes_certain.
    """

    key: str
    score: float
    certain: bool
    name: str
    asked: str
    why: tuple[Why, ...]


class Asking(NamedTuple):
    """Who asks. `least`: the score from which a party counts. What the facts of both sides say by the other party's key: `told` without their
    addresses, `placed` with them."""

    kind: str
    lands: frozenset[str]
    facts: Facts | None
    factor: float
    threshold: float
    least: Callable[[str], float]
    told: dict[str, list[Told]]
    placed: dict[str, list[Told]]

    @classmethod
    def of(cls, one: Search) -> Self:
        """By the party's strong names, unless all of them are weak ones."""
        factor, threshold = WEAK_ALIAS if one.weak else 1.0, one.threshold
        lands, least = country_set(tuple(one.countries)), one.least or (lambda _: threshold)
        return cls(kind_of(one.schema), lands, one.facts, factor, threshold, least, {}, {})


class Best(msgspec.Struct, frozen=True, gc=False):
    """`number`: of the name; None where a number found a party of no telling name."""

    score: float
    asked: Prepared
    factor: float
    kind: str
    number: int | None
    compared: Compared
