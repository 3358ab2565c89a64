"""Words within two edits, found by symmetric deletion: two words are near if both, with letters left out, can be the same."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_PREFIX: Final = 8  # letters that take part; an edit beyond costs no deletion, so no neighbour is lost by the cut
_SHORTEST: Final = 3  # shorter words have no neighbours, nor have numbers
_OVERLAY: Final = 1 << 16  # entries that wait in the dict before they are merged into the sorted array

_HALF, _HIGH, _LOW = np.uint64(32), np.uint64(1 << 32), np.uint64((1 << 32) - 1)
_END: Final = np.array([(1 << 64) - 1], np.uint64)  # behind all entries, so that looking on never leaves the array


class Neighbourhoods:
    """word -> numbers of the words that may be within 1 edit (4 or 5 letters) or 2 (from 6 on); the caller verifies.

    One 64-bit entry (32 bits of the variant's hash, the word's number) in one sorted array, with a dict of what came
    since the last merge: an ordinary dict of all variants would take ten times the memory. Nothing is ever removed:
    a word that nobody bears any more has no postings.
    """

    def __init__(self) -> None:
        self._sorted: NDArray[np.uint64] = _END
        self._recent: dict[int, tuple[int, ...]] = {}  # tuples: the garbage collector forgets them
        self._waiting = 0

    def add(self, word: str, number: int) -> None:
        """Makes the word findable under its number (32 bits)."""
        recent, keys = self._recent, _keys(word)
        for key in keys:
            numbers = recent.get(key)
            recent[key] = (number,) if numbers is None else (*numbers, number)
        self._waiting += len(keys)
        if self._waiting > max(_OVERLAY, len(self._sorted) >> 4):
            self._merge()

    def near(self, word: str) -> set[int]:
        """Numbers of all words within the edits forgiven, and some others."""
        keys = _keys(word)
        found: set[int] = set()
        recent = self._recent
        for key in keys:
            numbers = recent.get(key)
            if numbers is not None:
                found.update(numbers)
        if keys:
            starts = np.fromiter(keys, np.uint64, len(keys)) << _HALF
            places = np.searchsorted(self._sorted, starts)
            ends = starts + _HIGH
            for at, end in zip(*(part[self._sorted[places] < ends].tolist() for part in (places, ends)), strict=True):
                stop = at + 1
                while self._sorted[stop] < end:
                    stop += 1
                found.update((self._sorted[at:stop] & _LOW).tolist())
        return found

    def _merge(self) -> None:
        packed = (key << 32 | number for key, numbers in self._recent.items() for number in numbers)
        recent = np.fromiter(packed, np.uint64, self._waiting)
        recent.sort()
        # Two sorted runs one after the other: the stable sort is a merge.
        self._sorted = np.sort(np.concatenate((self._sorted, recent)), kind="stable")
        self._recent, self._waiting = {}, 0


def _keys(word: str) -> set[int]:
    """31-bit hashes of the word's variants with up to 1 or 2 letters left out. (31: one more must not overflow.)"""
    if len(word) < _SHORTEST or word.isdigit():
        return set()
    stem = word[:_PREFIX]
    variants = {stem}
    if len(word) > 3:
        once = {stem[:i] + stem[i + 1 :] for i in range(len(stem))}
        variants |= once
        if len(word) > 5:
            variants.update([part[:i] + part[i + 1 :] for part in once for i in range(len(part))])
    return {hash(variant) & 0x7FFFFFFF for variant in variants}
