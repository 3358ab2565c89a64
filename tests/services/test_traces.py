"""Traces and figures of what services do outside of any request: lists, imports, webhooks, the gate's common commits, sweeps."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from services.assessment import service as assessment
from services.assessment.decisions import service as gate
from services.intelligence import service as intelligence
from services.intelligence.releases.loading import Loader
from services.onboarding import service as onboarding
from services.partners import service as partners
from services.partners.sender import Sender
from services.screening import service as screening
from shared.events.envelope import Meta
from shared.events.matches import Match, MatchOpened, SignalRef
from shared.events.signals import ReleaseAccepted, ReleasePublished, Source, sweep_id
from shared.ids import derive
from shared.kernel.service import Service
from shared.security.client import GuardedClient
from shared.telemetry import batches, tracing
from shared.telemetry.instruments import REGISTRY
from tests.services.assessment_steps import SUPPLIER, asked, screened
from tests.services.harness import Harness, harness
from tests.services.intelligence_lists import mills, post, sdn, work
from tests.services.onboarding_steps import HEADER, sent
from tests.services.onboarding_steps import work as work_on_imports
from tests.services.partners_receiver import receiving
from tests.services.test_partners_api import rate, subscribed
from tests.traced import PARENT, spans

__all__ = ["spans"]

Start = Callable[..., AbstractAsyncContextManager[Harness]]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    def started(*services: Service) -> AbstractAsyncContextManager[Harness]:
        return harness(tmp_path, *services, egress_allow="127.0.0.0/8")

    return started


async def journal(h: Harness, service: str = "") -> AsyncIterator[Meta]:
    async for _, row in h.node.stores[service or h.service.name].journal():
        yield msgspec.json.decode(row.meta, type=Meta)


def named(spans: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in spans.get_finished_spans() if span.name == name]


def text(span: ReadableSpan) -> str:
    assert span.context is not None
    return f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-01"


def parent(span: ReadableSpan) -> str:
    assert span.parent is not None
    return f"00-{span.parent.trace_id:032x}-{span.parent.span_id:016x}-01"


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_a_release_goes_on_with_its_calls_trace_in_one_step(start: Start, spans: InMemorySpanExporter) -> None:
    async with start(intelligence.SERVICE) as h:
        with tracing.step("call", parent=PARENT) as call:
            await post(h, sdn(mills(600)))  # two commits
        await work(Loader(h.ctx))  # as another process would
        (loaded,) = named(spans, "load release")
        assert parent(loaded) == call.traceparent
        told = [m async for m in journal(h) if m.type.startswith("duewatch.signal.") or m.type == ReleasePublished.type]
        assert len(told) == 601
        assert {m.traceparent for m in told} == {text(loaded)}
        assert len(spans.get_finished_spans()) == 2


async def test_an_import_goes_on_in_one_step(start: Start, spans: InMemorySpanExporter) -> None:
    before = value("duewatch_import_rows_total", outcome="created"), value("duewatch_import_rows_total", outcome="rejected")
    async with start(onboarding.SERVICE) as h:
        with tracing.step("call", parent=PARENT) as call:
            await sent(h.client("buyer"), HEADER + "".join(f"{n},Mill {n},DE\n" for n in range(40)) + "x,,DE\n")
        await work_on_imports(h, batch=10)
        (done,) = named(spans, "import suppliers")
        assert parent(done) == call.traceparent
        assert {m.traceparent async for m in journal(h) if m.type == "duewatch.supplier.registered.v1"} == {text(done)}
        assert len(spans.get_finished_spans()) == 2
    after = value("duewatch_import_rows_total", outcome="created"), value("duewatch_import_rows_total", outcome="rejected")
    assert (after[0] - before[0], after[1] - before[1]) == (40, 1)


async def test_a_webhook_is_a_step_that_its_receiver_hears_of(start: Start, spans: InMemorySpanExporter) -> None:
    before = value("duewatch_webhook_attempts_total", outcome="5xx")
    async with start(partners.SERVICE) as h, receiving() as receiver:
        out = Sender(h.ctx, GuardedClient(h.ctx.networks))
        await subscribed(h.client("partner"), url=receiver.url)
        with tracing.step("rating", parent=PARENT):
            await rate(h, "sup_1")
        await h.step()
        receiver.status = 500
        for _ in range(2):
            await out.look()
            await out.settled()
            await out.record()
            receiver.status = 204
            h.clock.advance(60)
        await out._client.close()
        failed, delivered = named(spans, "POST")
        assert [headers["traceparent"] for _, headers, _ in receiver.got] == [text(failed), text(delivered)]
        (process,) = [
            s for s in named(spans, "process ratings") if (s.attributes or {})["messaging.consumer.group.name"] == "partners-deliveries"
        ]
        assert parent(failed) == parent(delivered) == text(process), "a later attempt is of the same trace"
        assert (failed.status.is_ok, dict(failed.attributes or {})["http.response.status_code"]) == (False, 500)
        assert receiver.url not in failed.to_json()
    assert value("duewatch_webhook_attempts_total", outcome="5xx") == before + 1


async def test_without_spans_of_its_own_a_webhook_hands_the_trace_on(start: Start, spans: InMemorySpanExporter) -> None:
    async with start(partners.SERVICE) as h, receiving() as receiver:
        out = Sender(h.ctx, GuardedClient(h.ctx.networks))
        await subscribed(h.client("partner"), url=receiver.url)
        with tracing.step("rating", parent=PARENT):
            for n in range(batches._A_TRACE + 5):
                await rate(h, f"sup_{n}")
        await h.step()
        while await out.look():
            await out.settled()
            await out.record()
        await out._client.close()
        assert len(receiver.got) == batches._A_TRACE + 5
        assert {headers["traceparent"][3:35] for _, headers, _ in receiver.got} == {PARENT[3:35]}
        assert len(named(spans, "POST")) == batches._A_TRACE


async def test_decisions_are_of_their_callers_trace_and_of_no_others(start: Start, spans: InMemorySpanExporter) -> None:
    before = value("duewatch_gate_decisions_total", decision="allow")
    async with start(assessment.SERVICE, gate.SERVICE) as h:
        await screened(h)

        async def traced() -> None:
            with tracing.step("call", parent=PARENT):
                await asked(h)

        await asyncio.gather(traced(), traced())
        await asked(h)
        *first, last = [m.traceparent async for m in journal(h, "gate") if m.type == "duewatch.decisions.taken.v1"]
        calls = {text(span) for span in named(spans, "call")}
        assert first
        assert set(first) <= calls
        assert last == ""
    assert value("duewatch_gate_decisions_total", decision="allow") == before + 3


async def test_only_a_new_signal_counts_for_how_long_a_list_change_takes(start: Start) -> None:
    series = "duewatch_list_change_gate_duration_seconds"
    async with start(assessment.SERVICE, gate.SERVICE) as h:
        await screened(h)
        count, total = value(f"{series}_count"), value(f"{series}_sum")
        source = Source(kind="list_entry", list="us_ofac_sdn", uid="36", release_id="rel_1")
        for n, signal_event in enumerate((derive("cause", str(h._sent + 1)), "an old one, met by a new supplier")):
            signal = SignalRef(id="us_ofac_sdn:36", source=source, event_id=signal_event, event_time=h.clock.now() - timedelta(seconds=2))
            match = Match(supplier_id=SUPPLIER, signal=signal, about="party", score=0.9, strength="strong")
            await h.publish("matches", MatchOpened(match=match), subject=f"mat_{n}", kind="match", partitionkey=SUPPLIER)
            await h.step()
        assert (value(f"{series}_count") - count, value(f"{series}_sum") - total) == (1, pytest.approx(2, abs=0.5))


async def test_a_sweep_is_measured_once(start: Start) -> None:
    series = "duewatch_sweep_duration_seconds"
    async with start(screening.SERVICE) as h:
        before = value(f"{series}_count"), value(f"{series}_sum")
        accepted = ReleaseAccepted(
            list="l", sweep_id=sweep_id("rel_1"), entries=1, added=1, modified=0, deleted=0, accepted_at=h.clock.now()
        )
        await h.publish("signals", accepted, subject="rel_1", tenant="public", kind="release")
        await h.step()
        h.clock.advance(3)
        published = ReleasePublished(list="l", sweep_id=sweep_id("rel_1"), signals=0)
        for _ in range(2):  # a repeat changes nothing
            await h.publish("signals", published, subject="rel_1", tenant="public", kind="release")
            await h.step()
        assert (value(f"{series}_count") - before[0], value(f"{series}_sum") - before[1]) == (1, pytest.approx(3, abs=0.5))
