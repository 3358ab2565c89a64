"""How much two names agree: a probability from one soft alignment of all their words."""

from typing import NamedTuple

from services.screening.matching.align import Alignment, align
from services.screening.matching.corpus import Corpus
from services.screening.matching.evidence import evidence_of
from services.screening.matching.features import NAMES
from services.screening.matching.model import Model, log_odds_of, of_kind, probability
from services.screening.matching.normalise import Prepared
from services.screening.matching.settings import COUNTRY_AGREES, COUNTRY_DIFFERS, OTHER_KIND_CAP, PERSON_AS_ORGANISATION
from services.screening.matching.sides import Side, side_of

_OTHER = ("both", "both_words", "one", "fuzzy_loss", "other_words", "numbers", "number_near")
_PLACES = {name: place for place, name in enumerate(NAMES)}
_PERSONS = frozenset(("person", "individual"))
_CRAFT = frozenset(("vessel", "aircraft", "airplane"))


class Compared(NamedTuple):
    """A score, the words of both names, the alignment it rests on, and the evidence in the order of features.NAMES."""

    score: float
    sides: tuple[Side, Side]
    alignment: Alignment
    evidence: tuple[float, ...]

    @property
    def same_name(self) -> bool:
        """Are the telling words of both the same, be it in another order, with other spaces or another legal form?"""
        return not any(map(self.shown, _OTHER))

    def shown(self, name: str) -> float:
        """The evidence of this name."""
        return self.evidence[_PLACES[name]]


def kind_of(schema: str) -> str:
    """person, craft (vessel, aircraft) or organisation (everything else: company, legal entity, public body ...)."""
    lower = schema.casefold()
    return "person" if lower in _PERSONS else "craft" if lower in _CRAFT else "organisation"


def model_of(kind_a: str, kind_b: str) -> Model:
    """The weights by which parties of these kinds are compared."""
    return of_kind("person" if "person" in (kind_a, kind_b) else "organisation")


def compare(a: Prepared, b: Prepared, corpus: Corpus, kind_a: str, kind_b: str) -> Compared:
    """Symmetric. Kinds as of `kind_of`; a person and an organisation agree only where all their words do."""
    if (b.words, b.forms) < (a.words, a.forms):  # one order for both directions, so that ties fall alike
        score, (side_b, side_a), alignment, evidence = compare(b, a, corpus, kind_b, kind_a)
        return Compared(score, (side_a, side_b), alignment.swapped(), evidence)
    side_a, side_b = side_of(a, corpus), side_of(b, corpus)
    alignment = align(side_a, side_b, corpus, persons="person" in (kind_a, kind_b))
    evidence = evidence_of(a, b, side_a, side_b, alignment)
    score = probability(model_of(kind_a, kind_b).log_odds(evidence))
    if kind_a != kind_b:
        if "craft" not in (kind_a, kind_b) and sorted(a.words) == sorted(b.words):
            score *= PERSON_AS_ORGANISATION
        else:
            score = min(score, OTHER_KIND_CAP)
    return Compared(score, (side_a, side_b), alignment, evidence)


def with_countries(score: float, ours: frozenset[str], theirs: frozenset[str]) -> float:
    """The score nudged by what is known of countries on both sides; never enough to hide an equal name."""
    if not ours or not theirs:
        return score
    return score + COUNTRY_AGREES * (1 - score) if ours & theirs else score * COUNTRY_DIFFERS


def with_facts(score: float, odds: float) -> float:
    """The score where something beside names speaks for (above 0) or against one party."""
    return probability(log_odds_of(score) + odds) if odds else score
