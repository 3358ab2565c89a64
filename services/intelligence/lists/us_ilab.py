"""ILAB's List of Goods Produced by Child Labor or Forced Labor (TVPRA): pairs of a good and a country, with the kinds of abuse.

Published every second year as XML and tables, and through the Department of Labor's API, whose records have the same fields by other spellings
(https://dataportal.dol.gov/; the endpoint's name is from public catalogues, its fields could not be read here). A file says on no day how long it holds: a pair does
until the next release that lacks it, unless its rows carry years or days.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from services.intelligence.lists import pairs, xml
from services.intelligence.lists.pairs import COUNTRY, GOOD, Found
from services.intelligence.lists.parties import UNKNOWN_TYPE
from services.intelligence.lists.rows_of import of_json, of_table
from services.intelligence.lists.spec import Layout, ListFile, ListSpec, Reader, Record
from services.intelligence.lists.tables import fold
from shared.errors import Malformed

PUBLISHER = "US Department of Labor, Bureau of International Labor Affairs"
API = "https://apiprod.dol.gov/v4/get/ilab/"  # asks for a key, as header or parameter X-API-KEY
MAX_BYTES = 64_000_000  # the goods of 2021 have 0.2 MB, the profiles 2 MB


def of_xml(path: Path) -> Iterator[Found]:
    """Pairs of the XML by good (`Good` holds `Countries`), by country (`Country` holds `Goods`) or a row a pair, numbered from 1."""
    number = 0
    for outer in xml.elements(path, depth=2, what="primary"):
        if not outer.within:
            raise Malformed("The primary file holds no good")
        for cells in _cells(outer):
            number += 1
            yield cells._replace(number=number)


def _cells(outer: xml.Element) -> Iterator[Found]:
    by_good, by_country = outer.name == "Good", outer.name == "Country"
    box, kind = ("Countries", "Country") if by_good else ("Goods", "Good")
    inner = [*(one for held in outer.all(box) for one in held.children), *outer.all(kind)]
    inner = [one for one in inner if one.children or ((by_good or by_country) and (one.text or one.attributes))]
    plain = {fold(child.name): child.text for child in outer.children if not child.children}
    if inner:
        own = {"good name": outer.value("Good_Name") or outer.value("Name")}
        own = own if by_good else {"country": outer.value("Name") or outer.value("Country_Name")}
        yield from (_inner(one, kind, own, plain) for one in inner)
    elif by_country and not any(name in plain for name in GOOD if name != "goods"):
        return  # a country without goods is no record of this list
    elif by_good and not any(name in plain for name in COUNTRY if name != "countries"):
        yield Found(0, {}, "it names no country")
    elif any(name in plain for name in GOOD) and any(name in plain for name in COUNTRY):
        yield Found(0, plain)
    else:
        yield Found(0, {}, UNKNOWN_TYPE)


def _inner(one: xml.Element, kind: str, own: Mapping[str, str], plain: Mapping[str, str]) -> Found:
    """One country of a good, or one good of a country: with fields of its own, or as its name alone beside the fields of the outer one."""
    if one.name != kind:
        return Found(0, {}, UNKNOWN_TYPE)
    named = "good name" if kind == "Good" else "country"
    if not one.children:
        return Found(0, {**{name: told for name, told in plain.items() if name != kind.lower()}, **own, named: one.text})
    cells = {fold(child.name): child.text for child in one.children if not child.children}
    return Found(0, {**own, **({named: cells["name"]} if "name" in cells else {}), **cells})


def read_xml(files: Mapping[str, Path], *, list_id: str, release_id: str) -> Iterator[Record]:
    """The records of the XML by good or by country."""
    return pairs.records(of_xml(files["primary"]), list_id, release_id, programs=("TVPRA",))


def read_json(files: Mapping[str, Path], *, list_id: str, release_id: str) -> Iterator[Record]:
    """The records of the API's JSON."""
    return pairs.records(of_json(files["primary"], GOOD, COUNTRY), list_id, release_id, programs=("TVPRA",))


def read_table(files: Mapping[str, Path], *, list_id: str, release_id: str) -> Iterator[Record]:
    """The records of a table with a header."""
    return pairs.records(of_table(files["primary"], GOOD, COUNTRY), list_id, release_id, programs=("TVPRA",))


def is_xml(head: bytes) -> bool:
    """Does a file begin as XML?"""
    return bool(xml.opening(head))


def is_json(head: bytes) -> bool:
    """Does a file begin as a JSON document?"""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"[", b"{")


def is_table(head: bytes) -> bool:
    """Is it text of another kind than XML and JSON? Its reader names the columns that it lacks."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    return bool(start) and start not in (b"<", b"[", b"{") and b"\0" not in head


def one_file(name: str, address: str) -> tuple[ListFile, ...]:
    """A layout's only file."""
    return (ListFile(role="primary", name=name, address=address),)


def of_api(stem: str, endpoint: str, *, json: Reader, xml: Reader, table: Reader) -> tuple[Layout, ...]:
    """The three forms in which the API gives one endpoint, as files named by their stem."""
    forms: tuple[tuple[str, str, Reader, Callable[[bytes], bool]], ...] = (
        ("JSON of the API", "json", json, is_json),
        ("XML", "xml", xml, is_xml),
        ("table with a header", "csv", table, is_table),
    )
    return tuple(
        Layout(name=name, files=one_file(f"{stem}.{form}", f"{API}{endpoint}/{form}"), read=read, recognises=recognises)
        for name, form, read, recognises in forms
    )


SPECS = (
    ListSpec(
        id="us_ilab_tvpra",
        title="List of Goods Produced by Child Labor or Forced Labor",
        publisher=PUBLISHER,
        layouts=of_api("goods", "LaborShield_Goods", json=read_json, xml=read_xml, table=read_table),
        minimum_entries=1,
        max_file_bytes=MAX_BYTES,
        max_total_bytes=2 * MAX_BYTES,
    ),
)
