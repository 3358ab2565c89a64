"""A running system, watched: one trace from the call that brings a list to the webhook, across all processes; and what /metrics tells."""

import secrets
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from services.runtime.processes import WORKERS
from tests.infra.collector import Span, chain, collecting
from tests.system.lists import LIST, OTHERS, bring_in, get, official, said, staff, until
from tests.system.running import System, free_port, running
from tests.system.subscriber import subscriber

FIRST = {n: name.upper() for n, name in enumerate(OTHERS, 100)}
SECOND = FIRST | {36: "ZELMAR OVERSEAS FREIGHT"}
SUPPLIERS = {"L1": "Zelmar Overseas Freight"} | {f"C{n}": f"Lakeside Berry House {n}" for n in range(120)}
TRACE = secrets.token_hex(16)
CALLER = f"00-{TRACE}-{secrets.token_hex(8)}-01"
Start = Callable[..., AbstractContextManager[System]]


@pytest.fixture(params=["embedded", "distributed"])
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Start:
    """Starts a system with these variables."""
    if request.param == "embedded":
        return lambda **environment: running(tmp_path, **environment)
    made: Start = request.getfixturevalue("distributed_runtime")
    return made


def release(client: httpx.Client, body: bytes, traceparent: str) -> str:
    headers = {"Content-Type": "application/zip", "traceparent": traceparent}
    answer = client.post(f"/v1/lists/{LIST}/releases", content=body, headers=headers).raise_for_status()
    return str(answer.json()["id"])


def samples(client: httpx.Client) -> dict[tuple[str, str], float]:
    """(series, process) -> its values, added up."""
    found: dict[tuple[str, str], float] = {}
    for family in text_string_to_metric_families(client.get("/metrics").raise_for_status().text):
        for sample in family.samples:
            key = (sample.name, sample.labels["process"])
            found[key] = found.get(key, 0.0) + sample.value
    return found


@pytest.mark.timeout(240)
def test_one_trace_from_a_release_to_the_webhook(start: Start, request: pytest.FixtureRequest) -> None:
    embedded = "[embedded]" in request.node.name
    with collecting() as (collector, spans), subscriber() as (url, got):
        quick = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector, "OTEL_BSP_SCHEDULE_DELAY": "100"}
        with start(**quick) as system, staff(system) as client:
            release(client, official(FIRST), "")
            assert bring_in(client, SUPPLIERS)["created"] == len(SUPPLIERS)
            until(lambda: said(client, ["L1", "C119"]), lambda words: words == ["allow", "allow"])
            client.post("/v1/subscriptions", json={"url": url, "filters": {}}).raise_for_status()
            release(client, official(SECOND), CALLER)
            until(lambda: got, bool)
            sent, event = got[0]
            until(lambda: {span.id for span in spans}, lambda ids: sent[36:52] in ids)
            until(lambda: [s for s in spans if s.trace == TRACE and s.name == "load release"], bool)
            if embedded:
                measured(client)
            else:
                assert samples(client)["duewatch_ready", "gateway"] == 1
        assert (sent[3:35], event["traceparent"][3:35]) == (TRACE, TRACE)
        whole = [span for span in spans if span.trace == TRACE]
        path = chain([*whole, came_from(whole)], next(span for span in whole if span.id == sent[36:52]))[1:]
        names = [span.name for span in path]
        gateway = [] if embedded else ["POST /v1/lists/{list_id}/releases"]
        called = ["POST /v1/lists/{list_id}/releases", "load release"]
        assert names == [*gateway, *called, "process signals", "process matches", "process ratings", "POST"]
        assert not any(span.failed for span in whole)
        assert len({span.service for span in path}) == (4 if embedded else 5)
        assert [span.attributes.get("messaging.consumer.group.name") for span in path if span.name.startswith("process")] == [
            "screening", "assessment", "partners-deliveries",
        ]  # fmt: skip
        imported = [span for span in spans if span.trace == next(s.trace for s in spans if s.name == "import suppliers")]
        batches = Counter(
            span.attributes.get("messaging.consumer.group.name") for span in imported
        )  # how many a reader makes hangs on the moment
        assert max(batches.values()) < 60, "an import has no span for each of its rows"
        assert len(imported) < len(SUPPLIERS)
        assert "C1" not in str(spans)
        assert "Berry" not in str(spans)


def came_from(whole: list[Span]) -> Span:
    """The caller's own span, which only the caller could have exported."""
    return Span(TRACE, CALLER[36:52], "", "caller", 3, "caller", {}, False)


def measured(client: httpx.Client) -> None:
    """The numbers of all processes of the embedded runtime, at one address and without a token."""
    with httpx.Client(base_url=client.base_url, trust_env=False) as anyone:
        found = until(lambda: samples(anyone), lambda s: s["duewatch_list_change_gate_duration_seconds_count", "reactions"] >= 1)
        assert {process for _, process in found} == {"front", *(worker.name for worker in WORKERS)}
        assert found["duewatch_ready", "front"] == found["duewatch_ready", "screening"] == 1
        assert found["duewatch_sweep_duration_seconds_count", "screening"] == 2
        assert found["duewatch_import_rows_total", "bulk"] == len(SUPPLIERS)
        assert found["duewatch_gate_decisions_total", "front"] >= 2
        assert found["http_server_request_duration_seconds_count", "front"] > 4
        assert until(lambda: samples(anyone), lambda s: s["duewatch_webhook_attempts_total", "reactions"] >= 1)
        assert found["duewatch_journal_covered_time_seconds", "screening"] > 0
        assert found["duewatch_outbox_stale", "reactions"] == found["duewatch_dead_letters_waiting", "reactions"] == 0
        text = anyone.get("/metrics").text
        assert 'http_route="/v1/lists/{list_id}/releases"' in text
        for group in ("screening", "assessment", "hotspots", "audits", "partners-deliveries"):
            assert f'duewatch_consumer_lag{{messaging_consumer_group_name="{group}"' in text
        assert get(client, "/v1/suppliers?limit=1")["items"][0]["id"] not in text


@pytest.mark.timeout(120)
def test_a_collector_that_is_away_costs_only_the_spans(tmp_path: Path) -> None:
    away = f"http://127.0.0.1:{free_port()}"
    with running(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=away) as system, staff(system) as client:
        release(client, official(FIRST), CALLER)
        assert bring_in(client, SUPPLIERS)["created"] == len(SUPPLIERS)
        until(lambda: said(client, ["L1"]), lambda words: words == ["allow"])
    assert system.process.returncode == 0
