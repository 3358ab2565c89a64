"""Country words of official lists to ISO 3166-1 alpha-2: one way for every reader.

Names come from rigour's territories and pycountry's tables. Rigour's `lookup_territory` also knows thousands of places, but indexing them takes 1.5 s a process, and a city is not
what a country column says; so only names of territories are used, and the spellings that they lack.
"""

import re
import unicodedata
from functools import cache, lru_cache

import pycountry
from rigour.territories import get_territories

_SPELLINGS = {
    "Bosnia-Herzegovina": "BA",
    "Burma": "MM",
    "Cabo Verde": "CV",
    "China, Hong Kong SAR": "HK",
    "China, Macao SAR": "MO",
    "Congo": "CG",
    "Congo (Democratic Republic)": "CD",
    "Congo (Kinshasa)": "CD",
    "Crimea": "UA",
    "England": "GB",
    "Former Yugoslav Republic of Macedonia": "MK",
    "Gaza": "PS",
    "Gaza Strip": "PS",
    "Great Britain": "GB",
    "Hong Kong": "HK",
    "Ivory Coast": "CI",
    "Macao": "MO",
    "Macau": "MO",
    "Macedonia": "MK",
    "North Gaza": "PS",
    "Northern Gaza": "PS",
    "Northern Ireland": "GB",
    "Occupied Palestinian Territories": "PS",
    "Occupied Palestinian Territory": "PS",
    "Palestinian": "PS",
    "Palestinian Authority": "PS",
    "PRC": "CN",
    "Republic of North Macedonia": "MK",
    "Republic of the Congo": "CG",
    "Scotland": "GB",
    "St. Kitts and Nevis": "KN",
    "St. Lucia": "LC",
    "St. Vincent and the Grenadines": "VC",
    "Swaziland": "SZ",
    "Turkey": "TR",
    "U.A.E.": "AE",
    "U.K.": "GB",
    "U.S.": "US",
    "U.S.A.": "US",
    "UAE": "AE",
    "UK": "GB",
    "Vatican": "VA",
    "Wales": "GB",
    "West Bank": "PS",
    "West Bank and Gaza": "PS",
    "West Bank and the Gaza Strip": "PS",
}
MAX_WORD = 100  # characters
_SHARED = frozenset({"congo"})  # by two countries: what stands in brackets behind it tells which
_BRACKETS = re.compile(r" ?\(([^()]*)\)")
_PART_OF_CHINA = re.compile(r"(?:People's Republic of )?China, (Hong Kong|Macao|Macau)\b.*|(Hong Kong|Macao|Macau)\b.*", re.IGNORECASE)
_NOT_LETTERS = re.compile(r"[^a-z]+")


def _key(name: str) -> str:
    ascii_only = unicodedata.normalize("NFKD", name.replace("&", " and ")).encode("ascii", "ignore").decode().lower()
    return " ".join(word for word in _NOT_LETTERS.split(ascii_only) if word and word != "the")


@cache
def _names() -> dict[str, str]:
    """Territories with an alpha-2 code of today; XK, which Kosovo uses by custom, among them."""
    standard = {_key(told): one.alpha_2 for one in pycountry.countries for field, told in one if field.endswith("name")}
    today = [t for t in get_territories() if len(t.code) == 2 and not t.is_historical and t.code != "eu"]
    names = {_key(name): t.code.upper() for t in today for name in (t.full_name, t.name)}
    return standard | names | {_key(name): code for name, code in _SPELLINGS.items()}


@lru_cache(maxsize=4096)
def alpha2(word: str) -> str | None:
    """By name only: `Korea, North` -> `KP`, `Region: Crimea` -> `UA`; None for a word that names no country."""
    word = word.removeprefix("Region: ")
    if len(word) > MAX_WORD:
        return None
    head, comma, tail = word.partition(", ")
    return _names().get(_key(word)) or (_names().get(_key(f"{tail} {head}")) if comma else None)


@lru_cache(maxsize=4096)
def country_of(word: str) -> str | None:
    """By code or by name, as a column of countries has them: `RU`, `rus`, `cn-xz` (FollowTheMoney's parts of countries), `Iran (Islamic Republic of)`,
    `Turkey (Türkiye)`, `China, Hong Kong SAR`, `Xinjiang (China)`; None for all else, and for countries of the past."""
    word = " ".join(word.split())
    if not word or len(word) > MAX_WORD:
        return None
    return _whole(word) or _by_words(word)


def beyond_country(word: str) -> str:
    """What a column of countries says and a code does not: words that name none, or a place within one (`Xinjiang (China)`)."""
    code, folded = country_of(word), " ".join(word.split())
    named_twice = all(_plain(one.strip()) == code for one in (_BRACKETS.sub("", folded), *_BRACKETS.findall(folded)))
    return "" if code and (named_twice or _whole(folded)) else word


def _whole(word: str) -> str | None:
    """Of all words together."""
    if found := _plain(word):
        return found
    before = _BRACKETS.sub("", word).strip()
    if both := next((code for one in _BRACKETS.findall(word) if (code := alpha2(f"{one.strip()} {before}"))), None):
        return both
    part = _PART_OF_CHINA.fullmatch(word)
    return alpha2(part[1] or part[2]) if part else None


def _by_words(word: str) -> str | None:
    """Of those before brackets, or of those within them."""
    within, before = _BRACKETS.findall(word), _BRACKETS.sub("", word).strip()
    forms = (*([] if _key(before) in _SHARED else [before]), *(one.strip() for one in within)) if within else ()
    return next((code for form in forms if (code := _plain(form))), None)


def _plain(word: str) -> str | None:
    """By code or by name."""
    code = (word[:2] if word[2:3] == "-" else word).upper()
    if len(code) not in (2, 3) or not (code.isascii() and code.isalpha()):
        return alpha2(word)
    if code in ("XK", "XKX"):
        return "XK"
    found = pycountry.countries.get(alpha_2=code) if len(code) == 2 else pycountry.countries.get(alpha_3=code)
    return str(found.alpha_2) if found else alpha2(word)
