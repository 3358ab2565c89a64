"""Spellings that are the same within so many edits: then one of their parts, of which there is one more, is the same, near the same place.

The partition scheme of Li, Deng, Wang and Feng, "Pass-Join", VLDB 2012, exact for letters replaced, missing or one too many; for two that changed
places where two parts meet, each part is looked for with the letter beyond it, too. What stands before a part that is the same holds fewer edits than there are parts before it, and so behind:
so far it may have moved ("multi-match-aware").
"""

from typing import Final

import numpy as np

from services.screening.matching.lookup import segment_keys, segments_near
from services.screening.matching.runs import Runs
from services.screening.matching.store import Source

_LONGEST: Final = 200
_TOGETHER: Final = 256


class Segments:
    """Numbers of all spellings within `edits` of one asked, of so many letters or more: shorter ones have parts that say too little.

    `source`: of the spellings by number.
    """

    def __init__(self, edits: int, shortest: int, source: Source) -> None:
        self._edits, self._shortest, self._source = edits, shortest, source
        self._runs = Runs()
        self._waiting: dict[int, str] = {}

    def add(self, spelt: str, number: int) -> None:
        """Makes it findable under its number."""
        if self._shortest <= len(spelt) <= _LONGEST:
            self._waiting[number] = spelt
            if len(self._waiting) >= _TOGETHER:
                self._settle()

    def near(self, spelt: str, *, least: int = 0) -> dict[int, int]:
        """Number -> edits of all that are within the edits, and have at least so many letters."""
        self._settle()
        if not self._shortest - self._edits <= len(spelt) <= _LONGEST:
            return {}
        return segments_near(spelt, self._edits, max(self._shortest, least), self._runs.where, self._source)

    def _settle(self) -> None:
        if self._waiting:
            parts, numbers = self._edits + 1, np.fromiter(self._waiting, np.uint64)
            self._runs.add(segment_keys(list(self._waiting.values()), parts), np.repeat(numbers, parts))
            self._waiting = {}

    def state(self) -> list[bytes]:
        """All of it, for `restore`."""
        self._settle()
        return self._runs.state()

    def restore(self, state: list[bytes]) -> None:
        """Makes this, which is empty, what another one was."""
        self._runs.restore(state)
