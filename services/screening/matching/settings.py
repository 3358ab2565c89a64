"""The matcher's constants, in one place: thresholds first, then what a word weighs and what a difference costs.

Scores are shares of evidence in 0..1, not probabilities. Words weigh 1 where nobody in the corpus bears them and less
the more names do, so a penalty is read in "rare words".
"""

from typing import Final

# ---- thresholds: what a score means to screening ----
REVIEW: Final = 0.65  # from here a weak match is opened and a person looks: its only telling word misspelt once will do
STRONG: Final = 0.94  # from here a match blocks even before a person has looked: the same name in other dress
BATCH_FLOOR: Final = 0.40  # below this `match batch` writes nothing: less than half of the words' weight agrees

# ---- weights ----
FORM_WEIGHT: Final = 0.10  # a legal word: cheap, whatever its rarity
PRIOR_NAMES: Final = 20_000  # virtual names that stand behind every corpus, so that a list of two entries behaves
RARITY_POWER: Final = 1.25  # bends inverse document frequency: common words count for less than its logarithm says
LETTER_WEIGHT: Final = 0.30  # a word of n letters weighs at most n times this: one letter in 26 is no rarity
DIGIT_WEIGHT: Final = 0.45  # the same for each digit of a number: Plant 5 is not Plant 7

# ---- evidence against ----
BOTH_SIDES: Final = 2.0  # weight unmatched on both sides (another word stands in its place), per unit of the smaller side
ONE_SIDE: Final = 0.5  # weight unmatched on one side only (a word dropped or added)
THIN_EXTRA: Final = 2.0  # how much dearer differences are while next to nothing agrees ...
THIN_SCALE: Final = 0.4  # ... fading by 1/e for each so many units of agreeing weight

# ---- nudges ----
ORDER_FACTOR: Final = 0.985  # the same words in another order, of an organisation
SPACING_FACTOR: Final = 0.99  # the same letters, parted otherwise into words
FAMILY_SIMILARITY: Final = 0.7  # two legal forms of one family: Ltd and LLC
INITIAL_SIMILARITY: Final = 0.8  # a person's initial beside a name that begins with it
COUNTRY_AGREES: Final = 0.05  # share of what is missing to 1 that an agreeing country gives back
COUNTRY_DIFFERS: Final = 0.98  # factor; an exact name under another country must stay a strong match
WEAK_ALIAS: Final = 0.9  # factor for names that the list itself calls weak: never strong
PERSON_AS_ORGANISATION: Final = 0.9  # factor where one side is a person, the other an organisation, and all words agree
OTHER_KIND_CAP: Final = 0.60  # highest score of a vessel beside an organisation, or of a person's name in part

# ---- limits ----
MAX_TOKENS: Final = 40  # words of a name that are looked at: hostile input is the norm
MAX_LETTERS: Final = 400  # letters of a name that are looked at


def edit_limit(letters: int) -> int:
    """Edits (a swap is one) forgiven in words of which the longer has so many letters."""
    return 0 if letters < 4 else 1 if letters < 6 else 2 if letters < 12 else 3
