"""What two aligned names show, as numbers: the evidence that the model weighs. Symmetric in the two names."""

from collections import Counter
from functools import lru_cache
from itertools import pairwise
from typing import Final

from rapidfuzz.distance import OSA

from services.screening.matching.align import Alignment, Side, alike
from services.screening.matching.legal import form_family
from services.screening.matching.normalise import Prepared
from services.screening.matching.places import PLACES
from services.screening.matching.settings import SHORTEST_WHOLE
from services.screening.matching.spellings import are_numbers, is_number

# name -> whether more of it speaks for (1) or against (-1) one party, as people expect; 0 where either may be
SIGNS: Final[dict[str, int]] = {
    "agree": 1,  # weight of telling words that agree, in rare words
    "agree_best": 1,  # weight of the rarest one
    "cover_short": 1,  # share of the lighter name's weight that agrees
    "cover_long": 1,  # share of the heavier one's
    "both": -1,  # weight that each has in place of the other's
    "both_words": -1,  # words that each has in place of the other's, at most 3
    "one": -1,  # weight that one of them has on top
    "worst_both": -1,  # the rarest word left on the side where it is less rare
    "worst_one": -1,  # the rarest word left on either side
    "fuzzy_loss": -1,  # weight that misspellings take away
    "edits": -1,  # letters misspelt
    "other_words": -1,  # weight of words that are near, but known to be two words
    "core_sim": 1,  # likeness of the telling words written as one
    "full_sim": 1,  # likeness of the whole names written as one, or of the telling words, whichever is higher
    "core_edits": -1,  # edits between the telling words written as one, at most 9
    "near_whole": 1,  # letters of the telling words, in tens, at most 2, where written as one they are the same within two edits
    "disorder": -1,  # share of neighbours that changed places
    "legal_agree": 1,  # legal forms that agree
    "legal_conflict": -1,  # legal forms that each has in place of the other's
    "legal_one": -1,  # legal forms that one of them has on top
    "blocks": -1,  # words joined or split
    "numbers": -1,  # 1 where one side has a number on top, 2 where each has another
    "number_near": -1,  # 1 where nothing differs but numbers, by a digit or two, and not all else is common words
    "place_both": -1,  # 1 where each names another place
    "place_one": -1,  # 1 where one of them names a place on top
    "thin": -1,  # what is missing to half a rare word that agrees, where anything differs: one common word must never alert alone
    "letters": 1,  # letters of words that agree, in tens, at most 2
    # Where the shorter name has one telling word only, chance is a likelier reason than for two:
    "lone_loss": -1,  # what misspelling takes from it
    "lone_one": -1,  # weight that the other name has on top
    "lone_form": -1,  # 1 where each has another legal form
    "first": 1,  # likeness of the first telling words
    "few_words": 0,  # telling words of the shorter name, at most 4
}
NAMES: Final = tuple(SIGNS)
_MOST_EDITS: Final = 8
_NEAR: Final = 2  # edits within which a name is found as a whole, see segments
ENOUGH: Final = 0.5  # weight that agrees, half a rare word
_SAME_FAMILY: Final = 0.5  # Ltd and GmbH differ less than Ltd and AG
SORTED_LESS: Final = 0.02  # likeness in alphabetical order counts a little less than in the names' own


def features(a: Prepared, b: Prepared, side_a: Side, side_b: Side, found: Alignment) -> tuple[float, ...]:
    """In the order of NAMES."""
    agree = best = loss = other = 0.0
    edits, letters = 0.0, 0.0
    blocks = misread = 0
    for pair in found.pairs:
        if all(side_a.legal[i] for i in pair.a) or all(side_b.legal[j] for j in pair.b):
            if pair.kind == "other_word":
                continue
            misread += all(side_a.legal[i] for i in pair.a) != all(side_b.legal[j] for j in pair.b)
            edits += 0.3 * pair.edits
        elif pair.kind == "other_word":
            other += pair.weight
        else:
            weight = pair.similarity * pair.weight
            agree += weight
            best = max(best, weight)
            loss += pair.weight - weight
            misread += any(side_a.legal[i] for i in pair.a) != any(side_b.legal[j] for j in pair.b)
            edits += pair.edits
            letters += pair.similarity * min(sum([len(side_a.tokens[i]) for i in pair.a]), sum([len(side_b.tokens[j]) for j in pair.b]))
        blocks += pair.kind in ("spacing", "run")
    left_a = [i for i in found.left_a if not side_a.legal[i]]
    left_b = [j for j in found.left_b if not side_b.legal[j]]
    weights_a, weights_b = [side_a.weights[i] for i in left_a], [side_b.weights[j] for j in left_b]
    only_a, only_b = sum(weights_a), sum(weights_b)
    worst_a, worst_b = max(weights_a, default=0.0), max(weights_b, default=0.0)
    short, long = sorted((agree + loss + other + only_a, agree + loss + other + only_b))
    legal_agree, conflict, legal_one = forms_evidence(a.forms, b.forms, misread)
    core_edits, core_sim, full_sim = _whole(a, b)
    few = min(len(a.words), len(b.words), 4)
    words_a, words_b = [a.tokens[i] for i in left_a], [b.tokens[j] for j in left_b]
    numbers = sum(any(map(is_number, words)) for words in (words_a, words_b))
    places = sum(not PLACES.isdisjoint(words) for words in (words_a, words_b))
    both_words = min(len(left_a), len(left_b), 3)
    short_letters, long_letters = sorted((len(a.joined), len(b.joined)))
    near_whole = min(2.0, long_letters / 10) if core_edits <= _NEAR and few > 1 and short_letters >= SHORTEST_WHOLE else 0.0
    near = numbers > 0 and best >= ENOUGH and core_edits <= _NEAR and are_numbers(words_a, words_b)
    if near:
        numbers, both_words, only_a, only_b, worst_a, worst_b = 0, 0, 0.0, 0.0, 0.0, 0.0
    first = 0.0
    if a.words and b.words:
        first = 1.0 if a.words[0] == b.words[0] else alike(a.words[0], b.words[0])[0]
    one = abs(only_a - only_b)
    thin = max(0.0, ENOUGH - agree) if only_a + only_b + other else 0.0
    return (
        agree, best, agree / short if short else 0.0, agree / long if long else 0.0, min(only_a, only_b), both_words, one,
        min(worst_a, worst_b), max(worst_a, worst_b), loss, edits, other, core_sim, full_sim, core_edits, near_whole, _disorder(found, side_a),
        legal_agree, conflict, legal_one, blocks, numbers, float(near), float(places == 2), float(places == 1), thin, min(2.0, letters / 10),
        *((loss, one, float(conflict > 0)) if few == 1 else (0.0, 0.0, 0.0)), first, few,
    )  # fmt: skip


@lru_cache(maxsize=65_536)
def forms_evidence(a: tuple[str, ...], b: tuple[str, ...], misread: int) -> tuple[int, float, int]:
    """`legal_agree`, `legal_conflict` and `legal_one` of the forms of two names; so many (`misread`) were not recognised on one side, but stand for one
    of the other's. The more, the less speaks against."""
    if a == b:
        return len(a), 0.0, 0
    ours, theirs = Counter(a), Counter(b)
    left_a, left_b = max(0, (ours - theirs).total() - misread), max(0, (theirs - ours).total() - misread)
    conflict = min(left_a, left_b) * (_SAME_FAMILY if left_a and left_b and _families(a) == _families(b) else 1.0)
    return len(a) - left_a, conflict, abs(left_a - left_b)


def _whole(a: Prepared, b: Prepared) -> tuple[int, float, float]:
    """Of the names without spaces: (edits between the telling words, their likeness, likeness of all words)."""
    core_a, core_b = "".join(a.words), "".join(b.words)
    if a.tokens == b.tokens:
        return 0, 1.0, 1.0
    edits = OSA.distance(core_a, core_b)
    longest = max(len(core_a), len(core_b), 1)
    core = 1 - edits / longest
    full_a, full_b = "".join(a.tokens), "".join(b.tokens)
    longest_full = max(len(full_a), len(full_b), 1)
    full = 1 - OSA.distance(full_a, full_b) / longest_full
    if edits and (len(a.words) > 1 or len(b.words) > 1):
        sorted_core = OSA.distance("".join(sorted(a.words)), "".join(sorted(b.words)))
        core = max(core, 1 - sorted_core / longest - SORTED_LESS)
    if full < 1:
        sorted_full = OSA.distance("".join(sorted(a.tokens)), "".join(sorted(b.tokens)))
        full = max(full, 1 - sorted_full / longest_full - SORTED_LESS)
    return min(edits, _MOST_EDITS + 1), core, max(core, full)  # how long a legal form is says nothing


@lru_cache(maxsize=16_384)
def _families(forms: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(map(form_family, forms)))


def _disorder(found: Alignment, side: Side) -> float:
    places = [pair.b[0] for pair in sorted(found.pairs) if not side.legal[pair.a[0]]]
    return sum(x > y for x, y in pairwise(places)) / (len(places) - 1) if len(places) > 1 else 0.0
