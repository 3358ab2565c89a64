"""What is sent as a release: archives, single files and folders, sound and hostile."""

import io
import struct
import time
import zipfile
from pathlib import Path

import msgspec
import pytest

from services.intelligence.lists import catalogue, package
from services.intelligence.lists.spec import Layout, ListFile, ListSpec
from shared.errors import DuewatchError, Malformed, TooLarge

SPEC = msgspec.structs.replace(catalogue.find("us_ofac_sdn"), max_file_bytes=64_000_000, max_total_bytes=128_000_000)  # less to write
GOOD = b'36,"AEROCARIBBEAN AIRLINES",-0- ,"CUBA",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \r\n'
MARK = "zzmarkerzz"


def zipped(members: list[tuple[str, bytes]], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


def unpack(tmp_path: Path, content: bytes) -> dict[str, bytes]:
    sent, work = tmp_path / "sent", tmp_path / "work"
    sent.write_bytes(content)
    work.mkdir()
    return {role: path.read_bytes() for role, path in package.unpack(SPEC, sent, work).files.items()}


def refused(tmp_path: Path, content: bytes, kind: type[DuewatchError], words: str) -> None:
    with pytest.raises(kind, match=words) as raised:
        unpack(tmp_path, content)
    assert MARK not in str(raised.value)
    assert {p.name for p in tmp_path.iterdir()} == {"sent", "work"}
    assert {p.name for p in (tmp_path / "work").iterdir()} <= {f.name for f in SPEC.files}


def test_an_archive_in_any_case_with_other_files(tmp_path: Path) -> None:
    content = zipped([("sdn.csv", GOOD), ("Alt.Csv", b"a"), ("SDN_COMMENTS.CSV", b"c"), ("readme.txt", b"r")])
    assert unpack(tmp_path, content) == {"primary": GOOD, "aliases": b"a", "comments": b"c"}


def test_a_single_file_is_the_primary_one(tmp_path: Path) -> None:
    assert unpack(tmp_path, GOOD) == {"primary": GOOD}


def test_a_folder(tmp_path: Path) -> None:
    (tmp_path / "sdn.CSV").write_bytes(GOOD)
    (tmp_path / "add.csv").write_bytes(b"")
    (tmp_path / "ALT.CSV").mkdir()
    assert set(package.from_folder(SPEC, tmp_path).files) == {"primary", "addresses"}
    (tmp_path / "SDN.CSV").write_bytes(GOOD)
    with pytest.raises(Malformed, match="twice"):
        package.from_folder(SPEC, tmp_path)
    with pytest.raises(Malformed, match="no such folder"):
        package.from_folder(SPEC, tmp_path / MARK)


def test_a_folder_without_the_primary_file(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match=r"SDN\.CSV.* is missing"):
        package.from_folder(SPEC, tmp_path)


@pytest.mark.parametrize("name", ["../../SDN.CSV", "/SDN.CSV", f"{MARK}/SDN.CSV", f"..\\{MARK}", f"C:{MARK}", f"{MARK}/"])
def test_paths(tmp_path: Path, name: str) -> None:
    refused(tmp_path, zipped([("SDN.CSV", GOOD), (name, GOOD)]), Malformed, "folders or paths")


def test_a_name_with_a_nul(tmp_path: Path) -> None:
    refused(tmp_path, zipped([("SDN.CSVx.exe", GOOD)]).replace(b"SDN.CSVx", b"SDN.CSV\0"), Malformed, "paths")


def test_two_members_of_one_name(tmp_path: Path) -> None:
    refused(tmp_path, zipped([("SDN.CSV", GOOD), ("sdn.csv", GOOD)]), Malformed, "two members")


def test_too_many_members(tmp_path: Path) -> None:
    refused(tmp_path, zipped([(f"{MARK}{i}", b"") for i in range(65)]), Malformed, "more than 64 members")


def test_a_table_of_contents_that_lies_about_its_length(tmp_path: Path) -> None:
    content = bytearray(zipped([(f"{MARK}{i}", b"") for i in range(65)]))
    at = content.rfind(b"PK\x05\x06")
    struct.pack_into("<2H", content, at + 8, 1, 1)
    refused(tmp_path, bytes(content), Malformed, "more than 64 members")


def test_a_long_table_of_contents(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in ("SDN.CSV", "ALT.CSV"):
            info = zipfile.ZipInfo(name)
            info.comment = b"c" * 60_000
            archive.writestr(info, GOOD)
    refused(tmp_path, out.getvalue(), Malformed, "long table of contents")


def test_zip64_tables_are_not_read(tmp_path: Path) -> None:
    content = zipped([("SDN.CSV", GOOD)])
    at = content.rfind(b"PK\x05\x06")
    refused(tmp_path, content[:at] + b"PK\x06\x07" + b"\0" * 16 + content[at:], Malformed, "ZIP64")


def test_encryption(tmp_path: Path) -> None:
    content = bytearray(zipped([("SDN.CSV", GOOD)]))
    content[6] |= 1
    content[content.rfind(b"PK\x01\x02") + 8] |= 1
    refused(tmp_path, bytes(content), Malformed, "encrypted")


def test_other_compressions(tmp_path: Path) -> None:
    refused(tmp_path, zipped([("SDN.CSV", GOOD)], zipfile.ZIP_LZMA), Malformed, "other than deflate")


@pytest.mark.parametrize(
    "content", [b"PK\x03\x04" + b"\0" * 500, zipped([("SDN.CSV", GOOD * 1000)])[:150], zipped([("SDN.CSV", GOOD)])[:-1], b"PK\x05\x06"]
)
def test_damaged_and_cut_archives(tmp_path: Path, content: bytes) -> None:
    refused(tmp_path, content, Malformed, "damaged or cut off")


def test_a_name_that_is_not_the_utf8_it_claims(tmp_path: Path) -> None:
    content = zipped([("SDN.CSV", GOOD), ("é", b"")]).replace("é".encode(), b"\xff\xff")
    refused(tmp_path, content, Malformed, "damaged or cut off")


def test_an_archive_of_a_later_version(tmp_path: Path) -> None:
    content = bytearray(zipped([("SDN.CSV", GOOD)]))
    content[content.rfind(b"PK\x01\x02") + 6] = 99
    refused(tmp_path, bytes(content), Malformed, "damaged or cut off")


def test_a_wrong_checksum(tmp_path: Path) -> None:
    content = zipped([("SDN.CSV", GOOD)], zipfile.ZIP_STORED).replace(b"AEROCARIBBEAN", b"AEROCARIBBEAM")
    refused(tmp_path, content, Malformed, "damaged or cut off")


@pytest.mark.parametrize("content", [zipped([("ALT.CSV", b"a")]), zipped([])])
def test_no_primary_file(tmp_path: Path, content: bytes) -> None:
    refused(tmp_path, content, Malformed, r"SDN\.CSV.* is missing")


def test_nothing_at_all(tmp_path: Path) -> None:
    refused(tmp_path, b"", Malformed, "empty")


def test_a_bomb_that_says_so(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("SDN.CSV", "w") as member:
        for _ in range(65):
            member.write(b"0" * 1_000_000)
    began = time.monotonic()
    refused(tmp_path, out.getvalue(), TooLarge, "larger than 64 MB")
    assert time.monotonic() - began < 1


def test_a_bomb_is_stopped_while_it_unpacks(tmp_path: Path) -> None:
    refused(tmp_path, zipped([("SDN.CSV", b"0" * 20_000_000)]), TooLarge, "100 times")
    assert (tmp_path / "work" / "SDN.CSV").stat().st_size < 2_000_000


def test_files_that_are_too_large_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "MAX_RATIO", 10_000)
    refused(tmp_path, zipped([(f.name, b"0" * 45_000_000) for f in SPEC.files[:3]]), TooLarge, "128 MB together")


def test_a_single_file_that_is_too_large(tmp_path: Path) -> None:
    sent = tmp_path / "sent"
    with sent.open("wb") as file:
        file.write(b"0")
        file.truncate(SPEC.max_file_bytes + 1)  # sparse
    with pytest.raises(TooLarge, match="at most 64 MB"):
        package.unpack(SPEC, sent, tmp_path)


def made_up(name: str, mark: bytes) -> Layout:
    files = tuple(ListFile(role=role, name=f"{name}{end}", address="https://example.org") for role, end in (("primary", ""), ("more", "+")))
    return Layout(name=name, files=files, read=SPEC.layouts[0].read, recognises=lambda head: mark in head)


TWO = ListSpec(id="two", title="Two", publisher="Nobody", layouts=(made_up("ONE", b"1"), made_up("OTHER", b"2")))


@pytest.mark.parametrize(
    ("content", "layout", "roles"),
    [
        (b"..2", "OTHER", {"primary"}),  # a body: what it holds
        (zipped([("one", b"1"), ("other", b"2"), ("other+", b"")]), "ONE", {"primary"}),  # both: the first
        (zipped([("one", b"?"), ("other", b"2"), ("other+", b"")]), "OTHER", {"primary", "more"}),  # the first is another file
        (zipped([("other", b"?"), ("one+", b"")]), "OTHER", {"primary"}),  # its reader says what is wrong with it
        (zipped([("one", b"2"), ("other+", b"")]), "OTHER", {"primary", "more"}),  # under the name of another layout's
        (zipped([("consolidated-2026.xml", b"2")]), "OTHER", {"primary"}),  # one file under another name
    ],
)
def test_content_tells_the_layout(tmp_path: Path, content: bytes, layout: str, roles: set[str]) -> None:
    (tmp_path / "sent").write_bytes(content)
    (tmp_path / "work").mkdir()
    found = package.unpack(TWO, tmp_path / "sent", tmp_path / "work")
    assert (found.layout.name, set(found.files)) == (layout, roles)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"neither", "none of the official layouts"),
        (zipped([("a.xml", b"neither")]), "none of the official layouts"),
        (zipped([("one", b"?"), ("other", b"?")]), "none of the official layouts"),
        (zipped([("one+", b"1"), ("x", b"2")]), "The primary file ONE or OTHER is missing"),
    ],
)
def test_content_of_no_layout(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "sent").write_bytes(content)
    (tmp_path / "work").mkdir()
    with pytest.raises(Malformed, match=words):
        package.unpack(TWO, tmp_path / "sent", tmp_path / "work")


def test_ofacs_layout_is_recognised_by_its_rows() -> None:
    recognises = SPEC.layouts[0].recognises
    for head in (GOOD, b"\xef\xbb\xbf" + GOOD, b'damaged\r\n"36","A"', b"ent_num,SDN_Name\r\n"):
        assert recognises(head)
    for other in (
        b"",
        b"\x1a",
        b'<?xml version="1.0"?>\n<sdnList>\n12,34</sdnList>',
        b'{"id": 1}',
        b"_id,source,entity_number\n",
        b"\xff\xfe1,",
    ):
        assert not recognises(other)


def test_a_file_that_a_layout_cannot_be_without(tmp_path: Path) -> None:
    files = tuple(msgspec.structs.replace(file, required=file.role == "more") for file in made_up("ONE", b"1").files)
    spec = msgspec.structs.replace(TWO, layouts=(msgspec.structs.replace(made_up("ONE", b"1"), files=files),))
    (tmp_path / "work").mkdir()
    (tmp_path / "sent").write_bytes(zipped([("one", b"1"), ("one+", b"")]))
    assert set(package.unpack(spec, tmp_path / "sent", tmp_path / "work").files) == {"primary", "more"}
    for content in (zipped([("one", b"1")]), b"1"):
        (tmp_path / "sent").write_bytes(content)
        with pytest.raises(Malformed, match=r"The file ONE\+ is missing"):
            package.unpack(spec, tmp_path / "sent", tmp_path / "work")
