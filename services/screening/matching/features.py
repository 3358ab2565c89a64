"""What two aligned names can show, as numbers: the evidence that the model weighs (evidence measures it). Symmetric in the two names."""

from collections import Counter
from functools import lru_cache
from typing import Final

from services.screening.matching.legal import form_family

# name -> whether more of it speaks for (1) or against (-1) one party, as people expect; 0 where either may be
SIGNS: Final[dict[str, int]] = {
    "agree": 1,  # weight of telling words that agree, in rare words
    "agree_best": 1,  # weight of the rarest one
    "cover_short": 1,  # share of the lighter name's weight that agrees
    "cover_long": 1,  # share of the heavier one's
    "both": -1,  # weight that each has in place of the other's
    "both_words": -1,  # words that each has in place of the other's, near ones that are known to be two among them, at most 3
    "one": -1,  # weight that one of them has on top
    "worst_both": -1,  # the rarest word left on the side where it is less rare
    "worst_one": -1,  # the rarest word left on either side
    "left_edits": -1,  # where words are left on both sides: edits between them, written as one, LEFT_EDITS to 6
    "left_unlike": -1,  # "worst_both" times how unlike such words are, written as one or the likest two of them, LEFT_UNLIKE to 1
    "left_near": 1,  # "worst_both" where the names as wholes are the same within two edits
    "fuzzy_loss": -1,  # weight that misspellings take away
    "edits": -1,  # letters misspelt
    "other_words": -1,  # weight of words that are near, but known to be two words
    "core_sim": 1,  # likeness of the telling words written as one
    "full_sim": 1,  # likeness of the whole names written as one, or of the telling words, whichever is higher
    "core_edits": -1,  # edits between the telling words written as one, at most 9
    "near_whole": 1,  # letters of the telling words, in tens, at most 2, where written as one they are the same within two edits
    "disorder": -1,  # share of neighbours that changed places
    "legal_agree": 1,  # legal forms that agree
    "legal_conflict": -1,  # legal forms that each has in place of the other's, at most 1
    "legal_one": -1,  # legal forms that one of them has on top, at most 1
    "blocks": -1,  # words joined or split
    "numbers": -1,  # 1 where one side has a number on top, 2 where each has another
    "number_near": -1,  # 1 where nothing differs but numbers, by a digit or two, and not all else is common words
    "place_both": -1,  # 1 where each names another place
    "place_one": -1,  # 1 where one of them names a country, a province or a town on top
    "thin": -1,  # what is missing to half a rare word that agrees, where anything differs: one common word must never alert alone
    "letters": 1,  # letters of words that agree, in tens, at most 2
    # Where the shorter name has one telling word only, chance is a likelier reason than for two, the shorter that word (`shortness`, 0 to 1, times ...):
    "lone_loss": -1,  # what misspelling takes from it
    "lone_one": -1,  # weight that the other name has on top, at most a common word's
    "lone_form": -1,  # 1 where each has another legal form
    "first": 1,  # likeness of the first telling words
    "few_words": 0,  # telling words of the shorter name, at most 4
}
NAMES: Final = tuple(SIGNS)
ENOUGH: Final = 0.5  # weight that agrees, half a rare word
_SAME_FAMILY: Final = 0.5  # Ltd and GmbH differ less than Ltd and AG
SHORT_NAME, LONG_NAME = 4, 11  # letters of a name's one word by which chance explains most, and nothing: DM, Kamchatgazprom
COMMON_WORD: Final = 0.3  # weight of a word like `trading`
# Words in place of each other count as at least so far apart and so unlike, else they were aligned: known before they are laid beside each other.
LEFT_EDITS: Final = 2
LEFT_UNLIKE: Final = 0.25
SORTED_LESS: Final = 0.02  # likeness in alphabetical order counts a little less than in the names' own


@lru_cache(maxsize=65_536)
def forms_evidence(a: tuple[str, ...], b: tuple[str, ...], misread: int) -> tuple[int, float, int]:
    """`legal_agree`, `legal_conflict` and `legal_one` of the forms of two names; so many (`misread`) were not recognised on one side, but stand for one
    of the other's. The more, the less speaks against."""
    if a == b:
        return len(a), 0.0, 0
    ours, theirs = Counter(a), Counter(b)
    left_a, left_b = max(0, (ours - theirs).total() - misread), max(0, (theirs - ours).total() - misread)
    conflict = min(left_a, left_b) * (_SAME_FAMILY if left_a and left_b and _families(a) == _families(b) else 1.0)
    return len(a) - left_a, min(conflict, 1.0), min(abs(left_a - left_b), 1)


@lru_cache(maxsize=16_384)
def _families(forms: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(map(form_family, forms)))
