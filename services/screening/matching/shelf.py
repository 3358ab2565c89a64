"""The names of one kind of party, found again by their words: exact, misspelt by up to two edits, joined or split; and as wholes."""

from array import array
from collections.abc import Sequence
from functools import partial
from itertools import permutations
from typing import Final

import msgspec

from services.screening.matching.bounds import SHORTEST_WHOLE
from services.screening.matching.corpus import Corpus
from services.screening.matching.deletions import Neighbourhoods
from services.screening.matching.edits import likeness, near_which
from services.screening.matching.model import Model
from services.screening.matching.normalise import Prepared
from services.screening.matching.postings import Postings
from services.screening.matching.retrieve import Partners, candidates
from services.screening.matching.seen import Seen
from services.screening.matching.segments import Segments
from services.screening.matching.settings import TWICE_SIMILARITY, edit_limit
from services.screening.matching.store import NameStore, StoreState
from services.screening.matching.wordforms import other_numbers

_MEMO_WORDS: Final = 65_536  # words whose partners are remembered before all are forgotten
_MOST_EDITS: Final = 2  # between words, as far as neighbourhoods reach
_LONG_EDITS: Final = 3  # between long words
_LONGER: Final = next(n for n in range(99) if edit_limit(n) == _LONG_EDITS)  # letters of words that are forgiven so many
_LONG: Final = _LONGER - _LONG_EDITS  # letters of words that may be so far from one of these
_WHOLE_EDITS: Final = 2  # between names written as one word
_FORGIVEN: Final = bytes(edit_limit(n) for n in range(256))  # edits, by the letters of the longer word
_MOST_FORGIVEN: Final = bytes(min(_MOST_EDITS, max(edit_limit(n), int((1 - TWICE_SIMILARITY) * n))) for n in range(256))


class ShelfState(msgspec.Struct, frozen=True, array_like=True):
    """A shelf to be kept, for the same code on the same machine."""

    store: StoreState
    postings: tuple[bytes, bytes]
    near: tuple[int, int, list[bytes]]
    long: list[bytes]
    core: list[bytes]
    whole: list[bytes]


class Shelf:
    """Prepared names under small numbers, which are used again after removal.

    Postings hang on distinct words, as sorted arrays of numbers; so does the deletion neighbourhood, so that its size
    follows the vocabulary, not the names.
    """

    def __init__(self, corpus: Corpus, *, counted: bool) -> None:
        """`counted`: the corpus counts the names put here, so that it knows each of their words."""
        self._corpus, self._counted, self.weight = corpus, counted, corpus.weight
        self.store = NameStore(corpus)
        self.postings = Postings()
        self._near = Neighbourhoods(self.store.word_source)
        self._long = Segments(_LONG_EDITS, _LONG, self.store.word_source)
        self._core = Segments(_WHOLE_EDITS, SHORTEST_WHOLE, partial(self.store.source, telling=True))
        # With the legal words, which a slip may make telling ones or glue to one: of names that have any.
        self._whole = Segments(_WHOLE_EDITS, SHORTEST_WHOLE, partial(self.store.source, telling=False))
        self.seen = Seen()
        self._partners: dict[str, Partners] = {}
        self._partners_of = (0, 0)
        self._nearby: dict[str, tuple[array[int], array[float]]] = {}
        self._misreadings: dict[tuple[str, ...], set[int]] = {}
        self._nearby_of = (0, 0)
        self._changes = 0
        self._near_legal: dict[str, tuple[set[int], set[int]]] = {}
        self._near_legal_of = -1
        self._legal: dict[str, int] = {}
        self._legal_spelt: list[str] = []
        self.met = 0  # names looked at by their words, ever

    def __len__(self) -> int:
        """Names on the shelf."""
        return len(self.store)

    def put(self, name: Prepared) -> int:
        """The number under which the name now stands."""
        self._changes += 1
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
        self._changes += 1
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
        rarest = min(words, key=self.frequency, default="")
        at = self.store.words.get(rarest)
        return [n for n in (self.postings.numbers(at) if at is not None else ()) if sorted(self.name(n).words) == words]

    def candidates(self, asked: Prepared, floor: float, model: Model, *, persons: bool = False) -> list[int]:
        """All names that may reach the log odds `floor`, and some others; see retrieve. Names that are the same within two edits, written as one,
        are always among them."""
        self._forget_old()
        found, met = candidates(asked, self, model, floor, persons=persons)
        self.met += met
        return sorted(self._near_wholes(asked).union(found))

    def _near_wholes(self, name: Prepared) -> set[int]:
        """Names that are the same within two edits, written as one: their telling words, or all of them."""
        found = self._core.near(name.joined).keys() | self._whole.near(name.written).keys()
        return found | self._core.near(name.written).keys() if len(name.words) < len(name.tokens) else found

    # ---- what retrieval asks of the words ----

    def partners(self, word: str) -> Partners:
        """What it may stand for, remembered."""
        found = self._partners.get(word)
        if found is None:
            found = self._partners[word] = self._find_partners(word)
        return found

    def joins(self, name: Prepared) -> list[tuple[tuple[str, ...], int]]:
        """Two words of the name, or three that follow each other, legal ones among them, and the word here, maybe a legal one, that they make when written
        as one."""
        words, tokens = self.store.words, name.tokens
        parts = [*permutations(tokens, 2), *zip(tokens, tokens[1:], tokens[2:], strict=False)]
        spelt = [(part, words.get("".join(part))) for part in parts]
        return [(part, at) for part, at in spelt if at is not None and (at in self.store.legal or self.postings.count(at))]

    def frequency(self, word: str) -> int:
        """Names that bear it."""
        at = self.store.words.get(word)
        return 0 if at is None else self.postings.count(at)

    def misreadings(self, name: Prepared) -> set[int]:
        """Words here that may be a legal one of the name, or several written as one, misread: the same as a telling word, near to it, or two that make it."""
        legal = _legal_words(name)
        self._forget_nearby()
        found = self._misreadings.get(legal)
        if found is None:
            found = self._misreadings[legal] = {number for word in legal for number in self._near_words(word)[0]}
            found |= {at for word in legal if (at := self.store.words.get(word)) is not None}
            found |= {at for word in legal for pair in self._parted(word) for at in pair}
        return found

    def may_be_legal(self, words: Sequence[str]) -> dict[str, set[int]]:
        """Those of the words that may be legal words of names here, and which: the same, several written as one, or near to one and otherwise unknown."""
        if self._near_legal_of != len(self.store.legal) or len(self._near_legal) >= _MEMO_WORDS:
            self._near_legal, self._near_legal_of = {}, len(self.store.legal)
            self._legal = {self.store.vocabulary[at]: at for at in sorted(self.store.legal)}
            self._legal_spelt = list(self._legal)
        found = {}
        for word in words:
            known = self._near_legal.get(word)
            if known is None:
                known = self._near_legal[word] = self._as_legal(word)
            if which := known[not self._corpus.knows(word)]:
                found[word] = which
        return found

    def _as_legal(self, word: str) -> tuple[set[int], set[int]]:
        """Legal words that it is, or two that it is written as one; and these with those that it is near to."""
        legal = self._legal
        same = {legal[word]} if word in legal else set()
        for cut in range(1, len(word)):
            if word[:cut] in legal and word[cut:] in legal:
                same |= {legal[word[:cut]], legal[word[cut:]]}
        return same, same.union([legal[self._legal_spelt[place]] for place in near_which(word, self._legal_spelt, _FORGIVEN)])

    def settled(self, word: str) -> bool:
        """Whether no word here may be a misspelling of it, since the corpus knows both; its plural may."""
        return self._counted and self._corpus.knows(word)

    def _near_words(self, word: str) -> tuple["array[int]", "array[float]"]:
        """Other words here that it may be misspelt for, and how alike they are."""
        self._forget_nearby()
        found = self._nearby.get(word)
        if found is None:
            found = self._nearby[word] = (array("I"), array("d")) if self.settled(word) else self._find_near(word)
            if self._corpus.knows(word):
                self._add_other_numbers(word, *found)
        return found

    def _add_other_numbers(self, word: str, numbers: "array[int]", likenesses: "array[float]") -> None:
        """Its plural or singular here, where both are known: else it is near in any case."""
        for other in other_numbers(word):
            at = self.store.words.get(other)
            if at is not None and self._corpus.knows(other):
                numbers.append(at)
                likenesses.append(1 - 1 / max(len(word), len(other)))

    def _find_near(self, word: str) -> tuple["array[int]", "array[float]"]:
        vocabulary, knows = self.store.vocabulary, self._corpus.knows
        known = knows(word)
        numbers, likenesses = self._near.near(word, _MOST_FORGIVEN, self._corpus.known() if known else ())
        if len(word) >= _LONG:
            # Further than neighbourhoods reach: one of the two must be long enough to be forgiven so many edits.
            for number, edits in self._long.near(word, least=_LONG if len(word) >= _LONGER else _LONGER).items():
                if (
                    edits > _MOST_EDITS
                    and not (known and knows(vocabulary[number]))
                    and (alike := likeness(word, vocabulary[number], edits))
                ):
                    numbers.append(number)
                    likenesses.append(alike)
        return numbers, likenesses

    def _forget_nearby(self) -> None:
        version = (len(self.store.vocabulary), self._corpus.forgotten)
        if self._nearby_of != version or len(self._nearby) >= _MEMO_WORDS or len(self._misreadings) >= _MEMO_WORDS:
            self._nearby, self._misreadings, self._nearby_of = {}, {}, version

    def _forget_old(self) -> None:
        """What was remembered of words before names came or went, or the corpus changed."""
        version = (self._changes, self._corpus.version)
        if self._partners_of != version or len(self._partners) >= _MEMO_WORDS:
            self._partners, self._partners_of = {}, version

    def _parted(self, word: str) -> list[tuple[int, int]]:
        """Words here, by two, that are the word where they are written as one."""
        words = self.store.words
        pairs = [(words.get(word[:cut]), words.get(word[cut:])) for cut in range(1, len(word))]
        return [(first, second) for first, second in pairs if first is not None and second is not None]

    def _find_partners(self, word: str) -> Partners:
        legal, borne = self.store.legal, self.postings.count
        at = self.store.words.get(word)
        numbers, alike, many = self.postings.borne(-1 if at is None else at, *self._near_words(word))
        pairs: list[tuple[int, int | None]] = []
        for first, second in self._parted(word):
            if borne(first) and borne(second):
                pairs.append((first, second))
            if borne(first) and second in legal:  # a legal word glued to it
                pairs.append((first, None))
            if borne(second) and first in legal:
                pairs.append((second, None))
        both = [self.postings.both(first, first if second is None else second) for first, second in pairs]
        return Partners(numbers, alike, tuple(pairs), both, many + sum(map(len, both)))


def _legal_words(name: Prepared) -> tuple[str, ...]:
    """Its legal words, and adjacent ones written as one."""
    found = set()
    for size in (1, 2, 3):
        for at in range(len(name.tokens) - size + 1):
            if all(name.legal[at : at + size]):
                found.add("".join(name.tokens[at : at + size]))
    return tuple(sorted(found))
