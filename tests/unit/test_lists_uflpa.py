"""The UFLPA Entity List: the page's tables and a CSV; sections as programs, subsidiaries as parties of their own, ids that stay."""

from pathlib import Path

import pytest

from services.intelligence.lists.us_uflpa import SPECS
from shared.errors import Malformed, TooLarge
from shared.events.signals import PartySignal, SignalName
from tests.unit.lists_reading import Reading, read_sent

PAGE = """<!DOCTYPE html><html><head><title>UFLPA</title><style>table { }</style><script>var a = "<table><tr><td>no</td></tr></table>";</script></head>
<body><table><tr><td>Navigation</td></tr></table>
<div><p><strong>A list of entities in Xinjiang that mine</strong> <a href="#">UFLPA Section 2(d)(2)(B)(i)</a></p></div>
<table class="usa-table"><thead><tr><th>Name of Entity</th><th>Effective&nbsp;Date</th></tr></thead><tbody>
<tr><td>Baoding Trade and Business Co., Ltd.</td><td>June 21, 2022</td></tr>
<tr><td><p>Hetian &amp; Hair Co. Ltd. (and two aliases: Hotan Hair;<br> and Hollin Hair)</p></td><td>June 21, 2022</td></tr>
<tr><td></td><td>&nbsp;</td></tr>
</tbody></table>
<p>UFLPA Section 2(d)(2)(B)(ii)</p>
<table><tr><td>Entity Name</td><td>Effective Date</td></tr>
<tr><td>Ninestar Corporation and its two Zhuhai-based subsidiaries, which include Apex Co., Ltd. and Pantum Co., Ltd.</td><td>June 12, 2023</td></tr>
<tr><td>BAODING TRADE AND BUSINESS CO LTD</td><td>soon</td></tr>
<tr><td>Only one cell</td></tr>
</table></body></html>"""


def read(folder: Path, page: str | bytes) -> Reading:
    return read_sent(SPECS[0], page.encode() if isinstance(page, str) else page, folder)


def by_name(reading: Reading) -> dict[str, tuple[str, tuple[str, ...], str]]:
    found = {}
    for entry in reading.entries:
        assert isinstance(entry.signal.subject, PartySignal)
        found[entry.signal.subject.names[0].name] = (entry.uid, entry.signal.source.programs, entry.signal.remarks)
    return found


def test_tables_sections_and_subsidiaries(tmp_path: Path) -> None:
    reading = read(tmp_path, PAGE)
    found = by_name(reading)
    assert [(q.row, q.reason) for q in reading.quarantined] == [(5, "it has 1 cells where 2 are expected")]
    subsidiaries = reading.attached["subsidiaries"].rows
    assert (reading.published - subsidiaries + len(reading.quarantined), subsidiaries) == (5, 2)
    uid, programs, remarks = found["Baoding Trade and Business Co., Ltd."]
    assert (programs, remarks) == (("UFLPA 2(d)(2)(B)(i)",), "Listed on 2022-06-21")
    second = found["BAODING TRADE AND BUSINESS CO LTD"]
    assert (second[0] != uid, second[1], second[2]) == (True, ("UFLPA 2(d)(2)(B)(ii)",), "Effective soon")
    parent, owned = found["Ninestar Corporation"], found["Apex Co., Ltd."]
    assert owned[0].startswith(parent[0] + "-")
    assert owned[1:] == (parent[1], "Listed on 2023-06-12; Subsidiary of Ninestar Corporation")
    hair = next(e.signal.subject for e in reading.entries if e.uid == found["Hetian & Hair Co. Ltd."][0])
    assert isinstance(hair, PartySignal)
    assert hair.names[1:] == (SignalName(name="Hollin Hair"), SignalName(name="Hotan Hair"))


def test_ids_stay_when_marks_order_and_dates_change(tmp_path: Path) -> None:
    before = by_name(read(tmp_path, PAGE))
    changed = PAGE.replace("Baoding Trade and Business Co., Ltd.", "Baoding Trade and Business Co Ltd").replace("June 12", "June 13")
    after = by_name(read(tmp_path, changed))
    assert sorted(uid for uid, _, _ in before.values()) == sorted(uid for uid, _, _ in after.values())


def test_a_csv_of_the_same_columns_gives_the_same_ids(tmp_path: Path) -> None:
    content = (
        "Entity Name,Sector,UFLPA Section,Effective Date\n"
        '"Baoding Trade and Business Co., Ltd.",Cotton,2(d)(2)(B)(i),"June 21, 2022"\n'
        '"Hetian & Hair Co. Ltd. (and two aliases: Hotan Hair;\nand Hollin Hair)",,(i),06/21/2022\n'
        '"Baoding Trade and Business Co., Ltd.",Cotton,(i),"June 21, 2022"\n'
    )
    reading = read(tmp_path, content)
    page, table = by_name(read(tmp_path, PAGE)), by_name(reading)
    assert table["Baoding Trade and Business Co., Ltd."] == (
        page["Baoding Trade and Business Co., Ltd."][0], ("UFLPA 2(d)(2)(B)(i)", "Cotton"), "Listed on 2022-06-21",
    )  # fmt: skip
    assert table["Hetian & Hair Co. Ltd."][:2] == page["Hetian & Hair Co. Ltd."][:2]
    assert [(q.row, q.uid) for q in reading.quarantined] == [(5, page["Baoding Trade and Business Co., Ltd."][0])]


def test_a_section_may_stand_in_the_table(tmp_path: Path) -> None:
    page = "<table><caption>Section 2(d)(2)(B)(v)</caption><tr><th>Name of Entity<th>Effective Date<tr><td>A<td>x<tr><td>2(d)(2)(B)(iv)</tr><tr><td>B<td>y"
    found = by_name(read(tmp_path, f"<html>{page}</table>"))
    assert (found["A"][1], found["B"][1]) == (("UFLPA 2(d)(2)(B)(v)",), ("UFLPA 2(d)(2)(B)(iv)",))


def test_a_page_in_windows_1252_says_so(tmp_path: Path) -> None:
    page = '<html><meta charset="windows-1252"><table><tr><th>Name of Entity</th></tr><tr><td>L\xfczhou</td></tr></table>'
    assert "L\xfczhou" in by_name(read(tmp_path, page.encode("cp1252")))


@pytest.mark.parametrize(
    "page",
    ["<html><body>Access denied</body></html>", "<html><table><tr><td>x</td></tr></table>", "<html><table><tr><th>Name of Entity</th></tr></table>",
     "<html><!-- " + "x" * 1_100_000, "<html>" + "<a " * 400_000, "Name,of\n"],
)  # fmt: skip
def test_what_is_no_list_is_refused(tmp_path: Path, page: str) -> None:
    with pytest.raises(Malformed):
        read(tmp_path, page)


def test_a_page_beyond_the_limits_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TooLarge):
        read(tmp_path, "<html><table><tr><th>Name of Entity</th></tr>" + "<tr><td>A</td></tr>" * 20_001)


@pytest.mark.parametrize("marked", ["<![OCTY PE html>", "<![if !IE]>", "<![CDATA[x]]>", "<![ >", "<![>", "<!>"])
def test_marked_sections_are_passed_over_whatever_they_are_called(tmp_path: Path, marked: str) -> None:
    """Found by atheris: Python's parser of pages asserts that it knows their keyword."""
    assert by_name(read(tmp_path, PAGE.replace("<body>", f"<body>{marked}"))) == by_name(read(tmp_path, PAGE))
    assert by_name(read(tmp_path, PAGE.replace("Ninestar", f"{marked}Ninestar"))) == by_name(read(tmp_path, PAGE))


@pytest.mark.parametrize("to", ["</table>", "</tbody>", "June 12"])
def test_a_page_that_is_cut_off_is_refused(tmp_path: Path, to: str) -> None:
    """The entries behind the cut would be delisted, and they may be few enough for the guard rail."""
    with pytest.raises(Malformed, match="cut off"):
        read(tmp_path, PAGE[: PAGE.rindex(to)])


@pytest.mark.parametrize("tag", ["<script>", "<noscript>", "<svg>"])
def test_what_hides_all_behind_it_is_refused(tmp_path: Path, tag: str) -> None:
    with pytest.raises(Malformed, match="cut off"):
        read(tmp_path, PAGE.replace("<p>UFLPA", f"{tag}<p>UFLPA"))


def test_a_table_alone_is_enough(tmp_path: Path) -> None:
    table = PAGE[PAGE.index('<table class="usa-table">') : PAGE.index("<p>UFLPA")]
    assert len(read(tmp_path, table).entries) == 2


def test_more_names_announced_than_found_is_told(tmp_path: Path) -> None:
    found = by_name(read(tmp_path, PAGE.replace("its two Zhuhai", "its nine Zhuhai")))
    assert "Announces 9 names of which 2 were found" in found["Ninestar Corporation"][2]
    assert "Announces" not in by_name(read(tmp_path, PAGE))["Ninestar Corporation"][2]
