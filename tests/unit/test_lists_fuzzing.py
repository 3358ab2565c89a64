"""Readers of the sanctions lists on bytes that are damaged and on records that are thought up: no crash, no hang, nothing lost silently.

`FUZZ_EXAMPLES=20000` for a long run by hand.
"""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.errors import DuewatchError, Malformed, TooLarge
from shared.events.signals import PartySignal
from tests.unit.lists_reading import Reading
from tests.unit.lists_samples import SAMPLES, Made, Sample

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))
TELLING = [
    b"<",
    b">",
    b'"',
    b"'",
    b"&",
    b";",
    b",",
    b"\n",
    b"\r",
    b"\0",
    b"]]>",
    b"<!--",
    b"<![CDATA[",
    b"<?",
    b"&#0;",
    b"&#x10FFFF;",
    b"\xff",
    b"\xed\xa0\x80",
]


def read(sample: Sample, content: bytes) -> Reading:
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        return Reading(sample.layout, {"primary": Path(file.name)}, sample.list_id)


@st.composite
def damages(draw: st.DrawFn, sound: bytes) -> bytes:
    content = bytearray(sound)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(content)))
        size = draw(st.integers(0, 400))
        match draw(st.sampled_from(["flip", "cut", "insert", "double", "move", "end"])):
            case "flip" if at < len(content):
                content[at] = draw(st.integers(0, 255))
            case "cut":
                del content[at : at + size]
            case "insert":
                content[at:at] = draw(st.one_of(st.sampled_from(TELLING), st.binary(max_size=20)))
            case "double":
                content[at:at] = content[at : at + size]
            case "move":
                part = bytes(content[at : at + size])
                del content[at : at + size]
                to = draw(st.integers(0, len(content)))
                content[to:to] = part
            case "end":
                del content[len(content) - size :]
    return bytes(content)


def check(reading: Reading) -> None:
    uids = [entry.uid for entry in reading.entries]
    assert len(set(uids)) == len(uids)
    for entry in reading.entries:
        assert isinstance(entry.signal.subject, PartySignal)
        assert entry.signal.digest
        assert all(name.name and name.name == name.name.strip() for name in entry.signal.subject.names)
    for one in reading.quarantined:
        assert one.row > 0
        assert one.reason


@pytest.mark.parametrize("name", SAMPLES)
def test_damaged_bytes(name: str) -> None:
    sample = SAMPLES[name]

    @settings(max_examples=EXAMPLES, deadline=10_000, suppress_health_check=list(HealthCheck))
    @given(damages(sample.sound))
    def one(content: bytes) -> None:
        sample.layout.recognises(content)
        with suppress(Malformed, TooLarge):
            check(read(sample, content))

    one()


WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"), exclude_characters="\ufffe\uffff"), max_size=12)
RECORDS = st.lists(
    st.builds(
        Made,
        uid=st.sampled_from(["", "1", "2", "3", "A7", "x y", "-"]),
        name=st.one_of(WORDS, st.sampled_from(["", " ", "STONE MILLS"])),
        kind=st.sampled_from(["person", "person", "organisation", "unknown"]),
        alias=WORDS,
    ),
    max_size=8,
)


@pytest.mark.parametrize("name", SAMPLES)
def test_every_record_is_accounted_for(name: str) -> None:
    sample = SAMPLES[name]

    @settings(max_examples=EXAMPLES, deadline=10_000, suppress_health_check=list(HealthCheck))
    @given(RECORDS)
    def one(made: list[Made]) -> None:
        content = sample.write(made).encode()
        if not made:
            with pytest.raises(DuewatchError, match="no record"):
                read(sample, content)
            return
        reading = read(sample, content)
        check(reading)
        told = len(made)
        if sample.grouped:
            told = len({one.uid for one in made if one.uid}) + sum(2 for one in made if not one.uid)
        assert reading.read == told
        possible = {one.uid for one in made if (one.name.split() or one.alias.split()) and one.uid.isalnum()}
        sound = {one.uid for one in made if one.name.split() and one.kind != "unknown" and one.uid.isalnum()}
        assert sound <= {entry.uid for entry in reading.entries} <= possible

    one()
