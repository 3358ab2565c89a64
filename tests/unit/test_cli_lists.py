"""How lists and their quarantined records look in the terminal."""

from typing import Any

import pytest

from tests.unit.test_cli_commands import Network, duewatch
from tests.unit.test_cli_commands import network as network

ROW: dict[str, Any] = {
    "list": "us_x", "release_id": "rel_1", "dated": "2026-01-02", "accepted_at": "2026-01-03T10:00:00Z", "age_s": 3 * 86_400 + 5, "records": 12345,
    "added": 10, "modified": 2, "deleted": 1, "health": "ok", "reason": None, "next_pull": "2026-01-06T04:00:00Z",
}  # fmt: skip
EMPTY = dict.fromkeys(ROW) | {"list": "un_y", "records": 0, "health": "never_loaded", "reason": "No release of it was ever loaded"}


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_the_status_of_all_lists_is_a_table(network: Network, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    undated = ROW | {"list": "own", "dated": None, "age_s": 7_200, "next_pull": None, "health": "stale", "reason": "Asked 9 days ago"}
    network.replies["GET /v1/lists/status"] = (200, {"items": [ROW, EMPTY, undated], "next": None})
    assert duewatch("lists", "status") == 0
    told = lines(capsys)
    assert "list release date age records changes health next pull" in told
    assert "us_x 2026-01-02 3 d 12,345 +10 ~2 -1 ok 2026-01-06 04:00:00Z" in told
    assert "un_y – – 0 – never loaded –" in told
    assert "own 2026-01-03 2 h 12,345 +10 ~2 -1 stale –" in told
    assert told[-1] == "own Asked 9 days ago"


@pytest.mark.parametrize("columns", [60, 100, 140])
def test_a_long_reason_stays_within_the_terminal_and_whole(
    columns: int, network: Network, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("services.cli.session._PIPED_WIDTH", columns)
    reason = "The release holds 19 entries and removes 180 of the 199 in force (90.5%); more than 20.0% must be accepted by a person " * 3
    network.replies["GET /v1/lists/status"] = (
        200,
        {"items": [ROW, ROW | {"list": "us_z", "health": "refused", "reason": reason}], "next": None},
    )
    assert duewatch("lists", "status") == 0
    out = capsys.readouterr().out
    assert max(len(line.rstrip()) for line in out.splitlines()) <= columns
    assert reason.strip() in " ".join(out.split())
    assert (" us_z   2026-01-02" in out) == (columns >= 100), "a row a list wherever the other columns have room"


def test_quarantined_records_are_a_page(network: Network, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"row": 7, "uid": None, "reason": "it has no name"}, {"row": 9, "uid": "36", "reason": "its type is not known"}]
    network.replies["GET /v1/lists/us_x/releases/rel_1/quarantined"] = (200, {"items": rows, "next": "abc"})
    assert duewatch("lists", "quarantined", "us_x", "rel_1") == 0
    told = lines(capsys)
    assert ("7 – it has no name" in told, "9 36 its type is not known" in told, "There is more: --cursor abc" in told) == (True,) * 3
    network.replies["GET /v1/lists/us_x/releases/rel_1/quarantined"] = (200, {"items": [], "next": None})
    assert duewatch("lists", "quarantined", "us_x", "rel_1") == 0
    assert "All records became entries." in lines(capsys)
