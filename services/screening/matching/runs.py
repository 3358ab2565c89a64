"""64-bit entries, of a key of 31 bits and a number of 32, in a few sorted arrays, each several times as long as the next: a dict would take ten
times the memory. Nothing is ever removed: who finds a number verifies it."""

from array import array
from typing import Final

import numpy as np
from numpy.typing import NDArray

_STEPS: Final = 4  # a run is so many times as long as the next one
_HALF: Final = np.uint64(32)  # key << HALF | number

Keys = NDArray[np.uint64]


class Runs:
    """Numbers by key; who looks for some goes through the runs (see lookup)."""

    def __init__(self) -> None:
        self._runs: list[Keys] = []
        self.where = array("Q")  # of each run its address and how long it is: to hand over arrays takes as long as to look

    def add(self, keys: Keys, numbers: Keys) -> None:
        """Makes the numbers findable by the keys beside them; runs that are not much longer are merged, so that there are few."""
        run = np.sort(keys << _HALF | numbers)
        if not len(run):
            return
        run = run[np.append(True, run[1:] != run[:-1])]
        runs = [*self._runs]  # which must live as long as `where` tells of them
        while runs and len(runs[-1]) < _STEPS * len(run):
            # Two sorted runs one after the other: the stable sort is a merge.
            run = np.concatenate((runs.pop(), run))
            run.sort(kind="stable")
        self._hold([*runs, run])

    def _hold(self, runs: list[Keys]) -> None:
        self._runs = runs
        self.where = array("Q", [number for run in runs for number in (run.ctypes.data, len(run))])

    def state(self) -> list[bytes]:
        """All of it, for `restore`."""
        return [run.tobytes() for run in self._runs]

    def restore(self, state: list[bytes]) -> None:
        """Makes this what another one was."""
        self._hold([np.array(np.frombuffer(run, np.uint64)) for run in state])  # copies, in larger pages (see memory)
