"""64-bit entries, of a key of 31 bits and a number of 32, in a few sorted arrays, each several times as long as the next: a dict would take ten
times the memory. Nothing is ever removed: who finds a number verifies it."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_STEPS: Final = 4  # a run is so many times as long as the next one
HALF, LOW = np.uint64(32), np.uint64((1 << 32) - 1)  # key << HALF | number
_HIGH = np.uint64(1 << 32)

Keys = NDArray[np.uint64]


class Runs:
    """Numbers by key."""

    def __init__(self) -> None:
        self._runs: list[Keys] = []

    def add(self, keys: Keys, numbers: Keys) -> None:
        """Makes the numbers findable by the keys beside them; runs that are not much longer are merged, so that there are few."""
        run = np.unique(keys << HALF | numbers)
        if not len(run):
            return
        while self._runs and len(self._runs[-1]) < _STEPS * len(run):
            # Two sorted runs one after the other: the stable sort is a merge.
            run = np.sort(np.concatenate((self._runs.pop(), run)), kind="stable")
        self._runs.append(run)

    def find(self, keys: Keys) -> tuple[NDArray[np.intp], NDArray[np.uint32]]:
        """(place of the key asked, a number under it), for each that there is."""
        order = np.argsort(keys)  # who looks for one after the other stays near in memory: three times as quick
        starts = keys[order] << HALF
        rows: list[NDArray[np.intp]] = []
        numbers: list[NDArray[np.uint32]] = []
        for run in self._runs:
            at = run.searchsorted(starts)
            # Behind the end stands nothing: the last entry is less than what is asked, and the difference wraps to a large one.
            hits = np.flatnonzero(run[np.minimum(at, len(run) - 1)] - starts < _HIGH)
            if len(hits):
                first = at[hits]
                counts = run.searchsorted(starts[hits] + _HIGH) - first
                every = np.repeat(first - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
                rows.append(np.repeat(order[hits], counts))
                numbers.append((run[every] & LOW).astype(np.uint32))
        if not rows:
            return np.empty(0, np.intp), np.empty(0, np.uint32)
        return np.concatenate(rows), np.concatenate(numbers)

    def state(self) -> list[bytes]:
        """All of it, for `restore`."""
        return [run.tobytes() for run in self._runs]

    def restore(self, state: list[bytes]) -> None:
        """Makes this what another one was."""
        self._runs = [np.frombuffer(run, np.uint64) for run in state]
