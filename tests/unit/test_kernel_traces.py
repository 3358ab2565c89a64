"""A trace through the kernel: lent to what is written, taken on by reactions, kept for alarms; ids know nothing of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.events.envelope import Meta
from shared.kernel.aggregate import Aggregate, Cause, Item, Message
from shared.kernel.kernel import trace_of
from shared.kernel.waker import Waker
from shared.telemetry import tracing
from shared.telemetry.instruments import REGISTRY
from tests.traced import PARENT, spans
from tests.unit.kernel_setting import SOURCE, WORDS, Setting, Told, Words

__all__ = ["spans"]


@pytest.fixture
async def s(tmp_path: Path) -> AsyncIterator[Setting]:
    setting = Setting(tmp_path)
    yield setting
    await setting.close()


async def metas(s: Setting, kind: str, subject: str) -> list[Meta]:
    store = s.told.store if kind == "source" else s.kernel.store
    return [msgspec.json.decode(row.meta, type=Meta) for row in await store.history(kind, "t", subject)]


async def test_what_is_written_in_a_step_is_caused_by_it(s: Setting, spans: InMemorySpanExporter) -> None:
    with tracing.step("call", parent=PARENT) as step:
        await s.tell("x")
        await s.told.execute(Item(SOURCE, "t", "y", Message("y", Cause("c y", "test", traceparent=PARENT))))
    (lent,), (own,) = await metas(s, "source", "x"), await metas(s, "source", "y")
    assert (lent.traceparent, own.traceparent) == (step.traceparent, PARENT)


async def test_ids_are_the_same_with_and_without_a_trace(s: Setting, spans: InMemorySpanExporter, tmp_path: Path) -> None:
    with tracing.step("call", parent=PARENT):
        await s.tell("x")
    tracing.end()
    other = Setting(tmp_path / "other")
    await other.tell("x")
    (traced,), (plain,) = await metas(s, "source", "x"), await metas(other, "source", "x")
    assert traced.id == plain.id
    assert plain.traceparent == ""
    await other.close()


async def test_a_reaction_goes_on_below_the_span_of_its_batch(s: Setting, spans: InMemorySpanExporter) -> None:
    with tracing.step("call", parent=PARENT) as step:
        await s.tell("x")
    await (await s.reactor()).step(0)
    process = spans.get_finished_spans()[-1]
    assert process.context is not None
    assert process.parent is not None
    assert (process.name, f"{process.parent.span_id:016x}") == ("process ratings", step.traceparent[36:52])
    (kept,) = await metas(s, "words", "all")
    assert kept.traceparent == f"{PARENT[:35]}-{process.context.span_id:016x}-01"


async def test_a_batch_that_fails_says_so_and_each_record_is_tried_below_its_parent(s: Setting, spans: InMemorySpanExporter) -> None:
    with tracing.step("call", parent=PARENT):
        await s.tell("x", "y")
    s.fails["y"] = [ZeroDivisionError()]
    await (await s.reactor()).step(0)
    whole, *single = [span for span in spans.get_finished_spans() if span.name == "process ratings"]
    assert (whole.status.is_ok, [span.status.is_ok for span in single]) == (False, [True, True])
    assert await s.said() == ("x", "y")


async def test_who_gives_up_is_counted(s: Setting) -> None:
    labels = {"messaging_consumer_group_name": "audits"}
    before = REGISTRY.get_sample_value("duewatch_dead_letters_total", labels) or 0.0
    await s.tell("x", "y")
    s.fails["y"] = [ZeroDivisionError() for _ in range(10)]
    await (await s.reactor(attempts=2)).step(0)
    assert len(await s.letters()) == 1
    assert REGISTRY.get_sample_value("duewatch_dead_letters_total", labels) == before + 1


async def test_an_alarm_goes_on_with_the_trace_that_set_it(s: Setting, spans: InMemorySpanExporter) -> None:
    with tracing.step("call", parent=PARENT) as step:
        await s.kernel.execute(Item(WORDS, "t", "a", Message(Told(word="60"), Cause("c", "test"))))
    await s.kernel.execute(Item(WORDS, "t", "b", Message(Told(word="60"), Cause("c", "test"))))
    s.clock.advance(60)
    assert await Waker(s.kernel, [WORDS]).step() == 2
    assert [m.traceparent for m in await metas(s, "words", "a")] == [step.traceparent] * 2
    assert [m.traceparent for m in await metas(s, "words", "b")] == ["", ""]


async def test_only_documents_whose_work_goes_on_keep_a_trace(s: Setting, spans: InMemorySpanExporter) -> None:
    goes_on: Aggregate[Words] = Aggregate("source", Words, SOURCE.decide, goes_on=True)
    with tracing.step("call", parent=PARENT) as step:
        await s.tell("plain")
        await s.told.execute(Item(goes_on, "t", "later", Message("later", Cause("c", "test"))))
    found = await s.told.store.load("source", [("t", "plain"), ("t", "later")])
    assert found["t", "plain"].notes == b""
    assert trace_of(found["t", "later"]) == step.traceparent
    later = await s.told.get(goes_on, "t", "later")
    assert later is not None
    assert later.traceparent == step.traceparent
