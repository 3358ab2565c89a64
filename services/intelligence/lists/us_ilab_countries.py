"""ILAB's profiles of countries (Findings on the Worst Forms of Child Labor): how far each government has come, in the publisher's own scale.

An entry is a territory with its level of advancement, and no more: an exposure of the country, never of a good or of anybody in it. It touches suppliers that
source or work there where advancement is little or none, counts in their rating as a country does, and asks nobody to review anything. What the profile says
of laws and inspectors stays in the raw file.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path

from services.intelligence.lists import xml
from services.intelligence.lists.cells import editions, year
from services.intelligence.lists.countries import country_of
from services.intelligence.lists.goods import folded
from services.intelligence.lists.pairs import COUNTRY, YEAR, Found, first_of
from services.intelligence.lists.records import entry
from services.intelligence.lists.rows_of import of_json, of_table
from services.intelligence.lists.spec import ListSpec, Quarantined, Record
from services.intelligence.lists.tables import fold
from services.intelligence.lists.us_ilab import MAX_BYTES, PUBLISHER, of_api
from shared.errors import Malformed
from shared.events.signals import Advancement, ExposureSignal

NAMES = ("name", *COUNTRY)
LEVEL = ("advancement level", "assessment", "level of advancement", "assessment level")
_LEVELS: tuple[tuple[str, Advancement], ...] = (  # by how the publisher's words begin; what follows says why
    ("no assessment", "not_assessed"),
    ("not assessed", "not_assessed"),
    ("not covered", "not_assessed"),
    ("no advancement", "none"),
    ("minimal", "minimal"),
    ("moderate", "moderate"),
    ("significant", "significant"),
)
MAX_WORDS = 300
_AGAIN = "its country stands on an earlier record"


def _of_xml(path: Path) -> Iterator[Found]:
    for number, outer in enumerate(xml.elements(path, depth=2, what="primary"), 1):
        if not outer.within:
            raise Malformed("The primary file holds no country")
        cells = {fold(child.name): child.text for child in outer.children if not child.children}
        known = outer.name == "Country" or (any(name in cells for name in NAMES) and any(name in cells for name in LEVEL))
        yield Found(number, cells, "" if known else "its type is none that is known")


def _records(found: Iterable[Found], list_id: str, release_id: str) -> Iterator[Record]:
    """An entry a territory. Of rows of several years the newest counts: an older assessment is history, and holds no more."""
    seen: set[str] = set()
    dated: dict[str, dict[int, tuple[int, ExposureSignal, str]]] = {}
    for one in found:
        words, level = first_of(one.cells, LEVEL), _level(one.cells)
        name = first_of(one.cells, NAMES)
        origin = country_of(name) if name else None
        uid = origin or folded(name).replace(" ", "-")[:120] or None
        told = first_of(one.cells, YEAR)
        edition = year(told)
        reason = (
            one.fault
            or ("" if name else "it names no country")
            or ("" if origin else "its country is not known")
            or ("" if level else "its level of advancement is none that is known")
            or ("its year is not of the layout" if told and edition is None else "")
            or (_AGAIN if uid in seen or (edition is not None and edition in dated.get(uid or "", {})) else "")
        )
        if reason or uid is None or level is None:
            yield Quarantined(row=one.number, reason=reason, uid=uid)
            continue
        about = ExposureSignal(origin=origin, advancement=level)
        if edition is not None:
            dated.setdefault(uid, {})[edition] = (one.number, about, words)
            continue
        seen.add(uid)
        yield entry(list_id, release_id, uid, about, remarks=words[:MAX_WORDS])
    last = editions(edition for rows in dated.values() for edition in rows)
    for uid, rows in dated.items():
        newest = max(rows)
        number, about, words = rows[newest]
        if uid in seen:
            yield Quarantined(row=number, reason=_AGAIN, uid=uid)
            continue
        about = ExposureSignal(origin=about.origin, advancement=about.advancement, valid_from=date(newest, 1, 1), valid_until=last[newest])
        yield entry(list_id, release_id, uid, about, remarks=words[:MAX_WORDS])


def _level(cells: Mapping[str, str]) -> Advancement | None:
    words = folded(first_of(cells, LEVEL))
    if words in ("", "n a", "unavailable"):
        return "not_assessed"
    return next((level for begins, level in _LEVELS if words.startswith(begins)), None)


def read_xml(files: Mapping[str, Path], *, list_id: str, release_id: str) -> Iterator[Record]:
    """The records of the XML."""
    return _records(_of_xml(files["primary"]), list_id, release_id)


def read_json(files: Mapping[str, Path], *, list_id: str, release_id: str) -> Iterator[Record]:
    """The records of the API's JSON."""
    return _records(of_json(files["primary"], NAMES, LEVEL), list_id, release_id)


def read_table(files: Mapping[str, Path], *, list_id: str, release_id: str) -> Iterator[Record]:
    """The records of a table with a header."""
    return _records(of_table(files["primary"], NAMES, LEVEL), list_id, release_id)


SPECS = (
    ListSpec(
        id="us_ilab_countries",
        title="Findings on the Worst Forms of Child Labor: assessments of countries",
        publisher=PUBLISHER,
        layouts=of_api("countries", "Child_Labor_Report__2016_to_2022", json=read_json, xml=read_xml, table=read_table),
        minimum_entries=1,
        max_file_bytes=MAX_BYTES,
        max_total_bytes=2 * MAX_BYTES,
    ),
)
