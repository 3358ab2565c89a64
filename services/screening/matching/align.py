"""Which word of one name stands for which of the other."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from rapidfuzz.distance import OSA

from services.screening.matching.corpus import Corpus
from services.screening.matching.settings import INITIAL_SIMILARITY, edit_limit

PairKind = Literal["exact", "spacing", "fuzzy", "initial"]


class Pair(NamedTuple):
    """Words `a` of one name that stand for words `b` of the other (positions), how well, and how much they weigh."""

    a: tuple[int, ...]
    b: tuple[int, ...]
    kind: PairKind
    similarity: float
    weight: float


class Alignment(NamedTuple):
    """Pairs, and the positions that are left on either side."""

    pairs: list[Pair]
    left_a: list[int]
    left_b: list[int]


def align(a: Sequence[str], b: Sequence[str], corpus: Corpus, *, persons: bool = False) -> Alignment:
    """Each word once: equal words first, then words joined or split, then misspelt ones, the most alike first."""
    pairs: list[Pair] = []
    left_a: list[int] = []
    left_b = list(range(len(b)))
    for i, word in enumerate(a):
        for j in left_b:
            if b[j] == word:
                pairs.append(Pair((i,), (j,), "exact", 1.0, corpus.weight(word)))
                left_b.remove(j)
                break
        else:
            left_a.append(i)
    if left_a and left_b:
        if len(left_a) + len(left_b) > 2:
            pairs += _joined(a, b, left_a, left_b, corpus)
            pairs += [Pair(p.b, p.a, *p[2:]) for p in _joined(b, a, left_b, left_a, corpus)]
        pairs += _misspelt(a, b, left_a, left_b, corpus, persons)
    return Alignment(pairs, left_a, left_b)


def similarity(x: str, y: str) -> float:
    """Of two words: 1 less the share of letters edited, 0 beyond the edits forgiven; digits must be the same."""
    longer = max(len(x), len(y))
    limit = edit_limit(longer)
    if not limit or abs(len(x) - len(y)) > limit:
        return 0.0
    if not (x.isalpha() and y.isalpha()) and _digits(x) != _digits(y):
        return 0.0
    edits = OSA.distance(x, y, score_cutoff=limit)
    return 1 - edits / longer if edits <= limit else 0.0


def _digits(word: str) -> str:
    return "".join(filter(str.isdigit, word))


def _joined(whole: Sequence[str], parts: Sequence[str], left_whole: list[int], left_parts: list[int], corpus: Corpus) -> list[Pair]:
    """Words of `whole` that are two or three adjacent words of `parts` written as one; takes them off what is left."""
    found: list[Pair] = []
    for i in tuple(left_whole):
        for j in left_parts:
            if not whole[i].startswith(parts[j]):
                continue
            block = next((run for run in _runs(j, left_parts) if "".join(parts[k] for k in run) == whole[i]), None)
            if block:
                weight = min(corpus.weight(whole[i]), sum(corpus.weight(parts[k]) for k in block))
                found.append(Pair((i,), block, "spacing", 1.0, weight))
                left_whole.remove(i)
                for k in block:
                    left_parts.remove(k)
                break
    return found


def _runs(start: int, left: list[int]) -> list[tuple[int, ...]]:
    """Two and three adjacent positions from `start` that are all left."""
    if start + 1 not in left:
        return []
    return [(start, start + 1), (start, start + 1, start + 2)] if start + 2 in left else [(start, start + 1)]


def _misspelt(a: Sequence[str], b: Sequence[str], left_a: list[int], left_b: list[int], corpus: Corpus, persons: bool) -> list[Pair]:
    """Pairs of left words that are near; a misspelt word takes its partner's rarity.

    Two words that the corpus both knows are two words: Cool is no misspelling of Coal.
    """
    near: list[tuple[float, int, int, PairKind]] = []
    for i in left_a:
        known = corpus.knows(a[i])
        for j in left_b:
            if persons and 1 in (len(a[i]), len(b[j])) and a[i][0] == b[j][0]:
                near.append((-INITIAL_SIMILARITY, i, j, "initial"))
            elif not (known and corpus.knows(b[j])) and (alike := similarity(a[i], b[j])):
                near.append((-alike, i, j, "fuzzy"))
    found: list[Pair] = []
    for negative, i, j, kind in sorted(near):
        if i in left_a and j in left_b:
            weight = min(corpus.weight(a[i]), corpus.weight(b[j]))
            found.append(Pair((i,), (j,), kind, -negative, weight))
            left_a.remove(i)
            left_b.remove(j)
    return found
