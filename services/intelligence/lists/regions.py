"""Words for parts of countries to ISO 3166-2, by the names of the standard (pycountry) and by those that publishers use beside them."""

import re
from functools import cache, lru_cache

import pycountry

from services.intelligence.lists.goods import folded

# By hand: what lists of goods and orders write, and what people of the place say. Not a word on whose it is.
_ALIASES = {
    "CN-XJ": (
        "XUAR",
        "Xinjiang",
        "Xinjiang Uyghur",
        "Xinjiang Uygur",
        "Xinjiang Uighur",
        "Xinjiang Uyghur Autonomous Region",
        "Xinjiang Uygur Autonomous Region",
        "Xinjiang Uighur Autonomous Region",
        "Uyghur Region",
        "Uyghur Autonomous Region",
        "East Turkestan",
        "East Turkistan",
        "Sinkiang",
        "新疆",
        "新疆维吾尔自治区",
    ),
    "CN-XZ": ("Tibet", "Tibet Autonomous Region", "TAR", "Xizang"),
    "CN-NM": ("Inner Mongolia", "Inner Mongolia Autonomous Region", "Nei Mongol"),
    "CD-NK": ("North Kivu",),
    "CD-SK": ("South Kivu",),
    "CD-KE": ("Kasai Oriental", "East Kasai"),
    "UA-43": ("Crimea", "Autonomous Republic of Crimea"),
    "UA-14": ("Donetsk",),
    "UA-09": ("Luhansk", "Lugansk"),
    "ZW-MA": ("Marange", "Marange Diamond Fields", "Chiadzwa"),
    "MX-TAM": ("Tamaulipas",),
    "IN-UP": ("Uttar Pradesh",),
    "IN-TN": ("Tamil Nadu",),
    "TM-D": ("Dashoguz",),
}
_GENERIC = re.compile(r"\b(province|state|region|oblast|prefecture|autonomous|department|departamento|governorate|sheng|shi|zizhiqu)\b")
MAX_WORD = 200


@cache
def _names() -> dict[tuple[str, str], str]:
    """(country, folded name) to code; a name that two parts of a country share names neither."""
    found: dict[tuple[str, str], set[str]] = {}
    for part in pycountry.subdivisions:
        for name in {folded(part.name), _bare(folded(part.name))}:
            found.setdefault((part.country_code, name), set()).add(part.code)
    names = {key: codes.pop() for key, codes in found.items() if key[1] and len(codes) == 1}
    return names | {(code[:2], folded(alias)): code for code, aliases in _ALIASES.items() for alias in aliases}


@cache
def _codes() -> frozenset[str]:
    return frozenset(part.code for part in pycountry.subdivisions)


def _bare(name: str) -> str:
    return " ".join(_GENERIC.sub(" ", name).split())


@lru_cache(maxsize=4096)
def code(word: str, country: str | None = None) -> str | None:
    """`XUAR` -> `CN-XJ`; a code stays itself. Without a country only aliases, which are known the world over, and codes. None: not known."""
    if len(word) > MAX_WORD:
        return None
    written = word.strip().upper()
    if written in _codes():
        return written if country in (None, written[:2]) else None
    key = folded(word)
    if country is None:
        return _known().get(key)
    return _names().get((country, key)) or _names().get((country, _bare(key)))


@cache
def _known() -> dict[str, str]:
    return {folded(alias): region for region, aliases in _ALIASES.items() for alias in aliases}


@cache
def _sought() -> tuple[tuple[re.Pattern[str], str], ...]:
    longest = sorted(_known().items(), key=lambda pair: (-len(pair[0]), pair[0]))
    return tuple((re.compile(rf"(?<!\w){re.escape(alias)}(?!\w)"), region) for alias, region in longest if len(alias) > 3)


def mentioned(sentence: str, country: str | None = None) -> tuple[str, ...]:
    """Regions that a sentence names by an alias, of one country where it is known, sorted. Abbreviations are left out: TAR is a word, too."""
    key = folded(sentence[: MAX_WORD * 10])
    found = {region for pattern, region in _sought() if country in (None, region[:2]) and pattern.search(key)}
    return tuple(sorted(found | ({"CN-XJ"} if re.search(r"\bxuar\b", key) and country in (None, "CN") else set())))
