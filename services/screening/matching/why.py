"""The reasons of a score, word by word, small enough to be stored with every match."""

from collections.abc import Iterable
from typing import Literal

import msgspec

from services.screening.matching.align import Alignment, PairKind
from services.screening.matching.corpus import Corpus
from services.screening.matching.normalise import Prepared, form_family

Kind = PairKind | Literal["missing", "form", "form_family", "form_missing", "country_agrees", "country_differs", "weak_alias", "other_kind"]


class Why(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One reason: `a` in the name asked, `b` in the other, empty where nothing stands there.

    `score` is what speaks for one party, in the weight of words (1: a word that nobody else bears); what is missing or
    differs speaks against and is negative. Reasons that work on the whole name have none.
    """

    kind: Kind
    a: str = ""
    b: str = ""
    score: float = 0.0


def explain(a: Prepared, b: Prepared, alignment: Alignment, corpus: Corpus) -> list[Why]:
    """Reasons in the order of the asked name's words; then what only the other has; then legal forms."""
    whys = [Why(p.kind, _at(a, p.a), _at(b, p.b), round(p.similarity * p.weight, 3)) for p in sorted(alignment.pairs)]
    whys += [Why("missing", a=a.words[i], score=-round(corpus.weight(a.words[i]), 3)) for i in alignment.left_a]
    whys += [Why("missing", b=b.words[j], score=-round(corpus.weight(b.words[j]), 3)) for j in alignment.left_b]
    return whys + _forms(list(a.forms), list(b.forms))


def _forms(a: list[str], b: list[str]) -> list[Why]:
    whys: list[Why] = []
    kinds: tuple[Kind, Kind] = ("form", "form_family")
    for kind in kinds:
        for form in tuple(a):
            partner = next((o for o in b if o == form or (kind != "form" and form_family(o) == form_family(form))), None)
            if partner is not None:
                whys.append(Why(kind, form, partner))
                a.remove(form)
                b.remove(partner)
    return whys + [Why("form_missing", a=form) for form in a] + [Why("form_missing", b=form) for form in b]


def explain_countries(ours: frozenset[str], theirs: frozenset[str]) -> list[Why]:
    """One reason where countries are known on both sides."""
    if not ours or not theirs:
        return []
    common = " ".join(sorted(ours & theirs))
    if common:
        return [Why("country_agrees", common, common)]
    return [Why("country_differs", " ".join(sorted(ours)), " ".join(sorted(theirs)))]


def _at(name: Prepared, positions: Iterable[int]) -> str:
    return " ".join(name.words[i] for i in positions)
