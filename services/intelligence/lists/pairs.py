"""Pairs of a good and a country, each a record of its publisher, from rows of whatever form: never an accusation of anybody who sells the good.

A pair's id is made of the good's name and the country's code, for its publisher gives none. Where rows carry the year of their edition, one pair holds from the
first year that has it to the eve of the first edition that has it no more.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import NamedTuple

from services.intelligence.lists import goods, regions
from services.intelligence.lists.cells import day, editions, flag, year
from services.intelligence.lists.countries import country_of
from services.intelligence.lists.records import entry
from services.intelligence.lists.spec import Entry, Quarantined, Record
from shared.events.signals import Abuse, ExposureSignal

GOOD = ("good", "good name", "goods", "product", "product name", "good product", "commodity")
COUNTRY = ("country", "country name", "country area", "country territory", "countries", "country of origin")
REGION = ("region code", "subdivision", "province", "sub region", "subregion")  # ILAB's `Country_Region` is a part of the world
YEAR = ("year", "report year", "edition", "reporting year", "list year")
FROM = ("valid from", "date added", "year added", "listed on", "date listed", "added", "effective date")
UNTIL = ("valid until", "valid to", "date removed", "year removed", "removed")
FLAGS: dict[Abuse, tuple[str, ...]] = {
    "child_labour": ("child labor", "child labour"),
    "forced_labour": ("forced labor", "forced labour"),
    "forced_child_labour": (
        "forced child labor",
        "forced child labour",
        "forced indentured child labor",
        "forced or indentured child labor",
    ),
    "derived": ("derived labor exploitation", "derived", "derived good"),
}
_LONGEST_FIRST: tuple[tuple[Abuse, str], ...] = (
    ("forced_child_labour", "fcl"), ("child_labour", "cl"), ("forced_labour", "fl"), ("derived", "downstream"),
)  # fmt: skip
KINDS = ("exploitation type", "type of exploitation", "exploitation", "labor exploitation type")  # all in one cell
INPUTS = ("derived country", "derived countries")
MAX_NAME = 300  # characters of a good's or a country's name
_AGAIN = "its good and its country stand on an earlier record"


class Found(NamedTuple):
    """A record as it stands in the file; `cells` by folded name, `fault` where it cannot be read."""

    number: int
    cells: Mapping[str, str]
    fault: str = ""


class Pair(NamedTuple):
    row: int
    uid: str
    subject: ExposureSignal
    remarks: str
    year: int | None = None


class Unread(Exception):
    """Why a record becomes no entry, and whose it is where that is known."""

    def __init__(self, reason: str, uid: str | None = None) -> None:
        super().__init__(reason)
        self.uid = uid


Kinds = Callable[[Mapping[str, str], str], tuple[Abuse, ...]]


def records(
    found: Iterable[Found], list_id: str, release_id: str, *, programs: tuple[str, ...] = (), kinds: Kinds | None = None
) -> Iterator[Record]:
    """An entry or a quarantined record for each pair; lazily, but for rows that carry the years of several editions."""
    seen: set[str] = set()
    dated: dict[str, list[Pair]] = {}
    for one in found:
        try:
            pair = _pair(one, kinds or _kinds)
            if pair.uid in (seen if pair.year is None else ()):
                raise Unread(_AGAIN, pair.uid)
            if pair.year is not None and any(other.year == pair.year for other in dated.get(pair.uid, ())):
                raise Unread(_AGAIN, pair.uid)
        except Unread as why:
            yield Quarantined(row=one.number, reason=str(why), uid=why.uid)
            continue
        if pair.year is None:
            seen.add(pair.uid)
            yield _entry(pair, list_id, release_id, programs)
        else:
            dated.setdefault(pair.uid, []).append(pair)
    last = editions(pair.year for rows in dated.values() for pair in rows if pair.year is not None)
    for uid, rows in dated.items():
        if uid in seen:
            yield Quarantined(row=rows[0].row, reason=_AGAIN, uid=uid)
        else:
            yield _entry(_together(rows, last), list_id, release_id, programs)


def _together(rows: list[Pair], last: Mapping[int, date | None]) -> Pair:
    """One pair of the rows of several editions: as the newest has it, from the first on."""
    ordered = sorted(rows, key=lambda pair: pair.year or 0)
    first, newest = ordered[0].year or 0, ordered[-1]
    about = newest.subject
    about = ExposureSignal(
        hs=about.hs, more_hs=about.more_hs, origin=about.origin, region=about.region, good=about.good, abuses=about.abuses,
        valid_from=about.valid_from or date(first, 1, 1), valid_until=about.valid_until or last[newest.year or 0],
    )  # fmt: skip
    return newest._replace(subject=about)


def _entry(pair: Pair, list_id: str, release_id: str, programs: tuple[str, ...]) -> Entry:
    return entry(list_id, release_id, pair.uid, pair.subject, programs=programs, remarks=pair.remarks)


def first_of(cells: Mapping[str, str], names: Iterable[str]) -> str:
    """The first cell with one of these names that says something."""
    return next((" ".join(value.split()) for name in names if (value := cells.get(name, "").strip())), "")


def _pair(found: Found, kinds: Kinds) -> Pair:
    if found.fault:
        raise Unread(found.fault)
    cells = found.cells
    good, where = first_of(cells, GOOD), first_of(cells, COUNTRY)
    if not good or not where:
        raise Unread("it names no good" if not good else "it names no country")
    if max(len(good), len(where)) > MAX_NAME or not goods.folded(good):
        raise Unread("its good or its country is no name")
    origin = country_of(where)
    uid = f"{_slug(good)}.{origin or _slug(where)}"
    if origin is None:
        raise Unread("its country is not known", uid)
    place = first_of(cells, REGION)
    region = regions.code(place, origin) if place else None
    uid = f"{uid}.{region or _slug(place)}" if place else uid
    if place and region is None:  # all of the country would be more than its publisher says
        raise Unread("its region is not known", uid)
    told = first_of(cells, YEAR)
    edition = year(told)
    if told and edition is None:
        raise Unread("its year is not of the layout", uid)
    known = goods.find(good)
    codes = known.codes if known else ()
    subject = ExposureSignal(
        hs=codes[0] if codes else None, more_hs=codes[1:], origin=origin, region=region, good=good, abuses=kinds(cells, uid),
        valid_from=_day(cells, FROM, uid), valid_until=_day(cells, UNTIL, uid),
    )  # fmt: skip
    inputs = first_of(cells, INPUTS)
    return Pair(found.number, uid, subject, f"Made with goods from {inputs}" if flag(inputs) is None else "", edition)


def _kinds(cells: Mapping[str, str], uid: str) -> tuple[Abuse, ...]:
    """Kinds of abuse, in one order. A table without such columns says nothing of them; one that marks none for a pair is damaged there."""
    found: set[Abuse] = set()
    asked = False
    for abuse, names in FLAGS.items():
        here = [name for name in names if name in cells]
        asked = asked or bool(here)
        mark = flag(first_of(cells, here))
        if mark is None:
            raise Unread("a mark of its kinds of abuse is neither yes nor no", uid)
        if mark:
            found.add(abuse)
    if told := goods.folded(first_of(cells, KINDS)):
        found |= _in_words(told)
        asked = True
    if asked and not found:
        raise Unread("none of its kinds of abuse is marked", uid)
    return tuple(abuse for abuse in FLAGS if abuse in found)


def _in_words(told: str) -> set[Abuse]:
    """`child labor forced labor`, or `cl fl` as the printed list has it: forced child labor is a kind of its own, and none of the two that its words hold."""
    found: set[Abuse] = set()
    for abuse, short in _LONGEST_FIRST:
        pattern = "|".join(rf"\b{re.escape(name)}\b" for name in (*FLAGS[abuse], short))
        told, times = re.subn(pattern, "|", told)
        if times:
            found.add(abuse)
    return found


def _day(cells: Mapping[str, str], names: tuple[str, ...], uid: str) -> date | None:
    word = first_of(cells, names)
    if not word or flag(word) is False:
        return None
    found = day(word, last=names is UNTIL)
    if found is None:
        raise Unread("a day of its interval is not of the layout", uid)
    return found


def _slug(name: str) -> str:
    return goods.folded(name).replace(" ", "-")[:120]
