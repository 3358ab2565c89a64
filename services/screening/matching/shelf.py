"""The names of one kind of party, found again by their words: exact, misspelt by up to two edits, joined or split; and as wholes."""

from typing import Final, NamedTuple

import msgspec

from services.screening.matching.bounds import SHORTEST_WHOLE
from services.screening.matching.corpus import Corpus
from services.screening.matching.deletions import Neighbourhoods
from services.screening.matching.model import Model
from services.screening.matching.normalise import Prepared
from services.screening.matching.partners import LONG, LONG_EDITS, Words
from services.screening.matching.postings import Postings
from services.screening.matching.retrieve import candidates
from services.screening.matching.segments import Segments
from services.screening.matching.store import NameStore, StoreState

_WHOLE_EDITS: Final = 2  # between names written as one word


class ShelfState(msgspec.Struct, frozen=True, array_like=True):
    """A shelf to be kept, for the same code on the same machine."""

    store: StoreState
    postings: tuple[bytes, bytes]
    near: tuple[int, int, list[bytes]]
    long: list[bytes]
    core: list[bytes]
    whole: list[bytes]


class Wanted(NamedTuple):
    """A name asked, and the log odds that others must reach by a model. `persons`: it or they are persons' names."""

    asked: Prepared
    floor: float
    model: Model
    persons: bool = False


class Shelf:
    """Prepared names under small numbers, which are used again after removal.

    Postings hang on distinct words, as sorted arrays of numbers; so does the deletion neighbourhood, so that its size
    follows the vocabulary, not the names.
    """

    def __init__(self, corpus: Corpus, *, counted: bool) -> None:
        """`counted`: the corpus counts the names put here, so that it knows each of their words."""
        self.store = NameStore(corpus)
        self.postings = Postings()
        self._near = Neighbourhoods(self.store.word_source)
        self._long = Segments(LONG_EDITS, LONG, self.store.word_source)
        self._core = Segments(_WHOLE_EDITS, SHORTEST_WHOLE, self.store.core_source)
        # With the legal words, which a slip may make telling ones or glue to one: of names that have any.
        self._whole = Segments(_WHOLE_EDITS, SHORTEST_WHOLE, self.store.whole_source)
        self._words = Words(corpus, self.store, self.postings, self._near, self._long, counted=counted)
        self.met = 0  # names looked at by their words, ever

    def __len__(self) -> int:
        """Names on the shelf."""
        return len(self.store)

    def put(self, name: Prepared) -> int:
        """The number under which the name now stands."""
        self._words.changes += 1
        number = self.store.put(name)
        for word in set(name.words):
            at = self.store.words[word]
            if self.postings.add(at, number):
                self._near.add(word, at)
                self._long.add(word, at)
        self._core.add(name.joined, number)
        if len(name.words) < len(name.tokens):
            self._whole.add(name.written, number)
        return number

    def remove(self, number: int) -> None:
        """Takes the name off; its number may come back with another name."""
        self._words.changes += 1
        name = self.name(number)
        for word in set(name.words):
            self.postings.discard(self.store.words[word], number)
        self.store.remove(number)

    def state(self) -> ShelfState:
        """All of it, for `restore`; to be encoded before the shelf changes."""
        return ShelfState(
            self.store.state(), self.postings.state(), self._near.state(), self._long.state(), self._core.state(), self._whole.state()
        )

    def restore(self, state: ShelfState) -> None:
        """Puts all names of a state on this shelf, which is empty, under their numbers."""
        self._words.changes += 1
        self.store.restore(state.store)
        self.postings.restore(*state.postings)
        self._near.restore(state.near)
        self._long.restore(state.long)
        self._core.restore(state.core)
        self._whole.restore(state.whole)

    def name(self, number: int) -> Prepared:
        """The name under a number in use."""
        return self.store.name(number)

    def same_words(self, asked: Prepared) -> list[int]:
        """Names of exactly these words in any order."""
        words = sorted(asked.words)
        rarest = min(words, key=self._words.frequency, default="")
        at = self.store.words.get(rarest)
        return [n for n in (self.postings.numbers(at) if at is not None else ()) if sorted(self.name(n).words) == words]

    def candidates(self, wanted: list[Wanted]) -> list[list[int]]:
        """Of each all names that may reach its floor, and some others; see retrieve. Names that are the same within two edits, written as one,
        are always among them."""
        found = candidates(wanted, self._words)
        self.met += sum([met for _, met in found])
        wholes = [self._near_wholes(one.asked) for one in wanted]
        return [sorted(near.union(numbers)) for near, (numbers, _) in zip(wholes, found, strict=True)]

    def _near_wholes(self, name: Prepared) -> set[int]:
        """Names that are the same within two edits, written as one: their telling words, or all of them."""
        found = self._core.near(name.joined).keys() | self._whole.near(name.written).keys()
        return found | self._core.near(name.written).keys() if len(name.words) < len(name.tokens) else found
