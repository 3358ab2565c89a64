"""The benchmark of lists, at a size that takes seconds: it says what the loads did, and would stop where one did something else."""

import json
import sys
from pathlib import Path

import pytest

from services.intelligence.lists import catalogue
from tests.bench import list_files, lists
from tests.services.intelligence_lists import sdn

_OF = {"ofac": "us_ofac_sdn", "un": "un_sc", "xml": "un_sc", "ftm": "opensanctions", "delta": "opensanctions"}


def test_every_list_that_is_known_has_its_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "FILE", tmp_path / "figures.jsonl")
    monkeypatch.setattr(sys, "argv", ["lists", "--ofac", "200", "--un", "200", "--ftm", "600", "--xml-mb", "1"])
    lists.main()
    told = {figure["figure"]: figure for figure in map(json.loads, (tmp_path / "figures.jsonl").read_text().splitlines())}
    assert {name.split("_")[0] for name in told} == {name for name, list_id in _OF.items() if list_id in catalogue.CATALOGUE}
    assert told["ofac_entries_per_s"]["n"] == 200
    assert all(figure["value"] > 0 for figure in told.values())


def test_a_load_that_does_something_else_stops_it(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(sdn({1: "ALPHA", 2: "BETA"}))
    with pytest.raises(SystemExit, match="did something else"):
        lists._in_process("us_ofac_sdn", tmp_path / "other", tmp_path, added=3)


def test_files_tell_their_sizes(tmp_path: Path) -> None:
    assert [name for name, _ in list_files.sizes(list_files.ofac(tmp_path / "a", 5))] == ["SDN.CSV", "ALT.CSV", "ADD.CSV"]
    ((name, size),) = list_files.sizes(list_files.un(tmp_path / "b", 4))
    assert (name, size) == ("b", (tmp_path / "b").stat().st_size)
