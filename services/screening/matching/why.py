"""The reasons of a score, word by word and then of the names as wholes, small enough to be stored with every match."""

from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from services.screening.matching.align import PairKind
from services.screening.matching.facts import FOR, FactKind, Told
from services.screening.matching.legal import form_family
from services.screening.matching.normalise import Prepared
from services.screening.matching.score import Compared
from services.screening.matching.sides import Side

WholeKind = Literal["like_as_wholes", "unlike_as_wholes", "order", "number_differs", "place_differs", "thin"]
Kind = (
    PairKind
    | WholeKind
    | FactKind
    | Literal[
        "missing", "form", "form_family", "form_missing", "country_agrees", "country_differs", "weak_alias", "other_kind", "name_only"
    ]
)
_LIKE: Final = 0.8  # likeness from which two names written as one speak for one party


class Why(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One reason: `a` in the name asked, `b` in the other, empty where nothing stands there.

    `score` is what speaks for one party, in the weight of words (1: a word that nobody else bears); what is missing or
    differs speaks against and is negative. Of numbers, addresses and dates of birth it is what they add to the log odds.
    Reasons that work on the whole name have none.
    """

    kind: Kind
    a: str = ""
    b: str = ""
    score: float = 0.0


def explain(a: Prepared, b: Prepared, compared: Compared) -> list[Why]:
    """Reasons in the order of the asked name's words; then what only the other has; then legal forms, and the names as wholes."""
    found, (side_a, side_b) = compared.alignment, compared.sides
    whys = []
    for p in sorted(found.pairs):
        if not (a.legal[p.a[0]] and b.legal[p.b[0]]):
            score = -p.weight if p.kind == "other_word" else p.similarity * p.weight
            whys.append(Why(p.kind, _at(side_a, p.a), _at(side_b, p.b), round(score, 3)))
    whys += [Why("missing", a=a.tokens[i], score=-round(side_a.weights[i], 3)) for i in found.left_a if not a.legal[i]]
    whys += [Why("missing", b=b.tokens[j], score=-round(side_b.weights[j], 3)) for j in found.left_b if not b.legal[j]]
    return [*whys, *_forms(list(a.forms), list(b.forms)), *_wholes(compared)]


def _wholes(compared: Compared) -> list[Why]:
    """What no single word tells."""
    seen = compared.shown
    whys: list[Why] = []
    if any(p.kind != "exact" for p in compared.alignment.pairs):
        whys.append(Why("like_as_wholes" if seen("core_sim") >= _LIKE else "unlike_as_wholes"))
    if seen("disorder"):
        whys.append(Why("order"))
    if seen("numbers") or seen("number_near"):
        whys.append(Why("number_differs"))
    if seen("place_both") or seen("place_one"):
        whys.append(Why("place_differs"))
    if seen("agree") < 0.5:  # all that agrees weighs less than half a rare word
        whys.append(Why("thin"))
    return whys


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


def explain_facts(told: Iterable[Told]) -> list[Why]:
    """What is known beside names and countries."""
    return [Why(one.kind, one.ours, one.theirs, one.odds) for one in told]


def explain_name_only(a: Prepared, b: Prepared, whys: Iterable[Why]) -> list[Why]:
    """One more reason where the names are the same, and none of the other reasons speaks for one party."""
    agrees = any(why.kind == "country_agrees" or why.kind in FOR for why in whys)
    return [] if agrees or sorted(a.words) != sorted(b.words) else [Why("name_only")]


def _at(side: Side, positions: Iterable[int]) -> str:
    return " ".join(side.tokens[i] for i in positions)
