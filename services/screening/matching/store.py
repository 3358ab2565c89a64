"""Names in arrays: a million of them in a fraction of what objects would take, and thousands looked at in one step."""

from array import array
from collections.abc import Iterable
from itertools import count
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from services.screening.matching.corpus import Corpus, ceiling
from services.screening.matching.edits import signature
from services.screening.matching.names import Names
from services.screening.matching.normalise import Prepared
from services.screening.matching.texts import Texts

Floats = NDArray[np.float32]


class Source(NamedTuple):
    """Spellings by number, for look-ups in them: words (`signatures` and `lengths`: of each), or names, all their words or only the telling
    ones."""

    vocabulary: list[str]
    signatures: "array[int]"
    lengths: "array[int]"
    names: Names | None = None
    telling: bool = False


class StoreState(msgspec.Struct, frozen=True, array_like=True):
    """A store to be kept, for the same code on the same machine: words by number; names as written, and as words; arrays as bytes."""

    words: list[str]
    written: tuple[bytes, bytes, bytes]
    names: tuple[bytes, bytes]
    forms: list[tuple[str, ...]]
    signatures: bytes


class NameStore:
    """Prepared names under small numbers, which are used again after removal; their words under numbers of their own, for ever."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        self.words: dict[str, int] = {}
        self.vocabulary: list[str] = []
        self.legal: set[int] = set()  # words that were ever part of a legal form
        self.lengths, self._signatures = array("H"), array("Q")
        self._ceilings = array("f")  # what words weigh that nobody bears
        self._written = Texts()
        self._free: list[int] = []
        self._form_sets: dict[tuple[str, ...], int] = {}
        self.form_sets: list[tuple[str, ...]] = []
        self.names = Names()
        # Words; names written as one word, all their words or only the telling ones.
        self.word_source = Source(self.vocabulary, self._signatures, self.lengths)
        self.whole_source = self.word_source._replace(names=self.names)
        self.core_source = self.whole_source._replace(telling=True)
        self._weights = np.empty(0, np.float32)
        self._seen = (-1, 0, 0)  # of the corpus, and words

    def __len__(self) -> int:
        """Names."""
        return len(self.names) - len(self._free)

    def put(self, name: Prepared) -> int:
        """The number under which the name now stands."""
        number = self._free.pop() if self._free else len(self.names)
        words = self.words
        coded = [
            (at if (at := words.get(token)) is not None else self._new(token)) << 1 | of_form
            for token, of_form in zip(name.tokens, name.legal, strict=True)
        ]
        forms = self._form_sets.get(name.forms)
        if forms is None:
            forms = self._form_sets[name.forms] = len(self.form_sets)
            self.form_sets.append(name.forms)
        if name.forms:
            self.legal.update([code >> 1 for code in coded if code & 1])
        self.names.put(number, coded, forms, self.lengths, self._signatures)
        self._written.put(number, name.name)
        return number

    def _new(self, word: str) -> int:
        """Its number; it was never seen."""
        at = self.words[word] = len(self.vocabulary)
        self.vocabulary.append(word)
        self.lengths.append(len(word))
        self._signatures.append(signature(word))
        self._ceilings.append(ceiling(word))
        return at

    def remove(self, number: int) -> None:
        """The number may come back with another name."""
        self._written.remove(number)
        self.names.remove(number)
        self._free.append(number)

    def name(self, number: int) -> Prepared:
        """The name under a number in use."""
        tokens, legal, words = self.names.spelt(number, self.vocabulary)
        return Prepared(self._written.get(number), tokens, legal, words, self.form_sets[self.names.forms(number)])

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
        """Forgets the weights of words that the corpus counts otherwise by now. Most words of suppliers no list bears, so that their letters say all."""
        now = (self._corpus.epoch, len(self._corpus.changed), len(self.vocabulary))
        if self._seen == now:
            return
        (epoch, upto, known), size = self._seen, now[-1]
        if size > len(self._weights):
            self._weights = np.concatenate((self._weights[:known], np.empty(max(1024, size + size // 2 - known), np.float32)))
        changed: Iterable[str] = self._corpus.changed[upto:]
        if epoch != self._corpus.epoch:
            known, changed = 0, self._corpus.borne(self.words.keys())
        elif known < size:
            changed = [*changed, *self._corpus.borne({*self.vocabulary[known:]})]
        self._weights[known:size] = self._ceilings[known:]
        at = [number for word in changed if (number := self.words.get(word)) is not None]
        if at:
            self._weights[at] = np.nan
        self._seen = now

    def state(self) -> StoreState:
        """All of it, for `restore`; to be encoded before it changes."""
        return StoreState(self.vocabulary, self._written.state(), self.names.state(), self.form_sets, self._signatures.tobytes())

    def restore(self, state: StoreState) -> None:
        """Makes this store, which is empty, what another one was."""
        self.vocabulary += state.words
        self.form_sets += state.forms
        self._written.restore(state.written)
        self.names.restore(*state.names)
        self.words.update(zip(state.words, count()))
        self.lengths.extend(map(len, state.words))
        self._ceilings.extend(map(ceiling, state.words))
        self._signatures.frombytes(state.signatures)
        self._form_sets = {forms: at for at, forms in enumerate(state.forms)}
        self.legal, self._free = self.names.legal(), self.names.free()
