"""How high the score of names can be at most: many names, all at once, first by little of what is known of them, then word by word."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA
from rapidfuzz.process import cdist

from services.screening.matching.features import forms_evidence
from services.screening.matching.model import NO_HIT, Model
from services.screening.matching.normalise import Prepared
from services.screening.matching.runs import HALF, LOW, Keys
from services.screening.matching.settings import edit_limit
from services.screening.matching.store import Flags, Floats, NameStore, Numbers, Spelling, alphabet

BITS: Final = 16  # distinct words of a name that are told apart; the rest counts as covered
APART: Final = 3  # edits at least between names that each have another word: those that are nearer are found as wholes
LONGER: Final = 3  # letters by which a word may be longer than the one that it stands for

_FORGIVEN: Final = np.array([edit_limit(letters) for letters in range(256)], np.uint8)

Rows = NDArray[np.intp]


class Queries:
    """What is asked, in arrays with one entry a name."""

    def __init__(self, asked: Sequence[Prepared]) -> None:
        self.own = np.zeros((len(asked), BITS), np.float32)  # weight of each distinct word, as often as it stands there
        self.single = np.zeros((len(asked), BITS), np.float32)  # the same, once
        self.words = np.array([len(set(name.words)) for name in asked], np.float32)
        self.many = np.array([len(name.words) for name in asked], np.float32)
        self.lone = self.many == 1
        self.legal = np.array([len(name.forms) for name in asked], np.float32)
        self.forms = [name.forms for name in asked]
        self.legal_words = [_legal_words(name) for name in asked]
        # Words that may be misread legal ones: which, how many, what they weigh.
        self.misread = np.zeros(len(asked), np.uint32)
        self.misread_words, self.misread_weight = np.zeros(len(asked), np.float32), np.zeros(len(asked), np.float32)
        self.every = _spelt([name.tokens for name in asked])
        self.core = _spelt([name.words for name in asked])

    def may_be_legal(self, row: int, at: int, weight: float) -> None:
        """The word at this place, of such a weight, may be a misread legal one."""
        self.misread[row] |= np.uint32(1 << at if at < BITS else 0)
        self.misread_words[row] += 1
        self.misread_weight[row] += weight


def _legal_words(name: Prepared) -> tuple[str, ...]:
    """Its legal words, and adjacent ones written as one."""
    found = set()
    for size in (1, 2, 3):
        for at in range(len(name.tokens) - size + 1):
            if all(name.legal[at : at + size]):
                found.add("".join(name.tokens[at : at + size]))
    return tuple(sorted(found))


def _spelt(asked: Sequence[Sequence[str]]) -> Spelling:
    return Spelling(
        np.array([sum(map(len, words)) for words in asked], np.float32), np.array([alphabet(words) for words in asked], np.uint32)
    )


class Met(NamedTuple):
    """Names met together, by one word of a name asked or by several written as one: what these weigh, how many they are, and the most
    letters of what may stand for them, as often as they stand in the name asked."""

    numbers: Numbers
    weight: float
    many: int
    letters: int


class Gains:
    """(row << 32 | word) -> weight that may agree, weight of the pair that it may be part of, weight that misspelling takes from it at least, which of
    the asked words it covers."""

    def __init__(self) -> None:
        self._words: list[Numbers] = []
        self._alike: list[Floats] = []
        self._asked: list[tuple[int, int, float]] = []  # of each of these: row, which of its words, what that weighs
        self._single: list[tuple[int, float, float, float, int]] = []

    def partners(self, row: int, bit: int, weight: float, words: Numbers, alike: Floats) -> None:
        """Words that each may stand for this one."""
        self._words.append(words)
        self._alike.append(alike)
        self._asked.append((row, bit, weight))

    def part(self, row: int, word: int, agree: float, whole: float, bits: int) -> None:
        """A word that is a part of what agrees."""
        self._single.append((row << 32 | word, agree, whole, 0.0, bits))

    def merged(self, store: NameStore) -> tuple[Keys, Floats, Floats, Floats, NDArray[np.uint32]]:
        """Each key once, in order, with the best of each."""
        single = self._single or [(2**64 - 1, 0.0, 0.0, 0.0, 0)]
        columns = list(zip(*single, strict=True))
        keys, covers = np.array(columns[0], np.uint64), np.array(columns[4], np.uint32)
        agree, whole, lost = (np.array(column, np.float32) for column in columns[1:4])
        if self._words:
            words, sizes = np.concatenate(self._words), [len(some) for some in self._words]
            rows, bits, weights = (
                np.repeat(np.array(column, of), sizes)
                for column, of in zip(zip(*self._asked, strict=True), (np.uint64, np.uint32, np.float32), strict=True)
            )
            lighter = np.minimum(weights, store.weights(words))
            near = np.concatenate(self._alike) * lighter
            keys, covers = np.concatenate((keys, rows << HALF | words)), np.concatenate((covers, bits))
            agree, whole, lost = np.concatenate((agree, near)), np.concatenate((whole, near)), np.concatenate((lost, lighter - near))
        keys, order, first = _grouped(keys)
        agree, whole = np.maximum.reduceat(agree[order], first), np.maximum.reduceat(whole[order], first)
        return keys, agree, whole, np.minimum.reduceat(lost[order], first), np.bitwise_or.reduceat(covers[order], first)


def _grouped(keys: Keys) -> tuple[Keys, Rows, Rows]:
    """(each key once, sorted; the order that sorts them all; where in it each key begins)."""
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    first = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
    return keys[first], order, first


def first_look(
    met: Sequence[Met], rows: Sequence[int], rest: Sequence[Met], queries: Queries, store: NameStore, model: Model
) -> tuple[Rows, Numbers, Floats]:
    """(row asked, number of a name, the highest log odds) of all that were met, by how long names are, which letters they have, and which words asked
    they were met by. `rest`, one a row: words by which nobody was looked up, that may stand in any name."""
    sizes = [len(one.numbers) for one in met]
    keys = np.repeat(np.array(rows, np.uint64), sizes) << HALF | np.concatenate([one.numbers for one in met])
    keys, order, first = _grouped(keys)
    row_of, numbers = (keys >> HALF).astype(np.intp), (keys & LOW).astype(np.uint32)
    weight, count, letters = (
        np.add.reduceat(np.repeat(np.array(column, np.float32), sizes)[order], first) + np.array(more, np.float32)[row_of]
        for column, more in zip(list(zip(*met, strict=True))[1:], list(zip(*rest, strict=True))[1:], strict=True)
    )
    every, core = store.letters(numbers)
    total = queries.own.sum(axis=1)[row_of]
    agree = np.minimum(weight, total)
    zero = np.zeros(len(numbers), np.float32)
    left = np.maximum(total - agree - queries.misread_weight[row_of], zero)
    left_words = np.maximum(queries.words[row_of] - count - queries.misread_words[row_of], zero)
    both = np.minimum(left_words, (core.letters > letters) & (queries.legal[row_of] == 0))
    alike, alike_all = _likest(core, queries.core, row_of, both > 0), _likest(every, queries.every, row_of, both > 0)
    odds = model.bounds(
        agree, queries.single.max(axis=1)[row_of], both, left, zero, left / np.maximum(left_words, np.float32(1)), zero,
        alike, np.maximum(alike, alike_all), model.agreeing(queries.legal)[row_of], queries.lone[row_of],
    )  # fmt: skip
    return row_of, numbers, odds


def bounded(
    row_of: Rows, numbers: Numbers, queries: Queries, gains: Gains, store: NameStore, model: Model, misreadings: Callable[[str], Numbers],
    *, persons: bool,
) -> Floats:  # fmt: skip
    """The highest log odds of each pair, word by word. `misreadings`: numbers of words that may stand for a legal one."""
    own, single = queries.own, queries.single
    coded, begins = store.coded(numbers)
    words, legal = coded >> np.uint32(1), (coded & np.uint32(1)).astype(bool)
    rows = np.repeat(row_of, np.diff(np.append(begins, len(coded))))
    keys, agree_of, whole_of, lost_of, covers_of = gains.merged(store)
    asked_for = rows.astype(np.uint64) << HALF | words
    at = np.minimum(keys.searchsorted(asked_for), len(keys) - 1)
    hit = (keys[at] == asked_for) & ~legal
    zero = np.float32(0)
    agree, whole, lost = np.where(hit, agree_of[at], zero), np.where(hit, whole_of[at], zero), np.where(hit, lost_of[at], NO_HIT)
    covers = np.where(hit, covers_of[at], np.uint32(0))
    theirs = store.weights(words)
    misread = _misread(words, rows, ~hit & ~legal, queries, misreadings)
    apart = ~hit & ~legal & ~misread
    left = np.where(apart, theirs, zero)
    covered = np.bitwise_or.reduceat(covers, begins) | queries.misread[row_of]
    bare = (covered[:, None] >> np.arange(BITS, dtype=np.uint32) & 1 == 0) & (own[row_of] > 0)
    others = np.add.reduceat(apart.astype(np.float32), begins)
    words_left = np.minimum(np.minimum(bare.sum(axis=1), others), 3).astype(np.float32)
    every, core = store.letters(numbers)
    alike_all = _likest(every, queries.every, row_of, words_left > 0)
    alike = _likest(core, queries.core, row_of, words_left > 0)
    telling = np.add.reduceat((~legal).astype(np.float32), begins)
    lone = queries.lone[row_of] | (telling == 1)
    slips = np.add.reduceat(misread.astype(np.uint64), begins) + queries.misread_words[row_of].astype(np.uint64)
    known = _forms(row_of, numbers, slips, lone, queries, store, model) + model.counted(np.minimum(telling, queries.many[row_of]))
    odds: Floats = model.bounds(
        np.minimum(np.add.reduceat(agree, begins), own.sum(axis=1)[row_of]), np.maximum.reduceat(whole, begins), words_left,
        (bare * own[row_of]).sum(axis=1), np.add.reduceat(left, begins), (bare * single[row_of]).max(axis=1), np.maximum.reduceat(left, begins),
        alike, np.maximum(alike, alike_all), known, lone,
    )  # fmt: skip
    odds -= model.misspelt(
        np.minimum.reduceat(lost, begins), lone, np.add.reduceat(np.minimum(model.left_out(theirs), model.fuzzy * lost) * hit, begins)
    )
    if persons:  # an initial may stand for whatever begins with it
        odds = np.where(np.logical_or.reduceat(store.single(words) & ~legal, begins), np.float32(np.inf), odds)
    return odds


def _misread(words: Numbers, rows: Rows, among: Flags, queries: Queries, misreadings: Callable[[str], Numbers]) -> Flags:
    """Which of these words may be a misread legal word of the name asked."""
    found = np.zeros(len(words), np.bool_)
    for legal in dict.fromkeys(queries.legal_words):
        which = np.array([one == legal for one in queries.legal_words])
        at = np.flatnonzero(among & which[rows]) if legal else ()
        if len(at):
            found[at] = np.isin(words[at], np.concatenate([misreadings(word) for word in legal]))
    return found


def nearly(words: Sequence[str], others: Sequence[str]) -> NDArray[np.bool_]:
    """Which of the words are within the edits that are forgiven of which of the others."""
    if not words or not others:
        return np.zeros((len(words), len(others)), np.bool_)
    edits = cdist(words, others, scorer=OSA.distance, score_cutoff=int(_FORGIVEN.max()), dtype=np.uint8)
    sizes, other_sizes = (np.array([min(len(word), 255) for word in some]) for some in (words, others))
    found: NDArray[np.bool_] = edits <= _FORGIVEN[np.maximum(sizes[:, None], other_sizes)]
    return found


def _forms(row_of: Rows, numbers: Numbers, slips: Keys, lone: Flags, queries: Queries, store: NameStore, model: Model) -> Floats:
    """What legal forms count at best, where so many words may be misread ones."""
    codes = store.forms(numbers).astype(np.uint64) << np.uint64(2) | np.minimum(slips, np.uint64(3))
    keys, which = np.unique(row_of.astype(np.uint64) << HALF | codes, return_inverse=True)
    odds = np.array([
        model.forms(*forms_evidence(queries.forms[key >> 32], store.form_set((key & 0xFFFFFFFF) >> 2), key & 3)) for key in keys.tolist()
    ], np.float32)[which]  # fmt: skip
    return np.where(lone, odds[:, 1], odds[:, 0])


def _likest(theirs: Spelling, own: Spelling, row_of: Rows, apart: NDArray[np.bool_]) -> Floats:
    """The most alike that names so spelt can be: each letter more, and each that only one has, is an edit."""
    letters, which = own.letters[row_of], own.alphabet[row_of]
    longest = np.maximum(np.maximum(theirs.letters, letters), np.float32(1))
    more = np.maximum(np.bitwise_count(theirs.alphabet & ~which), np.bitwise_count(which & ~theirs.alphabet))
    edits = np.maximum(np.maximum(np.abs(theirs.letters - letters), np.where(apart, np.float32(APART), np.float32(0))), more)
    found: Floats = np.float32(1) - edits / longest
    return found
