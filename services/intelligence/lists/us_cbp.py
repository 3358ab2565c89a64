"""Withhold-release orders and findings of US Customs and Border Protection under section 307 of the Tariff Act (19 U.S.C. 1307): an entry an order.

An order against a maker names a party; one against goods of a country or a region is an exposure. One that is revoked or no longer active stays an entry and
touches nobody. CBP's site answers programs with 403, so a person downloads the table and uploads it; it is often in Latin-1.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Literal

from services.intelligence.lists import orders
from services.intelligence.lists.cells import day
from services.intelligence.lists.countries import country_of
from services.intelligence.lists.goods import folded
from services.intelligence.lists.pairs import Found, Unread, first_of
from services.intelligence.lists.records import entry
from services.intelligence.lists.rows_of import of_table
from services.intelligence.lists.spec import Entry, Layout, ListSpec, Quarantined, Record
from services.intelligence.lists.us_ilab import is_table, one_file
from shared.events.signals import ExposureSignal, PartySignal

ENTITY = ("entity", "entities", "entity name", "manufacturer", "manufacturers", "manufacturer s", "company", "party", "parties", "name")
MERCHANDISE = ("merchandise", "goods", "good", "product", "products", "commodity", "merchandise description")
COUNTRY = ("country", "country of origin", "countries")
REGION = ("region", "province", "area", "locality")
PROGRAM = ("wro finding", "wro findings", "wro or finding", "type", "order type", "program", "action", "action type", "order")
DATE = ("effective date", "date", "date issued", "issue date", "issued", "order date")
STATUS = ("status", "order status", "current status")
ENDED = ("date revoked", "revoked", "revocation date", "inactive date", "end date", "status date", "date of status")
INDUSTRY = ("industry", "sector")
NOTES = ("status notes", "notes", "remarks")
Program = Literal["WRO", "Finding"]
MAX_WORDS = 4000
_BETWEEN_COUNTRIES = re.compile(r";|/| and |, (?=[A-Z])")


def read(files: Mapping[str, Path], *, list_id: str, release_id: str) -> Iterator[Record]:
    """The orders of the table; of two of one kind, day and first name the second is quarantined."""
    seen: set[str] = set()
    for found in of_table(files["primary"], (*ENTITY, *MERCHANDISE), COUNTRY, PROGRAM, DATE):
        try:
            made = _entry(found, list_id, release_id)
            if made.uid in seen:
                raise Unread("an order of the same kind, day and name stands on an earlier row", made.uid)
        except Unread as why:
            yield Quarantined(row=found.number, reason=str(why), uid=why.uid)
        else:
            seen.add(made.uid)
            yield made


def _entry(found: Found, list_id: str, release_id: str) -> Entry:
    if found.fault:
        raise Unread(found.fault)
    cells = found.cells
    entity, merchandise = first_of(cells, ENTITY), first_of(cells, MERCHANDISE)
    if not entity and not merchandise:
        raise Unread("it names neither a party nor goods")
    if len(entity) + len(merchandise) > MAX_WORDS:
        raise Unread(f"its words are longer than {MAX_WORDS} characters")
    program = _program(first_of(cells, PROGRAM))
    told = first_of(cells, DATE)
    issued = day(told)
    where = first_of(cells, COUNTRY)
    origin = country_of(where)
    goods = orders.goods_of(entity, merchandise, first_of(cells, REGION), origin)
    schema, names = orders.names(entity)
    first = names[0].name if goods is None else merchandise or entity
    uid = "-".join(part for part in (program.lower(), issued.isoformat() if issued else "", folded(first).replace(" ", "-")[:80]) if part)
    if told and issued is None:
        raise Unread("its day is not of the layout", uid)
    active = _active(first_of(cells, STATUS), uid)
    notes = [f"{title}: {text}" for title, names_of in _TOLD if (text := first_of(cells, names_of))]
    subject: PartySignal | ExposureSignal
    if not active:
        ended = day(first_of(cells, ENDED), last=True)
        subject = ExposureSignal(origin=origin, good=(merchandise or entity)[:300], valid_from=issued, valid_until=ended)
    elif goods is None:
        every = {code for part in _BETWEEN_COUNTRIES.split(where) if (code := country_of(part))} | ({origin} if origin else set())
        subject = PartySignal(names=names, schema=schema, countries=tuple(sorted(every)))
    elif first_of(cells, REGION) and not goods.regions:  # all of the country would be more than the order says
        raise Unread("its region is not known", uid)
    else:
        subject = _exposure(goods, origin, issued, uid)
    return entry(
        list_id, release_id, uid, subject, programs=(program,), remarks="; ".join(notes), listed_on=issued.isoformat() if issued else None
    )


_TOLD = (("Merchandise", MERCHANDISE), ("Industry", INDUSTRY), ("Status", STATUS), ("Notes", NOTES))


def _exposure(goods: orders.Goods, origin: str | None, issued: date | None, uid: str) -> ExposureSignal:
    """Goods of a region where the order names one; of several the whole country, for an exposure has one region."""
    region = goods.regions[0] if len(goods.regions) == 1 else None
    if origin is None:
        if region is None:
            raise Unread("its country is not known", uid)
        origin = region[:2]
    return ExposureSignal(
        hs=goods.codes[0] if goods.codes else None, more_hs=goods.codes[1:], origin=origin, region=region, good=goods.words,
        abuses=("forced_labour",), valid_from=issued,
    )  # fmt: skip


def _program(word: str) -> Program:
    key = folded(word)
    if key.startswith("finding"):
        return "Finding"
    if key.startswith(("wro", "withhold")):
        return "WRO"
    raise Unread("it is neither a withhold-release order nor a finding")


def _active(word: str, uid: str) -> bool:
    """An order without a status is in force; one that is modified or partly active is, too."""
    key = folded(word)
    if not key or key.startswith(("active", "partial", "modified", "in force", "open")):
        return True
    if key.startswith(("inactive", "revoked", "terminated", "lifted", "withdrawn", "closed", "not active")):
        return False
    raise Unread("its status is none that is known", uid)


SPECS = (
    ListSpec(
        id="us_cbp_wro",
        title="Withhold Release Orders and Findings",
        publisher="US Customs and Border Protection",
        layouts=(
            Layout(
                name="table with a header",
                files=one_file("wro.csv", "https://www.cbp.gov/document/stats/withhold-release-orders-findings"),
                read=read,
                recognises=is_table,
            ),
        ),
        minimum_entries=1,
        max_file_bytes=16_000_000,
        max_total_bytes=32_000_000,
    ),
)
