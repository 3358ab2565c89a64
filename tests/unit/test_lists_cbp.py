"""Orders of US Customs: parties, goods, regions, what is revoked, in small tables of our own."""

import csv
import io
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lists_reading import Reading, read_sent

from services.intelligence.lists import catalogue, orders
from services.screening.exposures import expose
from shared.errors import Malformed
from shared.events.signals import ExposureSignal, PartySignal
from shared.events.suppliers import Profile, SourcedGood

HEADER = "Entity,Country,Industry,Effective Date,WRO/Finding\n"


def read(folder: Path, text: str | bytes) -> Reading:
    return read_sent(catalogue.find("us_cbp_wro"), text.encode("latin-1") if isinstance(text, str) else text, folder)


def table(*rows: tuple[str, ...], header: str = HEADER) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return header + out.getvalue()


def only(reading: Reading) -> Any:
    assert reading.quarantined == []
    (entry,) = reading.entries
    return entry.signal.subject


def test_an_order_is_an_entry_whatever_it_names(tmp_path: Path) -> None:
    reading = read(
        tmp_path,
        table(
            ("Usine Déjà, a/k/a Works of Before, f/k/a Old Works; Second Mill Co., Ltd.", "China", "Machinery", "11/6/1991", "WRO"),
            ("All Turkmenistan Cotton or products made of it.", "Turkmenistan", "Agriculture", "5/18/2018", "WRO"),
            ("Usine Déjà", "China", "Machinery", "1/2/1992", "Finding"),
        ),
    )
    party, goods, finding = reading.entries
    assert (reading.read, reading.quarantined) == (3, [])
    assert [e.uid for e in reading.entries][::2] == ["wro-1991-11-06-usine-deja", "finding-1992-01-02-usine-deja"]
    assert [e.signal.source.programs for e in reading.entries] == [("WRO",), ("WRO",), ("Finding",)]
    assert isinstance(party.signal.subject, PartySignal)
    assert party.signal.subject.countries == ("CN",)
    assert [(n.name, n.kind) for n in party.signal.subject.names] == [
        ("Usine Déjà", "primary"), ("Old Works", "former"), ("Second Mill Co., Ltd.", "alias"), ("Works of Before", "alias"),
    ]  # fmt: skip
    assert party.signal.remarks == "Listed on 1991-11-06; Industry: Machinery"
    cotton = goods.signal.subject
    assert isinstance(cotton, ExposureSignal)
    assert (cotton.origin, cotton.abuses, cotton.valid_from, cotton.valid_until) == ("TM", ("forced_labour",), date(2018, 5, 18), None)
    assert set(cotton.codes) == {"120721", "120729", "140420", "52", "61", "62", "63"}
    assert isinstance(finding.signal.subject, PartySignal)


@pytest.mark.parametrize(
    ("entity", "merchandise", "region", "codes", "place"),
    [
        ("", "Tuna and tuna products", "", "160414", None),
        ("Malawi", "Tobacco", "", "2401", None),
        ("Cotton and Tomatoes", "", "", "070200", None),
        ("Cotton from the XUAR", "", "", "5201", "CN-XJ"),
        ("N/A", "Cotton", "Xinjiang Uyghur Autonomous Region", "5201", "CN-XJ"),
        ("Tobacco and products containing tobacco", "", "", "2401", None),
    ],
)
def test_goods_are_exposures(tmp_path: Path, entity: str, merchandise: str, region: str, codes: str, place: str | None) -> None:
    rows = (entity, merchandise, region, "China" if place else "Malawi", "2021-01-13", "Withhold Release Order")
    about = only(read(tmp_path, table(rows, header="Manufacturer(s),Merchandise,Region,Country,Date,Type\n")))
    assert codes in about.codes
    assert about.region == place


def test_all_goods_of_a_region_and_goods_that_nobody_has_a_code_for(tmp_path: Path) -> None:
    header = "Entity,Merchandise,Country,Date,Type\n"
    everything = only(read(tmp_path, table(("Xinjiang", "All goods", "China", "2021-01-13", "WRO"), header=header)))
    assert everything == ExposureSignal(origin="CN", region="CN-XJ", abuses=("forced_labour",), valid_from=date(2021, 1, 13))
    strange = only(read(tmp_path, table(("", "Moon dust", "China", "2021-01-13", "WRO"), header=header)))
    assert (strange.codes, strange.good) == ((), "Moon dust")
    anything = Profile(name="x", country="PT", goods=(SourcedGood(hs="5201", origin="CN", region="CN-XJ"),))
    assert expose(anything, everything) is not None
    assert expose(anything, strange) is None


@pytest.mark.parametrize(
    ("status", "in_force"),
    [("Active", True), ("Partially Active", True), ("", True), ("Inactive", False), ("Revoked", False), ("REVOKED 2020", False)],
)
def test_an_order_that_is_not_in_force_touches_nobody(tmp_path: Path, status: str, in_force: bool) -> None:
    header = "Entity,Country,Date,Type,Status,Date Revoked\n"
    mill = only(read(tmp_path, table(("Some Mill Co., Ltd.", "China", "2016-05-20", "WRO", status, "2020-02-01"), header=header)))
    cotton = only(read(tmp_path, table(("Cotton", "China", "2016-05-20", "WRO", status, "2020-02-01"), header=header)))
    assert isinstance(mill, PartySignal) == in_force
    assert bool(cotton.codes) == in_force
    if not in_force:
        assert mill == ExposureSignal(good="Some Mill Co., Ltd.", origin="CN", valid_from=date(2016, 5, 20), valid_until=date(2020, 2, 1))
        assert expose(Profile(name="x", country="CN", goods=(SourcedGood(hs="5201", origin="CN"),)), cotton) is None


@pytest.mark.parametrize(
    ("entity", "schema", "names"),
    [
        ("A Mill Co., Ltd. and B Mill Co., Ltd.", "organisation", ["A Mill Co., Ltd.", "B Mill Co., Ltd."]),
        ("British Leaf Malawi (BL Malawi)", "organisation", ["British Leaf Malawi (BL Malawi)", "BL Malawi~", "British Leaf Malawi"]),
        ("Tianjin Prison (Plastics)", "organisation", ["Tianjin Prison (Plastics)", "Tianjin Prison"]),
        ("Big Palm Berhad and its subsidiaries and affiliates", "organisation", ["Big Palm Berhad"]),
        ("All products manufactured by A Mill Co., Ltd.", "organisation", ["A Mill Co., Ltd."]),
        ("Fishing Vessel: Sea Bird 7", "vessel", ["Sea Bird 7"]),
        (
            "All products harvested by fishing vessels Sea Bird, Moon 8, or Ocean Fishing Co.",
            "organisation",
            ["Ocean Fishing Co.", "Moon 8~", "Sea Bird~"],
        ),
        ("Xinjiang Cotton and Linen Co., Ltd.", "organisation", ["Xinjiang Cotton and Linen Co., Ltd."]),
    ],
)
def test_names_of_parties(entity: str, schema: str, names: list[str]) -> None:
    assert orders.goods_of(entity, "", "", "CN") is None
    told, found = orders.names(entity)
    assert (told, [n.name + ("~" if n.weak else "") for n in found]) == (schema, names)


def test_what_cannot_be_read_is_quarantined(tmp_path: Path) -> None:
    sound = ("Some Mill", "China", "", "5/20/2016", "WRO")
    reading = read(
        tmp_path,
        table(sound, sound, ("Some Mill", "China", "", "5/20/2016", "Rumour"), ("Some Mill", "China", "", "20/5/2016", "WRO"), ("Cotton", "?", "", "", "WRO"),
              ("", "China", "", "", "WRO"), ("Some Mill",)),
    )  # fmt: skip
    assert len(reading.entries) == 1
    assert [(q.row, q.reason, q.uid) for q in reading.quarantined] == [
        (3, "an order of the same kind, day and name stands on an earlier row", "wro-2016-05-20-some-mill"),
        (4, "it is neither a withhold-release order nor a finding", None),
        (5, "its day is not of the layout", "wro-some-mill"),
        (6, "its country is not known", "wro-cotton"),
        (7, "it names neither a party nor goods", None),
        (8, "it has 1 columns where 5 are expected", None),
    ]


def test_goods_of_a_region_that_is_not_known_are_not_taken_for_the_whole_countrys(tmp_path: Path) -> None:
    header = "Merchandise,Region,Country,Date,Type\n"
    reading = read(tmp_path, table(("Cotton", "Nowhere", "China", "2021-01-13", "WRO"), header=header))
    assert [(q.row, q.reason, q.uid) for q in reading.quarantined] == [(2, "its region is not known", "wro-2021-01-13-cotton")]


def test_another_table_is_refused_by_the_columns_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="missing: wro finding"):
        read(tmp_path, "Entity,Country,Effective Date\nx,China,1/1/2020\n")


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            *[st.one_of(st.text(max_size=30), st.sampled_from(["WRO", "Finding", "China", "1/2/2020", "Cotton", "A; B (C), a/k/a D"]))] * 5
        ),
        max_size=6,
    )
)
def test_every_row_is_an_entry_or_told(tmp_path: Path, rows: list[tuple[str, ...]]) -> None:
    clean = [tuple(cell.replace("\0", "").replace("\r", "").replace("\n", "").replace("\x1a", "") for cell in row) for row in rows]
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows(clean)
    reading = read(tmp_path, (HEADER + out.getvalue()).encode("utf-8", "replace"))
    assert reading.read == len([row for row in clean if any(cell.strip() for cell in row)])
