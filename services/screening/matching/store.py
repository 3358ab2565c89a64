"""Names in arrays: a million of them in a fraction of what objects would take, and thousands looked at in one step."""

from array import array
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from services.screening.matching.corpus import Corpus
from services.screening.matching.normalise import Prepared
from services.screening.matching.texts import Texts

Numbers = NDArray[np.uint32]
Floats = NDArray[np.float32]
_SLACK: Final = 2  # the words of names that are gone are swept out once they are so many times those that stand
_FEW: Final = 1 << 16
_BITS: Final = {letter: 1 << (n % 32) for n, letter in enumerate("abcdefghijklmnopqrstuvwxyz0123456789")}


class Source(NamedTuple):
    """Spellings by number, for look-ups in them: which letters each has (as `alphabet`; 0: none stands there), words by number, and for names their words:
    see NameStore; are only the telling ones meant?"""

    alphabets: "array[int]"
    vocabulary: list[str]
    names: tuple["array[int]", "array[int]", "array[int]", bool] | None


class StoreState(msgspec.Struct, frozen=True, array_like=True):
    """A store to be kept, for the same code on the same machine: words by number; names as written; arrays as bytes."""

    words: list[str]
    names: tuple[bytes, bytes, bytes]
    forms: list[tuple[str, ...]]
    alphabets: bytes
    arrays: list[bytes]


class NameStore:
    """Prepared names under small numbers, which are used again after removal; their words under numbers of their own, for ever."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        self.words: dict[str, int] = {}
        self.vocabulary: list[str] = []
        self.legal: set[int] = set()  # words that were ever part of a legal form
        self.lengths, self._word_alphabets = array("B"), array("I")
        self._names = Texts()
        self._free: list[int] = []
        self._form_sets: dict[tuple[str, ...], int] = {}
        self.form_sets: list[tuple[str, ...]] = []
        self.tokens = array("I")  # word << 1 | of a legal form, name after name
        self.starts, self.sizes = array("I"), array("B")
        self._live = 0  # words of names that stand
        self.forms = array("I")
        self.letters, self.core_letters = array("H"), array("H")  # letters of all words, of the telling ones
        self.alphabets, self.core_alphabets = array("I"), array("I")  # which letters these are: see `alphabet`
        self._weights = np.empty(0, np.float32)
        self._seen = (-1, 0)

    def __len__(self) -> int:
        """Names."""
        return len(self.sizes) - len(self._free)

    def put(self, name: Prepared) -> int:
        """The number under which the name now stands."""
        if len(self.tokens) > _SLACK * self._live + _FEW:
            self._sweep()
        if self._free:
            number = self._free.pop()
        else:
            number = len(self.sizes)
            for column in self._columns()[1:]:
                column.append(0)
        self._names.put(number, name.name)
        self.starts[number], self.sizes[number] = len(self.tokens), len(name.tokens)
        self._live += len(name.tokens)
        every = core = 0
        for token, of_form in zip(name.tokens, name.legal, strict=True):
            word = self.word(token)
            self.tokens.append(word << 1 | of_form)
            if of_form:
                self.legal.add(word)
            every |= self._word_alphabets[word]
            core |= 0 if of_form else self._word_alphabets[word]
        self.alphabets[number], self.core_alphabets[number] = every, core
        self.letters[number] = sum(map(len, name.tokens))
        self.core_letters[number] = sum(map(len, name.words))
        forms = self._form_sets.get(name.forms)
        if forms is None:
            forms = self._form_sets[name.forms] = len(self.form_sets)
            self.form_sets.append(name.forms)
        self.forms[number] = forms
        return number

    def word(self, word: str) -> int:
        """Its number, a new one where it was never seen."""
        at = self.words.get(word)
        if at is None:
            at = self.words[word] = len(self.vocabulary)
            self.vocabulary.append(word)
            self.lengths.append(min(255, len(word)))
            self._word_alphabets.append(alphabet((word,)))
        return at

    def remove(self, number: int) -> None:
        """The number may come back with another name."""
        self._names.remove(number)
        self._live -= self.sizes[number]
        self.sizes[number] = self.alphabets[number] = self.core_alphabets[number] = 0
        self._free.append(number)

    def name(self, number: int) -> Prepared:
        """The name under a number in use."""
        at = self.starts[number]
        coded = self.tokens[at : at + self.sizes[number]]
        tokens = tuple([self.vocabulary[code >> 1] for code in coded])
        legal = tuple([code & 1 == 1 for code in coded])
        words = tuple([token for token, of_form in zip(tokens, legal, strict=True) if not of_form])
        return Prepared(self._names.get(number), tokens, legal, words, self.form_sets[self.forms[number]])

    def source(self, *, telling: bool) -> Source:
        """Names written as one word: their telling words, or all of them."""
        return Source(self.core_alphabets if telling else self.alphabets, self.vocabulary, (self.tokens, self.starts, self.sizes, telling))

    def word_source(self) -> Source:
        """Words."""
        return Source(self._word_alphabets, self.vocabulary, None)

    def weights(self) -> Floats:
        """Of all words by number, as the corpus weighs them now; not a number where that is still to be asked for by `weigh`."""
        self._follow()
        return self._weights

    def weigh(self, word: int) -> float:
        """Of a word, remembered."""
        weight = self._corpus.weight(self.vocabulary[word])
        self._weights[word] = weight
        return weight

    def _follow(self) -> None:
        """Forgets the weights of words that the corpus counts otherwise by now."""
        size, (epoch, upto) = len(self.vocabulary), self._seen
        if len(self._weights) < size:
            grown = np.full(max(1024, size + size // 2), np.nan, np.float32)
            grown[: len(self._weights)] = self._weights
            self._weights = grown
        changed = self._corpus.changed
        if epoch != self._corpus.epoch:
            self._weights[:] = np.nan
        elif upto < len(changed):
            known = [at for word in changed[upto:] if (at := self.words.get(word)) is not None]
            self._weights[known] = np.nan
        self._seen = (self._corpus.epoch, len(changed))

    def _sweep(self) -> None:
        """Moves the words of all names together."""
        swept = array("I")
        for number, size in enumerate(self.sizes):
            at = self.starts[number]
            self.starts[number] = len(swept)
            swept.extend(self.tokens[at : at + size])
        self.tokens = swept

    def _columns(self) -> tuple["array[Any]", ...]:
        return (self.tokens, self.starts, self.sizes, self.forms, self.letters, self.core_letters, self.alphabets, self.core_alphabets)

    def state(self) -> StoreState:
        """All of it, for `restore`; to be encoded before it changes."""
        return StoreState(
            self.vocabulary,
            self._names.state(),
            self.form_sets,
            self._word_alphabets.tobytes(),
            [column.tobytes() for column in self._columns()],
        )

    def restore(self, state: StoreState) -> None:
        """Makes this store, which is empty, what another one was."""
        self.vocabulary += state.words
        self.form_sets += state.forms
        self._names.restore(state.names)
        self.words = {word: at for at, word in enumerate(state.words)}
        self.lengths = array("B", [min(255, len(word)) for word in state.words])
        self._word_alphabets = array("I", state.alphabets)
        self._form_sets = {forms: at for at, forms in enumerate(state.forms)}
        for column, content in zip(self._columns(), state.arrays, strict=True):
            column.frombytes(content)
        coded = np.frombuffer(self.tokens, np.uint32)
        self.legal = set(np.unique(coded[coded & np.uint32(1) == 1] >> np.uint32(1)).tolist())
        self._live = sum(self.sizes)
        self._free = [number for number, size in enumerate(self.sizes) if not size]


def alphabet(words: Iterable[str]) -> int:
    """32 bits: which letters the words have. Each that only one of two names has is an edit between them."""
    bits = 0
    for letter in set().union(*words):
        bits |= _BITS.get(letter, 1 << 31)
    return bits
