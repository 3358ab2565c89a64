"""ILAB's goods, Executive Order 13126 and the profiles of countries: XML, the API's JSON and tables, in small files of our own."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lists_reading import Reading, read_sent

from services.intelligence.lists import catalogue, us_ilab
from services.intelligence.lists.spec import Entry
from shared.errors import Malformed, TooLarge
from shared.events.signals import ExposureSignal

FLAGS = ("Child_Labor", "Forced_Labor", "Forced_Child_Labor", "Derived_Labor_Exploitation")


def read(folder: Path, content: str | bytes, list_id: str = "us_ilab_tvpra") -> Reading:
    return read_sent(catalogue.find(list_id), content.encode() if isinstance(content, str) else content, folder)


def about(entry: Entry) -> ExposureSignal:
    assert isinstance(entry.signal.subject, ExposureSignal)
    return entry.signal.subject


def pair(marks: str = "YNNN", name: str = "Country", word: str = "Brazil", more: str = "") -> str:
    flags = "".join(f"<{flag}>{'Yes' if mark == 'Y' else 'No'}</{flag}>" for flag, mark in zip(FLAGS, marks, strict=True))
    title = "Country_Name" if name == "Country" else "Good_Name"
    return f"<{name}><{title}>{word}</{title}>{flags}{more}</{name}>"


def good(name: str, *pairs: str) -> str:
    return f"<Good><Good_Name>{name}</Good_Name><Good_Sector>Any</Good_Sector><Countries>{''.join(pairs)}</Countries></Good>"


def goods(*goods: str) -> str:
    return f"\ufeff<?xml version='1.0' encoding='utf-8'?>\n<Goods>{''.join(goods)}</Goods>"


def told(reading: Reading) -> dict[str, tuple[Any, ...]]:
    return {one.uid: (about(one).codes, about(one).origin, about(one).abuses) for one in reading.entries}


def test_the_xml_by_good(tmp_path: Path) -> None:
    derived = "<Derived_Country>Indonesia</Derived_Country>"
    reading = read(
        tmp_path,
        goods(
            good("Bricks", pair("YYYN", word="Burma"), pair("YNNN", word="Turkey (Türkiye)"), pair("NYNN", word="Côte d'Ivoire")),
            good("Crude Palm Oil", pair("NNNY", word="Indonesia", more=derived)),
            good("Pornography", pair("NNYN", word="Russia")),
        ),
    )
    assert (reading.read, reading.quarantined) == (5, [])
    assert told(reading) == {
        "bricks.MM": (("681011", "6904"), "MM", ("child_labour", "forced_labour", "forced_child_labour")),
        "bricks.TR": (("681011", "6904"), "TR", ("child_labour",)),
        "bricks.CI": (("681011", "6904"), "CI", ("forced_labour",)),
        "crude-palm-oil.ID": (("151110",), "ID", ("derived",)),
        "pornography.RU": ((), "RU", ("forced_child_labour",)),
    }
    assert reading.entries[3].signal.remarks == "Made with goods from Indonesia"
    assert about(reading.entries[4]).good == "Pornography"
    assert reading.entries[0].signal.source.programs == ("TVPRA",)


def test_a_namespace_and_the_same_by_country_give_the_same_entries(tmp_path: Path) -> None:
    by_good = goods(good("Tea", pair(word="Kenya"), pair("NYNN", word="India")), good("Gold", pair(word="Kenya")))
    spaced = by_good.replace("<Goods>", "<i:Goods xmlns='urn:x' xmlns:i='urn:x'>").replace("</Goods>", "</i:Goods>")
    kenya = f"<Country><Name>Kenya</Name><Goods>{pair(name='Good', word='Gold')}{pair(name='Good', word='Tea')}</Goods></Country>"
    india = f"<Country><Name>India</Name><Goods>{pair('NYNN', 'Good', 'Tea')}</Goods></Country>"
    by_country = f"<Countries>{kenya}<Country><Name>Angola</Name><Goods /></Country>{india}</Countries>"
    digests = [{one.uid: one.signal.digest for one in read(tmp_path, text).entries} for text in (by_good, spaced, by_country)]
    assert digests[0] == digests[1] == digests[2]
    assert len(digests[0]) == 3


def test_what_cannot_be_read_is_quarantined_in_its_place(tmp_path: Path) -> None:
    again, unmarked, odd = pair(word="Kenya"), pair("NNNN", word="India"), pair(word="Peru").replace("Yes", "perhaps")
    sound, unknown, noname = pair(word="Kenya"), pair(word="Atlantis"), pair(word="")
    reading = read(
        tmp_path, goods(good("Tea", sound, again, unmarked, odd, unknown, noname), good("Gold"), good("", sound), "<Bad><x/></Bad>")
    )
    assert [(q.row, q.reason, q.uid) for q in reading.quarantined] == [
        (2, "its good and its country stand on an earlier record", "tea.KE"),
        (3, "none of its kinds of abuse is marked", "tea.IN"),
        (4, "a mark of its kinds of abuse is neither yes nor no", "tea.PE"),
        (5, "its country is not known", "tea.atlantis"),
        (6, "it names no country", None),
        (7, "it names no country", None),
        (8, "it names no good", None),
        (9, "its type is none that is known", None),
    ]
    assert reading.read == 9


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("<Goods><Good>", Malformed),
        ("<Goods/>", Malformed),
        ("<!DOCTYPE Goods [<!ENTITY a 'b'>]><Goods><Good/></Goods>", Malformed),
        ("<Goods>" + "<Good>" * 80 + "</Good>" * 80 + "</Goods>", Malformed),
        ("[1, 2", Malformed),
        ("[" * 100_000, Malformed),
        ('{"data": 3}', Malformed),
        ('[{"x": 1}]', Malformed),
        ("a,b\n1,2\n", Malformed),
        ("good,x\n1,2\n", Malformed),
        (b'[{"good": "\xff"}]', Malformed),
    ],
)
def test_another_thing_is_refused(tmp_path: Path, content: str | bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        read(tmp_path, content)


def test_json_beyond_the_bound_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.intelligence.lists.rows_of.MAX_JSON_BYTES", 10)
    with pytest.raises(TooLarge):
        read(tmp_path, json.dumps([{"good": "Tea", "country": "Kenya"}]))


def test_the_apis_json_and_tables_of_several_spellings(tmp_path: Path) -> None:
    row = {"country": "Kenya", "good": "Tea", "child_labor": 1, "forced_labor": False, "forced_child_labor": None, "regionname": "Africa"}
    wanted = {"tea.KE": (("0902", "210120"), "KE", ("child_labour",))}
    for content in (
        json.dumps({"data": [row]}),
        "\ufeff" + json.dumps([row]),
        "Country/Area,Good,Exploitation Type\nKenya,Tea,Child Labor\n",
        "sep\nGood;Country Name;Child Labor;Forced Labor\nTea;Kenya;X;\n",
        "Good_Name\tCountry_Name\tChild_Labor\tForced_Labor\tSector\nTea\tKenya\tTRUE\tFALSE\tAgriculture\n",
    ):
        assert told(read(tmp_path, content)) == wanted
    odd = read(tmp_path, json.dumps([row, 7, None, {"good": ["a", {}], "country": {}}]))
    assert (odd.read, [q.row for q in odd.quarantined]) == (4, [2, 3, 4])
    words = read(tmp_path, 'Country,Good,Exploitation Type\nKenya,Tea,"Forced Child Labor, Forced Labor"\n')
    assert told(words)["tea.KE"][2] == ("forced_labour", "forced_child_labour")
    short = read(tmp_path, "Country,Good,Exploitation Type\nKenya,Tea,CL/FL\nIndia,Tea,FCL\nPeru,Tea,slow\n")
    assert [about(one).abuses for one in short.entries] == [("child_labour", "forced_labour"), ("forced_child_labour",)]
    assert [q.reason for q in short.quarantined] == ["none of its kinds of abuse is marked"]
    bare = read(tmp_path, b"Good,Country\nCaf\xe9 beans,C\xf4te d'Ivoire\n")
    assert told(bare) == {"cafe-beans.CI": ((), "CI", ())}


def test_years_of_several_editions_make_one_interval(tmp_path: Path) -> None:
    header = "good,country,child_labor,forced_labor,year\n"
    rows = [
        "Tea,Kenya,Yes,No,2018",
        "Tea,Kenya,Yes,Yes,2020",
        "Gold,Kenya,Yes,No,2016",
        "Gold,Kenya,Yes,No,2018.0",
        "Tea,India,Yes,No,2020",
    ]
    wanted = {
        "tea.KE": (("child_labour", "forced_labour"), date(2018, 1, 1), None),
        "gold.KE": (("child_labour",), date(2016, 1, 1), date(2019, 12, 31)),
        "tea.IN": (("child_labour",), date(2020, 1, 1), None),
    }
    for ordered in (rows, rows[::-1]):
        reading = read(tmp_path, header + "\n".join(ordered))
        assert {e.uid: (about(e).abuses, about(e).valid_from, about(e).valid_until) for e in reading.entries} == wanted
        assert reading.quarantined == []
    again = read(tmp_path, header + "\n".join([*rows, rows[0], "Tea,Peru,Yes,No,soon"]))
    assert [q.reason for q in again.quarantined] == ["its good and its country stand on an earlier record", "its year is not of the layout"]


def test_days_of_an_interval_and_a_region(tmp_path: Path) -> None:
    header = "Product,Country,Date Added,Date Removed,Province\n"
    reading = read(
        tmp_path,
        header
        + 'Cotton,China,"July 20, 2010",,Xinjiang Uygur Autonomous Region\nCotton,Uzbekistan,7/20/2010,2019,\nTea,Kenya,then,,\nTea,India,,,Nowhere\n',
        "us_eo13126",
    )
    first, second = (about(e) for e in reading.entries)
    assert (first.region, first.valid_from, first.valid_until, first.abuses) == ("CN-XJ", date(2010, 7, 20), None, ("forced_child_labour",))
    assert (second.valid_from, second.valid_until) == (date(2010, 7, 20), date(2019, 12, 31))
    assert [e.uid for e in reading.entries] == ["cotton.CN.CN-XJ", "cotton.UZ"]
    assert [(q.row, q.uid) for q in reading.quarantined] == [(4, "tea.KE"), (5, "tea.IN.nowhere")]


def test_the_orders_products_where_a_table_marks_them(tmp_path: Path) -> None:
    rows = [{"good": "Tea", "country": "Kenya", "child_labor": "Yes", "eo_13126": mark} for mark in ("No", "Yes", "maybe")]
    reading = read(tmp_path, json.dumps(rows), "us_eo13126")
    assert [(e.uid, e.signal.source.programs, about(e).abuses) for e in reading.entries] == [
        ("tea.KE", ("EO 13126",), ("forced_child_labour",))
    ]
    assert ([q.row for q in reading.quarantined], reading.attached["not_of_the_order"].rows) == ([3], 1)
    with pytest.raises(Malformed):
        read(tmp_path, goods(good("Tea", pair(word="Kenya"))), "us_eo13126")


def profile(name: str, level: str) -> str:
    return f"<Country><Name>{name}</Name><Advancement_Level>{level}</Advancement_Level><Goods/><Description>In 2022, ...</Description></Country>"


def test_profiles_are_assessments_of_countries_and_no_more(tmp_path: Path) -> None:
    delayed = "Minimal Advancement – Efforts Made but Continued Practice that Delayed Advancement"
    reading = read(
        tmp_path,
        "<Countries>"
        + profile("Afghanistan", "No Advancement")
        + profile("Kenya", delayed)
        + profile("West Bank and the Gaza Strip", "Moderate Advancement")
        + profile("Falkland Islands (Islas Malvinas)", "Significant Advancement")
        + profile("China", "")
        + profile("Niue", "No Assessment")
        + profile("Kenya", "No Advancement")
        + profile("Peru", "Splendid")
        + profile("Atlantis", "No Advancement")
        + "<Other/></Countries>",
        "us_ilab_countries",
    )
    assert {e.uid: about(e).advancement for e in reading.entries} == {
        "AF": "none", "KE": "minimal", "PS": "moderate", "FK": "significant", "CN": "not_assessed", "NU": "not_assessed",
    }  # fmt: skip
    assert about(reading.entries[1]) == ExposureSignal(origin="KE", advancement="minimal")
    assert reading.entries[1].signal.remarks == delayed
    assert [q.row for q in reading.quarantined] == [7, 8, 9, 10]


def test_the_newest_assessment_of_a_country_counts(tmp_path: Path) -> None:
    rows = [
        {"country": "Kenya", "year": y, "advancement_level": level}
        for y, level in ((2021, "Moderate Advancement"), (2022, "No Advancement"))
    ]
    for ordered in (rows, rows[::-1]):
        (only,) = read(tmp_path, json.dumps(ordered), "us_ilab_countries").entries
        assert about(only) == ExposureSignal(origin="KE", advancement="none", valid_from=date(2022, 1, 1))


WORDS = st.sampled_from(
    ["Tea", "Gold", "Kenya", "India", "Yes", "No", "", "x", "2020", "2018", "\x01", "Zürich", "a" * 400, "1", "(", "TRUE"]
)
HEADERS = st.lists(
    st.sampled_from(["good", "country", "child_labor", "forced_labor", "year", "eo_13126", "name", "advancement_level"]), unique=True
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["us_ilab_tvpra", "us_eo13126", "us_ilab_countries"]),
    HEADERS,
    st.lists(st.lists(WORDS, min_size=8, max_size=8), max_size=8),
)
def test_no_row_is_lost_and_nothing_crashes(tmp_path: Path, list_id: str, header: list[str], rows: list[list[str]]) -> None:
    records = [dict(zip(header, row, strict=False)) for row in rows]
    try:
        reading = read(tmp_path, json.dumps(records), list_id)
    except Malformed:
        return
    ids = [e.uid for e in reading.entries]
    assert len(ids) == len(set(ids))
    assert reading.read <= len(records)
    others = reading.attached.get("not_of_the_order")  # products that are none of the order's list
    if "year" not in header:  # rows of several years are one record
        assert reading.read + (others.rows if others else 0) == len(records)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300), st.integers(0, 400), st.sampled_from(["us_ilab_tvpra", "us_eo13126", "us_ilab_countries", "us_cbp_wro"]))
def test_damage_is_refused_and_a_file_cut_short_is_never_taken_for_whole(tmp_path: Path, noise: bytes, at: int, list_id: str) -> None:
    whole = goods(good("Tea", pair(word="Kenya"), pair("NYNN", word="India"))).encode()
    for content in (noise, whole[:at] + noise + whole[at:]):
        try:
            read(tmp_path, content, list_id)
        except (Malformed, TooLarge):  # any other error fails the test
            continue
    with pytest.raises(Malformed):
        read(tmp_path, whole[: min(at, len(whole) - 1)], list_id)


def test_the_first_layout_is_what_is_pulled_and_nobody_has_verified_its_address() -> None:
    for list_id in ("us_ilab_tvpra", "us_eo13126", "us_ilab_countries", "us_cbp_wro"):
        spec = catalogue.find(list_id)
        assert spec.addresses == "unverified"
        assert spec.publisher.startswith("US ")
    assert us_ilab.SPECS[0].files[0].address == "https://apiprod.dol.gov/v4/get/ilab/LaborShield_Goods/json"
