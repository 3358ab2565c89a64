"""BIS Denied Persons List: tab separated, one row an address of an order.

Its publisher gives no ids: a row's is derived from name, effective date and address, whatever their case and spaces. Rows that are the same in all of
these are told apart by their order. Nothing tells persons from companies: all are read as organisations, as OFAC's rows without a type are.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from services.intelligence.lists.countries import beyond_country, country_of
from services.intelligence.lists.parties import LONG_NAME, NO_NAME, derived_uid, iso_day
from services.intelligence.lists.records import MAX_NAME, entry, holding_records, party_names
from services.intelligence.lists.spec import Layout, ListFile, ListSpec, Quarantined, Record
from services.intelligence.lists.tables import Row, table
from shared.events.signals import PartySignal, SignalAddress, SignalName

_MARKS = (" a/k/a ", " aka ", " d/b/a ", " f/k/a ")
_SYNONYMS = {
    "begin date": "effective date", "end date": "expiration date", "beginning date": "effective date", "ending date": "expiration date",
    "address": "street address", "zip": "postal code", "fr citation s": "fr citation",
}  # fmt: skip
_ADDRESS = ("street address", "city", "state", "country", "postal code")


@holding_records
def read(files: Mapping[str, Path], *, list_id: str, release_id: str) -> Iterator[Record]:
    """One record a row."""
    return _rows(files["primary"], list_id, release_id)


def _rows(path: Path, list_id: str, release_id: str) -> Iterator[Record]:
    seen: Counter[str] = Counter()
    for row in table(path, ("name", "effective date"), synonyms=_SYNONYMS):
        if row.fault:
            yield Quarantined(row=row.number, reason=row.fault)
        else:
            yield _record(row, seen, list_id, release_id)


def _record(row: Row, seen: Counter[str], list_id: str, release_id: str) -> Record:
    name = " ".join(row.get("name").split())
    if not name or len(name) > MAX_NAME:
        return Quarantined(row=row.number, reason=LONG_NAME if name else NO_NAME)
    street, city, state, word, code = (" ".join(row.get(part).split()) for part in _ADDRESS)
    uid = derived_uid(name, row.get("effective date"), street, city, state, word, code)
    seen[uid] += 1
    uid = uid if seen[uid] == 1 else f"{uid}-{seen[uid]}"
    country = country_of(word)
    text = ", ".join(part for part in (street, state, code, beyond_country(word)) if part)[:1000]
    place = SignalAddress(text=text or None, city=city[:200] or None, country=country)
    subject = PartySignal(
        names=_names(name),
        countries=(country,) if country else (),
        addresses=(place,) if text or city or country else (),
    )
    standard = row.get("standard order").upper()
    remarks = [
        "" if iso_day(row.get("effective date")) else f"Effective {row.get('effective date')}",
        f"Expires on {iso_day(row.get('expiration date')) or row.get('expiration date')}" if row.get("expiration date") else "Without end",
        {"Y": "Standard order", "N": "No standard order"}.get(standard, ""),
        row.get("action"),
        f"Federal Register {row.get('fr citation')}" if row.get("fr citation") else "",
    ]
    text = "; ".join(part for part in remarks if part)
    return entry(list_id, release_id, uid, subject, programs=("BIS-DPL",), remarks=text, listed_on=iso_day(row.get("effective date")))


def _names(written: str) -> tuple[SignalName, ...]:
    """`FUYI SUN A/K/A FRANK SUN` is two names."""
    rest, others, kinds = written, [], []
    while found := [(at, mark) for mark in _MARKS if (at := rest.lower().rfind(mark)) > 0]:
        at, mark = max(found)
        others.append(rest[at + len(mark) :].strip(" ,;\"'"))
        kinds.append(mark)
        rest = rest[:at].strip(" ,;")
    aliases = (SignalName(name=name, kind="former" if mark == " f/k/a " else "alias") for name, mark in zip(others, kinds, strict=True))
    return party_names(rest, aliases)


def _recognises(head: bytes) -> bool:
    """Whatever is text: the reader names the columns that it lacks."""
    return not head.decode("utf-8-sig", "replace").lstrip().startswith(("<", "{", "["))


SPECS = (
    ListSpec(
        id="us_bis_dpl",
        title="Denied Persons List",
        publisher="US Department of Commerce, Bureau of Industry and Security",
        layouts=(
            Layout(
                name="dpl.txt",
                files=(ListFile(role="primary", name="dpl.txt", address="https://www.bis.doc.gov/dpl/dpl.txt"),),
                read=read,
                recognises=_recognises,
            ),
        ),
        max_file_bytes=64_000_000,
    ),
)
