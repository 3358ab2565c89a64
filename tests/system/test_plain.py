"""What compares two runtimes must see what differs, and nothing else."""

from datetime import UTC, datetime, timedelta

from tests.system.plain import HOUR, Plain, differences


def test_ids_read_as_what_they_stand_for() -> None:
    one, other = Plain(), Plain()
    a, b = "sup_172ef500d7c59dc8d42bfa21e9", "sup_99aef500d7c59dc8d42bfa21e9"
    one.learn(a, "S4:1")
    other.learn(b, "S4:1")
    assert one({"id": a, "cause": f"{a}/x"}) == other({"id": b, "cause": f"{b}/x"}) == {"id": "S4:1", "cause": "S4:1/x"}
    assert one(b) == "sup"
    assert one("dec_172ef500d7c59dc8d42bfa21e9.3") == "dec"


def test_times_are_distances() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    said = (at + timedelta(minutes=61)).isoformat().replace("+00:00", "Z")
    assert Plain()(said, at, HOUR) == "+1"
    assert Plain()([(datetime.now(UTC) + timedelta(days=30)).isoformat().replace("+00:00", "Z")]) == ["+30"]
    assert Plain()({"age_s": 3, "score": 0.1234567}) == {"score": 0.12346}


def test_every_difference_is_named_with_its_place() -> None:
    one = {"matches": {"a": {"state": "open", "why": [1, 2]}, "b": {}}, "same": 1}
    other = {"matches": {"a": {"state": "cleared", "why": [1, 3]}}, "same": 1, "more": [1]}
    assert differences(one, other) == [
        "/matches/a/state: 'open' | 'cleared'",
        "/matches/a/why[1]: 2 | 3",
        "/matches/b: {} | '(none)'",
        "/more: '(none)' | 1 of [1]",
    ]
    assert differences([1, 2], [1]) == [": 2 of [1, 2] | 1 of [1]"]
    assert differences(one, one) == []
