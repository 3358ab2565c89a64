"""OFAC's remarks: aliases, identifiers, dates of birth and nationalities that stand in no column of the CSV files.

Parts are separated by `;`, each begins with what it is: `a.k.a. 'BNC'.`, `alt. Passport A123 (Iran) expires 01 Jan 2020`, `DOB 15 Jan 1955`. What is
not recognised (`Linked To: ...`, titles, legal notices) stays where it is read whole: in the signal's remarks.
Aliases in remarks are those that OFAC calls weak (its FAQ 122 and 123).
"""

import re
from collections import defaultdict
from datetime import date

import msgspec

from services.intelligence.lists.countries import alpha2
from shared.events.signals import SignalIdentifier, SignalName

# Kinds of numbers as OFAC writes them in its releases of 2019, 2021, 2023 and 2025.
_KINDS = """
Afghan Money Service Provider License Number|Aircraft Construction Number (also called L/N or S/N or F/N)|Aircraft Manufacturer's Serial Number (MSN)
Aircraft Mode S Transponder Code|Aircraft Serial Identification|Aircraft Tail Number|BIK (RU)|Birth Certificate Number|Branch Unit Number
British National Overseas Passport|Business Number|Business Registration Document|Business Registration Number|C.I.F.|C.R. No.|C.U.I.|C.U.I.P.|C.U.I.T.
C.U.R.P.|CNP (Personal Numerical Code)|Cartilla de Servicio Militar Nacional|Cedula No.|Central Registration System Number
Certificate of Incorporation Number|Chamber of Commerce Number|Chinese Commercial Code|Citizen's Card Number|Commercial Registry Number|Company Number
Company Number IMO|Credencial electoral|D-U-N-S Number|D.N.I.|Diplomatic Passport|Driver's License No.|Dubai Chamber of Commerce Membership No.
Economic Register Number (CBLS)|Electoral Registry No.|Enterprise Number|Equity Ticker|File Number|Fiscal Code|Folio Mercantil No.
Government Gazette Number|I.F.E.|ISIN|Identification Number|Identification Number IMO|Immigration No.|International Maritime Organization No.
Istanbul Chamber of Comm. No.|Italian Fiscal Code|Kenyan ID No.|LE Number|Legal Entity Number|License|MMSI|MSB Registration Number|Matricula Mercantil No
N.I.E.|NIT|National Foreign ID Number|National ID No.|Numero Unico de Identificacao Tributaria (NUIT)|Numero de Identidad|Organization Code|Passport
Personal ID Card|Pilot License Number|Previous Aircraft Tail Number|Public Registration Number|R.F.C.|RFC|RIF|RSIN|RTN|RUC|Refugee ID Card
Registered Charity No.|Registration ID|Registration Number|Residency Number|Romanian C.R.|Romanian Tax Registration|SRE Permit No.|SSN|SWIFT/BIC
Seafarer's Identification Document|Serial No.|Stateless Person ID Card|Stateless Person Passport|Tax ID No.|Tazkira National ID Card|Tourism License No.
Trade License No.|Travel Document Number|Turkish Identification Number|UAE Identification|UK Company Number|US FEIN|Unified Social Credit Code (USCC)
United Social Credit Code Certificate (USCCC)|V.A.T. Number|Vessel Registration Identification|Vessel Registration Identification IMO|VisaNumberID
"""
_BY_FIRST_WORD: dict[str, list[str]] = defaultdict(list)
for _kind in sorted((kind for line in _KINDS.split("\n") for kind in line.split("|") if kind), key=len, reverse=True):
    _BY_FIRST_WORD[_kind.split(" ", 1)[0]].append(_kind)

_CURRENCY = re.compile(r"(Digital Currency Address - \w+) (\S+)")
_ALIAS = re.compile(r"([afn])\.k\.a\. ['\"](.+)['\"]\.?$")
_DETAIL = re.compile(r",? (?:issued|expires|expired) .*$")
_IN_COUNTRY = re.compile(r"(.+?) \(([^()]+)\)")
_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = dict(zip(_MONTH_NAMES, range(1, 13), strict=True))
_DAY = re.compile(r"(?:(?:(\d{1,2}) )?([A-Z][a-z]{2}) )?(\d{4})")
_LONGEST_VALUE = 200  # characters


class Remarks(msgspec.Struct, kw_only=True):
    """What a remark says in a form that can be matched."""

    names: list[SignalName] = []
    identifiers: list[SignalIdentifier] = []
    birth_dates: list[str] = []
    countries: list[str] = []


def parse(text: str) -> Remarks:
    """Reads all parts; never fails, unknown parts are passed over."""
    found = Remarks()
    for written in text.split(";"):
        part = written.strip().removeprefix("alt. ")
        first, _, rest = part.partition(" ")
        if first in ("a.k.a.", "f.k.a.", "n.k.a."):
            if alias := _ALIAS.match(part):
                found.names.append(SignalName(name=alias[2].strip(), kind="former" if alias[1] == "f" else "alias", weak=True))
        elif first == "DOB":
            found.birth_dates.append(birth_date(rest.rstrip(".").strip()))
        elif first in ("nationality", "citizen"):
            if country := alpha2(rest.rstrip(".")):
                found.countries.append(country)
        elif first == "Digital":
            if currency := _CURRENCY.match(part):
                found.identifiers.append(SignalIdentifier(kind=currency[1], value=currency[2].rstrip(".")[:_LONGEST_VALUE]))
        elif (kinds := _BY_FIRST_WORD.get(first.rstrip(":"))) and (number := _identifier(part, kinds)):
            found.identifiers.append(number)
    return found


def _identifier(part: str, kinds: list[str]) -> SignalIdentifier | None:
    kind = next((k for k in kinds if part.startswith(k) and part[len(k) : len(k) + 1] in (" ", ":")), None)
    if kind is None:
        return None
    value = _DETAIL.sub("", " " + part[len(kind) :].lstrip(" :#")).strip().rstrip(".").rstrip()
    country = None
    if (within := _IN_COUNTRY.fullmatch(value)) and (country := alpha2(within[2])):
        value = within[1].strip()
    telling = any(c.isdigit() for c in value) or value.isupper()  # "Passport and National ID were ..." is prose
    return SignalIdentifier(kind=kind, value=value, country=country) if telling and len(value) <= _LONGEST_VALUE else None


def birth_date(text: str) -> str:
    """`15 Jan 1955` -> `1955-01-15`, `Aug 1960` -> `1960-08`, `1946` as it is (ISO 8601, reduced where less is known); `circa 1951` and all else as written."""
    day = _DAY.fullmatch(text)
    if day is None or (day[2] and day[2] not in _MONTHS):
        return text[:_LONGEST_VALUE]
    parts = [int(day[3])] + ([_MONTHS[day[2]]] if day[2] else []) + ([int(day[1])] if day[1] else [])
    try:
        date(*[*parts, 1, 1][:3])
    except ValueError:
        return text[:_LONGEST_VALUE]
    return "-".join([f"{parts[0]:04d}", *(f"{p:02d}" for p in parts[1:])])
