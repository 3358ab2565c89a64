"""Whose names are whose: parties under keys, each with the numbers of its names, its kind and its countries, in as little memory as that takes."""

from array import array
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

KINDS: Final = ("organisation", "person", "craft")
_NOWHERE: Final = frozenset[str]()
_KINDS: Final = {kind: n for n, kind in enumerate(KINDS)}


class Names(NamedTuple):
    """Which names a party has: their numbers among those of its kind."""

    kind: str
    numbers: list[int]


class PartiesState(msgspec.Struct, frozen=True, array_like=True):
    """To be kept, for the same code on the same machine."""

    codes: dict[str, int | tuple[int, ...]]
    lands: list[tuple[str, ...]]
    countries: list[bytes]


class Parties:
    """Keys, and what hangs on them. Most parties have one name, which is kept as one integer."""

    def __init__(self) -> None:
        self._codes: dict[str, int | tuple[int, ...]] = {}  # of each name: number * kinds + kind
        self._keys: dict[str, list[str]] = {kind: [] for kind in KINDS}  # by number of a name
        self._countries = {kind: array("I") for kind in KINDS}
        self._lands: list[frozenset[str]] = []
        self._land_numbers: dict[frozenset[str], int] = {}

    def __len__(self) -> int:
        return len(self._codes)

    def __contains__(self, key: object) -> bool:
        return key in self._codes

    def put(self, key: str, kind: str, numbers: Sequence[int], countries: Sequence[str]) -> None:
        """A new party; one without names has no kind and no countries."""
        codes = tuple([number * len(KINDS) + _KINDS[kind] for number in numbers])
        self._codes[key] = codes[0] if len(codes) == 1 else codes
        lands = frozenset(countries)
        land = self._land_numbers.get(lands)
        if land is None:
            land = self._land_numbers[lands] = len(self._lands)
            self._lands.append(lands)
        keys, places = self._keys[kind], self._countries[kind]
        for number in numbers:
            if number == len(keys):
                keys.append(key)
                places.append(land)
            else:
                keys[number], places[number] = key, land

    def pop(self, key: str) -> Names | None:
        """Takes a party out; None where there is none."""
        codes = self._codes.pop(key, None)
        return None if codes is None else _names(codes)

    def names(self, key: str) -> Names:
        """Of a party; KeyError where there is none."""
        return _names(self._codes[key])

    def key(self, kind: str, number: int) -> str:
        """Whose name it is."""
        return self._keys[kind][number]

    def countries(self, kind: str, number: int | None) -> frozenset[str]:
        """Of the party whose name it is; of none, none."""
        return _NOWHERE if number is None else self._lands[self._countries[kind][number]]

    def state(self) -> PartiesState:
        """All of it, for `restore`; to be encoded before it changes."""
        return PartiesState(
            self._codes, [tuple(sorted(lands)) for lands in self._lands], [self._countries[kind].tobytes() for kind in KINDS]
        )

    def restore(self, state: PartiesState) -> None:
        """Makes this, which is empty, what another one was."""
        self._codes = state.codes
        self._lands = [frozenset(lands) for lands in state.lands]
        self._land_numbers = {lands: n for n, lands in enumerate(self._lands)}
        self._countries = {kind: array("I", places) for kind, places in zip(KINDS, state.countries, strict=True)}
        by_kind = [[""] * len(self._countries[kind]) for kind in KINDS]
        for key, codes in state.codes.items():
            for code in (codes,) if isinstance(codes, int) else codes:
                by_kind[code % len(KINDS)][code // len(KINDS)] = key
        self._keys = dict(zip(KINDS, by_kind, strict=True))


def _names(codes: int | tuple[int, ...]) -> Names:
    every = (codes,) if isinstance(codes, int) else codes
    return Names(KINDS[every[0] % len(KINDS)] if every else KINDS[0], [code // len(KINDS) for code in every])


@lru_cache(maxsize=4096)
def country_set(countries: tuple[str, ...]) -> frozenset[str]:
    """One set for all parties of the same countries: a hundred thousand of them are memory and work for the collector."""
    return frozenset(countries)
