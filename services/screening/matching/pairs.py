"""Two names compared without any list: `duewatch match pairs`."""

from itertools import product
from typing import Final, NamedTuple

from services.screening.matching.corpus import Corpus
from services.screening.matching.readings import comparable, readings
from services.screening.matching.score import compare, kind_of, with_countries
from services.screening.matching.settings import PAIR_MATCH, WEAK_ALIAS
from services.screening.matching.why import Why, explain, explain_countries

_NO_LIST: Final = Corpus()  # nothing is ever put in: words weigh what they weigh in names at large


class PairScore(NamedTuple):
    """Score in 0..1, whether it reaches PAIR_MATCH, and the reasons."""

    score: float
    match: bool
    why: tuple[Why, ...]


def score_pair(name1: str, name2: str, schema: str = "organisation", country: str = "") -> PairScore:
    """Symmetric; `schema` and `country` (of both names, ISO 3166-1 alpha-2) may be empty. Names that tell nothing: 0."""
    kind = kind_of(schema)
    lands = frozenset({country} - {""})
    best = PairScore(0.0, False, ())
    for (a, weak_a), (b, weak_b) in product(readings(name1), readings(name2)):
        if not comparable(a, b):
            continue
        compared = compare(a, b, _NO_LIST, kind, kind)
        score = with_countries(compared.score, lands, lands) * WEAK_ALIAS ** (weak_a + weak_b)
        if not best.why or score > best.score:
            whys = explain(a, b, compared) + explain_countries(lands, lands)
            whys += [Why("weak_alias", a=a.name)] * weak_a + [Why("weak_alias", b=b.name)] * weak_b
            best = PairScore(round(score, 4), score >= PAIR_MATCH, tuple(whys))
    return best
