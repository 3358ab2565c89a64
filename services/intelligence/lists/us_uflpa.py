"""UFLPA Entity List of the US Department of Homeland Security: the page's tables, one a section of the act, or a CSV of the same columns.

Its publisher gives no ids: an entry's is derived from its name without marks and case; where a party stands in several sections, those after the first
(in the order of sections) have their section in it, too. Subsidiaries that a name lists are parties of their own and so entries, with ids under their
parent's; they are no records of the publisher, and are counted as attached `subsidiaries`.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from services.intelligence.lists.html_tables import html_rows
from services.intelligence.lists.parties import LONG_NAME, NO_NAME, STANDS_ABOVE, derived_uid, iso_day
from services.intelligence.lists.records import MAX_NAME, entry, holding_records, party_names
from services.intelligence.lists.spec import Attached, Entry, Layout, ListFile, ListSpec, Quarantined, Record
from services.intelligence.lists.tables import fold, known_as, table
from services.intelligence.lists.uflpa_names import MAX_TEXT, Names, parse
from shared.errors import Malformed, TooLarge
from shared.events.signals import PartySignal, SignalName

MAX_RECORDS = 20_000  # held at once, so that the order of sections and not that of the file gives ids; the list has some hundreds
_NAME, _DATE = "name of entity", "effective date"
_SYNONYMS = {
    "entity name": _NAME, "entity": _NAME, "name": _NAME, "name of entities": _NAME, "uflpa entity": _NAME, "entities": _NAME,
    "date": _DATE, "date added": _DATE, "effective": _DATE, "date effective": _DATE, "effective date of listing": _DATE,
    "uflpa section": "section", "sublist": "section", "list": "section", "statutory section": "section", "category": "section", "uflpa list": "section",
    "industry": "sector", "high priority sector": "sector", "sectors": "sector",
}  # fmt: skip
_SECTION = re.compile(r"2\s*\(\s*d\s*\)\s*\(\s*2\s*\)\s*\(\s*B\s*\)\s*\(\s*(iii|ii|iv|i|v)\s*\)", re.IGNORECASE)
_BARE_SECTION = re.compile(r"\(?\s*(iii|ii|iv|i|v)\s*\)?", re.IGNORECASE)


class _Told(NamedTuple):
    """A record as the publisher writes it."""

    at: int
    text: str
    date: str
    section: str = ""
    sector: str = ""
    fault: str = ""


@holding_records
def read_html(files: Mapping[str, Path], *, list_id: str, release_id: str) -> Iterator[Record]:
    """Records of the page's tables that have a column with names of entities; other tables are no part of the list."""
    return _entries(_from_page(files["primary"]), list_id, release_id)


@holding_records
def read_csv(files: Mapping[str, Path], *, list_id: str, release_id: str) -> Iterator[Record]:
    """Records of a CSV file with the same columns, and one for the section."""
    return _entries(_from_table(files["primary"]), list_id, release_id)


def _from_page(path: Path) -> Iterator[_Told]:
    columns: tuple[str, ...] = ()
    current, section, found, at = 0, "", False, 0
    for row in html_rows(path):
        if row.table != current:
            current, columns = row.table, ()
            section = _section(row.above)
        named = known_as(tuple(map(fold, row.cells)), _SYNONYMS)
        if _NAME in named:
            columns, found = named, True
        elif columns and any(row.cells) and len(row.cells) == 1 and _SECTION.search(row.cells[0]):
            section = _section(row.cells[0])
        elif columns and (row.fault or any(row.cells)):
            at += 1
            cells = dict(zip(columns, row.cells, strict=False))
            short = "" if len(row.cells) == len(columns) else f"it has {len(row.cells)} cells where {len(columns)} are expected"
            own = _section(cells.get("section", "")) or section
            yield _Told(at, cells.get(_NAME, ""), cells.get(_DATE, ""), own, cells.get("sector", ""), row.fault or short)
    if not found:
        raise Malformed("The page has no table with a column `Name of Entity`")


def _from_table(path: Path) -> Iterator[_Told]:
    for row in table(path, (_NAME,), synonyms=_SYNONYMS):
        yield _Told(row.number, row.get(_NAME), row.get(_DATE), _section(row.get("section")), row.get("sector"), row.fault)


def _section(text: str) -> str:
    """`2(d)(2)(B)(ii)`, the last that a text names; what a short text says otherwise, as it is."""
    if found := _SECTION.findall(text):
        return f"2(d)(2)(B)({found[-1].lower()})"
    if bare := _BARE_SECTION.fullmatch(text):
        return f"2(d)(2)(B)({bare[1].lower()})"
    return ""


def _entries(told: Iterator[_Told], list_id: str, release_id: str) -> Iterator[Record]:
    held: list[tuple[_Told, Names]] = []
    for one in told:
        names = parse(one.text)
        if reason := one.fault or _objection(one.text, names):
            yield Quarantined(row=one.at, reason=reason)
        elif len(held) == MAX_RECORDS:
            raise TooLarge(f"The list has more than {MAX_RECORDS} records")
        else:
            held.append((one, names))
    subsidiaries = 0
    seen: dict[str, dict[str, str]] = {}  # name -> section -> id
    for one, names in sorted(held, key=lambda pair: pair[0].section):  # stable: in one section, the first in the file is the first
        ids = seen.setdefault(fold(names.primary), {})
        if one.section in ids:
            yield Quarantined(row=one.at, reason=STANDS_ABOVE, uid=ids[one.section])
            continue
        uid = ids[one.section] = derived_uid(fold(names.primary), *([one.section] if ids else []))
        for found in _family(uid, one, names, "", list_id, release_id):
            subsidiaries += found.part
            yield found
    yield Attached(role="subsidiaries", rows=subsidiaries)


def _objection(text: str, names: Names) -> str:
    if len(text) > MAX_TEXT:
        return f"its name's text is longer than {MAX_TEXT} characters"
    return NO_NAME if not fold(names.primary) else LONG_NAME if len(names.primary) > MAX_NAME else ""


def _family(uid: str, told: _Told, names: Names, parent: str, list_id: str, release_id: str) -> Iterator[Entry]:
    """A party, and below it those that it owns."""
    others = [SignalName(name=name) for name in names.aliases] + [SignalName(name=name, kind="former") for name in names.former]
    programs = tuple(dict.fromkeys(part for part in (f"UFLPA {told.section}".strip(), told.sector) if part))
    day = iso_day(told.date)
    remarks = [
        f"Subsidiary of {parent}" if parent else "",
        f"Effective {told.date}" if told.date and not day else "",
        f"Announces {names.told} names of which {names.found} were found" if names.told > names.found else "",
        f"Published as: {told.text}" if told.text != names.primary and not parent else "",
    ]
    subject = PartySignal(names=party_names(names.primary, others))
    made = entry(list_id, release_id, uid, subject, programs=programs, remarks="; ".join(filter(None, remarks)), listed_on=day)
    yield msgspec.structs.replace(made, part=bool(parent))
    seen: set[str] = set()
    for owned in names.subsidiaries:
        key = fold(owned.primary)
        if key and key not in seen and len(owned.primary) <= MAX_NAME:
            seen.add(key)
            yield from _family(f"{uid}-{derived_uid(key)[:8]}", told, owned, names.primary, list_id, release_id)


def _is_page(head: bytes) -> bool:
    text = head.decode("utf-8-sig", "replace").lstrip().lower()
    return text.startswith("<") and ("<html" in text or "<table" in text or "<!doctype html" in text)


def _is_csv(head: bytes) -> bool:
    text = head.decode("utf-8-sig", "replace").lstrip()
    return not text.startswith(("<", "{", "[")) and "\n" in text


_ADDRESS = "https://www.dhs.gov/uflpa-entity-list"
SPECS = (
    ListSpec(
        id="us_uflpa",
        title="UFLPA Entity List",
        publisher="US Department of Homeland Security, Forced Labor Enforcement Task Force",
        layouts=(
            Layout(
                name="page",
                files=(ListFile(role="primary", name="uflpa-entity-list.html", address=_ADDRESS),),
                read=read_html,
                recognises=_is_page,
            ),
            Layout(
                name="CSV",
                files=(ListFile(role="primary", name="uflpa-entity-list.csv", address=_ADDRESS),),
                read=read_csv,
                recognises=_is_csv,
            ),
        ),
        max_file_bytes=4_000_000,
    ),
)
