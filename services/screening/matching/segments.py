"""Spellings that are the same within so many edits: then one of their parts, of which there is one more, is the same, near the same place.

The partition scheme of Li, Deng, Wang and Feng, "Pass-Join", VLDB 2012: exact for letters replaced, missing or one too many; of two that changed
places those that do not stand at a seam.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Final
from zlib import crc32

import numpy as np
from rapidfuzz.distance import OSA

from services.screening.matching.runs import Runs
from services.screening.matching.store import Numbers, alphabet

_LONGEST: Final = 200
_TOGETHER: Final = 256
_MEMO: Final = 4096
_MOST_HELD: Final = 1 << 18


class Segments:
    """Numbers of all spellings within `edits` of one asked, of so many letters or more: shorter ones have parts that say too little.

    `written`: how the one under a number is spelt; `alphabets`: with which letters (0: none stands there), as store.alphabet gives them.
    """

    def __init__(self, edits: int, shortest: int, written: Callable[[int], str], alphabets: Callable[[Numbers], Numbers]) -> None:
        self._edits, self._shortest = edits, shortest
        self._written, self._alphabets = written, alphabets
        self._runs = Runs()
        self._waiting: list[tuple[int, int]] = []
        self._held = 0  # numbers remembered
        self._expected: dict[str, list[int]] = {}  # until a name comes or goes

    def add(self, spelt: str, number: int) -> None:
        """Makes it findable under its number."""
        self._forget()
        size = len(spelt)
        if self._shortest <= size <= _LONGEST:
            self._waiting += [(_key(size, part, spelt[at : at + width]), number) for part, at, width in _parts(size, self._edits + 1)]
            if len(self._waiting) >= _TOGETHER:
                self._settle()

    def removed(self) -> None:
        """One is gone."""
        self._forget()

    def expect(self, names: Iterable[str]) -> None:
        """Looks up together what will be asked for soon: many names cost little more than a few."""
        if len(self._expected) >= _MEMO or self._held > _MOST_HELD:
            self._forget()
        new = [name for name in dict.fromkeys(names) if name not in self._expected]
        if new:
            self._expected.update(zip(new, self._found(new), strict=True))
            self._held += sum([len(self._expected[name]) for name in new])

    def _forget(self) -> None:
        self._expected, self._held = {}, 0

    def near(self, spelt: str) -> set[int]:
        """The numbers of all that are within the edits."""
        if spelt not in self._expected:
            self.expect((spelt,))
        written, edits = self._written, self._edits
        return {n for n in self._expected[spelt] if OSA.distance(spelt, written(n), score_cutoff=edits) <= edits}

    def _found(self, names: list[str]) -> list[list[int]]:
        """For each name the numbers of those that share a part and nearly all letters with it."""
        self._settle()
        keys: list[int] = []
        rows: list[int] = []
        for row, name in enumerate(names):
            asked = list(self._asked(name))
            keys += asked
            rows += [row] * len(asked)
        at, numbers = self._runs.find(np.array(keys, np.uint64))
        whose = np.array(rows, np.intp)[at]
        own = np.array([alphabet((name,)) for name in names], np.uint32)[whose]
        theirs = self._alphabets(numbers)
        more = np.maximum(np.bitwise_count(theirs & ~own), np.bitwise_count(own & ~theirs))
        few = (theirs != 0) & (more <= self._edits)
        found: list[dict[int, None]] = [{} for _ in names]
        for row, number in zip(whose[few].tolist(), numbers[few].tolist(), strict=True):
            found[row][number] = None
        return [list(some) for some in found]

    def _asked(self, name: str) -> Iterator[int]:
        """The keys under which one within the edits must stand: of each of its parts, as far as edits may have moved it."""
        own, edits = len(name), self._edits
        if not self._shortest - edits <= own <= _LONGEST:
            return
        for size in range(max(self._shortest, own - edits), own + edits + 1):
            more = own - size
            for part, at, width in _parts(size, edits + 1):
                for place in range(max(0, at - (edits - more) // 2), min(at + (edits + more) // 2, own - width) + 1):
                    yield _key(size, part, name[place : place + width])

    def _settle(self) -> None:
        if self._waiting:
            keys, numbers = np.array(self._waiting, np.uint64).T
            self._waiting = []
            self._runs.add(keys, numbers)

    def state(self) -> list[bytes]:
        """All of it, for `restore`."""
        self._settle()
        return self._runs.state()

    def restore(self, state: list[bytes]) -> None:
        """Makes this, which is empty, what another one was."""
        self._runs.restore(state)


def _key(size: int, part: int, text: str) -> int:
    """31 bits. Spellings that share a part fall together anyway, so nothing is won by making keys collide."""
    return crc32(text.encode(), size << 3 | part) >> 1


@cache
def _parts(size: int, count: int) -> list[tuple[int, int, int]]:
    """(number, begin, width) of so many parts of a spelling of so many letters, the longer ones last."""
    width, longer = divmod(size, count)
    found, at = [], 0
    for part in range(count):
        wide = width + (part >= count - longer)
        found.append((part, at, wide))
        at += wide
    return found
