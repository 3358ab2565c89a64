"""Which words of one name stand for which of the other."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

from rapidfuzz.distance import OSA

from services.screening.matching.corpus import Corpus
from services.screening.matching.normalise import Prepared
from services.screening.matching.settings import (
    FORM_WEIGHT,
    INITIAL_SIMILARITY,
    RUN_LETTERS,
    RUN_SIMILARITY,
    SHORTEST_PARTED,
    TWICE_SIMILARITY,
    edit_limit,
)

PairKind = Literal["exact", "spacing", "fuzzy", "initial", "run", "other_word"]


class Pair(NamedTuple):
    """Tokens `a` of one name that stand for tokens `b` of the other (positions), how well (0..1), how much they weigh, edits between them."""

    a: tuple[int, ...]
    b: tuple[int, ...]
    kind: PairKind
    similarity: float
    weight: float
    edits: int = 0


class Alignment(NamedTuple):
    """Pairs, and the positions that are left on either side. Pairs of the kind `other_word` are near, but known to be two words."""

    pairs: list[Pair]
    left_a: list[int]
    left_b: list[int]


class Side(NamedTuple):
    """One name's tokens with what each weighs."""

    tokens: tuple[str, ...]
    legal: tuple[bool, ...]
    weights: list[float]


def side_of(name: Prepared, corpus: Corpus) -> Side:
    """A legal word weighs next to nothing, whatever its rarity."""
    if True in name.legal:
        return Side(
            name.tokens,
            name.legal,
            [FORM_WEIGHT if of_form else corpus.weight(t) for t, of_form in zip(name.tokens, name.legal, strict=True)],
        )
    return Side(name.tokens, name.legal, [corpus.weight(t) for t in name.tokens])


def align(a: Side, b: Side, corpus: Corpus, *, persons: bool = False) -> Alignment:
    """Each word once: equal words first, then words joined or split, misspelt ones, the most alike first, and what is left, as one."""
    pairs: list[Pair] = []
    left_a: list[int] = []
    left_b = list(range(len(b.tokens)))
    for i, word in enumerate(a.tokens):
        for j in left_b:
            if b.tokens[j] == word:
                pairs.append(Pair((i,), (j,), "exact", 1.0, min(a.weights[i], b.weights[j])))
                left_b.remove(j)
                break
        else:
            left_a.append(i)
    if not left_a or not left_b:
        return Alignment(pairs, left_a, left_b)
    if len(left_a) + len(left_b) > 2:
        pairs += _blocks(a, b, left_a, left_b)
        pairs += [Pair(p.b, p.a, *p[2:]) for p in _blocks(b, a, left_b, left_a)]
    if left_a and left_b:
        pairs += _misspelt(a, b, left_a, left_b, corpus, persons)
    if left_a and left_b:
        pairs += _run(a, b, left_a, left_b, corpus, persons, sum([pair.edits for pair in pairs]))
    if persons and all(pair.kind == "initial" for pair in pairs):  # an initial is one only beside a word that agrees
        return Alignment([], list(range(len(a.tokens))), list(range(len(b.tokens))))
    return Alignment(pairs, left_a, left_b)


@lru_cache(maxsize=65_536)
def alike(x: str, y: str) -> tuple[float, int]:
    """Of two words: 1 less the share of letters edited, and the edits; (0, 0) beyond the edits forgiven. Digits must be the same."""
    longer = max(len(x), len(y))
    limit = edit_limit(longer)
    if not limit or abs(len(x) - len(y)) > limit:
        return 0.0, 0
    if not (x.isalpha() and y.isalpha()) and _digits(x) != _digits(y):
        return 0.0, 0
    edits = OSA.distance(x, y, score_cutoff=limit)
    return (1 - edits / longer, edits) if edits <= limit else (0.0, 0)


def likeness(x: str, y: str, edits: int) -> float:
    """The most that two words with so many edits between them can count as alike, be it as all that is left of two names; 0 where nothing aligns
    them."""
    longer = max(len(x), len(y))
    if (edits > edit_limit(longer) and 1 - edits / longer < TWICE_SIMILARITY) or not (
        (x.isalpha() and y.isalpha()) or _digits(x) == _digits(y)
    ):
        return 0.0
    return 1 - edits / longer


def _digits(word: str) -> str:
    return "".join(filter(str.isdigit, word))


def _blocks(whole: Side, parts: Side, left_whole: list[int], left_parts: list[int]) -> list[Pair]:
    """Words of `whole` that are two or three adjacent words of `parts` written as one; takes them off what is left."""
    found: list[Pair] = []
    for i in tuple(left_whole):
        best = next(_blocks_of(whole, i, parts, left_parts), None)
        if best is not None:
            found.append(best)
            left_whole.remove(i)
            for k in best.b:
                left_parts.remove(k)
    return found


def _blocks_of(whole: Side, i: int, parts: Side, left_parts: list[int]) -> Iterator[Pair]:
    """Runs that are this word, in either order of two."""
    word = whole.tokens[i]
    if len(word) < SHORTEST_PARTED:
        return
    letters, tokens = len(word), parts.tokens
    for at in range(len(left_parts) - 1):
        for size in (2, 3):
            run = left_parts[at : at + size]
            if len(run) < size or run[-1] - run[0] != size - 1:
                break
            if sum([len(tokens[k]) for k in run]) != letters:
                continue
            if "".join([tokens[k] for k in run]) != word and not (size == 2 and tokens[run[1]] + tokens[run[0]] == word):
                continue
            weight = sum(parts.weights[k] for k in run)
            if not whole.legal[i]:
                weight = min(weight, whole.weights[i]) if not all(parts.legal[k] for k in run) else weight
            yield Pair((i,), tuple(run), "spacing", 1.0, weight)


def _misspelt(a: Side, b: Side, left_a: list[int], left_b: list[int], corpus: Corpus, persons: bool) -> list[Pair]:
    """Pairs of left words that are near; a misspelt word takes its partner's rarity.

    Two words that the corpus both knows are two words: Cool is no misspelling of Coal.
    """
    near: list[tuple[float, int, int, PairKind, int]] = []
    for i in left_a:
        x = a.tokens[i]
        known = a.legal[i] or corpus.knows(x)
        for j in left_b:
            y = b.tokens[j]
            if persons and 1 in (len(x), len(y)) and x[0] == y[0]:
                near.append((-INITIAL_SIMILARITY, i, j, "initial", 0))
                continue
            similarity, edits = alike(x, y)
            if similarity:
                two = known and (b.legal[j] or corpus.knows(y))
                if two and a.legal[i] != b.legal[j]:
                    continue  # a word that tells names apart is no misspelt legal one
                near.append((-similarity, i, j, "other_word" if two else "fuzzy", edits))
    found: list[Pair] = []
    for negative, i, j, kind, edits in sorted(near):
        if i in left_a and j in left_b:
            found.append(Pair((i,), (j,), kind, -negative, min(a.weights[i], b.weights[j]), edits))
            left_a.remove(i)
            left_b.remove(j)
    return found


def _run(a: Side, b: Side, left_a: list[int], left_b: list[int], corpus: Corpus, persons: bool, before: int) -> list[Pair]:
    """All telling words that are left, written as one on both sides, where these are alike: spaces shifted, or a short word misspelt twice. Else all words
    that are left: a legal one may have been glued to its neighbour, or parted, by a slip."""
    found: list[Pair] = []
    if left_a and left_b:
        telling_a, telling_b = [i for i in left_a if not a.legal[i]], [j for j in left_b if not b.legal[j]]
        found = _as_one(a, b, telling_a, telling_b, corpus, persons, before)
        if not found and len(telling_a) + len(telling_b) < len(left_a) + len(left_b) and telling_a + telling_b:
            found = _as_one(a, b, list(left_a), list(left_b), corpus, persons, before)
    for pair in found:
        for i in pair.a:
            left_a.remove(i)
        for j in pair.b:
            left_b.remove(j)
    return found


def _as_one(a: Side, b: Side, run_a: list[int], run_b: list[int], corpus: Corpus, persons: bool, before: int) -> list[Pair]:
    one, other = "".join([a.tokens[i] for i in run_a]), "".join([b.tokens[j] for j in run_b])
    longer, many = max(len(one), len(other)), len(run_a) + len(run_b) > 2
    if not one or not other or longer < SHORTEST_PARTED or _digits(one) != _digits(other):
        return []
    if not many and (persons or (corpus.knows(one) and corpus.knows(other))):  # Ahmed is no misspelling of Hamid
        return []
    edits = OSA.distance(one, other)
    similarity = 1 - edits / longer
    # No more edits than a name is found by as a whole, which words that stand elsewhere would prevent; and many short words are soon like others.
    if (
        edits + (before if many else 0) > 2
        or (many and not _near_as_wholes(a, b))
        or similarity < (RUN_SIMILARITY if many else TWICE_SIMILARITY)
        or (many and longer < RUN_LETTERS and edits)
    ):
        return []
    weight = min(sum([a.weights[i] for i in run_a]), sum([b.weights[j] for j in run_b]))
    return [Pair(tuple(run_a), tuple(run_b), "run", similarity, weight, edits)]


def _near_as_wholes(a: Side, b: Side) -> bool:
    """Their telling words, or all of them."""
    core_a, core_b = ("".join([token for token, of_form in zip(one.tokens, one.legal, strict=True) if not of_form]) for one in (a, b))
    return min(OSA.distance(core_a, core_b, score_cutoff=2), OSA.distance("".join(a.tokens), "".join(b.tokens), score_cutoff=2)) <= 2
