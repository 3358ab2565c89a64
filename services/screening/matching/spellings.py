"""One spelling for what names write in several: numbers in words and Roman numerals, words that are customarily shortened or translated."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from services.screening.matching.translated import TRANSLATED

_UNITS: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
)
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety"
_ORDINALS: Final = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"
# No single letters: a V or an X in a name is as often a letter; and Xi is a name.
_ROMAN: Final = "ii iii iv vi vii viii ix xii xiii xiv xv xvi xvii xviii xix xx xxi xxii xxiii xxiv xxv"
_ROMAN_VALUES: Final = (2, 3, 4, 6, 7, 8, 9, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25)

_TEN_TIMES: Final = {word: 10 * n for n, word in enumerate(_TENS.split(), 2)}
_SMALL: Final = {word: n for n, word in enumerate(_UNITS.split())}
_ENDINGS: Final = {1: "st", 2: "nd", 3: "rd"}


def _numbers() -> Iterator[tuple[str, int]]:
    yield from _SMALL.items()
    yield from _TEN_TIMES.items()
    yield from ((word, n) for n, word in enumerate(_ORDINALS.split(), 1))
    yield from zip(_ROMAN.split(), _ROMAN_VALUES, strict=True)
    for n in range(1, 100):
        yield f"{n}{'th' if n in (11, 12, 13) else _ENDINGS.get(n % 10, 'th')}", n


_NUMBERS: Final = {word: str(n) for word, n in _numbers()}

# Only what is hardly ever a word of its own, or a name: a misspelt one is no longer written out.
_SHORTENED: Final[dict[str, str]] = {
    "intl": "international", "natl": "national", "govt": "government", "dept": "department", "univ": "university", "assn": "association",
    "assoc": "association", "bros": "brothers", "mfg": "manufacturing", "engg": "engineering", "svcs": "services", "mgmt": "management",
    "hldg": "holding", "hldgs": "holdings", "centre": "center", "labour": "labor", "defence": "defense", "grp": "group", "grupp": "group",
    "grupo": "group", "gruppe": "group", "gruppa": "group", "groupe": "group", "grup": "group", "gruppo": "group", "usa": "us",
}  # fmt: skip
_PHRASES: Final = (
    (("research", "and", "production"), "scientific production"), (("scientific", "and", "production"), "scientific production"),
    (("named", "after"), "imeni"), (("united", "states", "of", "america"), "us"), (("united", "states"), "us"), (("united", "kingdom"), "uk"),
)  # fmt: skip
# Of these, words in which a slip leaves something to recognise, and short numbers, which a moved space leaves of a longer word (`kuti vi`). No name in
# its one spelling bears any.
_TYPED: Final = frozenset(word for word in (*_NUMBERS, *(word for word in _SHORTENED if len(word) > 3)) if word.isalpha())
# A slip in USA or UK leaves nothing to recognise.
_ANOTHER: Final = _TYPED | TRANSLATED.keys() | {phrase[0] for phrase, said in _PHRASES if len(said) > 2}
_OTHERWISE: Final = frozenset((*_NUMBERS, *_SHORTENED, *TRANSLATED, *(phrase[0] for phrase, _ in _PHRASES)))


def one_spelling(words: list[str]) -> list[str]:
    """The words with numbers in digits (`forty four` is `44`, `II` and `second` are `2`), shortened words written out, others in English."""
    if _OTHERWISE.isdisjoint(words):
        return words
    for phrase, short in _PHRASES:
        if phrase[0] in words and phrase[1] in words:
            words = _replaced(words, phrase, short)
    found: list[str] = []
    tens = 0
    for word in words:
        unit = _SMALL.get(word, 0)
        if tens and 0 < unit < 10:
            found[-1] = str(tens + unit)
            tens = 0
            continue
        tens = _TEN_TIMES.get(word, 0)
        if said := TRANSLATED.get(word):
            found += said.split()
        else:
            found.append(_NUMBERS.get(word) or _SHORTENED.get(word, word))
    return found


def _replaced(words: list[str], phrase: tuple[str, ...], short: str) -> list[str]:
    for at in range(len(words) - len(phrase) + 1):
        if tuple(words[at : at + len(phrase)]) == phrase:
            return [*words[:at], *short.split(), *words[at + len(phrase) :]]
    return words


def is_as_typed(words: Iterable[str]) -> bool:
    """Whether any of the words is one that has another spelling here, and in which a slip may be made."""
    return not _TYPED.isdisjoint(words)


def has_another(words: Iterable[str]) -> bool:
    """As `is_as_typed`, or whether any of them, or a phrase, may be put into other words."""
    return not _ANOTHER.isdisjoint(words)


def is_number(word: str) -> bool:
    """Whether a word is a number, or holds one."""
    return word == "xi" or word in _NUMBERS or any(map(str.isdigit, word))


def are_numbers(words: Sequence[str], others: Sequence[str]) -> bool:
    """Whether each of the words is a number where the other name has another; beside one a single letter is a Roman one, too."""
    return len(words) == len(others) and all(
        is_number(max(pair, key=is_number)) and all(is_number(word) or len(word) == 1 for word in pair)
        for pair in zip(words, others, strict=True)
    )
