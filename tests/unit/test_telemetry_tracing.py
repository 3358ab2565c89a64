"""Traces: off by default, carried by text, bounded in batches, silent about what somebody sent."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from opentelemetry.trace import SpanKind, StatusCode

from shared.events.envelope import Meta, Record
from shared.telemetry import batches, tracing
from shared.telemetry.batches import Budget, Group
from tests.traced import PARENT, spans

__all__ = ["spans"]

UNSAMPLED = PARENT[:-2] + "00"


def record(n: int, traceparent: str, topic: str = "signals") -> Record:
    meta = Meta(
        id=f"e{n}",
        source="",
        type="t",
        subject=str(n),
        time=datetime(2026, 1, 1, tzinfo=UTC),
        tenant="t",
        sequence=1,
        traceparent=traceparent,
    )
    return Record(topic=topic, partition=0, position=n, meta=meta, data=b"{}")


def ids(span: ReadableSpan) -> tuple[str, str]:
    assert span.context is not None
    return f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}"


def of(trace: int, span: int = 1) -> str:
    return f"00-{trace:032x}-{span:016x}-01"


def test_it_is_off_unless_an_address_says_where_to() -> None:
    assert not tracing.wanted({})
    assert not tracing.wanted({"OTEL_EXPORTER_OTLP_ENDPOINT": ""})
    assert tracing.wanted({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"})
    assert tracing.wanted({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/v1/traces"})
    assert not tracing.wanted({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_SDK_DISABLED": "true"})
    assert not tracing.wanted({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_TRACES_EXPORTER": "none"})


def test_while_it_is_off_what_came_is_handed_on_and_nothing_is_made() -> None:
    assert tracing.current() == ""
    with tracing.step("x", parent=PARENT) as step:
        assert (step.traceparent, tracing.current()) == (PARENT, "")
    records = [record(1, PARENT)]
    with Group("off").batch(records) as batch:
        assert batch.records is records


def test_a_step_is_below_its_parent_and_current_inside(spans: InMemorySpanExporter) -> None:
    with tracing.step("outer", kind="server", parent=PARENT, attributes={"a": 1}) as outer:
        assert tracing.current() == outer.traceparent
        with tracing.step("inner") as inner:
            inner.note(http__route="/x")
        assert tracing.current() == outer.traceparent
    assert tracing.current() == ""
    first, second = spans.get_finished_spans()
    assert (second.name, second.kind, ids(second)[0]) == ("outer", SpanKind.SERVER, PARENT[3:35])
    assert second.parent is not None
    assert f"{second.parent.span_id:016x}" == PARENT[36:52]
    assert first.parent is not None
    assert f"{first.parent.span_id:016x}" == ids(second)[1] == outer.traceparent[36:52]
    assert first.attributes == {"http.route": "/x"}


def test_without_a_parent_it_has_a_trace_of_its_own_also_inside_another(spans: InMemorySpanExporter) -> None:
    with tracing.step("outer", parent="") as outer, tracing.step("other", parent="") as other:
        assert outer.traceparent[3:35] != other.traceparent[3:35]
    assert all(span.parent is None for span in spans.get_finished_spans())


@pytest.mark.parametrize("given", ["", "nonsense", PARENT.upper() + "x", "00-" + "0" * 32 + "-" + "cd" * 8 + "-01", "ff" + PARENT[2:]])
def test_what_is_no_traceparent_is_none(spans: InMemorySpanExporter, given: str) -> None:
    with tracing.step("x", parent=given):
        pass
    (span,) = spans.get_finished_spans()
    assert span.parent is None


def test_an_error_is_named_and_its_text_is_not(spans: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="secret"), tracing.step("x", parent=""):
        raise ValueError("secret")
    (span,) = spans.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes == {"error.type": "ValueError"}
    assert "secret" not in span.to_json()


def test_what_is_not_sampled_is_handed_on_as_that(spans: InMemorySpanExporter) -> None:
    with tracing.step("x", parent=UNSAMPLED) as step:
        assert step.traceparent.startswith(PARENT[:35])
        assert not tracing.is_sampled(step.traceparent)
    assert spans.get_finished_spans() == ()


def test_a_sampler_that_says_no_leaves_a_trace_that_others_leave_alone_too() -> None:
    tracing.begin(TracerProvider(sampler=ParentBased(ALWAYS_OFF), shutdown_on_exit=False))
    try:
        with tracing.step("x", parent="") as step:
            assert step.traceparent
            assert not tracing.is_sampled(step.traceparent)
            with Group("unsampled").batch([record(1, step.traceparent)]) as batch:
                assert batch.records[0].meta.traceparent == step.traceparent
    finally:
        tracing.end()


def test_a_batch_has_a_span_for_each_parent_and_its_records_name_it(spans: InMemorySpanExporter) -> None:
    records = [record(1, of(1)), record(2, ""), record(3, of(2)), record(4, of(1)), record(5, UNSAMPLED)]
    with Group("screening").batch(records) as batch:
        handled = batch.records
    assert [r.meta.id for r in handled] == [r.meta.id for r in records]
    assert (handled[1], handled[4]) == (records[1], records[4])
    made = {ids(span): span for span in spans.get_finished_spans()}
    assert len(made) == 2
    one, two = (handled[at].meta.traceparent for at in (0, 2))
    assert handled[3].meta.traceparent == one
    assert {(t[3:35], t[36:52]) for t in (one, two)} == set(made)
    span = made[one[3:35], one[36:52]]
    assert (span.name, span.kind) == ("process signals", SpanKind.CONSUMER)
    assert span.attributes is not None
    assert (span.attributes["messaging.batch.message_count"], span.attributes["messaging.consumer.group.name"]) == (2, "screening")


def test_a_batch_of_many_traces_has_few_spans_and_all_go_on(spans: InMemorySpanExporter) -> None:
    records = [record(n, of(n)) for n in range(1, 501)]
    with Group("many").batch(records) as batch:
        handled: Sequence[Record] = batch.records
    assert len(spans.get_finished_spans()) == batches._A_BATCH
    assert [r.meta.traceparent[3:35] for r in handled] == [r.meta.traceparent[3:35] for r in records]
    assert handled[-1] is records[-1]


def test_a_trace_that_had_enough_goes_on_without_spans(spans: InMemorySpanExporter) -> None:
    group = Group("import")
    for n in range(1, 200):
        with group.batch([record(n, of(7, n))]) as batch:
            assert batch.records[0].meta.traceparent[3:35] == of(7)[3:35]
    assert len(spans.get_finished_spans()) == batches._A_TRACE


def test_a_budget_forgets_the_traces_that_nobody_goes_on_with(spans: InMemorySpanExporter) -> None:
    budget = Budget("x", most=1)
    assert budget.spend(of(1))
    assert not budget.spend(of(1))
    for n in range(2, batches._TRACES_REMEMBERED + 2):
        assert budget.spend(of(n))
    assert budget.spend(of(1))
    assert len(budget._had) == batches._TRACES_REMEMBERED


def test_an_absent_collector_is_told_of_once_a_minute() -> None:
    seldom = tracing._Seldom()
    line = logging.LogRecord("opentelemetry.exporter", logging.ERROR, "", 0, "away", (), None)
    other = logging.LogRecord("duewatch.node", logging.ERROR, "", 0, "x", (), None)
    assert [seldom.filter(line), seldom.filter(line), seldom.filter(other)] == [True, False, True]
