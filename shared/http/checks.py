"""Checks of single values at the edge, as plain functions: the bulk import calls them 20,000 rows a second.

Each gives the value as it is to be stored, or raises Invalid with the field named; `field` is the caller's name for it.
`shared.http.strings` makes Pydantic types of them.
"""

import re
import unicodedata
from datetime import date
from decimal import Decimal
from functools import cache
from typing import NoReturn

from shared.errors import Invalid

MAX_NAME_CHARS = 500
# Control characters (C0, C1), line and paragraph separators, surrogates; the marks that make text read other than it is
# stored (Unicode TR36, bidirectional spoofing); noncharacters.
_NOT_IN_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_NOT_IN_PARAGRAPHS = re.compile(_NOT_IN_TEXT.pattern.replace("\x00-\x1f", "\x00-\x08\x0b\x0c\x0e-\x1f"))
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters and symbols by their category, and yet blank
_REGION = re.compile(r"([A-Z]{2})-[A-Z0-9]{1,3}", re.ASCII)
_HS_CODE = re.compile(r"(?!00)[0-9]{2}(?:[0-9]{2}){0,4}", re.ASCII)
_BIRTH_DATE = re.compile(r"((?:18|19|20)[0-9]{2})(?:-([0-9]{2})(?:-([0-9]{2}))?)?", re.ASCII)
_PERCENT = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,4})?", re.ASCII)


def refuse(field: str, message: str) -> NoReturn:
    """Raises Invalid for one field."""
    raise Invalid("Some fields break a rule", errors=[{"field": field, "message": message}])


def clean_name(value: str, field: str = "name", *, most: int = MAX_NAME_CHARS) -> str:
    """One line of text in any script, stripped and in NFC, 1 to `most` characters; kept as written otherwise."""
    cleaned = value.strip()
    if not cleaned.isascii() or not cleaned.isprintable():
        if _NOT_IN_TEXT.search(cleaned):
            refuse(field, "No control characters, line breaks or marks that change the direction of text")
        cleaned = unicodedata.normalize("NFC", cleaned)
    return _sized(cleaned, field, most)


def clean_text(value: str, field: str = "text", *, most: int = 10_000) -> str:
    """Text of several lines, stripped and in NFC; line breaks and tabs may stand in it."""
    if _NOT_IN_PARAGRAPHS.search(value):
        refuse(field, "No control characters or marks that change the direction of text")
    return _sized(unicodedata.normalize("NFC", value.strip()), field, most)


def _sized(cleaned: str, field: str, most: int) -> str:
    if not 0 < len(cleaned) <= most:
        refuse(field, f"1 to {most} characters")
    if not cleaned.isascii() and not any(unicodedata.category(c)[0] in "LNPS" and c not in _FILLERS for c in cleaned):
        refuse(field, "At least one character that can be seen")
    return cleaned


def check_country(value: str, field: str = "country") -> str:
    """An ISO 3166-1 alpha-2 code that is assigned, or XK (Kosovo, user-assigned and in general use)."""
    if value in _countries():
        return value
    code = value.strip().upper()
    if code not in _countries():
        refuse(field, "A country's two letters of ISO 3166-1, such as DE")
    return code


def check_region(value: str, field: str = "region", *, country: str | None = None) -> str:
    """An ISO 3166-2 code by its shape and its country (which must be `country`, where that is given)."""
    code = value.strip().upper()
    parts = _REGION.fullmatch(code)
    if parts is None or parts[1] not in _countries():
        refuse(field, "A region's code of ISO 3166-2, such as CN-XJ")
    if country is not None and parts[1] != country:
        refuse(field, "A region of the country that is given beside it")
    return code


def check_hs(value: str, field: str = "hs") -> str:
    """A Harmonised System code (World Customs Organization): 2, 4 or 6 digits, or a national one of 8 or 10."""
    code = value.strip()
    if not _HS_CODE.fullmatch(code):
        refuse(field, "An HS code of 2, 4, 6, 8 or 10 digits")
    return code


def check_percent(value: str, field: str = "percent") -> Decimal:
    """0 to 100, at most four decimals, written with a point."""
    text = value.strip()
    if not _PERCENT.fullmatch(text) or (percent := Decimal(text)) > 100:
        refuse(field, "0 to 100, with a point and at most four decimals, such as 51.0")
    return percent


def check_birth_date(value: str, field: str = "birth_date") -> str:
    """A person's date of birth (ISO 8601), reduced to the month or the year where no more is known."""
    text = value.strip()
    parts = _BIRTH_DATE.fullmatch(text)
    try:
        if parts:
            date(int(parts[1]), int(parts[2] or 1), int(parts[3] or 1))
            return text
    except ValueError:
        pass
    refuse(field, "A day, month or year, such as 1970-05-12, 1970-05 or 1970")


@cache
def _countries() -> frozenset[str]:
    import pycountry  # here, for it reads its tables when imported, and most commands never need them

    return frozenset({country.alpha_2 for country in pycountry.countries} | {"XK"})
