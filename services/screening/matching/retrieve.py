"""Which names may reach a score beside one asked.

A name met shares a word, or what a word may stand for, with the name asked. What its words could contribute at best bounds its score; no cap drops a
name that could reach the floor.
"""

from array import array
from collections.abc import Callable, Container, Sequence
from heapq import heapify, heappop, heappush
from typing import Final, NamedTuple, Protocol

from services.screening.matching.bounds import APART, SHORTEST_WHOLE, shortness
from services.screening.matching.model import Model
from services.screening.matching.normalise import Prepared
from services.screening.matching.postings import Postings
from services.screening.matching.question import BITS, Question
from services.screening.matching.reach import reaching
from services.screening.matching.seen import Seen
from services.screening.matching.store import NameStore

LONGER: Final = 3  # letters by which a word may be longer than the one that it stands for


Joins = Sequence[tuple[tuple[str, ...], int]]


class Met(NamedTuple):
    """Names met together, by one word of a name asked or by several written as one, and the most letters of what may stand for these, as often as they stand in
    the name asked. Of a name that has none of the words before: how alike as wholes the two must be, if it has no words but these and those behind, and if it
    has others."""

    words: "array[int]"  # which of these they have
    more: Sequence["array[int]"]  # others, sorted
    letters: int
    needed: float = 0.0
    needed_beside: float = 0.0


# What words here may gain beside a name asked. Words that each may stand for one of its words: (which bit that is, its weight, words, how alike they are);
# words that are part of what agrees: (word, weight that may agree, weight of the pair it may be part of, bits of the words asked that it may stand for, is a
# legal word written as one with it).
Gains = tuple[list[tuple[int, float, "array[int]", "array[float]"]], list[tuple[int, float, float, int, bool]]]


class Partners(NamedTuple):
    """What a word may stand for: words here and how alike they are; pairs of words that it joins (a legal word among them: None)."""

    words: "array[int]"
    alike: "array[float]"
    pairs: tuple[tuple[int, int | None], ...]
    joining: list["array[int]"]  # names with both words of each pair
    many: int  # names there are with any of these, at most


class Shelved(Protocol):
    """Names on a shelf, and what it knows of their words."""

    seen: Seen
    store: NameStore
    postings: Postings

    def weight(self, word: str) -> float:
        """In the corpus."""

    def partners(self, word: str) -> Partners:
        """What it may stand for, remembered."""

    def joins(self, name: Prepared) -> Joins:
        """Words of the name, and the word here, maybe a legal one, that they make when written as one."""

    def frequency(self, word: str) -> int:
        """Names that bear it."""

    def misreadings(self, name: Prepared) -> set[int]:
        """Words here that may be a legal one of the name, misread."""

    def may_be_legal(self, words: Sequence[str]) -> dict[str, set[int]]:
        """Those of the words that may be legal words of names here, misread, and which."""


def candidates(asked: Prepared, shelf: Shelved, model: Model, floor: float, *, persons: bool) -> tuple[list[int], int]:
    """Numbers of the names that may reach the log odds `floor`, but those that are the same within two edits as wholes; and how many were looked at for
    that."""
    weights, joins = _weighed(asked, shelf.weight), shelf.joins(asked)
    misread = dict(shelf.may_be_legal(asked.words))
    for part, joined in joins:
        if joined in shelf.store.legal:
            misread |= {word: misread.get(word, set()) | {joined} for word in part if word in weights}
    totals = {word: w for word, (w, _) in weights.items()}
    met, rest = _met(asked, totals, joins, shelf, model, floor, misread, persons)
    if not met:
        return [], 0
    question = Question(asked, weights, misread)
    return reaching(
        question, met, rest, shelf, model.bound, floor, persons, lambda: (_gains(totals, joins, shelf), shelf.misreadings(asked))
    )


def _weighed(name: Prepared, weight: Callable[[str], float]) -> dict[str, tuple[float, float]]:
    """Distinct words -> (weight as often as it stands there, once)."""
    found: dict[str, tuple[float, float]] = {}
    for word in name.words:
        one = weight(word)
        found[word] = (found[word][0] + one if word in found else one, one)
    return found


def _met(
    name: Prepared,
    weights: dict[str, float],
    joins: Joins,
    shelf: Shelved,
    model: Model,
    floor: float,
    misread: Container[str],
    persons: bool,
) -> tuple[list[Met], int]:
    """Names that share something with this one, words with the fewest names first: once what remains could not carry a name to the floor that has none
    of the words looked up so far, the frequent words need no look. And of all words that a name may have without being met by them, the most letters."""
    letters, forms, lone = sum(map(len, name.words)), len(name.forms), shortness(len(name.words[0])) if len(name.words) == 1 else 0.0
    borne = [(part, joined) for part, joined in joins if shelf.postings.count(joined)]
    bound, found = model.bound, [Met(array("I", [joined]), (), sum([len(word) + LONGER for word in part])) for part, joined in borne]
    may_agree, missed, worst, others = sum(weights.values()), 0.0, 0.0, 0
    apart = APART if letters >= SHORTEST_WHOLE + APART - 1 else 1  # a shorter name within that distance is not found as a whole
    alike = 1 - apart / (letters + apart)
    # A word's place is the number of its own names, until it comes up and those of its partners are known.
    waiting, left = [(shelf.frequency(word), word) for word in weights], dict(weights)
    heapify(waiting)
    while waiting and bound.at_best(may_agree, best := max(left.values()), missed, worst, forms, alike if missed else 1.0) >= floor:
        place, word = heappop(waiting)
        partners = shelf.partners(word)
        if partners.many > place:
            heappush(waiting, (partners.many, word))
            continue
        needed = [
            0.0 if persons or not missed else bound.needed(floor, may_agree, best, missed, worst, min(others, some), forms, lone)
            for some in (0, 1)
        ]
        many = name.words.count(word)
        found.append(Met(partners.words, partners.joining, many * (len(word) + LONGER), *needed))
        may_agree -= left.pop(word)
        if not (persons and len(word) == 1) and word not in misread:
            missed, worst, others = missed + weights[word], max(worst, weights[word] / many), others + 1
    # Any word of theirs may be a legal one of this name, misread, or several of them.
    legal = [word for word, of_form in zip(name.tokens, name.legal, strict=True) if of_form]
    rest = sum([len(word) + LONGER for word in (*name.words, *legal) if word in left or word in legal])
    return [one for one in found if one.words or one.more], rest


def _gains(weights: dict[str, float], joins: Joins, shelf: Shelved) -> Gains:
    vocabulary = shelf.store.vocabulary
    places = {word: 1 << n if n < BITS else 0 for n, word in enumerate(weights)}
    wholes: list[tuple[int, float, array[int], array[float]]] = []
    parts: list[tuple[int, float, float, int, bool]] = []
    for joined_of, joined in joins:
        telling = {word for word in joined_of if word in weights}
        own = sum([weights[word] for word in joined_of if word in weights])
        if telling:
            parts.append((joined, own, own, sum([places[word] for word in telling]), len(telling) < len(set(joined_of))))
    for word, own_weight in weights.items():
        partners = shelf.partners(word)
        if partners.words:
            wholes.append((places[word], own_weight, partners.words, partners.alike))
        for pair in partners.pairs:
            of_pair = [part for part in pair if part is not None]
            theirs = [shelf.weight(vocabulary[part]) for part in of_pair]
            whole = min(own_weight, sum(theirs))
            for part, its in zip(of_pair, theirs, strict=True):
                parts.append((part, its / sum(theirs) * whole, whole, places[word], None in pair))
    return wholes, parts
