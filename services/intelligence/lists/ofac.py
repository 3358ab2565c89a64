"""OFAC's lists in their official CSV layout: SDN, ALT, ADD and SDN_COMMENTS, and the same four of the consolidated (non-SDN) list.

No header, `-0- ` is null, 0x1A at the end, linked by `ent_num`; remarks are cut at 1,000 characters and go on in the comments file (OFAC's "SDN data
specification", dat_spec.txt).
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from services.intelligence.lists import ofac_advanced, ofac_xml, remarks
from services.intelligence.lists.countries import alpha2
from services.intelligence.lists.ofac_party import CALL_SIGN, SCHEMAS, place
from services.intelligence.lists.party import UNKNOWN_TYPE
from services.intelligence.lists.records import MAX_NAME, entry, party_names
from services.intelligence.lists.rows import MAX_LINES, Row, rows
from services.intelligence.lists.spec import Attached, Entry, Layout, ListFile, ListSpec, Quarantined, Reader, Record
from shared.errors import Malformed
from shared.events.signals import PartySignal, Schema, SignalAddress, SignalIdentifier, SignalName

COLUMNS: dict[str, int] = {"primary": 12, "aliases": 5, "addresses": 6, "comments": 2}
MAX_BAD_SHARE = 0.05  # of a file's rows: beyond, it is another layout and not a few damaged rows
_SCHEMAS: dict[str, Schema] = {"": "organisation", **SCHEMAS}  # null where it is neither a person nor a vessel or an aircraft
_DETAILS = (
    (4, "Title"),
    (6, "Vessel Type"),
    (7, "Tonnage"),
    (8, "Gross Registered Tonnage"),
    (10, "Vessel Owner"),
)  # columns without a field of their own
_BETWEEN_PROGRAMS = re.compile(r"\]\s*\[|;\s*")
_HEADING = "ent_num"  # dat_spec.txt
_ROW = re.compile(r'\s*"?\d{1,10}"?\s*,\s*"?[^,<>]')


def read(files: Mapping[str, Path], *, list_id: str, release_id: str) -> Iterator[Record]:
    """Entries of a release, in the order of the primary file. All of it is in memory meanwhile, for the files that add to it are in any order:
    `MAX_LINES` bounds it.

    Rows that cannot be read are quarantined one by one; a primary file without any entry, or any file with more than 5 % of bad rows, is `Malformed`.
    """
    primary, quarantined = _primary(files["primary"])
    extra: dict[str, dict[str, list[list[str]]]] = {"aliases": {}, "addresses": {}, "comments": {}}
    for role in extra:
        if role in files:
            extra[role], attached = _attached(files[role], role, primary)
            yield attached
    yield from quarantined
    for uid, cells in primary.items():
        yield _entry(uid, cells, {role: rows_of.get(uid, []) for role, rows_of in extra.items()}, list_id, release_id)


def recognises(head: bytes) -> bool:
    """Rows that begin with a number and have OFAC's columns, or the heading that some tools write above them."""
    text = head.decode("utf-8-sig", "replace")
    if text.lstrip().startswith(("<", "{", "[")):
        return False
    return text.startswith(_HEADING) or any(_ROW.match(line) for line in text.splitlines())


def _primary(path: Path) -> tuple[dict[str, list[str]], tuple[Quarantined, ...]]:
    found: dict[str, list[str]] = {}
    quarantined: list[Quarantined] = []
    for row in rows(path, COLUMNS["primary"], "primary"):
        if _is_heading(row):
            continue
        uid = _uid(row)
        if reason := row.fault or _objection(uid, row.cells, found):
            quarantined.append(Quarantined(row=row.number, reason=reason, uid=uid or None))
            if len(quarantined) > MAX_BAD_SHARE * MAX_LINES:
                break  # the share is exceeded whatever follows
        else:
            found[uid] = row.cells
    if not found:
        raise Malformed("The primary file holds no entry in OFAC's CSV layout")
    _refuse_if_bad(len(quarantined), len(found) + len(quarantined), "primary")
    return found, tuple(quarantined)


def _objection(uid: str, cells: list[str], found: dict[str, list[str]]) -> str:
    name = _value(cells[1])
    if not uid:
        return "it has no entry number in its first column"
    if not name:
        return "it has no name"
    if len(name) > MAX_NAME:
        return f"its name is longer than {MAX_NAME} characters"
    if _value(cells[2]).lower() not in _SCHEMAS:
        return UNKNOWN_TYPE
    return "its entry number stands on an earlier row" if uid in found else ""


def _attached(path: Path, role: str, known: dict[str, list[str]]) -> tuple[dict[str, list[list[str]]], Attached]:
    by_uid: dict[str, list[list[str]]] = defaultdict(list)
    total = orphans = unread = 0
    for row in rows(path, COLUMNS[role], role):
        if _is_heading(row):
            continue
        total += 1
        uid = _uid(row)
        if row.fault or not uid:
            unread += 1
        elif uid in known:
            by_uid[uid].append(row.cells)
        else:
            orphans += 1
    _refuse_if_bad(unread, total, role)
    return by_uid, Attached(role=role, rows=total, orphans=orphans, unread=unread)


def _refuse_if_bad(bad: int, total: int, role: str) -> None:
    if bad > MAX_BAD_SHARE * total:
        raise Malformed(f"{bad} of {total} rows of the {role} file are not in OFAC's CSV layout")


def _is_heading(row: Row) -> bool:
    """Some tools write the names of the columns above."""
    return row.number == 1 and row.cells[:1] == [_HEADING]


def _uid(row: Row) -> str:
    """The number in the first column, or nothing."""
    if row.fault:
        return row.uid or ""
    cell = row.cells[0].strip()
    return cell if cell.isascii() and cell.isdigit() and len(cell) <= 10 else ""


def _value(cell: str) -> str:
    """Without padding; null is empty."""
    cell = cell.strip()
    return "" if cell == "-0-" else cell


def _entry(uid: str, cells: list[str], more: dict[str, list[list[str]]], list_id: str, release_id: str) -> Entry:
    """One entry; everything that comes from several rows is sorted, so that their order changes nothing."""
    text = "".join(cell for cell in (cells[11], *(row[1] for row in more["comments"])) if _value(cell)).strip()
    noted = remarks.parse(text) if text else remarks.Remarks()
    places = {place for row in more["addresses"] if (place := _address(row))}
    flag = alpha2(_value(cells[9]))
    call_sign = [SignalIdentifier(kind=CALL_SIGN, value=value)] if (value := _value(cells[5])) else []
    subject = PartySignal(
        names=party_names(_value(cells[1]), (*_aliases(more["aliases"]), *noted.names)),
        schema=_SCHEMAS[_value(cells[2]).lower()],
        countries=tuple(sorted({*noted.countries, *(p.country for p in places if p.country), *([flag] if flag else [])})),
        addresses=tuple(sorted(places, key=lambda p: (p.country or "", p.city or "", p.text or ""))),
        identifiers=tuple(sorted({*noted.identifiers, *call_sign}, key=lambda i: (i.kind, i.value, i.country or ""))),
        birth_dates=tuple(sorted({day for day in noted.birth_dates if day})),
    )
    programs = tuple(p for part in _BETWEEN_PROGRAMS.split(_value(cells[3])) if (p := part.strip(" []")))
    details = [f"{label} {value}" for column, label in _DETAILS if (value := _value(cells[column]))]
    details += [f"Flag {_value(cells[9])}"] if _value(cells[9]) and not flag else []
    return entry(list_id, release_id, uid, subject, programs=programs, remarks="; ".join([*details, text] if text else details))


def _aliases(found: list[list[str]]) -> Iterator[SignalName]:
    """Of the alias file, where a name is weak only if its remarks say so: quotation marks are part of it there (one entry's full name stands in them)."""
    for row in found:
        yield SignalName(name=_value(row[3]), kind="former" if _value(row[2]).lower() == "fka" else "alias", weak="weak" in row[4].lower())


def _address(row: list[str]) -> SignalAddress | None:
    street, city, word, note = (_value(cell) for cell in row[2:6])
    return place(street, city, word, note)


def _spec(list_id: str, title: str, comma: str, prefix: str, comments: str, plain: str, advanced: str) -> ListSpec:
    base = "https://sanctionslistservice.ofac.treas.gov/api/PublicationPreview/exports/"
    names = {"primary": comma, "aliases": f"{prefix}ALT.CSV", "addresses": f"{prefix}ADD.CSV", "comments": comments}

    def layout(reader: Reader, recognised: Callable[[bytes], bool], **files: str) -> Layout:
        listed = tuple(ListFile(role=role, name=name, address=base + name) for role, name in files.items())
        return Layout(name=files["primary"], files=listed, read=reader, recognises=recognised)

    return ListSpec(
        id=list_id,
        title=title,
        publisher="US Department of the Treasury, Office of Foreign Assets Control",
        layouts=(
            layout(read, recognises, **names),
            layout(ofac_xml.read, ofac_xml.recognises, primary=plain),
            layout(ofac_advanced.read, ofac_advanced.recognises, primary=advanced),
        ),
    )


SPECS = (
    _spec(
        "us_ofac_sdn",
        "Specially Designated Nationals and Blocked Persons List",
        "SDN.CSV",
        "",
        "SDN_COMMENTS.CSV",
        "SDN.XML",
        "SDN_ADVANCED.XML",
    ),
    _spec(
        *("us_ofac_cons", "Consolidated (non-SDN) Sanctions List", "CONS_PRIM.CSV", "CONS_", "CONS_COMMENTS.CSV"),
        *("CONSOLIDATED.XML", "CONS_ADVANCED.XML"),
    ),
)
