"""Fetching lists from the terminal: all of them, and how often."""

import json

import pytest

from tests.unit.test_cli_commands import Network, duewatch
from tests.unit.test_cli_commands import network as network


def _listed(id_: str, address: str) -> dict[str, object]:
    return {"id": id_, "files": [{"role": "primary", "name": "X", "address": address}]}


def test_all_lists_are_pulled_though_one_fails(network: Network, capsys: pytest.CaptureFixture[str]) -> None:
    lists = [
        _listed("a", "https://a.example/x"),
        _listed("b", "https://b.example/x"),
        _listed("c", "https://c.example/x"),
        _listed("up", ""),
    ]
    network.replies = {
        "GET /v1/lists": (200, {"items": lists, "next": None}),
        "POST /v1/lists/a/pulls": (
            503,
            {"title": "Not available", "detail": "The address answered 404 in place of the file", "status": 503},
        ),
        "POST /v1/lists/b/pulls": (202, {"id": "rel_b", "outcome": "received"}),
        "GET /v1/lists/b/releases/rel_b": (200, {"state": "accepted", "entries": 7, "reason": None}),
        "POST /v1/lists/c/pulls": (202, {"id": "rel_c", "outcome": "unchanged"}),
        "GET /v1/lists/c/releases/rel_c": (200, {"state": "accepted", "entries": 9, "reason": None}),
    }
    assert duewatch("lists", "pull", "--all", "--json") == 1
    out = capsys.readouterr().out
    rows = json.loads(out.splitlines()[0])["items"]
    assert [(r["list"], r["outcome"], r["entries"]) for r in rows] == [("a", "failed", None), ("b", "accepted", 7), ("c", "unchanged", 9)]
    assert "404" in rows[0]["reason"]
    network.replies["GET /v1/lists"] = (200, {"items": lists[1:], "next": None})
    assert duewatch("lists", "pull", "--all") == 0
    assert "accepted" in capsys.readouterr().out


def test_wrong_use_is_told(network: Network) -> None:
    for wrong in (["pull"], ["pull", "a", "--all"], ["schedule", "a", "--every", "soon"], ["schedule", "a", "--every", "6h", "--off"]):
        assert duewatch("lists", *wrong) == 2
    assert network.asked == []


def test_a_schedule_is_set_paused_and_shown(network: Network, capsys: pytest.CaptureFixture[str]) -> None:
    told = {"every_s": 21_600, "set_by": "op", "next_pull": "2026-01-06T04:00:00Z", "attempted_at": None, "outcome": None, "reason": None,
            "failures": 0, "release_id": None}  # fmt: skip
    network.replies = {"PUT /v1/lists/a/schedule": (200, told), "GET /v1/lists/a/schedule": (200, told)}
    for more in (["--every", "6h"], ["--off"], []):
        assert duewatch("lists", "schedule", "a", *more) == 0
    assert [json.loads(r.content or b"null") for r in network.asked] == [{"every_s": 21_600}, {"every_s": None}, None]
    assert "6h" in capsys.readouterr().out
