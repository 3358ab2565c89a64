"""Identifiers of organisations: check digits and shapes, by python-stdnum where it knows the kind.

What is known to be wrong is refused; a kind that nobody wrote rules for is kept as bounded text.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from stdnum import ean, lei
from stdnum.eu import vat as eu_vat
from stdnum.exceptions import ValidationError
from stdnum.util import get_cc_module

from shared.http.checks import check_country, refuse

KINDS = ("lei", "vat", "duns", "gln", "register", "tax")
_MAX_CHARS = 50
_PARTING = re.compile(r"[\s.\-/]+")
_DUNS = re.compile(r"[0-9]{9}", re.ASCII)
_TEXT = re.compile(r"[^\W_](?:[\w .:/\-]*[^\W_])?")
# What stdnum's modules raise for numbers they did not expect: their own error, and slips of parsing.
_FAULTS = (ValidationError, ValueError, IndexError, KeyError, TypeError, AttributeError)


def check_identifier(kind: str, value: str, country: str | None = None, field: str | None = None) -> str:
    """The identifier in its one canonical form; Invalid where it is wrong, naming `field` (the kind unless given).

    `country` (ISO 3166-1 alpha-2) is needed for vat, register and tax; a VAT number of the EU may name it by its prefix.
    """
    named = field or kind
    if kind not in KINDS:
        refuse("kind", "One of " + ", ".join(KINDS))
    text = value.strip()
    if not 0 < len(text) <= _MAX_CHARS:
        refuse(named, f"1 to {_MAX_CHARS} characters")
    if kind == "lei":
        return _by(lei.validate, text, named, "A LEI of 20 characters with right check digits (ISO 17442)")
    if kind == "gln":
        number = _by(ean.validate, text, named, "A GLN of 13 digits with a right check digit (GS1)")
        return number if len(number) == 13 else refuse(named, "A GLN of 13 digits with a right check digit (GS1)")
    if kind == "duns":
        number = _PARTING.sub("", text)
        return number if _DUNS.fullmatch(number) else refuse(named, "A D-U-N-S number of 9 digits")
    if country is not None:
        country = check_country(country)
    if kind == "vat":
        return _vat(text, country, named)
    if country is None:
        refuse(named, "Give the country whose number this is")
    module = _national(country, "tin") if kind == "tax" else _register(country)
    return _by(module.validate, text, named, _WRONG) if module else _as_text(text, named)


_WRONG = "Not a valid number of this kind in this country"


def _vat(text: str, country: str | None, field: str) -> str:
    """VAT numbers of the EU get their prefix, so that one number has one form; others as their country writes them."""
    if text[:2].upper() == "GR":
        text = f"EL{text[2:]}"  # Greece's prefix is not its code of ISO 3166-1 (Directive 2006/112/EC, article 215)
    prefix = "EL" if country == "GR" else country
    stated = text[:2].upper()
    if country is None or (stated != prefix and stated in _EU and _is_of_eu(text)):
        return _by(eu_vat.validate, text, field, _WRONG_IN_EU)
    if prefix in _EU:
        return _by(eu_vat.validate, text if stated == prefix else f"{prefix}{text}", field, _WRONG_IN_EU)
    module = _national(country, "vat")
    return _by(module.validate, text, field, _WRONG) if module else _as_text(text, field)


def issued_in(kind: str, value: str, country: str | None) -> str | None:
    """The country whose number a checked identifier is: who is seated in one country may have a VAT number of another of the EU."""
    said = _ISO.get(value[:2], value[:2])
    return said if kind == "vat" and said != country and value[:2] in _EU and _is_of_eu(value) else country


def _is_of_eu(text: str) -> bool:
    try:
        return eu_vat.is_valid(text)
    except _FAULTS:
        return False


_WRONG_IN_EU = "A VAT number of the EU with its prefix and right check digits"
_EU = frozenset(code.upper() for code in eu_vat.MEMBER_STATES) | {"EL", "XI"}
_ISO = {"EL": "GR", "XI": "GB"}


def _as_text(text: str, field: str) -> str:
    return text if _TEXT.fullmatch(text) else refuse(field, "Letters, digits, spaces and . : / - only")


def _by(validate: Callable[[str], str], text: str, field: str, message: str) -> str:
    try:
        return str(validate(text)).upper()
    except _FAULTS:
        refuse(field, message)


def _register(country: str) -> Any:
    # Germany's registers are kept by courts, whose names people leave out: what misses it is not yet wrong.
    return None if country == "DE" else _national(country, "businessid")


@cache
def _national(country: str, kind: str) -> Any:
    return get_cc_module(country, kind)
