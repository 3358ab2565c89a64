"""The names of one kind of party, found again by their words: exact, misspelt by up to two edits, joined or split; and as wholes."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
import numpy as np
from rapidfuzz.distance import OSA
from rapidfuzz.process import cpdist

from services.screening.matching.align import likeness
from services.screening.matching.bounding import nearly
from services.screening.matching.corpus import Corpus
from services.screening.matching.deletions import Neighbourhoods
from services.screening.matching.model import Model
from services.screening.matching.normalise import Prepared
from services.screening.matching.postings import Postings, PostingsState
from services.screening.matching.retrieve import Partners, candidates
from services.screening.matching.segments import Segments
from services.screening.matching.settings import SHORTEST_WHOLE, TWICE_SIMILARITY, edit_limit
from services.screening.matching.store import NameStore, Numbers, StoreState

_MEMO_WORDS: Final = 65_536  # words whose partners are remembered before all are forgotten
_MOST_EDITS: Final = 2  # between words, as far as neighbourhoods reach
_LONG_EDITS: Final = 3  # between long words
_LONG: Final = 9  # letters of words that may be so far from one of twelve
_WHOLE_EDITS: Final = 2  # between names written as one word
_MOST_FORGIVEN: Final = np.array(  # edits, by the letters of the longer word
    [min(_MOST_EDITS, max(edit_limit(n), int((1 - TWICE_SIMILARITY) * n))) for n in range(256)], np.uint8
)


class ShelfState(msgspec.Struct, frozen=True, array_like=True):
    """A shelf to be kept, for the same code on the same machine."""

    store: StoreState
    postings: PostingsState
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
        self._corpus, self._counted = corpus, counted
        self._store = NameStore(corpus)
        self._postings = Postings()
        self._near = Neighbourhoods()
        self._long = Segments(_LONG_EDITS, _LONG, self._store.spelling, self._store.word_alphabets)
        self._core = Segments(_WHOLE_EDITS, SHORTEST_WHOLE, self._store.joined, self._store.core_alphabets)
        # With the legal words, which a slip may make telling ones or glue to one: of names that have any.
        self._whole = Segments(_WHOLE_EDITS, SHORTEST_WHOLE, self._store.written, self._store.alphabets)
        self._memo: dict[str, Partners] = {}
        self._memo_of = (0, 0)
        self._nearby: dict[str, list[tuple[int, float]]] = {}
        self._near_of = 0
        self._changes = 0
        self._misread: dict[str, bool] = {}
        self._misreadings: dict[str, Numbers] = {}
        self._misread_of = -1
        self.met = 0  # names looked at by their words, ever
        self._ready: dict[str, list[int]] = {}
        self._ready_for: tuple[tuple[int, int], Model, bool] | None = None
        self._ready_floor = 0.0

    def __len__(self) -> int:
        """Names on the shelf."""
        return len(self._store)

    def put(self, name: Prepared) -> int:
        """The number under which the name now stands."""
        self._changes += 1
        number = self._store.put(name)
        for word in set(name.words):
            at = self._store.words[word]
            if self._postings.add(at, number):
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
            self._postings.discard(self._store.words[word], number)
        self._core.removed()
        self._whole.removed()
        self._store.remove(number)

    def state(self) -> ShelfState:
        """All of it, for `restore`; to be encoded before the shelf changes."""
        return ShelfState(
            self._store.state(), self._postings.state(), self._near.state(), self._long.state(), self._core.state(), self._whole.state()
        )

    def restore(self, state: ShelfState) -> None:
        """Puts all names of a state on this shelf, which is empty, under their numbers."""
        self._store.restore(state.store)
        self._postings.restore(state.postings)
        self._near.restore(state.near)
        self._long.restore(state.long)
        self._core.restore(state.core)
        self._whole.restore(state.whole)

    def name(self, number: int) -> Prepared:
        """The name under a number in use."""
        return self._store.name(number)

    def same_words(self, asked: Prepared) -> list[int]:
        """Names of exactly these words in any order."""
        words = sorted(asked.words)
        rarest = min(words, key=self.frequency, default="")
        at = self._store.words.get(rarest)
        return [n for n in (self._postings.of(at).tolist() if at is not None else ()) if sorted(self.name(n).words) == words]

    def candidates(self, asked: Prepared, floor: float, model: Model, *, persons: bool = False) -> list[int]:
        """All names that may reach the log odds `floor`, and some others; see retrieve. Names that are the same within two edits, written as one,
        are always among them."""
        ready = self._ready.get(asked.name) if self._ready_for == (self._stamp(), model, persons) and floor >= self._ready_floor else None
        return self._many((asked,), floor, model, persons=persons)[0] if ready is None else ready

    def expect(self, names: Sequence[Prepared], floor: float, model: Model, *, persons: bool = False) -> None:
        """Looks up what will be asked for next, by this floor or a higher one: many names together cost little more than a few."""
        found = self._many(names, floor, model, persons=persons) if names else []
        self._ready = {name.name: numbers for name, numbers in zip(names, found, strict=True)}
        self._ready_for, self._ready_floor = (self._stamp(), model, persons), floor

    def _stamp(self) -> tuple[int, int]:
        return (self._changes, self._corpus.version)

    def _many(self, asked: Sequence[Prepared], floor: float, model: Model, *, persons: bool) -> list[list[int]]:
        self._forget_old()
        self._core.expect([spelt for name in asked for spelt in (name.joined, name.written)])
        self._whole.expect([name.written for name in asked])
        self._expect_words([word for name in asked for word in name.words if word not in self._memo])
        found, met = candidates(asked, self, self._store, self._corpus.weight, model, floor, persons=persons)
        self.met += met
        return [sorted(self._near_wholes(name).union(numbers)) for name, numbers in zip(asked, found, strict=True)]

    def _near_wholes(self, name: Prepared) -> set[int]:
        """Names that are the same within two edits, written as one: their telling words, or all of them."""
        found = self._core.near(name.joined) | self._whole.near(name.written)
        return found | self._core.near(name.written) if len(name.words) < len(name.tokens) else found

    # ---- what retrieval asks of the words ----

    def partners(self, word: str) -> Partners:
        """What it may stand for, remembered."""
        found = self._memo.get(word)
        if found is None:
            self._expect_words((word,))
            found = self._memo[word] = self._find_partners(word)
        return found

    def joins(self, name: Prepared) -> list[tuple[tuple[str, ...], int]]:
        """Two or three adjacent words of the name, legal ones among them, and the word here that they make when written as one."""
        found, words, tokens = [], self._store.words, name.tokens
        for size in (2, 3):
            for start in range(len(tokens) - size + 1):
                part = tokens[start : start + size]
                for spelt in ("".join(part), part[1] + part[0]) if size == 2 else ("".join(part),):
                    at = words.get(spelt)
                    if at is not None and self._postings.count(at):
                        found.append((part, at))
        return found

    def names_with(self, word: int) -> Numbers:
        """Numbers, sorted; a copy, for the shelf may grow."""
        return self._postings.of(word)

    def frequency(self, word: str) -> int:
        """Names that bear it."""
        at = self._store.words.get(word)
        return 0 if at is None else self._postings.count(at)

    def misreadings(self, legal: str) -> Numbers:
        """Words here that may be this legal one, misread: the same as a telling word, or near to it."""
        found = self._misreadings.get(legal)
        if found is None:
            self._expect_words((legal,))
            at = self._store.words.get(legal)
            near = [number for number, _ in self._nearby.get(legal, ())]
            found = self._misreadings[legal] = np.array(near if at is None else [*near, at], np.uint32)
        return found

    def may_be_legal(self, words: Sequence[str]) -> set[str]:
        """Those of the words that may be a legal word of names here: the same, several written as one, or near to one and otherwise unknown."""
        numbers, legal = self._store.words, self._store.legal
        if self._misread_of != len(legal):
            self._misread, self._misread_of = {}, len(legal)
        new = [word for word in dict.fromkeys(words) if word not in self._misread]
        if new:
            spelt = [self._store.vocabulary[at] for at in sorted(legal)]
            for word, near in zip(new, np.any(nearly(new, spelt), axis=1), strict=True):
                parted = any(numbers.get(word[:cut]) in legal and numbers.get(word[cut:]) in legal for cut in range(1, len(word)))
                self._misread[word] = parted or numbers.get(word) in legal or bool(near and not self._corpus.knows(word))
        return {word for word in words if self._misread[word]}

    def settled(self, word: str) -> bool:
        """Whether no word here may be a misspelling of it, since the corpus knows both."""
        return self._counted and self._corpus.knows(word)

    def _expect_words(self, words: Iterable[str]) -> None:
        size = len(self._store.vocabulary)
        if self._near_of != size or len(self._nearby) >= _MEMO_WORDS:
            self._nearby, self._misreadings, self._near_of = {}, {}, size
        new = [word for word in dict.fromkeys(words) if word not in self._nearby and not self.settled(word)]
        if not new:
            return
        near: dict[str, list[tuple[int, float]]] = {word: [] for word in new}
        rows, numbers = self._near.near(new)
        longer = np.maximum(np.array([min(255, len(word)) for word in new], np.uint8)[rows], self._store.lengths(numbers))
        vocabulary, knows = self._store.vocabulary, self._corpus.knows
        mine, theirs = [new[row] for row in rows.tolist()], [vocabulary[number] for number in numbers.tolist()]
        edits = cpdist(mine, theirs, scorer=OSA.distance, score_cutoff=_MOST_EDITS, dtype=np.uint8) if mine else np.empty(0, np.uint8)
        for n in np.flatnonzero((edits > 0) & (edits <= _MOST_FORGIVEN[longer])).tolist():
            word, other = mine[n], theirs[n]
            if not (knows(word) and knows(other)) and (alike := likeness(word, other, int(edits[n]))):
                near[word].append((int(numbers[n]), alike))
        self._expect_long([word for word in new if len(word) >= _LONG], near)
        self._nearby.update(near)

    def _expect_long(self, words: Sequence[str], near: dict[str, list[tuple[int, float]]]) -> None:
        """Adds what is further from long words than neighbourhoods reach."""
        vocabulary, knows = self._store.vocabulary, self._corpus.knows
        self._long.expect(words)
        for word in words:
            for number in self._long.near(word):
                other = vocabulary[number]
                if edit_limit(max(len(word), len(other))) < _LONG_EDITS or (knows(word) and knows(other)):
                    continue
                edits = OSA.distance(word, other)
                if edits > _MOST_EDITS and (alike := likeness(word, other, edits)):
                    near[word].append((number, alike))

    def _forget_old(self) -> None:
        """What was remembered of words before names came or went, or the corpus changed."""
        version = self._stamp()
        if self._memo_of != version or len(self._memo) >= _MEMO_WORDS:
            self._memo, self._memo_of = {}, version
            self._misread = {}

    def _find_partners(self, word: str) -> Partners:
        words, borne, tells = self._store.words, self._postings.count, self._postings.tells
        at = words.get(word)
        own = [(at, 1.0)] if at is not None and borne(at) else []
        near = own + [one for one in self._nearby.get(word, ()) if borne(one[0])]
        pairs: list[tuple[int, int | None]] = []
        for cut in range(1, len(word)):
            first, second = words.get(word[:cut]), words.get(word[cut:])
            if first is None or second is None:
                continue
            if borne(first) and borne(second):
                pairs.append((first, second))
            elif borne(first) and not tells(second):  # a legal word glued to it
                pairs.append((first, None))
            elif borne(second) and not tells(first):
                pairs.append((second, None))
        numbers = np.array([number for number, _ in near], np.uint32)
        names = [self._postings.of_any(numbers)]
        for first, second in pairs:
            one = self.names_with(first)
            names.append(one if second is None else np.intersect1d(one, self.names_with(second), assume_unique=True))
        alike = np.array([alike for _, alike in near], np.float32)
        return Partners(numbers, alike, tuple(pairs), names[0] if len(near) == 1 and not pairs else np.unique(np.concatenate(names)))
