"""Whatever is done to a file of parties: its records are read and accounted for, or it is refused with an error that says so."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import Malformed, TooLarge
from tests.unit.lists_reading import Reading, read_sent
from tests.unit.parties_samples import SAMPLES, Sample

BY_LINE = [name for name, sample in SAMPLES.items() if sample.between == b"\n" and name != "uflpa"]
PIECES = st.sampled_from(
    [b'"', b",", b";", b"\t", b"\r\n", b"\r", b"\n", b"\0", b"\x1a", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xff\xfe", b"{", b"}", b"[", b"]", b":",
     b"\\", b"\\u0000", b"\\ud800", b"<tr>", b"<td>", b"</table>", b"<!--", b"&#0;", b"&#x110000;", b"<script>", b"null", b"1e999", b"(", b")", b"; and ",
     b"also known as ", b"\xe2\x80\xa8", b"\x81", b"-0-"]
)  # fmt: skip
NOISE = st.lists(st.one_of(PIECES, st.binary(max_size=8)), max_size=12).map(b"".join)


def load(sample: Sample, content: bytes) -> Reading | None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "primary")
        path.write_bytes(content)
        try:
            return Reading(sample.layout, {"primary": path}, sample.spec.id)
        except (Malformed, TooLarge):
            return None


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sound_file_is_recognised_and_read_whole(name: str, tmp_path: Path) -> None:
    sample = SAMPLES[name]
    assert sample.layout.recognises(sample.whole[:65_536])
    assert next(layout.name for layout in sample.spec.layouts if layout.recognises(sample.whole)) == sample.layout.name
    reading = read_sent(sample.spec, sample.whole, tmp_path)
    assert reading.published - sum(told.rows for told in reading.attached.values()) == len(sample.records)
    assert not reading.quarantined


@pytest.mark.parametrize("name", SAMPLES)
@settings(max_examples=60, deadline=None)
@given(edits=st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 4), NOISE), min_size=1, max_size=5))
def test_mutated_bytes(name: str, edits: list[tuple[int, int, bytes]]) -> None:
    sample = SAMPLES[name]
    content = sample.whole
    for at, cut, noise in edits:
        at %= len(content) + 1
        content = content[:at] + noise + content[at + cut :]
    reading = load(sample, content)
    if reading is not None:
        assert all(entry.uid and entry.signal.digest and entry.signal.subject.names[0].name for entry in reading.entries)  # type: ignore[union-attr]


@pytest.mark.parametrize("name", BY_LINE)
@settings(max_examples=60, deadline=None)
@given(at=st.integers(1, 11), noise=NOISE)
def test_noise_between_lines_costs_no_record(name: str, at: int, noise: bytes) -> None:
    sample = SAMPLES[name]
    sound, records = load(sample, sample.whole), list(sample.records.values())
    assert sound is not None
    reading = load(sample, sample.head + b"\n".join([*records[:at], noise, *records[at:]]) + sample.tail)
    assert reading is not None
    assert {entry.uid for entry in sound.entries} <= {entry.uid for entry in reading.entries}


@pytest.mark.parametrize("name", SAMPLES)
@settings(max_examples=30, deadline=None)
@given(cut=st.integers(0, 5_000))
def test_a_file_that_is_cut_off_loses_no_record_before_the_cut(name: str, cut: int) -> None:
    sample = SAMPLES[name]
    content = sample.whole[: cut % len(sample.whole)]
    reading = load(sample, content)
    if reading is not None:
        whole = sum(content.count(record) for record in sample.records.values())
        assert reading.read + len(reading.removed) >= whole


@pytest.mark.parametrize("name", SAMPLES)
@settings(max_examples=40, deadline=None)
@given(content=NOISE)
def test_any_bytes(name: str, content: bytes) -> None:
    load(SAMPLES[name], content)
