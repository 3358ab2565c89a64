"""Country words of official lists to ISO 3166-1 alpha-2.

Names come from rigour's territories. Its `lookup_territory` also knows thousands of places, but indexing them takes 1.5 s a process, and a city is not
what a country column says; so only names of territories are used, and the few spellings that they lack.
"""

import re
import unicodedata
from functools import cache, lru_cache

from rigour.territories import get_territories

_SPELLINGS = {
    "Bosnia-Herzegovina": "BA",
    "Burma": "MM",
    "Cabo Verde": "CV",
    "Crimea": "UA",
    "Former Yugoslav Republic of Macedonia": "MK",
    "Gaza": "PS",
    "Hong Kong": "HK",
    "Macau": "MO",
    "Macedonia": "MK",
    "North Gaza": "PS",
    "Northern Gaza": "PS",
    "Palestinian": "PS",
    "Palestinian Authority": "PS",
    "Republic of North Macedonia": "MK",
    "Republic of the Congo": "CG",
    "St. Kitts and Nevis": "KN",
    "St. Lucia": "LC",
    "St. Vincent and the Grenadines": "VC",
    "Swaziland": "SZ",
    "Turkey": "TR",
    "Vatican": "VA",
    "West Bank": "PS",
}
_NOT_LETTERS = re.compile(r"[^a-z]+")


def _key(name: str) -> str:
    ascii_only = unicodedata.normalize("NFKD", name.replace("&", " and ")).encode("ascii", "ignore").decode().lower()
    return " ".join(word for word in _NOT_LETTERS.split(ascii_only) if word and word != "the")


@cache
def _names() -> dict[str, str]:
    """Territories with an alpha-2 code of today; XK, which Kosovo uses by custom, among them."""
    today = [t for t in get_territories() if len(t.code) == 2 and not t.is_historical and t.code != "eu"]
    names = {_key(name): t.code.upper() for t in today for name in (t.full_name, t.name)}
    return names | {_key(name): code for name, code in _SPELLINGS.items()}


@lru_cache(maxsize=4096)
def alpha2(word: str) -> str | None:
    """`Korea, North` -> `KP`, `Region: Crimea` -> `UA`; None for a word that names no country."""
    word = word.removeprefix("Region: ")
    if len(word) > 100:
        return None
    head, comma, tail = word.partition(", ")
    return _names().get(_key(word)) or (_names().get(_key(f"{tail} {head}")) if comma else None)
