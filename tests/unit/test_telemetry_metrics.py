"""Metrics: how they are named, what is counted when, and the text that Prometheus reads."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from shared.telemetry import exposition, metrics
from shared.telemetry.batches import Group
from shared.telemetry.instruments import DECLARED, REGISTRY, counter


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_names_follow_opentelemetry_and_prometheus() -> None:
    assert DECLARED["http.server.request.duration"].exposed == "http_server_request_duration_seconds"
    assert DECLARED["duewatch.dead_letters"].exposed == "duewatch_dead_letters_total"
    assert DECLARED["duewatch.consumer.lag"].exposed == "duewatch_consumer_lag"
    assert DECLARED["messaging.process.duration"].labels == ("messaging_consumer_group_name",)
    text = exposition.own().decode()
    for declared in DECLARED.values():
        assert declared.description
        assert f"# HELP {declared.exposed} " in text
    assert "_created" not in text


def test_no_label_names_who() -> None:
    labels = {label for declared in DECLARED.values() for label in declared.labels}
    assert not labels & {"tenant", "subject", "supplier", "actor", "url", "path", "id"}


def test_a_name_is_declared_once() -> None:
    with pytest.raises(ValueError, match="twice"):
        counter("duewatch.events", "{event}", "again")


def test_processes_are_joined_under_one_family_each() -> None:
    metrics.count_events(["duewatch.test.v1", "duewatch.test.v1", "duewatch.other.v1"])
    worker = (
        b'# HELP duewatch_events_total Events\n# TYPE duewatch_events_total counter\nduewatch_events_total{type="duewatch.test.v1"} 5.0\n'
    )
    text = exposition.joined("front", {"bulk": worker}).decode()
    assert text.count("# TYPE duewatch_events_total counter") == 1
    found = {
        (s.labels["process"], s.labels["type"]): s.value
        for family in text_string_to_metric_families(text)
        for s in family.samples
        if s.name == "duewatch_events_total"
    }
    assert found["bulk", "duewatch.test.v1"] == 5
    assert found["front", "duewatch.test.v1"] == value("duewatch_events_total", type="duewatch.test.v1") >= 2


def test_a_batch_counts_once_it_is_done() -> None:
    group, name = Group("counting"), {"messaging_consumer_group_name": "counting"}
    failed = group.batch([])
    failed._count = 7
    failed.__exit__(RuntimeError, RuntimeError(), None)
    assert value("messaging_client_consumed_messages_total", **name) == 0
    with group.batch([]) as batch:
        batch._count = 3
    assert value("messaging_client_consumed_messages_total", **name) == 3
    assert value("messaging_process_duration_seconds_count", **name) == 1


@pytest.mark.parametrize(
    ("status", "error", "outcome"), [(204, "", "2xx"), (302, "", "3xx"), (410, "", "4xx"), (503, "", "5xx"), (None, "dns", "dns"), (999, "", "connection")]
)  # fmt: skip
def test_outcomes_of_webhooks_are_few(status: int | None, error: str, outcome: str) -> None:
    assert metrics.webhook_outcome(status, error) == outcome
