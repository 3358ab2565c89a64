"""The matcher's constants, in one place: thresholds first, then what a word weighs and what a difference costs.

Scores are probabilities (model.json). Words weigh 1 where nobody in the corpus bears them and less
the more names do, so a penalty is read in "rare words".
"""

from typing import Final

# ---- thresholds ----
BATCH_FLOOR: Final = 0.06  # below this `match batch` writes nothing: more than one clean name in fifty alerts there

# ---- weights ----
FORM_WEIGHT: Final = 0.10  # a legal word: cheap, whatever its rarity
PRIOR_NAMES: Final = 20_000  # virtual names that stand behind every corpus, so that a list of two entries behaves
RARITY_POWER: Final = 1.25  # bends inverse document frequency: common words count for less than its logarithm says
LETTER_WEIGHT: Final = 0.24  # a word of n letters weighs at most n times this: one letter in 26 is no rarity
DIGIT_WEIGHT: Final = 0.45  # the same for each digit of a number: Plant 5 is not Plant 7

# ---- nudges ----
INITIAL_SIMILARITY: Final = 0.8  # a person's initial beside a name that begins with it
COUNTRY_AGREES: Final = 0.05  # share of what is missing to 1 that an agreeing country gives back
COUNTRY_DIFFERS: Final = 0.98  # factor; an exact name under another country must stay a strong match
WEAK_ALIAS: Final = 0.9  # factor for names that the list itself calls weak: never strong
PERSON_AS_ORGANISATION: Final = 0.9  # factor where one side is a person, the other an organisation, and all words agree
OTHER_KIND_CAP: Final = 0.15  # highest score of a vessel beside an organisation, or of a person's name in part: nobody looks

# ---- what is known beside names, in log odds ----
IDENTIFIER_DECIDES: Final = 7.0  # least, where a LEI, tax or register number is the same: as much as an equal name, whatever the names are
IDENTIFIER_LOCAL: Final = 2.5  # the same number of registers of which a country has several: one in some dozen is another one's
IDENTIFIER_CONFLICTS: Final = -4.0  # takes an equal name from strong to review, never out of sight: numbers are mistyped and forged
ADDRESS_STREET: Final = 1.5  # the same street and house number: offices of agents house hundreds
ADDRESS_POSTAL: Final = 1.0  # the same postal code
ADDRESS_CITY: Final = 0.5  # the same town
ADDRESS_LARGE_CITY: Final = 0.2  # the same city of millions, where every second company of the country sits
BIRTH_EQUAL: Final = 4.0  # the same day: with half a name a strong match; one person in 20,000 by chance
BIRTH_FINDS: Final = (
    2.0  # of these, what may lift a name over the threshold: of thousands listed some are born on any day, and many a name is shared
)
BIRTH_PARTIAL: Final = 0.7  # the same year, or as much of the date as both know: one person in fifty by chance
BIRTH_DAY_DIFFERS: Final = -1.5  # the same year, another day: lists differ by that about one person
BIRTH_YEAR_DIFFERS: Final = -8.0  # years apart: another person of the same name, who alerts nobody
BIRTH_CIRCA_YEARS: Final = 2  # either way, where a list says "circa"

# ---- two names without a list ----
PAIR_MATCH: Final = 0.3  # is it one party? Of labelled pairs F1 hardly moves between 0.25 and 0.32, in either half of them

# ---- limits ----
MAX_TOKENS: Final = 40  # words of a name that are looked at: hostile input is the norm
MAX_LETTERS: Final = 400  # letters of a name that are looked at
SHORTEST_PARTED: Final = 4  # letters of a word that may be two of the other name, written as one
RUN_LETTERS: Final = 6  # letters from which words written as one may differ a little, too
TWICE_SIMILARITY: Final = 0.6  # of a word that is misspelt more often than its length forgives, where it is all that differs
RUN_SIMILARITY: Final = 0.7  # of all words that are left, written as one


def edit_limit(letters: int) -> int:
    """Edits (a swap is one) forgiven in words of which the longer has so many letters."""
    return 0 if letters < 3 else 1 if letters < 6 else 2 if letters < 12 else 3
