"""The demo as it is shipped: it plays, plays again, and leaves a system with a real list alone."""

import json
from pathlib import Path

import pytest

from services.cli.demo import CAST, SAMPLE
from services.cli.main import run
from tests.system.lists import OTHERS, load, official, staff
from tests.system.running import System, running


def played(system: System, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str]:
    """Runs it against the system: its exit code and what it said."""
    for name in ("TOKEN", "TOKEN_FILE"):
        monkeypatch.delenv(f"DUEWATCH_{name}", raising=False)
    monkeypatch.setenv("DUEWATCH_DATA", str(system.data))
    with pytest.raises(SystemExit) as end:
        run(["demo", "--url", system.url, *more])
    told = capsys.readouterr()
    return int(end.value.code or 0), told.out + told.err


def test_it_plays_as_often_as_one_likes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with running(tmp_path) as system:
        code, told = played(system, monkeypatch, capsys, "--json")
        assert code == 0, told
        first = json.loads(told)
        assert first["gate"] == {number: {"before": before, "after": after} for number, (_, before, after) in CAST.items()}
        code, told = played(system, monkeypatch, capsys)
        assert code == 0, told
        for step in ("BRIGHT MERIDIAN COMMODITIES on list us_ofac_sdn", "entry 90005", "may not verify it herself", "audits list", "Next"):
            assert step in told
        with staff(system) as client:
            assert client.post("/v1/journal/verification").json()["holds"]


def test_it_never_replaces_a_real_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with running(tmp_path) as system, staff(system) as client:
        load(client, official(dict(enumerate(OTHERS, 1))))
        code, told = played(system, monkeypatch, capsys)
        assert code == 1
        assert "not the demo's" in told
        assert client.get("/v1/suppliers").json()["items"] == []


def test_the_sample_names_no_official_program() -> None:
    for path in SAMPLE.glob("list-*/SDN.CSV"):
        rows = path.read_text().rstrip("\x1a").splitlines()
        assert len(rows) > 25
        assert all(',"DEMO",' in row for row in rows)
