"""Numbers that registers and tax offices give, in one form whoever wrote them: which are the same, and which contradict each other."""

import re
from collections.abc import Iterable, Sequence
from itertools import product
from typing import Final, Literal, NamedTuple

import msgspec
from stdnum import lei

from services.screening.matching.settings import IDENTIFIER_CONFLICTS, IDENTIFIER_DECIDES, IDENTIFIER_LOCAL

NumberKind = Literal["lei", "duns", "gln", "tax", "register"]
NumbersKind = Literal["identifier", "identifier_local", "identifier_conflict"]
_MOST: Final = 50  # numbers of one party
_SHORTEST: Final = 6  # letters and digits, leading noughts aside: shorter ones are the same by chance
_LONG: Final = 9  # from here the same number without its country, or once as a tax and once as a register number, is no chance
_LEADING: Final = re.compile(r"^0+(?=.)")
_PLACEHOLDER: Final = "01234567890"
_OTHERS: Final = re.compile(r"[^0-9A-Z]")
# What publishers call them, written as one: OFAC's words, those of OpenSanctions' properties and suppliers' own.
_WORDS: Final[dict[NumberKind, str]] = {
    "lei": "lei leicode legalentityidentifier",
    "duns": "duns dunsnumber dunscode",
    "gln": "gln",
    "tax": "tax taxid taxidno taxnumber taxidentificationnumber vat vatnumber vatcode nit rfc ruc rif cuit cif usfein fein fiscalcode"
    " italianfiscalcode romaniantaxregistration rtn rsin inn inncode numerounicodeidentificacaotributarianuit legalentitynumber",
    "register": "register registrationnumber registrationid businessregistrationnumber businessregistrationdocument businessnumber"
    " companynumber ukcompanynumber commercialregistrynumber crno romaniancr certificateofincorporationnumber chamberofcommercenumber"
    " enterprisenumber publicregistrationnumber centralregistrationsystemnumber economicregisternumbercbls governmentgazettenumber ogrn"
    " ogrncode okpocode organizationcode unifiedsocialcreditcodeuscc unitedsocialcreditcodecertificateusccc uscc usccode"
    " matriculamercantilno foliomercantilno tradelicenseno",
}
_KINDS: Final = {word: kind for kind, words in _WORDS.items() for word in words.split()}
# Where courts, states, chambers or emirates keep registers of their own: the same number is given again in the next one.
_LOCAL: Final = frozenset(("AE", "CA", "CO", "DE", "EG", "ES", "IR", "IT", "LB", "MX", "SY", "TR", "US", "VE"))


class Number(msgspec.Struct, frozen=True, gc=False, array_like=True, order=True):
    """A number in capitals and digits; `country` (ISO 3166-1 alpha-2) is "" where nobody says whose it is, or where it holds world-wide."""

    kind: NumberKind
    country: str
    value: str

    @property
    def shown(self) -> str:
        """In words."""
        return " ".join(part for part in (self.kind, self.country, self.value) if part)

    @property
    def token(self) -> str:
        """Equal for numbers that may be the same one."""
        return f"{'national' if self.kind in ('tax', 'register') else self.kind} {self.value}"


class NumbersCompared(NamedTuple):
    """What two numbers say: log odds (`identifier` decides), and both in words."""

    kind: NumbersKind
    ours: str
    theirs: str
    odds: float


def numbers_of(written: Iterable[tuple[str, str, str | None]]) -> tuple[Number, ...]:
    """Of (kind in the publisher's or our words, value, country), sorted, each once; what tells no organisation apart is left out."""
    return tuple(sorted({found for kind, value, country in written if (found := _read(kind, value, country or ""))})[:_MOST])


def _read(written: str, text: str, country: str) -> Number | None:
    value = _OTHERS.sub("", text.upper())
    kind = _KINDS.get("".join(filter(str.isalnum, written.casefold())))
    if kind == "lei" or (kind is not None and len(value) == 20 and lei.is_valid(value)):
        return Number("lei", "", value) if lei.is_valid(value) else None
    if kind is None:
        return None
    if kind == "tax" and country:  # of VAT numbers; Greece's is not its code of ISO 3166-1
        value = value.removeprefix("EL" if country == "GR" else country)
    value = _LEADING.sub("", value)
    if len(value) < _SHORTEST or not any(map(str.isdigit, value)) or len(set(value)) == 1 or value in _PLACEHOLDER:
        return None
    return Number(kind, "" if kind in ("duns", "gln") else country, value)


def compare_numbers(ours: Sequence[Number], theirs: Sequence[Number]) -> list[NumbersCompared]:
    """The best that is the same, and one that contradicts, if there are; symmetric."""
    if not ours or not theirs:
        return []
    same, other = [], []
    for a, b in product(ours, theirs):
        if a.token == b.token and (odds := _same(a, b)):
            same.append((odds, sorted((a, b)), a, b))
        elif a.kind == b.kind and _contradict(a, b):
            other.append((sorted((a, b)), a, b))
    told = []
    if same:
        odds, _, a, b = max(same, key=lambda one: one[:2])
        told.append(NumbersCompared("identifier" if odds == IDENTIFIER_DECIDES else "identifier_local", a.shown, b.shown, odds))
    agreed = {(one.kind, one.country) for _, _, *pair in same for one in pair}
    left = [one for one in other if (one[1].kind, one[1].country) not in agreed]
    if left:
        _, a, b = min(left, key=lambda one: one[0])
        told.append(NumbersCompared("identifier_conflict", a.shown, b.shown, IDENTIFIER_CONFLICTS))
    return told


def _same(a: Number, b: Number) -> float:
    """Log odds of one party with two numbers of one token; 0 where it may be chance."""
    if a.kind in ("lei", "duns", "gln"):
        return IDENTIFIER_DECIDES
    if a.country and b.country and a.country != b.country:
        return 0.0
    if (a.country != b.country or a.kind != b.kind or not a.country) and len(a.value) < _LONG:
        return 0.0
    return IDENTIFIER_LOCAL if _is_local(a) or _is_local(b) else IDENTIFIER_DECIDES


def _contradict(a: Number, b: Number) -> bool:
    """One party has one LEI, and of one office one number; numbers of another length may be of another office. A party has many D-U-N-S numbers."""
    if a.kind == "lei":
        return True
    return (
        a.kind in ("tax", "register") and bool(a.country) and a.country == b.country and len(a.value) == len(b.value) and not _is_local(a)
    )


def _is_local(one: Number) -> bool:
    return one.kind == "register" and one.country in _LOCAL
