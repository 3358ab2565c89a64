"""Which names may reach a score, for many names asked at once: each step is one for all of them.

A name met shares a word, or what a word may stand for, with the name asked. What its words could contribute at best bounds its score; no cap drops a
name that could reach the floor.
"""

from collections.abc import Callable, Sequence, Set
from heapq import heapify, heappop, heappush
from typing import Final, NamedTuple, Protocol

import numpy as np

from services.screening.matching.bounding import APART, BITS, LONGER, Gains, Met, Queries, bounded, first_look
from services.screening.matching.model import Model
from services.screening.matching.normalise import Prepared
from services.screening.matching.store import Floats, NameStore, Numbers

_EPSILON: Final = 1e-3  # arrays count in single precision
_NONE: Final = np.empty(0, np.uint32)


Weight = Callable[[str], float]  # of a word
Joins = Sequence[tuple[tuple[str, ...], int]]


class Partners(NamedTuple):
    """What a word may stand for: words here and how alike they are; pairs of words that it joins (a legal word among them: None)."""

    words: Numbers
    alike: Floats
    pairs: tuple[tuple[int, int | None], ...]
    names: Numbers  # with any of them


class Words(Protocol):
    """What a shelf knows of its words."""

    def partners(self, word: str) -> Partners:
        """What it may stand for, remembered."""

    def joins(self, name: Prepared) -> Joins:
        """Adjacent words of the name, and the word here that they make when written as one."""

    def names_with(self, word: int) -> Numbers:
        """Numbers, sorted."""

    def frequency(self, word: str) -> int:
        """Names that bear it."""

    def misreadings(self, legal: str) -> Numbers:
        """Words here that may be this legal one, misread."""

    def may_be_legal(self, words: Sequence[str]) -> set[str]:
        """Those of the words that may be a legal word of names here, misread."""


def candidates(
    asked: Sequence[Prepared], words: Words, store: NameStore, weight: Weight, model: Model, floor: float, *, persons: bool
) -> tuple[list[list[int]], int]:
    """For each name the numbers of those that may reach the log odds `floor`, but those that are the same within two edits as wholes; and how many
    were looked at for that."""
    gains, queries = Gains(), Queries(asked)
    met: list[Met] = []
    rows: list[int] = []
    rest: list[Met] = []
    misread = words.may_be_legal([word for name in asked for word in name.words])
    for row, name in enumerate(asked):
        weights = _weighed(name, weight)
        for n, (word, (w, one)) in enumerate(weights.items()):
            if n < BITS:
                queries.own[row, n], queries.single[row, n] = w, one
            if word in misread:
                queries.may_be_legal(row, n, w)
        totals = {word: w for word, (w, _) in weights.items()}
        joins = words.joins(name)
        found, unasked = _met(name, totals, joins, words, model, floor, misread, persons)
        rest.append(unasked)
        if found:
            met += found
            rows += [row] * len(found)
            _gained(gains, row, totals, joins, words, weight, store.vocabulary)
    if not met:
        return [[] for _ in asked], 0
    row_of, numbers, odds = first_look(met, rows, rest, queries, store, model)
    seen = len(numbers)
    if not persons:  # whose initials may stand for any word
        row_of, numbers = row_of[odds >= floor - _EPSILON], numbers[odds >= floor - _EPSILON]
    results: list[list[int]] = [[] for _ in asked]
    if len(numbers):
        may = bounded(row_of, numbers, queries, gains, store, model, words.misreadings, persons=persons) >= floor - _EPSILON
        for row, number in zip(row_of[may].tolist(), numbers[may].tolist(), strict=True):
            results[row].append(number)
    return results, seen


def _weighed(name: Prepared, weight: Weight) -> dict[str, tuple[float, float]]:
    """Distinct words -> (weight as often as it stands there, once)."""
    found: dict[str, tuple[float, float]] = {}
    for word in name.words:
        one = weight(word)
        found[word] = (found[word][0] + one if word in found else one, one)
    return found


def _met(
    name: Prepared, weights: dict[str, float], joins: Joins, words: Words, model: Model, floor: float, misread: Set[str], persons: bool
) -> tuple[list[Met], Met]:
    """Names that share something with this one, words with the fewest names first: once what remains could not carry a name to the floor that has none
    of the words looked up so far, the frequent words need no look. And of all words that a name may have without being met by them, what they weigh."""
    letters = sum(map(len, name.words))
    found = [
        Met(
            words.names_with(joined),
            sum([weights.get(word, 0.0) for word in part]),
            sum([word in weights for word in part]),
            sum([len(word) + LONGER for word in part]),
        )
        for part, joined in joins
    ]
    may_agree, missed, worst = sum(weights.values()), 0.0, 0.0
    alike = 1 - APART / (letters + APART)
    # A word's place is the number of its own names, until it comes up and those of its partners are known.
    waiting, left = [(words.frequency(word), word) for word in weights], dict(weights)
    heapify(waiting)
    while waiting and model.bound(may_agree, max(left.values()), missed, worst, len(name.forms), alike if missed else 1.0) >= floor:
        place, word = heappop(waiting)
        numbers = words.partners(word).names
        if len(numbers) > place:
            heappush(waiting, (len(numbers), word))
            continue
        found.append(Met(numbers, weights[word], 1, name.words.count(word) * (len(word) + LONGER)))
        may_agree -= left.pop(word)
        if not (persons and len(word) == 1) and word not in misread:
            missed, worst = missed + weights[word], max(worst, weights[word] / name.words.count(word))
    unasked = Met(_NONE, sum(left.values()), len(left), sum([len(word) + LONGER for word in name.words if word in left]))
    return [one for one in found if len(one.numbers)], unasked


def _gained(
    gains: Gains, row: int, weights: dict[str, float], joins: Joins, words: Words, weight: Weight, vocabulary: Sequence[str]
) -> None:
    places = {word: 1 << n if n < BITS else 0 for n, word in enumerate(weights)}
    for joined_of, joined in joins:
        telling = {word for word in joined_of if word in weights}
        own = sum([weights[word] for word in joined_of if word in weights])
        if telling:
            gains.part(row, joined, own, own, sum([places[word] for word in telling]))
    for word, own_weight in weights.items():
        partners = words.partners(word)
        if len(partners.words):
            gains.partners(row, places[word], own_weight, partners.words, partners.alike)
        for pair in partners.pairs:
            parts = [part for part in pair if part is not None]
            theirs = [weight(vocabulary[part]) for part in parts]
            whole = min(own_weight, sum(theirs))
            for part, its in zip(parts, theirs, strict=True):
                gains.part(row, part, its / sum(theirs) * whole, whole, places[word])
