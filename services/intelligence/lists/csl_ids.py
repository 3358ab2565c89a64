"""Numbers in the cell `ids` of the Consolidated Screening List: `Passport, U00242309, TR; Gender, Male`; older files turn it round: `TR, U00242309, Passport`."""

import re

from services.intelligence.lists.countries import country_of
from services.intelligence.lists.parties import values
from shared.events.signals import SignalIdentifier

_DIGIT = re.compile(r"\d")
# What OFAC and others keep among the numbers although it tells nobody apart.
_NO_NUMBER = re.compile(
    r"^(?:gender|secondary sanctions risk|transactions prohibited|additional sanctions information|executive order|email address|website|phone number|"
    r"fax|organization (?:established date|type)|target type|nationality of registration|vessel year of build|former vessel flag|other vessel (?:type|flag)|"
    r"listing date|effective date|caatsa|ifca|bvb|peesa|prohibited transactions|aircraft (?:model|manufacture date|operator)|nationality|citizenship)",
    re.IGNORECASE,
)
_KIND = re.compile(
    r"\b(?:no\.?|number|id|passport|identification|identifier|tax|registration|licen[cs]e|code|ticker|swift|bic|website|address|gender|directive|risk|"
    r"information|determination|flag|date|type|order|card|certificate|nit|ruc|rfc|rif|cedula|d-u-n-s|isin|lei|mmsi|imo|prohibited)\b|[:#-]$",
    re.IGNORECASE,
)


def identifiers(cell: str) -> tuple[list[SignalIdentifier], list[str]]:
    """Numbers of a cell, and what stands among them and is no number, in words."""
    numbers: list[SignalIdentifier] = []
    noted: list[str] = []
    for one in values(cell):
        told = _of(one)
        if isinstance(told, SignalIdentifier):
            numbers.append(told)
        else:
            noted.append(told)
    return numbers, noted


def number_of(kind: str, value: str, country: str = "") -> SignalIdentifier | str:
    """A number, or as words what is none."""
    telling = _DIGIT.search(value) or (value.isupper() and len(value) > 3)
    if not kind or not value or not telling or _NO_NUMBER.match(kind):
        return " ".join(part for part in (kind, value, country) if part)
    return SignalIdentifier(
        kind=kind.rstrip(" :#-"), value=value.removeprefix("IMO ") if "IMO" in value[:4] else value, country=country_of(country)
    )


def _of(written: str) -> SignalIdentifier | str:
    parts = [part.strip() for part in written.split(",") if part.strip()]
    if len(parts) < 2 or _NO_NUMBER.match(parts[0]) or _NO_NUMBER.match(parts[-1]):
        return " ".join(parts)
    if len(parts) > 2 and len(parts[0]) == 2 and country_of(parts[0]):
        return number_of(parts[-1], ", ".join(parts[1:-1]), parts[0])
    if len(parts) > 2 and len(parts[-1]) == 2 and country_of(parts[-1]):
        return number_of(parts[0], ", ".join(parts[1:-1]), parts[-1])
    if _kind_last(parts[0], parts[-1]):
        return number_of(parts[-1], ", ".join(parts[:-1]))
    return number_of(parts[0], ", ".join(parts[1:]))


def _kind_last(first: str, last: str) -> bool:
    if bool(_DIGIT.search(first)) != bool(_DIGIT.search(last)):
        return bool(_DIGIT.search(first)) and bool(_KIND.search(last) or not _KIND.search(first))
    return not _KIND.search(first) and bool(_KIND.search(last))
