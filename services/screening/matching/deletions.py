"""Words within two edits, found by symmetric deletion: two words are near if both, with letters left out, can be the same.

Variants are never spelt out: their hashes are computed for many words at once from sums over prefixes of the words, which costs a
twentieth of what one word after the other would.
"""

import secrets
from collections.abc import Sequence
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.screening.matching.runs import HALF, LOW, Keys, Runs

_PREFIX: Final = 8  # letters that take part; an edit beyond costs no deletion, so no neighbour is lost by the cut
_TWICE: Final = 4  # letters from which a word has neighbours two edits away, of five
_SHORTEST: Final = 2  # letters; such a word is only the rest of a longer one
_ONCE: Final = 3  # letters from which a word has neighbours one edit away; numbers have none
_TOGETHER: Final = 256  # words that wait until they are made findable together, at the latest by the next look

_KEY: Final = np.uint64(33)  # leaves 31 bits: one more must not overflow
_FIRST, _SECOND = np.array(list(combinations(range(_PREFIX), 2))).T
_LEFT_OUT: Final = np.concatenate(([0], np.full(_PREFIX, 1), np.full(len(_FIRST), 2)))  # letters, of each variant
_LAST: Final = np.concatenate(([-1], np.arange(_PREFIX), _SECOND))  # place of the last letter left out


class Neighbourhoods:
    """word -> numbers of the words that may be within 1 edit (of 3 letters) or 2 (from 4 on); the caller verifies.

    A word that nobody bears any more has no postings.
    """

    def __init__(self) -> None:
        # Drawn anew for each index: whoever writes a list cannot make words fall together.
        self._hashing = _Hashing(secrets.randbits(64) | 1, secrets.randbits(64) | 1)
        self._runs = Runs()
        self._waiting: list[tuple[str, int]] = []

    def add(self, word: str, number: int) -> None:
        """Makes the word findable under its number (32 bits)."""
        self._waiting.append((word, number))
        if len(self._waiting) >= _TOGETHER:
            self._settle()

    def near(self, words: Sequence[str]) -> tuple[NDArray[np.intp], NDArray[np.uint32]]:
        """(place of the word asked, number of a word within the edits forgiven), each once, and some others."""
        self._settle()
        keys, rows = self._hashing.keys(words)
        hits, numbers = self._runs.find(keys)
        both = np.unique(rows[hits].astype(np.uint64) << HALF | numbers)
        return (both >> HALF).astype(np.intp), (both & LOW).astype(np.uint32)

    def _settle(self) -> None:
        if self._waiting:
            words, numbers = zip(*self._waiting, strict=True)
            self._waiting = []
            keys, rows = self._hashing.keys(words)
            self._runs.add(keys, np.array(numbers, np.uint64)[rows])

    def state(self) -> tuple[int, int, list[bytes]]:
        """All of it, for `restore`."""
        self._settle()
        return (self._hashing.base, self._hashing.mix, self._runs.state())

    def restore(self, state: tuple[int, int, list[bytes]]) -> None:
        """Makes this, which is empty, what another one was."""
        base, mix, runs = state
        self._hashing = _Hashing(base, mix)
        self._runs.restore(runs)


class _Hashing:
    """The letters of a word are the coefficients of a polynomial in `base`; its value modulo 2^64 is the hash."""

    def __init__(self, base: int, mix: int) -> None:
        self.base, self.mix = base, mix
        self._powers = np.array([pow(base, n, 1 << 64) for n in range(_PREFIX)], np.uint64)
        self._shift, self._shift_two = (np.uint64(pow(base, -n, 1 << 64)) for n in (1, 2))  # one power, two powers less

    def keys(self, words: Sequence[str]) -> tuple[Keys, NDArray[np.intp]]:
        """31-bit hashes of the words' variants with up to 1 or 2 letters left out, and for each the place of its word."""
        letters = np.array([word if len(word) >= _SHORTEST and not word.isdigit() else "" for word in words], f"<U{_PREFIX}")
        codes = letters.view(np.uint32).reshape(len(words), _PREFIX).astype(np.uint64)
        before = np.zeros((len(words), _PREFIX + 1), np.uint64)  # sums of all letters in front of a place
        np.cumsum(codes * self._powers, axis=1, out=before[:, 1:])
        whole = before[:, _PREFIX:]
        once = before[:, :_PREFIX] + self._shift * (whole - before[:, 1:])
        between = self._shift * (before[:, _SECOND] - before[:, _FIRST + 1])
        twice = before[:, _FIRST] + between + self._shift_two * (whole - before[:, _SECOND + 1])
        sizes = np.char.str_len(letters)[:, None]
        allowed = np.where(sizes < _SHORTEST, -1, np.where(sizes < _ONCE, 0, np.where(sizes < _TWICE, 1, 2)))
        rows, variants = np.nonzero((allowed >= _LEFT_OUT) & (sizes > _LAST))
        hashes = np.concatenate((whole, once, twice), axis=1)[rows, variants]
        return (hashes * np.uint64(self.mix)) >> _KEY, rows
