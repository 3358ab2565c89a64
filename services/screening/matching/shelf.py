"""The names of one kind of party, found again by their words: exact, misspelt by up to two edits, joined or split."""

from array import array
from bisect import bisect_left, insort
from collections.abc import Iterable
from heapq import heapify, heappop, heappush
from typing import Final

import msgspec

from services.screening.matching.align import similarity
from services.screening.matching.corpus import Corpus
from services.screening.matching.deletions import Neighbourhoods
from services.screening.matching.normalise import Prepared
from services.screening.matching.score import confidence
from services.screening.matching.settings import FORM_WEIGHT

_MEMO_WORDS: Final = 65_536  # words whose partners are remembered before all are forgotten
_FAR: Final = 9  # letters of words that may be three edits apart, more than the neighbourhoods hold

_Partners = tuple[tuple[tuple[int, ...], float], ...]  # (number of a word here, or of two that it joins; how alike)


class ShelfState(msgspec.Struct, frozen=True, array_like=True):
    """A shelf to be kept, for the same code on the same machine: names by number, words, and the numbers of each word's names as bytes."""

    names: list[Prepared | None]
    words: list[str]
    postings: list[bytes]


class Shelf:
    """Prepared names under small numbers, which are used again after removal.

    Postings hang on distinct words, as sorted arrays of numbers; so does the deletion neighbourhood, so that its size
    follows the vocabulary, not the names.
    """

    def __init__(self, corpus: Corpus, *, counted: bool) -> None:
        """`counted`: the corpus counts the names put here, so that it knows each of their words."""
        self._corpus, self._counted = corpus, counted
        self._names: list[Prepared | None] = []
        self._free: list[int] = []
        self._words: dict[str, int] = {}
        self._vocabulary: list[str] = []
        self._postings: list[array[int]] = []
        self._near = Neighbourhoods()
        self._same: dict[int, tuple[int, ...]] = {}  # hash of the sorted words -> names
        self._memo: dict[str, _Partners] = {}
        self._memo_of = (0, 0)
        self._nearby: dict[str, set[int]] = {}
        self._near_of = 0

    def __len__(self) -> int:
        """Names on the shelf."""
        return len(self._names) - len(self._free)

    def put(self, name: Prepared) -> int:
        """The number under which the name now stands."""
        number = self._free.pop() if self._free else len(self._names)
        if number == len(self._names):
            self._names.append(name)
        else:
            self._names[number] = name
        for word in set(name.words):
            at = self._words.get(word)
            if at is None:
                at = self._words[word] = len(self._vocabulary)
                self._vocabulary.append(word)
                self._postings.append(array("I"))
                self._near.add(word, at)
            posting = self._postings[at]
            if not posting or posting[-1] < number:
                posting.append(number)
            else:
                insort(posting, number)
        self._note_same(name, number)
        return number

    def _note_same(self, name: Prepared, number: int) -> None:
        key = _order_free(name)
        self._same[key] = (*self._same.get(key, ()), number)

    def state(self) -> ShelfState:
        """All of it, for `restore`; to be encoded before the shelf changes."""
        return ShelfState(self._names, self._vocabulary, [posting.tobytes() for posting in self._postings])

    def restore(self, state: ShelfState) -> None:
        """Puts all names of a state on this shelf, which is empty, under their numbers."""
        self._names, self._vocabulary = state.names, state.words
        self._words = {word: at for at, word in enumerate(state.words)}
        self._postings = [array("I", numbers) for numbers in state.postings]
        for at, word in enumerate(state.words):
            self._near.add(word, at)
        for number, name in enumerate(state.names):
            if name is None:
                self._free.append(number)
            else:
                self._note_same(name, number)

    def remove(self, number: int) -> None:
        """Takes the name off; its number may come back with another name."""
        name = self.name(number)
        for word in set(name.words):
            posting = self._postings[self._words[word]]
            del posting[bisect_left(posting, number)]
        key = _order_free(name)
        left = tuple(other for other in self._same.pop(key) if other != number)
        if left:
            self._same[key] = left
        self._names[number] = None
        self._free.append(number)

    def name(self, number: int) -> Prepared:
        """The name under a number in use."""
        found = self._names[number]
        assert found is not None
        return found

    def same_words(self, asked: Prepared) -> list[int]:
        """Names of exactly these words in any order."""
        words = sorted(asked.words)
        return [n for n in self._same.get(_order_free(asked), ()) if sorted(self.name(n).words) == words]

    def candidates(self, asked: Prepared, floor: float, *, persons: bool = False) -> list[int]:
        """All names that may reach the score `floor`, and some others; no cap drops one that could.

        Words with the fewest names are looked up first. A name not met yet has none of the words looked up so far: once
        what remains could not carry it to the floor, the frequent words need no look. Words three edits apart and words
        split in three count only where another word leads to the name.
        """
        self._forget_old()
        words: dict[str, float] = {}
        for word in asked.words:
            words[word] = words.get(word, 0.0) + self._corpus.weight(word)
        forms = FORM_WEIGHT * len(asked.forms)
        met: set[int] = set()
        for _, joined in self._joins(asked.words):
            met.update(self._postings[self._words[joined]])
        may_agree, missed = sum(words.values()), 0.0
        # A word's place is the number of its own names, until it comes up and those of its partners are known.
        waiting = [(self._size(word), word) for word in words]
        heapify(waiting)
        while waiting and confidence(may_agree + forms, 0.0, missed) >= floor:
            place, word = heappop(waiting)
            partners = self._partners(word)
            size = sum(len(self._postings[at[0]]) for at, _ in partners)
            if size > place:
                heappush(waiting, (size, word))
                continue
            for at, _ in partners:
                met.update(self._posting(at))
            may_agree -= words[word]
            if not (persons and len(word) == 1):
                missed += words[word]
        return self._able(asked, words, met, floor, persons) if met else []

    def _able(self, asked: Prepared, words: dict[str, float], met: set[int], floor: float, persons: bool) -> list[int]:
        """Those names of which both sides' words together may reach the floor."""
        gains = self._gains(asked, words)
        total, forms, weight = sum(words.values()), FORM_WEIGHT * len(asked.forms), self._corpus.weight
        far = sum(own for word, own in words.items() if len(word) >= _FAR and not self._settled(word))
        found = []
        for number in met:
            agree, covered, other = forms, 0.0, 0.0
            for word in self.name(number).words:
                gain = gains.get(word) or ((weight(word), far) if far and len(word) >= _FAR else None)
                if gain is None:
                    other += weight(word)
                else:
                    agree += gain[0]
                    covered += gain[1]
            lacking = max(0.0, total - covered)
            against = min(lacking, other), abs(lacking - other)
            if confidence(agree, *against) >= floor or (persons and self._initials(number)):
                found.append(number)
        return found

    def _gains(self, asked: Prepared, words: dict[str, float]) -> dict[str, tuple[float, float]]:
        """For each word here that may stand for one asked: weight that may agree, and weight of the asked name it covers."""
        gains: dict[str, tuple[float, float]] = {}

        def note(word: str, agree: float, covers: float) -> None:
            before = gains.get(word, (0.0, 0.0))
            gains[word] = max(agree, before[0]), max(covers, before[1])

        for part, joined in self._joins(asked.words):
            own = sum(words[word] for word in part)
            note(joined, min(own, self._corpus.weight(joined)), own)
        for word, own in words.items():
            for at, alike in self._partners(word):
                theirs = [self._corpus.weight(self._vocabulary[one]) for one in at]
                for one, weight in zip(at, theirs, strict=True):
                    share = weight / sum(theirs)
                    note(self._vocabulary[one], share * alike * min(own, sum(theirs)), share * own)
        return gains

    def _settled(self, word: str) -> bool:
        """Whether no word here may be a misspelling of it, since the corpus knows both."""
        return self._counted and self._corpus.knows(word)

    def _size(self, word: str) -> int:
        at = self._words.get(word)
        return 0 if at is None else len(self._postings[at])

    def _posting(self, at: tuple[int, ...]) -> Iterable[int]:
        """The names with all these words."""
        first = self._postings[at[0]]
        return set(first).intersection(self._postings[at[1]]) if len(at) > 1 else first

    def _initials(self, number: int) -> bool:
        return any(len(word) == 1 for word in self.name(number).words)

    def _joins(self, words: tuple[str, ...]) -> Iterable[tuple[tuple[str, ...], str]]:
        """Two or three adjacent words of the name, and the word here that they make when written as one."""
        for size in (2, 3):
            for start in range(len(words) - size + 1):
                part = words[start : start + size]
                joined = "".join(part)
                if joined in self._words:
                    yield part, joined

    def expect(self, words: Iterable[str]) -> None:
        """Looks up together what will be asked for soon: many words cost little more than a few."""
        if self._near_of != len(self._vocabulary) or len(self._nearby) >= _MEMO_WORDS:
            self._nearby, self._near_of = {}, len(self._vocabulary)
        new = [word for word in dict.fromkeys(words) if word not in self._nearby and not self._settled(word)]
        if new:
            self._nearby.update(zip(new, self._near.near(new), strict=True))

    def _forget_old(self) -> None:
        """What was remembered of words before the vocabulary or the corpus changed."""
        version = (len(self._vocabulary), self._corpus.version)
        if self._memo_of != version or len(self._memo) >= _MEMO_WORDS:
            self._memo, self._memo_of = {}, version

    def _partners(self, word: str) -> _Partners:
        """Words here that may stand for it, remembered."""
        found = self._memo.get(word)
        if found is None:
            self.expect((word,))
            found = self._memo[word] = tuple(self._find_partners(word))
        return found

    def _find_partners(self, word: str) -> Iterable[tuple[tuple[int, ...], float]]:
        at = self._words.get(word)
        if at is not None:
            yield (at,), 1.0
        known = self._corpus.knows(word)
        for number in () if self._settled(word) else self._nearby[word]:
            other = self._vocabulary[number]
            if other != word and not (known and self._corpus.knows(other)) and (alike := similarity(word, other)):
                yield (number,), alike
        for cut in range(1, len(word)):
            first, second = self._words.get(word[:cut]), self._words.get(word[cut:])
            if first is not None and second is not None:
                yield (first, second), 1.0


def _order_free(name: Prepared) -> int:
    return hash(tuple(sorted(name.words)))
