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
Places = NDArray[np.intp]
Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
_SLACK: Final = 2  # the words of names that are gone are swept out once they are so many times those that stand
_FEW: Final = 1 << 16
_BITS: Final = {letter: 1 << (n % 32) for n, letter in enumerate("abcdefghijklmnopqrstuvwxyz0123456789")}


class Spelling(NamedTuple):
    """How many letters names have, and which: a bit for each, as `alphabet` gives them."""

    letters: Floats
    alphabet: NDArray[np.uint32]


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
        self._singles = array("I")  # words of one letter
        self.legal: set[int] = set()  # words that were ever part of a legal form
        self._lengths, self._word_alphabets = array("B"), array("I")
        self._names = Texts()
        self._free: list[int] = []
        self._form_sets: dict[tuple[str, ...], int] = {}
        self._all_forms: list[tuple[str, ...]] = []
        self._tokens = array("I")  # word << 1 | of a legal form, name after name
        self._start, self._size = array("I"), array("B")
        self._live = 0  # words of names that stand
        self._forms = array("I")
        self._letters, self._core = array("H"), array("H")  # letters of all words, of the telling ones
        self._alphabet, self._core_alphabet = array("I"), array("I")  # which letters these are: see `alphabet`
        self._weights = np.empty(0, np.float32)
        self._seen = (-1, 0)

    def __len__(self) -> int:
        """Names."""
        return len(self._size) - len(self._free)

    def put(self, name: Prepared) -> int:
        """The number under which the name now stands."""
        if len(self._tokens) > _SLACK * self._live + _FEW:
            self._sweep()
        if self._free:
            number = self._free.pop()
        else:
            number = len(self._size)
            for column in self._columns()[1:]:
                column.append(0)
        self._names.put(number, name.name)
        self._start[number], self._size[number] = len(self._tokens), len(name.tokens)
        self._live += len(name.tokens)
        every = core = 0
        for token, of_form in zip(name.tokens, name.legal, strict=True):
            word = self.word(token)
            self._tokens.append(word << 1 | of_form)
            if of_form:
                self.legal.add(word)
            every |= self._word_alphabets[word]
            core |= 0 if of_form else self._word_alphabets[word]
        self._alphabet[number], self._core_alphabet[number] = every, core
        self._letters[number] = sum(map(len, name.tokens))
        self._core[number] = sum(map(len, name.words))
        forms = self._form_sets.get(name.forms)
        if forms is None:
            forms = self._form_sets[name.forms] = len(self._all_forms)
            self._all_forms.append(name.forms)
        self._forms[number] = forms
        return number

    def word(self, word: str) -> int:
        """Its number, a new one where it was never seen."""
        at = self.words.get(word)
        if at is None:
            at = self.words[word] = len(self.vocabulary)
            self.vocabulary.append(word)
            self._lengths.append(min(255, len(word)))
            self._word_alphabets.append(alphabet((word,)))
            if len(word) == 1:
                self._singles.append(at)
        return at

    def remove(self, number: int) -> None:
        """The number may come back with another name."""
        self._names.remove(number)
        self._live -= self._size[number]
        self._size[number] = self._alphabet[number] = self._core_alphabet[number] = 0
        self._free.append(number)

    def name(self, number: int) -> Prepared:
        """The name under a number in use."""
        at = self._start[number]
        coded = self._tokens[at : at + self._size[number]]
        tokens = tuple([self.vocabulary[code >> 1] for code in coded])
        legal = tuple([code & 1 == 1 for code in coded])
        words = tuple([token for token, of_form in zip(tokens, legal, strict=True) if not of_form])
        return Prepared(self._names.get(number), tokens, legal, words, self._all_forms[self._forms[number]])

    def joined(self, number: int) -> str:
        """Its telling words without spaces; empty under a number not in use."""
        at, vocabulary = self._start[number], self.vocabulary
        return "".join([vocabulary[code >> 1] for code in self._tokens[at : at + self._size[number]] if not code & 1])

    def written(self, number: int) -> str:
        """All its words without spaces; empty under a number not in use."""
        at, vocabulary = self._start[number], self.vocabulary
        return "".join([vocabulary[code >> 1] for code in self._tokens[at : at + self._size[number]]])

    def alphabets(self, numbers: Numbers) -> NDArray[np.uint32]:
        """Which letters the words of names have, see `alphabet`; 0 under a number not in use."""
        return np.frombuffer(self._alphabet, np.uint32)[numbers] if len(numbers) else numbers

    def core_alphabets(self, numbers: Numbers) -> NDArray[np.uint32]:
        """Which letters the telling words of names have, see `alphabet`; 0 under a number not in use."""
        return np.frombuffer(self._core_alphabet, np.uint32)[numbers] if len(numbers) else numbers

    def spelling(self, word: int) -> str:
        """The word under a number."""
        return self.vocabulary[word]

    def word_alphabets(self, words: Numbers) -> Numbers:
        """Which letters words have, see `alphabet`."""
        return np.frombuffer(self._word_alphabets, np.uint32)[words] if len(words) else words

    def coded(self, numbers: Numbers) -> tuple[Numbers, Places]:
        """(words << 1 | legal, one name after the other; where each name's begin). Every number is in use, so that none is empty."""
        starts = np.frombuffer(self._start, np.uint32)[numbers].astype(np.intp)
        sizes = np.frombuffer(self._size, np.uint8)[numbers].astype(np.intp)
        ends = np.cumsum(sizes)
        begins = ends - sizes
        at = np.repeat(starts - begins, sizes) + np.arange(ends[-1] if len(ends) else 0)
        return np.frombuffer(self._tokens, np.uint32)[at], begins

    def letters(self, numbers: Numbers) -> tuple[Spelling, Spelling]:
        """How (all words, the telling words) of each name are spelt."""
        every, core = np.frombuffer(self._letters, np.uint16), np.frombuffer(self._core, np.uint16)
        which, of_core = np.frombuffer(self._alphabet, np.uint32), np.frombuffer(self._core_alphabet, np.uint32)
        return Spelling(every[numbers].astype(np.float32), which[numbers]), Spelling(core[numbers].astype(np.float32), of_core[numbers])

    def forms(self, numbers: Numbers) -> NDArray[np.uint32]:
        """The set of legal forms of each name, as `form_set` tells it."""
        return np.frombuffer(self._forms, np.uint32)[numbers]

    def form_set(self, at: int) -> tuple[str, ...]:
        """Legal forms, canonical and sorted."""
        return self._all_forms[at]

    def lengths(self, words: Numbers) -> NDArray[np.uint8]:
        """Letters of each word, at most 255."""
        return np.frombuffer(self._lengths, np.uint8)[words]

    def weights(self, words: Numbers) -> Floats:
        """Of these words, as the corpus weighs them now."""
        self._follow()
        found = self._weights[words]
        unknown = np.unique(words[np.isnan(found)])
        if len(unknown):
            self._weights[unknown] = [self._corpus.weight(self.vocabulary[at]) for at in unknown.tolist()]
            found = self._weights[words]
        return found

    def single(self, words: Numbers) -> Flags:
        """Are they of one letter: initials?"""
        return np.isin(words, np.frombuffer(self._singles, np.uint32)) if self._singles else np.zeros(len(words), np.bool_)

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
        for number, size in enumerate(self._size):
            at = self._start[number]
            self._start[number] = len(swept)
            swept.extend(self._tokens[at : at + size])
        self._tokens = swept

    def _columns(self) -> tuple["array[Any]", ...]:
        return (self._tokens, self._start, self._size, self._forms, self._letters, self._core, self._alphabet, self._core_alphabet)

    def state(self) -> StoreState:
        """All of it, for `restore`; to be encoded before it changes."""
        return StoreState(
            self.vocabulary,
            self._names.state(),
            self._all_forms,
            self._word_alphabets.tobytes(),
            [column.tobytes() for column in self._columns()],
        )

    def restore(self, state: StoreState) -> None:
        """Makes this store, which is empty, what another one was."""
        self.vocabulary, self._all_forms = state.words, state.forms
        self._names.restore(state.names)
        self.words = {word: at for at, word in enumerate(state.words)}
        self._lengths = array("B", [min(255, len(word)) for word in state.words])
        self._word_alphabets = array("I", state.alphabets)
        self._singles = array("I", [at for at, word in enumerate(state.words) if len(word) == 1])
        self._form_sets = {forms: at for at, forms in enumerate(state.forms)}
        for column, content in zip(self._columns(), state.arrays, strict=True):
            column.frombytes(content)
        coded = np.frombuffer(self._tokens, np.uint32)
        self.legal = set(np.unique(coded[coded & np.uint32(1) == 1] >> np.uint32(1)).tolist())
        self._live = sum(self._size)
        self._free = [number for number, size in enumerate(self._size) if not size]


def alphabet(words: Iterable[str]) -> int:
    """32 bits: which letters the words have. Each that only one of two names has is an edit between them."""
    bits = 0
    for letter in set().union(*words):
        bits |= _BITS.get(letter, 1 << 31)
    return bits
