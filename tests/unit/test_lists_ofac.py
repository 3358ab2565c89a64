"""OFAC's CSV layout: every trap of the real files, in small files of our own."""

from pathlib import Path

import pytest

from services.intelligence.lists import catalogue
from services.intelligence.lists.countries import alpha2
from services.intelligence.lists.remarks import birth_date
from services.intelligence.lists.remarks import parse as parse_remarks
from services.intelligence.lists.rows import MAX_LINE, MAX_LINES
from services.intelligence.lists.spec import Attached, Entry
from shared.errors import DuewatchError, Malformed, NotFound, TooLarge
from shared.events.signals import PartySignal, SignalAddress, SignalIdentifier, SignalName
from tests.unit.lists_reading import Reading

NULLS = '-0- ,"CUBA",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- '


def row(uid: object, name: str, rest: str = NULLS) -> str:
    return f'{uid},"{name}",{rest}\r\n'


def read(tmp_path: Path, primary: str | bytes, **others: str | bytes) -> Reading:
    files: dict[str, Path] = {}
    for role, content in {"primary": primary, **others}.items():
        path = tmp_path / f"{role}.csv"
        path.write_bytes(content if isinstance(content, bytes) else (content + "\x1a").encode())
        files[role] = path
    return Reading(catalogue.find("us_ofac_sdn").layouts[0], files, "us_ofac_sdn")


def only(reading: Reading) -> tuple[Entry, PartySignal]:
    (entry,) = reading.entries
    assert isinstance(entry.signal.subject, PartySignal)
    return entry, entry.signal.subject


def fill(n: int = 40) -> str:
    """Sound rows, so that a single bad one stays below the share that condemns the file."""
    return "".join(row(1000 + i, f"SOUND MILLS {i}") for i in range(n))


def test_a_whole_entry(tmp_path: Path) -> None:
    remarks = "DOB 15 Jan 1955; nationality Iran; alt. Passport A 123 (Iran) expires 01 Jan 2020; a.k.a. 'BNC'; Linked To: SOMEBODY."
    reading = read(
        tmp_path,
        row(306, "BANCO, Nacional", f'"individual","SDGT] [IRGC","Minister",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,"{remarks}"'),
        aliases='306,220,"aka","NATIONAL BANK",-0- \r\n306,221,"fka","OLD BANK",-0- \r\n306,222,"aka","THE BANK","weak"\r\n',
        addresses='306,1,"Street 35","Zurich CH-8022","Switzerland",-0- \r\n306,2,-0- ,-0- ,"Korea, North",-0- \r\n306,3,-0- ,-0- ,-0- ,-0- \r\n',
        comments='306," Website example.org."\r\n',
    )
    entry, subject = only(reading)
    assert entry.uid == "306"
    assert subject.schema == "person"
    assert subject.names == (
        SignalName(name="BANCO, Nacional", kind="primary"),
        SignalName(name="BNC", weak=True),
        SignalName(name="NATIONAL BANK"),
        SignalName(name="OLD BANK", kind="former"),
        SignalName(name="THE BANK", weak=True),
    )
    assert subject.countries == ("CH", "IR", "KP")
    assert subject.addresses == (SignalAddress(text="Street 35", city="Zurich CH-8022", country="CH"), SignalAddress(country="KP"))
    assert subject.identifiers == (SignalIdentifier(kind="Passport", value="A 123", country="IR"),)
    assert subject.birth_dates == ("1955-01-15",)
    assert entry.signal.source.programs == ("SDGT", "IRGC")
    assert (entry.signal.source.list, entry.signal.source.uid, entry.signal.source.release_id) == ("us_ofac_sdn", "306", "r1")
    assert entry.signal.remarks == f"Title Minister; {remarks} Website example.org."


def test_nulls_and_the_end_mark(tmp_path: Path) -> None:
    reading = read(tmp_path, row(36, "AEROCARIBBEAN AIRLINES") + "\r\n\x1a" + ",".join([""] + ['""'] * 11) + "\r\n")
    entry, subject = only(reading)
    assert subject.names == (SignalName(name="AEROCARIBBEAN AIRLINES", kind="primary"),)
    assert (subject.countries, subject.addresses, subject.identifiers, entry.signal.remarks) == ((), (), (), "")
    assert subject.schema == "organisation"
    assert (reading.read, reading.published) == (1, 1)


@pytest.mark.parametrize("ending", ["\n", "\r", "\r\n"])
def test_line_endings_and_a_byte_order_mark(tmp_path: Path, ending: str) -> None:
    text = "\ufeff" + (row(1, "ALPHA") + row(2, "BETA")).replace("\r\n", ending)
    assert [e.uid for e in read(tmp_path, text).entries] == ["1", "2"]


def test_bytes_that_are_no_utf8_lose_no_text(tmp_path: Path) -> None:
    reading = read(tmp_path, row(1, "SOCIÉTÉ ÜBER").encode("cp1252") + row(2, "ŁÓDŹ Ж").encode())
    names = [e.signal.subject.names[0].name for e in reading.entries if isinstance(e.signal.subject, PartySignal)]
    assert names == ["SOCIÉTÉ ÜBER", "ŁÓDŹ Ж"]


def test_remarks_cut_in_the_middle_of_a_word_go_on_in_the_comments(tmp_path: Path) -> None:
    reading = read(tmp_path, row(1, "ALPHA", NULLS[:-4] + '"a.k.a. \'snowsjo"'), comments='1,"hn\'; Linked To: BETA."\r\n')
    entry, subject = only(reading)
    assert entry.signal.remarks == "a.k.a. 'snowsjohn'; Linked To: BETA."
    assert subject.names[1] == SignalName(name="snowsjohn", weak=True)


def test_vessels(tmp_path: Path) -> None:
    rest = '"vessel","IRAN","-0-","EQKF","Crude Oil Tanker","99,144","56,068","Iran","OWNER LINES","Vessel Registration Identification IMO 9187629; MMSI 572469210."'
    entry, subject = only(read(tmp_path, row(7, "ALPHA", rest)))
    assert (subject.schema, subject.countries) == ("vessel", ("IR",))
    assert [(i.kind, i.value) for i in subject.identifiers] == [
        ("Call Sign", "EQKF"),
        ("MMSI", "572469210"),
        ("Vessel Registration Identification IMO", "9187629"),
    ]
    assert entry.signal.remarks.startswith(
        "Vessel Type Crude Oil Tanker; Tonnage 99,144; Gross Registered Tonnage 56,068; Vessel Owner OWNER LINES; Vessel"
    )


@pytest.mark.parametrize(
    ("bad", "reason", "uid"),
    [
        ('5,"SHORT",-0- \r\n', "it has 3 columns where 12 are expected", "5"),
        (row(5, "LONG", NULLS + ",1"), "it has 13 columns where 12 are expected", "5"),
        (row("", "NOBODY"), "it has no entry number in its first column", None),
        (row("x7", "NOBODY"), "it has no entry number in its first column", None),
        (row(5, "-0- "), "it has no name", "5"),
        (row(5, "N\0L"), "it holds a NUL byte", "5"),
        (row(5, "N" * 1001), "its name is longer than 1000 characters", "5"),
        (row(1003, "AGAIN"), "its entry number stands on an earlier row", "1003"),
        ('5,"OPEN,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \r\n', "its quotation marks do not match", "5"),
    ],
)
def test_bad_rows_are_quarantined_alone(tmp_path: Path, bad: str, reason: str, uid: str | None) -> None:
    reading = read(tmp_path, fill(20) + bad + row(9, "BEHIND IT") + "".join(row(2000 + i, f"MORE {i}") for i in range(20)))
    (found,) = reading.quarantined
    assert (found.row, found.reason, found.uid) == (21, reason, uid)
    assert (reading.read, reading.published) == (42, 41)
    assert "9" in {e.uid for e in reading.entries}
    assert reading.unread_uids == ({"5"} if uid == "5" else set())


def test_a_line_break_inside_quotation_marks_is_one_row(tmp_path: Path) -> None:
    reading = read(tmp_path, row(1, "ALPHA\r\nHOLDING") + row(2, "BETA"))
    assert [n.name for e in reading.entries if isinstance(e.signal.subject, PartySignal) for n in e.signal.subject.names] == [
        "ALPHA\nHOLDING",
        "BETA",
    ]


def test_orphans_are_counted_and_harm_nothing(tmp_path: Path) -> None:
    reading = read(
        tmp_path, row(1, "ALPHA"), aliases='1,1,"aka","A",-0- \r\n2,2,"aka","B",-0- \r\n', addresses="\x1a", comments='3,"x"\r\n'
    )
    assert reading.attached == {
        "aliases": Attached(role="aliases", rows=2, orphans=1),
        "addresses": Attached(role="addresses"),
        "comments": Attached(role="comments", rows=1, orphans=1),
    }
    assert reading.published == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x1a",
        b"<html>Service unavailable</html>",
        b"\xff\xfe" + row(1, "A").encode("utf-16-le"),
        b"number,name,country\n1,A,DE\n",
        b"\0" * 1000,
        b'"',
    ],
)
def test_what_is_not_this_layout_is_malformed(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(Malformed, match="no entry"):
        read(tmp_path, content)


def test_many_bad_rows_are_another_layout(tmp_path: Path) -> None:
    assert read(tmp_path, fill(38) + "x\r\n" * 2).published == 38
    with pytest.raises(Malformed, match="3 of 41 rows of the primary file"):
        read(tmp_path, fill(38) + "zzmarkerzz\r\n" * 3)


def test_a_page_of_html_as_alias_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="aliases file"):
        read(tmp_path, row(1, "ALPHA"), aliases="<html>Service unavailable</html>")


def test_an_endless_line_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="Line 2 of the primary file is longer"):
        read(tmp_path, row(1, "ALPHA").encode() + b"0" * (MAX_LINE + 1))


def test_digests_follow_the_content_and_not_the_order(tmp_path: Path) -> None:
    def digest(release: str, *rows_of_aliases: str, name: str = "ALPHA") -> str:
        (tmp_path / release).mkdir()
        return read(tmp_path / release, row(1, name), aliases="".join(rows_of_aliases)).entries[0].signal.digest

    one, two = '1,1,"aka","A",-0- \r\n', '1,2,"fka","B",-0- \r\n'
    first = digest("a", one, two)
    assert first == digest("b", two, one, one)
    assert len({first, digest("c", one), digest("d", one, two, name="ALPHA.")}) == 3
    assert len(first) == 32


def test_the_release_is_not_content(tmp_path: Path) -> None:
    (tmp_path / "SDN.CSV").write_text(row(1, "ALPHA"))
    spec = catalogue.find("us_ofac_cons")
    first, second = (Reading(spec.layouts[0], {"primary": tmp_path / "SDN.CSV"}, spec.id, r).entries[0].signal for r in ("r1", "r2"))
    assert (first.digest, first.source.release_id, second.source.release_id) == (second.digest, "r1", "r2")


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("Korea, North", "KP"),
        ("Congo, Democratic Republic of the", "CD"),
        ("Burma", "MM"),
        ("The Gambia", "GM"),
        ("Region: Crimea", "UA"),
        ("Kosovo", "XK"),
        ("Cote d Ivoire", "CI"),
        ("Virgin Islands, British", "VG"),
        ("Turkey", "TR"),
        ("undetermined", None),
        ("", None),
        ("Region: Kafia Kingi", None),
    ],
)
def test_country_words(word: str, code: str | None) -> None:
    assert alpha2(word) == code


def test_unknown_country_words_stay_in_the_text(tmp_path: Path) -> None:
    lines = '1,1,"Street",-0- ,"undetermined",-0- \r\n1,2,-0- ,-0- ,"Region: Crimea",-0- \r\n'
    _, subject = only(read(tmp_path, row(1, "ALPHA"), addresses=lines))
    assert subject.addresses == (SignalAddress(text="Street, undetermined"), SignalAddress(text="Region: Crimea", country="UA"))
    assert subject.countries == ("UA",)


@pytest.mark.parametrize(
    ("remark", "kind", "value", "country"),
    [
        ("NIT # 800146749-7 (Colombia).", "NIT", "800146749-7", "CO"),
        ("Tax ID No. 7744001497 (Russia)", "Tax ID No.", "7744001497", "RU"),
        ("Legal Entity Number 253400WSS48YWMBUA688", "Legal Entity Number", "253400WSS48YWMBUA688", None),
        ("D-U-N-S Number 542957624", "D-U-N-S Number", "542957624", None),
        ("alt. C.U.R.P. AIMM67125HCHRRG06 (Mexico) issued 1968.", "C.U.R.P.", "AIMM67125HCHRRG06", "MX"),
        ("Italian Fiscal Code: KMMMHD68D03Z352N.", "Italian Fiscal Code", "KMMMHD68D03Z352N", None),
        ("Matricula Mercantil No 818178-2 (Cali)", "Matricula Mercantil No", "818178-2 (Cali)", None),
        ("Identification Number IMO 5342883.", "Identification Number IMO", "5342883", None),
        ("alt. Digital Currency Address - XBT 1Kuf2Rd8", "Digital Currency Address - XBT", "1Kuf2Rd8", None),
    ],
)
def test_identifiers(remark: str, kind: str, value: str, country: str | None) -> None:
    assert parse_remarks(f"x; {remark}").identifiers == [SignalIdentifier(kind=kind, value=value, country=country)]


@pytest.mark.parametrize(
    "remark", ["Registration Numbe", "Passport and National ID were lost", "Passport", "Passport issued 21 Jun 1992", "License: ."]
)
def test_prose_is_no_identifier(remark: str) -> None:
    assert parse_remarks(remark).identifiers == []


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("15 Jan 1955", "1955-01-15"),
        ("Aug 1960", "1960-08"),
        ("1946", "1946"),
        ("circa 1951", "circa 1951"),
        ("31 Feb 1950", "31 Feb 1950"),
        ("0000", "0000"),
    ],
)
def test_birth_dates(written: str, read_as: str) -> None:
    assert birth_date(written) == read_as


def test_former_names_in_remarks_and_aliases_with_apostrophes() -> None:
    assert parse_remarks("f.k.a. 'OLD NAME'.; a.k.a. 'AL-'ABD''; a.k.a. 'cut").names == [
        SignalName(name="OLD NAME", kind="former", weak=True),
        SignalName(name="AL-'ABD'", weak=True),
    ]


def test_unknown_lists_are_not_found_and_not_echoed() -> None:
    with pytest.raises(NotFound) as raised:
        catalogue.find("zzmarkerzz")
    assert "zzmarkerzz" not in str(raised.value)
    assert isinstance(raised.value, DuewatchError)
    assert {f.name for f in catalogue.find("us_ofac_cons").files} == {"CONS_PRIM.CSV", "CONS_ALT.CSV", "CONS_ADD.CSV", "CONS_COMMENTS.CSV"}


def test_endless_empty_lines_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TooLarge, match="more than 200000 lines"):
        read(tmp_path, row(1, "ALPHA") + "\n" * MAX_LINES)
