"""What `lists load` sends: the publisher's names in a zip, or one file as it is; never a file that is not the list's."""

import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from services.cli.failures import WrongUse
from services.cli.packages import package

OFFICIAL = ("MAIN.CSV", "ALT.CSV")


def test_a_folder_becomes_a_zip_with_the_official_names(tmp_path: Path) -> None:
    for name in ("main.csv", "Alt.csv", "notes.txt"):
        (tmp_path / name).write_text(name)
    with package(OFFICIAL, [tmp_path]) as sent:
        content = sent.file.read()
    archive = zipfile.ZipFile(BytesIO(content))
    assert {name: archive.read(name) for name in archive.namelist()} == {"MAIN.CSV": b"main.csv", "ALT.CSV": b"Alt.csv"}
    assert (sent.content_type, sent.size) == ("application/zip", len(content))


def test_several_files_become_one_zip(tmp_path: Path) -> None:
    (tmp_path / "MAIN.CSV").write_text("a")
    (tmp_path / "alt.csv").write_text("b")
    with package(OFFICIAL, [tmp_path / "alt.csv", tmp_path / "MAIN.CSV"]) as sent:
        assert sorted(zipfile.ZipFile(BytesIO(sent.file.read())).namelist()) == ["ALT.CSV", "MAIN.CSV"]


@pytest.mark.parametrize(("content", "kind"), [(b"PK\x03\x04...", "application/zip"), (b"36,NAME", "application/octet-stream")])
def test_one_file_is_sent_as_it_is_whatever_its_name(content: bytes, kind: str, tmp_path: Path) -> None:
    (tmp_path / "any name").write_bytes(content)
    with package(OFFICIAL, [tmp_path / "any name"]) as sent:
        assert (sent.file.read(), sent.content_type, sent.size) == (content, kind, len(content))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["empty"], "no file of this list"),
        (["main.csv", "other.csv"], "other.csv is no file of this list"),
        (["main.csv", "twice"], "MAIN.CSV is there twice"),
        (["both"], "MAIN.CSV is there twice"),
    ],
)
def test_files_that_are_not_the_lists_are_wrong_use(given: list[str], told: str, tmp_path: Path) -> None:
    for folder in ("empty", "twice", "both"):
        (tmp_path / folder).mkdir()
    for file in ("main.csv", "other.csv", "twice/MAIN.CSV", "both/MAIN.CSV", "both/main.csv"):
        (tmp_path / file).touch()
    with pytest.raises(WrongUse, match=told), package(OFFICIAL, [tmp_path / name for name in given]):
        pass
