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

_PREFIX: Final = 8  # letters that take part; an edit beyond costs no deletion, so no neighbour is lost by the cut
_SHORTEST: Final = 3  # shorter words have no neighbours, nor have numbers
_TOGETHER: Final = 256  # words that wait until they are made findable together, at the latest by the next look
_STEPS: Final = 4  # a run of entries is so many times as long as the next one

_HALF, _HIGH, _LOW = np.uint64(32), np.uint64(1 << 32), np.uint64((1 << 32) - 1)

# The letters of a word are the coefficients of a polynomial, its value modulo 2^64 is the hash. Its base is drawn anew in each process:
# whoever writes a list cannot make words fall together.
_BASE: Final = secrets.randbits(64) | 1
_POWERS: Final = np.array([pow(_BASE, n, 1 << 64) for n in range(_PREFIX)], np.uint64)
_SHIFT, _SHIFT_TWO = (np.uint64(pow(_BASE, -n, 1 << 64)) for n in (1, 2))  # one power, two powers less
_MIX: Final = np.uint64(secrets.randbits(64) | 1)
_KEY: Final = np.uint64(33)  # leaves 31 bits: one more must not overflow

_FIRST, _SECOND = np.array(list(combinations(range(_PREFIX), 2))).T
_LEFT_OUT: Final = np.concatenate(([0], np.full(_PREFIX, 1), np.full(len(_FIRST), 2)))  # letters, of each variant
_LAST: Final = np.concatenate(([-1], np.arange(_PREFIX), _SECOND))  # place of the last letter left out


class Neighbourhoods:
    """word -> numbers of the words that may be within 1 edit (4 or 5 letters) or 2 (from 6 on); the caller verifies.

    64-bit entries (32 bits of the variant's hash, the word's number) in a few sorted arrays, each several times as long as the
    next: a dict of all variants would take ten times the memory. Nothing is ever removed: a word that nobody bears any
    more has no postings.
    """

    def __init__(self) -> None:
        self._runs: list[NDArray[np.uint64]] = []
        self._waiting: list[tuple[str, int]] = []

    def add(self, word: str, number: int) -> None:
        """Makes the word findable under its number (32 bits)."""
        self._waiting.append((word, number))
        if len(self._waiting) >= _TOGETHER:
            self._settle()

    def near(self, words: Sequence[str]) -> list[set[int]]:
        """For each word the numbers of all words within the edits forgiven, and some others."""
        self._settle()
        found: list[set[int]] = [set() for _ in words]
        keys, rows = _keys(words)
        order = np.argsort(keys)  # who looks for one after the other stays near in memory: three times as quick
        starts, rows = keys[order] << _HALF, rows[order]
        for run in self._runs:
            at = run.searchsorted(starts)
            # Behind the end stands nothing: the last entry is less than what is asked, and the difference wraps to a large one.
            hits = np.flatnonzero(run[np.minimum(at, len(run) - 1)] - starts < _HIGH)
            if len(hits):
                first = at[hits]
                counts = run.searchsorted(starts[hits] + _HIGH) - first
                every = np.repeat(first - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
                for row, number in zip(np.repeat(rows[hits], counts).tolist(), (run[every] & _LOW).tolist(), strict=True):
                    found[row].add(number)
        return found

    def _settle(self) -> None:
        """What waits becomes a run; runs that are not much longer are merged with it, so that there are few."""
        if not self._waiting:
            return
        words, numbers = zip(*self._waiting, strict=True)
        self._waiting = []
        keys, rows = _keys(words)
        run = np.unique(keys << _HALF | np.array(numbers, np.uint64)[rows])
        if not len(run):
            return
        while self._runs and len(self._runs[-1]) < _STEPS * len(run):
            # Two sorted runs one after the other: the stable sort is a merge.
            run = np.sort(np.concatenate((self._runs.pop(), run)), kind="stable")
        self._runs.append(run)


def _keys(words: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.intp]]:
    """31-bit hashes of the words' variants with up to 1 or 2 letters left out, and for each the place of its word."""
    letters = np.array([word if len(word) >= _SHORTEST and not word.isdigit() else "" for word in words], f"<U{_PREFIX}")
    codes = letters.view(np.uint32).reshape(len(words), _PREFIX).astype(np.uint64)
    before = np.zeros((len(words), _PREFIX + 1), np.uint64)  # sums of all letters in front of a place
    np.cumsum(codes * _POWERS, axis=1, out=before[:, 1:])
    whole = before[:, _PREFIX:]
    once = before[:, :_PREFIX] + _SHIFT * (whole - before[:, 1:])
    between = _SHIFT * (before[:, _SECOND] - before[:, _FIRST + 1])
    twice = before[:, _FIRST] + between + _SHIFT_TWO * (whole - before[:, _SECOND + 1])
    sizes = np.char.str_len(letters)[:, None]
    allowed = np.where(sizes < _SHORTEST, -1, np.where(sizes == _SHORTEST, 0, np.where(sizes < 6, 1, 2)))
    rows, variants = np.nonzero((allowed >= _LEFT_OUT) & (sizes > _LAST))
    hashes = np.concatenate((whole, once, twice), axis=1)[rows, variants]
    return (hashes * _MIX) >> _KEY, rows
