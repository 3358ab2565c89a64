"""Names written wrongly on purpose, in the ways that clerks, forms and transliterations do it: what the fit learns to forgive."""

from collections.abc import Callable, Sequence
from random import Random
from string import ascii_uppercase
from typing import Final

from services.screening.matching.normalise import prepare

Miswrite = Callable[[Random, str], str | None]

_FORMS: Final = ("Ltd", "Limited", "LLC", "Co., Ltd.", "Inc.", "GmbH", "S.A.", "JSC", "Corp.", "PLC", "OOO", "FZE", "S.A.S.", "AO", "LTDA")
_LONG_FORMS: Final = ("LIMITED LIABILITY COMPANY", "JOINT STOCK COMPANY", "S.A. DE C.V.", "COMPANY LIMITED")
_ADDED: Final = ("INTERNATIONAL", "GROUP", "TRADING", "HOLDING", "ASIA", "EUROPE", "GLOBAL", "SERVICES", "INDUSTRIES", "MIDDLE EAST")
_GIVEN: Final = ("Mohammed", "Ali", "Maria", "Ivan", "Jose", "Kim", "Anna", "Ahmad", "Juan", "Sergei", "Li", "David", "Abdul", "Carlos")


def slip(random: Random, text: str) -> str:
    """One letter wrong: another, missing, one too many, doubled, or changed with the next."""
    places = [i for i, letter in enumerate(text) if letter.isalpha()]
    while places:
        i = random.choice(places)
        any_letter = random.choice(ascii_uppercase)
        head, letter, tail = text[:i], text[i], text[i + 1 :]
        written = random.choice(
            (
                head + any_letter + tail,
                head + tail,
                head + any_letter + letter + tail,
                head + letter + letter + tail,
                head + tail[:1] + letter + tail[1:],
            )
        )
        if written != text:
            return written
    return text


def _slip_in(random: Random, name: str, *, legal: bool) -> str | None:
    """In a word of five letters or more that is (not) of the legal form."""
    words = name.split()
    able = [i for i, word in enumerate(words) if len(word) >= 5 and _is_legal(word) == legal]
    if not able:
        return None
    i = random.choice(able)
    words[i] = slip(random, words[i])
    return " ".join(words)


def _is_legal(word: str) -> bool:
    found = prepare(word)
    return bool(found.forms) and not found.words


def bare(name: str) -> str:
    """The name without legal words at its ends."""
    words = name.split()
    while len(words) > 1 and _is_legal(words[-1]):
        words.pop()
    while len(words) > 1 and _is_legal(words[0]):
        words.pop(0)
    return " ".join(words).rstrip(" ,")


def dressed(random: Random, name: str) -> str:
    """The name in another legal form, in front or behind."""
    form, core = random.choice(_FORMS + _LONG_FORMS), bare(name)
    return f"{form} {core}" if random.random() < 0.3 else f"{core} {form}"


def _swapped(random: Random, name: str) -> str | None:
    words = name.split()
    if len(words) < 2:
        return None
    i = random.randrange(len(words) - 1)
    words[i : i + 2] = [words[i + 1], words[i]]
    return " ".join(words)


def _dropped(random: Random, name: str) -> str | None:
    words = name.split()
    if len(words) < 3:
        return None
    del words[random.randrange(len(words))]
    return " ".join(words)


def _joined(random: Random, name: str) -> str | None:
    words = name.split()
    if len(words) < 2:
        return None
    i = random.randrange(len(words) - 1)
    words[i : i + 2] = [words[i] + words[i + 1]]
    return " ".join(words)


def _parted(random: Random, name: str) -> str | None:
    words = name.split()
    able = [i for i, word in enumerate(words) if len(word) >= 6]
    if not able:
        return None
    i = max(able, key=lambda at: len(words[at]))
    at = len(words[i]) // 2
    words[i : i + 1] = [words[i][:at], words[i][at:]]
    return " ".join(words)


def _moved(random: Random, name: str) -> str | None:
    words = name.split()
    legal = [word for word in words if _is_legal(word)]
    if not legal or len(legal) == len(words):
        return None
    return " ".join([word for word in words if not _is_legal(word)] + legal)


def _initial(random: Random, name: str) -> str | None:
    words = name.replace(",", " ").split()
    able = [i for i, word in enumerate(words) if len(word) > 3 and i]
    if not able or len(words) < 2:
        return None
    i = random.choice(able)
    words[i] = words[i][0] + "."
    return " ".join(words)


def _added_name(random: Random, name: str) -> str:
    words = name.replace(",", " ").split()
    words.insert(random.randrange(len(words) + 1), random.choice(_GIVEN))
    return " ".join(words)


def _turned(random: Random, name: str) -> str | None:
    last, comma, first = name.partition(",")
    return f"{first.strip()} {last.strip()}" if comma else None


_ANY: Final[dict[str, Miswrite]] = {
    "one_slip": slip,
    "two_slips": lambda random, name: slip(random, slip(random, name)),
    "slip_in_word": lambda random, name: _slip_in(random, name, legal=False),
    "swapped": _swapped,
    "dropped": _dropped,
    "joined": _joined,
    "parted": _parted,
}
ORGANISATIONS: Final[dict[str, Miswrite]] = _ANY | {
    "dress": lambda random, name: name.title().replace(".", " ").replace("-", " ").replace(",", ""),
    "slip_in_form": lambda random, name: _slip_in(random, name, legal=True),
    "form_changed": dressed,
    "form_gone": lambda random, name: bare(name),
    "form_moved": _moved,
    "word_added": lambda random, name: f"{name} {random.choice(_ADDED)}",
}
PERSONS: Final[dict[str, Miswrite]] = _ANY | {"initial": _initial, "name_added": _added_name, "turned": _turned}


def miswritten(random: Random, name: str, kinds: Sequence[str], ways: dict[str, Miswrite]) -> str | None:
    """The name written wrongly in all these ways, one upon the other; None where none of them applies or changes anything."""
    text: str = name
    for kind in kinds:
        text = ways[kind](random, text) or text
    return text if text != name else None


def other_word(random: Random, name: str, words: Sequence[str]) -> str | None:
    """The name with another one's word in place of one of its telling words: near, and somebody else."""
    parts = name.split()
    able = [i for i, word in enumerate(parts) if len(word) >= 4 and not _is_legal(word)]
    if len(parts) < 2 or not able:
        return None
    parts[random.choice(able)] = random.choice(words)
    return " ".join(parts)
