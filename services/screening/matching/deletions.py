"""Words within two edits, found by symmetric deletion: two words are near if both, with letters left out, can be the same.

Variants are never spelt out: their hashes are computed from sums over prefixes of the word (see lookup). Only the first eight letters take part: an
edit beyond costs no deletion, so no neighbour is lost by the cut.
"""

import secrets
from array import array
from collections.abc import Container
from typing import Final

import numpy as np

from services.screening.matching.lookup import variant_keys, words_near
from services.screening.matching.runs import Runs
from services.screening.matching.store import Source

_TOGETHER: Final = 256  # words that wait until they are made findable together, at the latest by the next look


class Neighbourhoods:
    """word -> the words within 1 edit (of 3 letters) or 2 (from 4 on, of five); numbers have none.

    A word that nobody bears any more has no postings. `source`: of words by number.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        # Drawn anew for each index: whoever writes a list cannot make words fall together.
        self._base, self._mix = secrets.randbits(64) | 1, secrets.randbits(64) | 1
        self._back = pow(self._base, -1, 1 << 64)
        self._runs = Runs()
        self._waiting: list[tuple[str, int]] = []

    def add(self, word: str, number: int) -> None:
        """Makes the word findable under its number (32 bits)."""
        self._waiting.append((word, number))
        if len(self._waiting) >= _TOGETHER:
            self._settle()

    def near(self, word: str, forgiven: bytes, known: Container[str] = frozenset()) -> tuple["array[int]", "array[float]"]:
        """(Numbers, how alike each is: 1 less the share of letters edited) of other words with the same digits, but those `known`, within the edits that are
        `forgiven`, by the letters of the longer of two: at most 2. Of short words more than promised."""
        self._settle()
        return words_near(word, self._runs.where, self._base, self._back, self._mix, self._source, forgiven, known)

    def _settle(self) -> None:
        if self._waiting:
            words, numbers = zip(*self._waiting, strict=True)
            self._waiting = []
            keys, rows = variant_keys(words, self._base, self._back, self._mix)
            self._runs.add(keys, np.array(numbers, np.uint64)[rows])

    def state(self) -> tuple[int, int, list[bytes]]:
        """All of it, for `restore`."""
        self._settle()
        return (self._base, self._mix, self._runs.state())

    def restore(self, state: tuple[int, int, list[bytes]]) -> None:
        """Makes this, which is empty, what another one was."""
        self._base, self._mix, runs = state
        self._back = pow(self._base, -1, 1 << 64)
        self._runs.restore(runs)
