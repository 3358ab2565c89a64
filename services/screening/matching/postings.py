"""Which names bear a word: most words are borne by one name, and cost eight bytes."""

from array import array
from bisect import bisect_left, insort
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.uint32]
_NONE: Final[Numbers] = np.empty(0, np.uint32)
_NEVER: Final = (1 << 32) - 1


class PostingsState(msgspec.Struct, frozen=True, array_like=True):
    """To be kept, for the same code on the same machine: arrays as bytes; the names of words that several bear, one after the other."""

    counts: bytes
    single: bytes
    words: list[int]
    many: bytes


class Postings:
    """Numbers of names by number of a word. A word that was never added is none that tells names apart."""

    def __init__(self) -> None:
        self.counts, self.single = array("I"), array("I")
        self.many: dict[int, array[int]] = {}

    def add(self, word: int, name: int) -> bool:
        """The name bears the word; is it the first that ever did?"""
        while len(self.counts) <= word:
            self.counts.append(_NEVER)
            self.single.append(0)
        count = self.counts[word]
        if count in (0, _NEVER):
            self.single[word] = name
            self.counts[word] = 1
            return count == _NEVER
        if count == 1:
            self.many[word] = array("I", sorted((self.single[word], name)))
        elif self.many[word][-1] < name:
            self.many[word].append(name)
        else:
            insort(self.many[word], name)
        self.counts[word] = count + 1
        return False

    def discard(self, word: int, name: int) -> None:
        """The name, which bore it, no longer does."""
        self.counts[word] -= 1
        if many := self.many.get(word):
            del many[bisect_left(many, name)]
            if len(many) == 1:
                self.single[word] = many[0]
                del self.many[word]

    def tells(self, word: int) -> bool:
        """Has it ever told names apart? Else it is only ever part of a legal form."""
        return word < len(self.counts) and self.counts[word] != _NEVER

    def count(self, word: int) -> int:
        """How many names bear it."""
        return self.counts[word] if self.tells(word) else 0

    def of(self, word: int) -> Numbers:
        """Numbers, sorted; a copy, for names may come."""
        count = self.count(word)
        return np.array(self.many[word], np.uint32) if count > 1 else np.array((self.single[word],), np.uint32) if count else _NONE

    def state(self) -> PostingsState:
        """All of it, for `restore`."""
        many = b"".join([numbers.tobytes() for numbers in self.many.values()])
        return PostingsState(self.counts.tobytes(), self.single.tobytes(), list(self.many), many)

    def restore(self, state: PostingsState) -> None:
        """Makes this, which is empty, what another one was."""
        self.counts, self.single, every = array("I", state.counts), array("I", state.single), array("I", state.many)
        at = 0
        for word in state.words:
            self.many[word] = every[at : at + self.counts[word]]
            at += self.counts[word]
