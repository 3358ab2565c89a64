"""Settings that would do harm in silence are refused at the start."""

import pytest

from shared.errors import Invalid
from shared.settings import Settings


@pytest.mark.parametrize(
    "given",
    [{"REVIEW": "0"}, {"REVIEW": "-1"}, {"STRONG": "1.01"}, {"STRONG": "nan"}, {"STRONG": "inf"}, {"REVIEW": "0.9", "STRONG": "0.8"}],
)
def test_a_threshold_is_a_share_and_strong_is_not_below_review(given: dict[str, str]) -> None:
    with pytest.raises(Invalid) as refused:
        Settings.read({f"DUEWATCH_{name}_THRESHOLD": text for name, text in given.items()})
    assert all(fault["field"].endswith("_threshold") for fault in refused.value.errors or ())
    assert refused.value.errors


def test_thresholds_as_they_should_be() -> None:
    read = Settings.read({"DUEWATCH_REVIEW_THRESHOLD": "0.7", "DUEWATCH_STRONG_THRESHOLD": "1"})
    assert (read.review_threshold, read.strong_threshold) == (0.7, 1.0)


@pytest.mark.parametrize(("chosen", "on_kafka"), [("", True), ("faust", True), ("kernel", False)])
def test_faust_counts_hot_spots_on_kafka_where_nobody_says_otherwise(chosen: str, on_kafka: bool) -> None:
    servers = {"DUEWATCH_BUS": "kafka://a:1", "DUEWATCH_STORE": "mongodb://a:1"}
    assert Settings.read({**servers, "DUEWATCH_HOTSPOTS": chosen}).streams is on_kafka
    assert not Settings.read({"DUEWATCH_HOTSPOTS": "" if chosen == "faust" else chosen}).streams


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"BUS": "kafka://a:1"}, "store"),
        ({"STORE": "mongodb://a:1"}, "bus"),
        ({"BUS": "amqp://a:1", "STORE": "mongodb://a:1"}, "bus"),
        ({"BUS": "kafka://a:1", "STORE": "postgres://a:1"}, "store"),
        ({"MONGO_DRIVER": "mgo"}, "mongo_driver"),
        ({"HOTSPOTS": "flink"}, "hotspots"),
        ({"HOTSPOTS": "faust"}, "hotspots"),
        ({"INSTANCE": "a/b"}, "instance"),
    ],
)
def test_what_the_distributed_runtime_cannot_begin_with(given: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        Settings.read({f"DUEWATCH_{name}": text for name, text in given.items()})
    assert [error["field"] for error in refused.value.errors] == [field]
