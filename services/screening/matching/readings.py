"""One name as written may have to be read in more than one way: with the words as they were typed, or as two names of one party."""

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import Final, NamedTuple

from services.screening.matching.normalise import Prepared, prepare, prepared_both, screenable, tells
from services.screening.matching.prior import per_mille
from services.screening.matching.settings import MAX_LETTERS
from services.screening.matching.spellings import is_as_typed

# Between two names of one party, in master data and in lists: `Acme Ltd t/a Zenith`, `Acme (formerly Zenith)`, `Acme, a.k.a. Zenith`.
_ALSO: Final = re.compile(
    r"[\s,;(\[\"']+(?:"
    r"d[./]?b[./]?a\.?|t/as?|a[./]?k[./]?a\.?|f[./]?k[./]?a\.?|n[./]?k[./]?a\.?"
    r"|(?:doing\s+business|trading|trades|operating|(?:now|also|formerly|previously)\s+known)\s+as"
    r"|formerly|previously|anciennement|vormals|ehemals"
    r")[\s:,;]+[\"']?",
    re.IGNORECASE,
)
_SO_CALLED: Final = re.compile(r"^[\"']?(?:the\s+)?so[\s-]called\s+", re.IGNORECASE)
_MOST: Final = 4  # names in one: hostile input is the norm
_SHORTEST: Final = 3  # letters on either side of a slash that parts two names: I/E, A/S and /DE/ do not
_COMMON: Final = 1.0  # of 1,000 names at large that bear a word
_TELLING: Final = 2  # words that must stand behind a slash: one may as well go on what stands before it (PARTY/FRONT)


class Reading(NamedTuple):
    """A name as it may be read. `weak`: it may be a part of a name only, so that it is treated as a weak alias."""

    name: Prepared
    weak: bool = False


@lru_cache(maxsize=4096)
def readings(name: str) -> tuple[Reading, ...]:
    """All readings of a name that tell something, the usual one first; each shows the whole name as written.

    A slip is made in what is typed: where a word is brought to another spelling (`first` is `1`, `grupo` is `group`), the name is also read as it
    stands; see `comparable`. Where it holds several names of one party (a.k.a., formerly, trading as, a slash), each is read.
    """
    found = _of(name, name)
    text = name[:MAX_LETTERS]  # hostile input is the norm: nothing is looked for in a million spaces
    parts = [part.strip(" )]\"'") for part in _ALSO.split(text, _MOST)]
    if len(parts) > 1 and all(map(screenable, parts)):
        for part in parts:
            found += _of(name, part)
    elif "/" in text:
        found += _slashed(name, text)
    if called := _SO_CALLED.match(text):
        found += _of(name, text[called.end() :])
    return tuple(dict.fromkeys(found)) if len(found) > 1 else tuple(found)


def all_readings(names: Iterable[str]) -> Iterator[Reading]:
    """Of several names, each once."""
    return (reading for name in dict.fromkeys(names) for reading in readings(name))


def comparable(one: Prepared, other: Prepared) -> bool:
    """Names that are both read as typed are not laid beside each other: Fund VIII is no misspelling of Fund VII."""
    return not (is_as_typed(one.tokens) and is_as_typed(other.tokens))


def _of(name: str, part: str, *, weak: bool = False) -> list[Reading]:
    """A part of the name, as it is usually read and as typed."""
    return [Reading(one, weak) for one in prepared_both(part, name) if tells(one)]


def _slashed(name: str, text: str) -> list[Reading]:
    parts = [part.strip() for part in text.split("/", _MOST) if part.strip()]
    if len(parts) < 2 or any(sum(map(str.isalpha, part)) < _SHORTEST or not screenable(part) for part in parts):
        return []
    named = [parts[0], *(part for part in parts[1:] if _names_a_party(prepare(part).words))]
    return [reading for part in named for reading in _of(name, part, weak=True)]


def _names_a_party(words: tuple[str, ...]) -> bool:
    """Behind a slash: `Drug Trafficking Organization` names nobody."""
    return len(words) >= _TELLING and not _frequent().issuperset(words)


@cache
def _frequent() -> frozenset[str]:
    return frozenset(word for word, share in per_mille().items() if share >= _COMMON)
