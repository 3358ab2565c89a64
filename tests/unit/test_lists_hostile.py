"""Whatever the bytes: a release is read and accounted for, or refused with an error that a caller can act on."""

import contextlib
import io
import tempfile
import zipfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from services.intelligence.lists import catalogue
from services.intelligence.lists.remarks import parse
from shared.errors import DuewatchError
from tests.unit.lists_reading import Reading, read_sent

SPEC = catalogue.find("us_ofac_sdn")
SOUND = b'%d,"NAME %d",-0- ,"CUBA",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,"a.k.a. \'X\'; DOB 1 Jan 1950."\r\n'
PIECES = (
    b'"',
    b",",
    b"\r\n",
    b"\r",
    b"\n",
    b"\0",
    b"\x1a",
    b"-0- ",
    b"\xff",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"36",
    b"\x81",
    b"a.k.a. '",
    b"; ",
    b"\xe2\x80\xa8",
)
NOISE = st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=12)), max_size=40).map(b"".join)


def load(content: bytes) -> Reading | None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            return read_sent(SPEC, content, Path(folder))
        except DuewatchError:
            return None


@settings(max_examples=150, deadline=None)
@given(NOISE)
def test_any_bytes_as_the_primary_file(content: bytes) -> None:
    reading = load(content)
    assert reading is None or reading.read == reading.published + len(reading.quarantined)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 59), NOISE)
def test_noise_costs_no_sound_row_but_those_it_touches(at: int, noise: bytes) -> None:
    lines = [SOUND % (100 + i, i) for i in range(60)]
    reading = load(b"".join([*lines[:at], noise, b"\r\n", *lines[at:]]))
    if reading is not None:
        assert reading.read == reading.published + len(reading.quarantined)
        assert {str(100 + i) for i in range(60)} <= {e.uid for e in reading.entries} | {q.uid for q in reading.quarantined}
        assert len({e.uid for e in reading.entries}) == reading.published


@settings(max_examples=100, deadline=None)
@given(NOISE, NOISE, NOISE)
def test_any_bytes_beside_a_sound_primary_file(aliases: bytes, addresses: bytes, comments: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        files: dict[str, Path] = {}
        contents: dict[str, bytes] = {"primary": SOUND % (36, 1), "aliases": aliases, "addresses": addresses, "comments": comments}
        for role, content in contents.items():
            files[role] = Path(folder, role)
            files[role].write_bytes(content)
        with contextlib.suppress(DuewatchError):
            assert Reading(SPEC.layouts[0], files, SPEC.id).published == 1


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=6), st.integers(0, 400))
def test_archives_with_flipped_bytes_and_cut_ends(flips: list[tuple[int, int]], cut: int) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("SDN.CSV", SOUND % (36, 1))
        archive.writestr("ALT.CSV", b'36,12,"aka","A",-0- \r\n')
    content = bytearray(out.getvalue())
    for at, value in flips:
        content[at % len(content)] = value
    load(bytes(content[: len(content) - max(0, cut - 300)]))


@given(st.text(alphabet=st.sampled_from(list("abfkn.'; ()DOBNT#:0129é\"")), max_size=80))
def test_any_remark(text: str) -> None:
    found = parse(text)
    assert all(i.value.strip() for i in found.identifiers)
    assert all(n.weak for n in found.names)
