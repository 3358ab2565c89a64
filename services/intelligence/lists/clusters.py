"""The same party on several lists: entries that share a number that only one party bears, or a name with a day of birth. Pure; each listing stays.

Names alone never join: namesakes are what people spend their time on. Publishers call a number differently (`Tax ID No.`, `INN`), so kinds are
compared by family; a short number says something only with its country.
"""

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator

from shared.events.signals import PartySignal, Signal, SignalIdentifier

MOST_KEYS = 64  # of an entry
_FAMILIES = (
    ("lei", re.compile(r"\blei\b|legal entity identifier", re.IGNORECASE)),
    ("imo", re.compile(r"\bimo\b|international maritime|vessel registration identification", re.IGNORECASE)),
    ("mmsi", re.compile(r"\bmmsi\b|maritime mobile", re.IGNORECASE)),
    ("coin", re.compile(r"digital currency address|crypto", re.IGNORECASE)),
    ("aircraft", re.compile(r"aircraft.*(?:serial|construction|tail|transponder)|\bmsn\b|^serial number$|icao code", re.IGNORECASE)),
    ("passport", re.compile(r"passport", re.IGNORECASE)),
    ("tax", re.compile(r"\btax|\binn\b|\bvat\b|v\.a\.t|\bnit\b|\bruc\b|\brfc\b|r\.f\.c|fiscal|\brif\b|\bfein\b", re.IGNORECASE)),
    ("person", re.compile(r"national id|identification number|cedula|personal id|identity|c\.u\.r\.p|\bssn\b|social security|^id number$", re.IGNORECASE)),
    ("register", re.compile(r"registration|registry|register|company number|enterprise number|\bogrn\b|credit code|c\.r\. no|business number", re.IGNORECASE)),
    ("duns", re.compile(r"d-u-n-s|\bduns\b", re.IGNORECASE)),
)  # fmt: skip
_WORLDWIDE = frozenset({"lei", "imo", "mmsi", "coin", "duns"})
_LONG = 9  # characters, from which a national number is hardly another country's, too
_SHORTEST = 6
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_NO_MARK = re.compile(r"[^0-9a-z]+")


def keys(signal: Signal) -> tuple[str, ...]:
    """What an entry has in common with others of the same party, as short digests, sorted; none for exposures, and where only names are known."""
    subject = signal.subject
    if not isinstance(subject, PartySignal):
        return ()
    told = {key for number in subject.identifiers if (key := _number(number, subject))}
    told |= set(_births(subject))
    return tuple(sorted({hashlib.blake2b(key.encode(), digest_size=10).hexdigest() for key in told})[:MOST_KEYS])


def clusters(entries: Iterable[tuple[str, Signal]]) -> dict[str, tuple[str, ...]]:
    """Reference of an entry -> the others of its party, directly or over one between, sorted; only those that have any."""
    parent: dict[str, str] = {}
    first: dict[str, str] = {}

    def root(one: str) -> str:
        while parent[one] != one:
            parent[one] = one = parent[parent[one]]
        return one

    for reference, signal in entries:
        parent.setdefault(reference, reference)
        for key in keys(signal):
            parent[root(reference)] = root(first.setdefault(key, reference))
    together: dict[str, list[str]] = defaultdict(list)
    for reference in parent:
        together[root(reference)].append(reference)
    return {
        one: tuple(sorted(other for other in members if other != one))
        for members in together.values()
        if len(members) > 1
        for one in members
    }


def _number(number: SignalIdentifier, subject: PartySignal) -> str | None:
    value = _NO_MARK.sub("", number.value.casefold())
    family = next((name for name, kinds in _FAMILIES if kinds.search(number.kind)), None)
    if family == "imo" and value.startswith("imo"):
        value = value[3:]
    if family is None or len(value) < _SHORTEST or len(set(value)) < 3 or not any(char.isdigit() for char in value):
        return None  # 000000 and the like tell nobody apart
    if family == "imo" and subject.schema != "vessel" and not (len(value) == 7 and value.isdigit()):
        return None
    country = (
        ""
        if family in _WORLDWIDE or len(value) >= _LONG
        else number.country or (subject.countries[0] if len(subject.countries) == 1 else None)
    )
    return None if country is None else f"{family}|{subject.schema}|{value}|{country}"


def _births(subject: PartySignal) -> Iterator[str]:
    if subject.schema != "person":
        return
    days = [day for day in subject.birth_dates if _DAY.fullmatch(day)][:8]
    for name in subject.names[: MOST_KEYS * 4]:
        words = sorted(_folded(name.name).split())
        if not name.weak and len(words) > 1:
            yield from (f"born|{' '.join(words)}|{day}" for day in days)


def _folded(name: str) -> str:
    """Letters of every script; marks on them, case and their order between commas are left out."""
    plain = "".join(char for char in unicodedata.normalize("NFKD", name) if not unicodedata.combining(char))
    return re.sub(r"[\W_]+", " ", plain.casefold()).strip()
