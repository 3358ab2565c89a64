"""US Consolidated Screening List: CSV with a header (its columns changed over the years, so they are found by name) and JSON (`{"results": [...]}`).

Values of a CSV cell are joined with `;`. A record's id is its `_id`; older files have none: there it is its list with its entity number, and where that
is empty, too, one derived from list, name, first day and addresses.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from services.intelligence.lists.countries import beyond_country, country_of
from services.intelligence.lists.csl_ids import identifiers, number_of
from services.intelligence.lists.json_items import items
from services.intelligence.lists.parties import (
    LONG_NAME,
    MAX_UID,
    NO_NAME,
    UNKNOWN_TYPE,
    address_of,
    derived_uid,
    iso_day,
    no_countries,
    no_identifiers,
    sorted_addresses,
    sorted_identifiers,
    values,
)
from services.intelligence.lists.records import MAX_NAME, entry, holding_records, party_names
from services.intelligence.lists.remarks import birth_date
from services.intelligence.lists.spec import Entry, Layout, ListFile, ListSpec, Quarantined, Record
from services.intelligence.lists.tables import table
from shared.events.signals import PartySignal, Schema, SignalAddress, SignalIdentifier, SignalName

_SCHEMAS: dict[str, Schema] = {
    "": "organisation", "entity": "organisation", "individual": "person", "vessel": "vessel", "aircraft": "aircraft",
}  # fmt: skip
_AGENCIES = {
    "DPL": "BIS", "EL": "BIS", "MEU": "BIS", "UVL": "BIS", "DTC": "DDTC", "ISN": "ISN", "SDN": "OFAC", "SSI": "OFAC", "FSE": "OFAC",
    "PLC": "OFAC", "CAP": "OFAC", "MBS": "OFAC", "CMIC": "OFAC",
}  # fmt: skip
_CODE = re.compile(r"\(([A-Z][A-Z-]{1,9})\)")
_SUCCESSORS = re.compile(r";\s*and any successor\b.*$", re.IGNORECASE | re.DOTALL)
_ALSO = re.compile(r"^(?:[\"'(]*)(a\.?k\.?a\.?|f\.?k\.?a\.?|formerly known as|also known as)[\s,:]+", re.IGNORECASE)
_DETAILS = (
    ("title", "Title"), ("vessel type", "Vessel Type"), ("gross tonnage", "Tonnage"), ("gross registered tonnage", "Gross Registered Tonnage"),
    ("vessel owner", "Vessel Owner"), ("places of birth", "Born in"), ("federal register notice", "Federal Register"), ("end date", "Ends on"),
    ("standard order", "Standard order"), ("license requirement", "Licence requirement"), ("license policy", "Licence policy"),
)  # fmt: skip


@holding_records
def read_csv(files: Mapping[str, Path], *, list_id: str, release_id: str) -> Iterator[Record]:
    """Records of the CSV file."""
    return _rows(files["primary"], list_id, release_id)


@holding_records
def read_json(files: Mapping[str, Path], *, list_id: str, release_id: str) -> Iterator[Record]:
    """Records of the JSON file."""
    return _objects(files["primary"], list_id, release_id)


def _rows(path: Path, list_id: str, release_id: str) -> Iterator[Record]:
    for row in table(path, ("source", "name")):
        if row.fault:
            yield Quarantined(row=row.number, reason=row.fault)
        else:
            numbers, noted = identifiers(row.get("ids"))
            places = [address_of(place) for place in values(row.get("addresses"))]
            yield _record(row.number, row.cells, places, numbers, noted, list_id, release_id)


def _objects(path: Path, list_id: str, release_id: str) -> Iterator[Record]:
    for number, item in enumerate(items(path, "results"), 1):
        if not isinstance(item, dict):
            yield Quarantined(row=number, reason="it is no object")
            continue
        cells = {key.replace("_", " ").strip(): _text(value) for key, value in item.items()}
        places = [_address(one) for one in _list(item.get("addresses"))]
        told = [number_of(_text(one.get("type")), _text(one.get("number")), _text(one.get("country"))) for one in _dicts(item.get("ids"))]
        numbers = [one for one in told if isinstance(one, SignalIdentifier)]
        yield _record(number, cells, places, numbers, [one for one in told if isinstance(one, str)], list_id, release_id)


def _record(
    at: int,
    cells: Mapping[str, str],
    places: list[SignalAddress | None],
    numbers: list[SignalIdentifier],
    noted: list[str],
    list_id: str,
    release_id: str,
) -> Entry | Quarantined:
    def get(column: str) -> str:
        return cells.get(column, "").strip()

    source, name = get("source"), get("name")
    named = _CODE.search(source)
    code = named[1] if named else source.partition(" - ")[0].strip()
    uid = get("id") or (f"{code}-{get('entity number')}" if get("entity number") else "")
    uid = uid[:MAX_UID] or derived_uid(source, name, get("start date"), get("addresses"))
    bare = _SUCCESSORS.sub("", name).strip()
    schema = _SCHEMAS.get(get("type").lower())
    if reason := NO_NAME if not bare else LONG_NAME if len(bare) > MAX_NAME else UNKNOWN_TYPE if schema is None else "":
        return Quarantined(row=at, reason=reason, uid=uid if get("id") or get("entity number") else None)
    agency = _AGENCIES.get(code.rpartition("-")[2])
    programs = (f"{agency}-{code}" if agency and agency != code else code, *values(get("programs")))
    if get("call sign"):
        numbers = [*numbers, SignalIdentifier(kind="Call Sign", value=get("call sign"))]
    words = (*values(get("citizenships")), *values(get("nationalities")), get("vessel flag"), get("country"))
    addresses = sorted_addresses(places)
    subject = PartySignal(
        names=party_names(bare, map(_alias, values(get("alt names")))),
        schema=schema or "organisation",
        countries=tuple(sorted({*(c for word in words if (c := country_of(word))), *(p.country for p in addresses if p.country)})),
        addresses=addresses,
        identifiers=sorted_identifiers(numbers),
        birth_dates=tuple(sorted({day for written in values(get("dates of birth")) if (day := birth_date(written))})),
    )
    details = [f"{label} {get(column)}" for column, label in _DETAILS if get(column)]
    remarks = [
        source,
        *details,
        *no_countries(words),
        *no_identifiers(numbers),
        *sorted(noted),
        get("remarks"),
        name[len(bare) :].strip("; "),
    ]
    return entry(
        list_id, release_id, uid, subject, programs=tuple(dict.fromkeys(p for p in programs if p)),
        remarks="; ".join(part for part in remarks if part), listed_on=iso_day(get("start date")),
    )  # fmt: skip


def _alias(written: str) -> SignalName:
    if marked := _ALSO.match(written):
        return SignalName(name=written[marked.end() :].strip(" \"')"), kind="former" if marked[1].lower().startswith("f") else "alias")
    return SignalName(name=written)


def _address(told: Any) -> SignalAddress | None:
    if not isinstance(told, dict):
        return address_of(_text(told))
    street, city, state, code, country = (_text(told.get(part)) for part in ("address", "city", "state", "postal_code", "country"))
    known = country_of(country)
    text = ", ".join(part for part in (street, state, code, beyond_country(country)) if part)[:1000]
    return SignalAddress(text=text or None, city=city[:200] or None, country=known) if text or city or known else None


def _list(told: Any) -> list[Any]:
    return told if isinstance(told, list) else [] if told is None else [told]


def _dicts(told: Any) -> list[dict[str, Any]]:
    return [one for one in _list(told) if isinstance(one, dict)]


def _text(told: Any) -> str:
    """A JSON value as a CSV cell would hold it."""
    if isinstance(told, list):
        return "; ".join(text for one in told if not isinstance(one, dict) and (text := _text(one)))
    return "" if told is None or isinstance(told, dict) else " ".join(str(told).replace("\0", "").split())


def _is_csv(head: bytes) -> bool:
    line = head.decode("utf-8-sig", "replace").lstrip()[:20_000].partition("\n")[0].lower()
    return "source" in line and "name" in line and not line.startswith(("<", "{", "["))


def _is_json(head: bytes) -> bool:
    return head.decode("utf-8-sig", "replace").lstrip().startswith("{")


_BASE = "https://data.trade.gov/downloadable_consolidated_screening_list/v1/"
SPECS = (
    ListSpec(
        id="us_csl",
        title="Consolidated Screening List",
        publisher="US Department of Commerce, International Trade Administration",
        layouts=(
            Layout(
                name="consolidated.csv",
                files=(ListFile(role="primary", name="consolidated.csv", address=_BASE + "consolidated.csv"),),
                read=read_csv,
                recognises=_is_csv,
            ),
            Layout(
                name="consolidated.json",
                files=(ListFile(role="primary", name="consolidated.json", address=_BASE + "consolidated.json"),),
                read=read_json,
                recognises=_is_json,
            ),
        ),
    ),
)
