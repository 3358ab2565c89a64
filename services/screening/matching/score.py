"""How much two names agree: a score in 0..1 from one soft alignment of all their words."""

from functools import lru_cache
from itertools import pairwise
from math import exp
from typing import NamedTuple

from services.screening.matching.align import Alignment, Pair, align
from services.screening.matching.corpus import Corpus
from services.screening.matching.normalise import Prepared, form_family
from services.screening.matching.settings import (
    BOTH_SIDES,
    COUNTRY_AGREES,
    COUNTRY_DIFFERS,
    FAMILY_SIMILARITY,
    FORM_WEIGHT,
    ONE_SIDE,
    ORDER_FACTOR,
    OTHER_KIND_CAP,
    PERSON_AS_ORGANISATION,
    SPACING_FACTOR,
    THIN_EXTRA,
    THIN_SCALE,
)

_PERSONS = frozenset(("person", "individual"))
_CRAFT = frozenset(("vessel", "aircraft", "airplane"))


class Compared(NamedTuple):
    """A score and the alignment it rests on."""

    score: float
    alignment: Alignment


def kind_of(schema: str) -> str:
    """person, craft (vessel, aircraft) or organisation (everything else: company, legal entity, public body ...)."""
    lower = schema.casefold()
    return "person" if lower in _PERSONS else "craft" if lower in _CRAFT else "organisation"


def compare(a: Prepared, b: Prepared, corpus: Corpus, kind_a: str, kind_b: str) -> Compared:
    """Symmetric. Kinds as of `kind_of`; a person and an organisation agree only where all their words do."""
    if (b.words, b.forms) < (a.words, a.forms):  # one order for both directions, so that ties fall alike
        score, (pairs, left_b, left_a) = compare(b, a, corpus, kind_b, kind_a)
        return Compared(score, Alignment([Pair(p.b, p.a, *p[2:]) for p in pairs], left_a, left_b))
    persons = "person" in (kind_a, kind_b)
    alignment = align(a.words, b.words, corpus, persons=persons)
    agree, against_a, against_b = _sums(a, b, alignment, corpus)
    score = confidence(agree, min(against_a, against_b), abs(against_a - against_b))
    if not persons and not _in_order(alignment):
        score *= ORDER_FACTOR
    if any(pair.kind == "spacing" for pair in alignment.pairs):
        score *= SPACING_FACTOR
    if kind_a != kind_b:
        if persons and "craft" not in (kind_a, kind_b) and sorted(a.words) == sorted(b.words):
            score *= PERSON_AS_ORGANISATION
        else:
            score = min(score, OTHER_KIND_CAP)
    return Compared(score, alignment)


def with_countries(score: float, ours: frozenset[str], theirs: frozenset[str]) -> float:
    """The score nudged by what is known of countries on both sides; never enough to hide an equal name."""
    if not ours or not theirs:
        return score
    return score + COUNTRY_AGREES * (1 - score) if ours & theirs else score * COUNTRY_DIFFERS


def confidence(agree: float, both: float, one: float) -> float:
    """Share of the evidence that speaks for one party, from weights in rare words.

    `agree` is what both names bear, `both` what each has in place of the other's, `one` what only one of them has.
    While little agrees differences count more: one common word left must never alert alone. Falls with `both` and
    `one`, rises with `agree`: retrieval relies on it.
    """
    against = BOTH_SIDES * both + ONE_SIDE * one
    if not against:
        return 1.0 if agree else 0.0
    return agree / (agree + against * (1 + THIN_EXTRA * exp(-agree / THIN_SCALE)))


def _sums(a: Prepared, b: Prepared, alignment: Alignment, corpus: Corpus) -> tuple[float, float, float]:
    """(agreeing weight, weight against on a's side, on b's): what is not alike of a misspelt word is against on both."""
    agree = differ = 0.0
    for pair in alignment.pairs:
        agree += pair.similarity * pair.weight
        differ += (1 - pair.similarity) * pair.weight
    against_a = differ + sum(corpus.weight(a.words[i]) for i in alignment.left_a)
    against_b = differ + sum(corpus.weight(b.words[j]) for j in alignment.left_b)
    if a.forms != b.forms:
        forms, only_a, only_b = _forms(a.forms, b.forms)
        return agree + FORM_WEIGHT * forms, against_a + FORM_WEIGHT * only_a, against_b + FORM_WEIGHT * only_b
    return agree + FORM_WEIGHT * len(a.forms), against_a, against_b


@lru_cache(maxsize=16_384)
def _forms(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[float, float, float]:
    """(legal words that agree, those only in a, only in b), counting one of the same family in part."""
    left_a, left_b = list(a), list(b)
    agree = 0.0
    for similarity, same in ((1.0, _itself), (FAMILY_SIMILARITY, form_family)):
        for form in tuple(left_a):
            partner = next((other for other in left_b if same(other) == same(form)), None)
            if partner is not None:
                agree += similarity
                left_a.remove(form)
                left_b.remove(partner)
    in_part = min(len(a), len(b)) - agree - min(len(left_a), len(left_b))
    return agree, len(left_a) + in_part, len(left_b) + in_part


def _itself(form: str) -> str:
    return form


def _in_order(alignment: Alignment) -> bool:
    pairs = alignment.pairs
    if len(pairs) < 2:
        return True
    return all(x.b < y.b for x, y in pairwise(sorted(pairs)))
