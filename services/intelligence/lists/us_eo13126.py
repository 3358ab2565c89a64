"""The List of Products Produced by Forced or Indentured Child Labor under Executive Order 13126: what the US government may buy only with a certificate.

ILAB publishes it beside its list of goods, as pairs of a product and a country. A table that marks the products of the order among others gives those that are
marked. The list of goods marks forced child labor by a wider rule (TVPRA): without a mark of the order it is refused, and not taken for this list.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from services.intelligence.lists import pairs
from services.intelligence.lists.cells import flag
from services.intelligence.lists.pairs import COUNTRY, FLAGS, GOOD, KINDS, Found
from services.intelligence.lists.rows_of import of_json, of_table
from services.intelligence.lists.spec import Attached, ListSpec, Record
from services.intelligence.lists.us_ilab import MAX_BYTES, PUBLISHER, of_api, of_xml
from shared.errors import Malformed
from shared.events.signals import Abuse

MARKS = ("eo 13126", "eo13126", "e o 13126", "executive order 13126", "executive order", "eo list", "on eo list", "eo 13126 list", "eo")
_TVPRA = (*KINDS, *FLAGS["child_labour"], *FLAGS["forced_labour"])


def _of_the_order(found: Iterable[Found], others: list[int]) -> Iterator[Found]:
    """Products of the order; the rows of `others`, which a table marks as none of it, are records of another list."""
    for one in found:
        mark = next((name for name in MARKS if name in one.cells), None)
        if mark is None:
            if any(name in one.cells for name in _TVPRA):
                raise Malformed("The primary file is a list of goods that marks no products of Executive Order 13126")
            yield one
        elif (said := flag(one.cells[mark])) is None:
            yield one._replace(fault="its mark of the order is neither yes nor no")
        elif said:
            yield one
        else:
            others.append(one.number)


def _kinds(_cells: Mapping[str, str], _uid: str) -> tuple[Abuse, ...]:
    """What all of the list is about."""
    return ("forced_child_labour",)


def _records(found: Iterable[Found], list_id: str, release_id: str) -> Iterator[Record]:
    others: list[int] = []
    yield from pairs.records(_of_the_order(found, others), list_id, release_id, programs=("EO 13126",), kinds=_kinds)
    if others:
        yield Attached(role="not_of_the_order", rows=len(others))


def read_xml(files: Mapping[str, Path], *, list_id: str, release_id: str) -> Iterator[Record]:
    """The records of an XML file as ILAB's list of goods has it."""
    return _records(of_xml(files["primary"]), list_id, release_id)


def read_json(files: Mapping[str, Path], *, list_id: str, release_id: str) -> Iterator[Record]:
    """The records of the API's JSON."""
    return _records(of_json(files["primary"], GOOD, COUNTRY), list_id, release_id)


def read_table(files: Mapping[str, Path], *, list_id: str, release_id: str) -> Iterator[Record]:
    """The records of a table with a header."""
    return _records(of_table(files["primary"], GOOD, COUNTRY), list_id, release_id)


SPECS = (
    ListSpec(
        id="us_eo13126",
        title="List of Products Produced by Forced or Indentured Child Labor (Executive Order 13126)",
        publisher=PUBLISHER,
        layouts=of_api("products", "ImportWatch_Core_Data", json=read_json, xml=read_xml, table=read_table),
        minimum_entries=1,
        max_file_bytes=MAX_BYTES,
        max_total_bytes=2 * MAX_BYTES,
    ),
)
