"""Traces, by OpenTelemetry. Off unless OTEL_EXPORTER_OTLP_ENDPOINT (or ..._TRACES_ENDPOINT) is set: then the SDK is not even imported.

A trace travels as W3C `traceparent`: in HTTP headers, in causes and events, and in the notes of documents whose work goes on later.
Sampling is the SDK's (OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG; default parentbased_always_on); what is not sampled carries its
traceparent on, and nobody opens a span for it.
"""

import logging
import os
import threading
import time
from collections.abc import Mapping
from contextvars import Token
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, Tracer

Kind = Literal["internal", "server", "client", "consumer"]
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_ENDING_S = 2.0  # for the spans that wait when the process ends: a collector that is away must not hold it up
_COMPLAIN_EVERY_S = 60.0
_SAMPLED_AT = 53  # where in a traceparent its flags stand

_provider: "TracerProvider | None" = None
_tracer: "Tracer | None" = None


def wanted(environment: Mapping[str, str] = os.environ) -> bool:
    """Does the environment ask for traces?"""
    off = environment.get("OTEL_SDK_DISABLED", "").lower() == "true" or environment.get("OTEL_TRACES_EXPORTER", "otlp") != "otlp"
    return not off and any(environment.get(name) for name in _ENDPOINTS)


def set_up(process: str) -> None:
    """Exports by OTLP over HTTP from a thread of its own, in batches; what does not fit its queue, or finds no collector, is dropped."""
    if not wanted():
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    own = {"service.name": os.environ.get("OTEL_SERVICE_NAME") or f"duewatch-{process}", "service.instance.id": f"{process}-{os.getpid()}"}
    provider = TracerProvider(resource=Resource.create(own), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    for handler in logging.getLogger().handlers:
        handler.addFilter(_Seldom())
    begin(provider)


def begin(provider: "TracerProvider") -> None:
    """Traces by this provider from now on."""
    global _provider, _tracer
    _provider, _tracer = provider, provider.get_tracer("duewatch")


def end() -> None:
    """Ends tracing; gives the spans that wait a moment to go out."""
    global _provider, _tracer
    provider, _provider, _tracer = _provider, None, None
    if provider is not None:
        ending = threading.Thread(target=provider.shutdown, name="spans", daemon=True)
        ending.start()
        ending.join(_ENDING_S)


def on() -> bool:
    """Are there traces at all?"""
    return _tracer is not None


def current() -> str:
    """The traceparent of what is being done now; "" where it is not traced."""
    if _tracer is None:
        return ""
    from opentelemetry.trace import get_current_span

    return _text(get_current_span())


def is_sampled(traceparent: str) -> bool:
    """Is somebody recording this trace? https://www.w3.org/TR/trace-context/#sampled-flag"""
    try:
        return bool(int(traceparent[_SAMPLED_AT : _SAMPLED_AT + 2], 16) & 1)
    except ValueError:
        return False


class Step:
    """One step of a trace, a span; a context manager, inside of which `current` is this step unless it was asked to stay aside.

    `traceparent` is what is handed on: where there is no span, that of the parent.
    """

    __slots__ = ("_span", "_token", "traceparent")

    def __init__(self, span: "Span | None", traceparent: str, current: bool = True) -> None:
        self._span, self.traceparent = span, traceparent
        self._token: Token[Context] | None = None
        if span is not None and current:
            from opentelemetry.context import attach
            from opentelemetry.trace import set_span_in_context

            self._token = attach(set_span_in_context(span))

    def name(self, name: str) -> None:
        """What it turns out to be."""
        if self._span is not None:
            self._span.update_name(name)

    def note(self, **attributes: str | int | float) -> None:
        """Attributes; a `__` in a name stands for its dot."""
        if self._span is not None:
            self._span.set_attributes({name.replace("__", "."): value for name, value in attributes.items()})

    def failed(self, kind: str) -> None:
        """It did not do what it was to; `kind` names the error, never what it says."""
        if self._span is not None:
            from opentelemetry.trace import StatusCode

            self._span.set_status(StatusCode.ERROR)
            self._span.set_attribute("error.type", kind)

    def __enter__(self) -> "Step":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._span is None:
            return
        if self._token is not None:
            from opentelemetry.context import detach

            detach(self._token)
        if kind is not None and issubclass(kind, Exception):
            self.failed(kind.__name__)
        self._span.end()


def step(
    name: str,
    *,
    kind: Kind = "internal",
    parent: str | None = None,
    attributes: Mapping[str, Any] | None = None,
    current: bool = True,
) -> Step:
    """A step below `parent`: a traceparent, "" for a trace of its own, None for what is being done now. Enter it to have it end."""
    if _tracer is None:
        return Step(None, parent or "")
    from opentelemetry.context import Context
    from opentelemetry.trace import SpanKind

    context = None if parent is None else _below(parent) if parent else Context()
    span = _tracer.start_span(
        name, context, SpanKind[kind.upper()], attributes, record_exception=False, set_status_on_exception=False
    )  # an exception's text may hold what somebody sent
    return Step(span, _text(span), current)


def _below(traceparent: str) -> "Context":
    from opentelemetry.context import Context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({"traceparent": traceparent}, Context())


def _text(span: "Span") -> str:
    at = span.get_span_context()
    return f"00-{at.trace_id:032x}-{at.span_id:016x}-{at.trace_flags:02x}" if at.is_valid else ""


class _Seldom(logging.Filter):
    """A collector that is away is worth a line a minute."""

    def __init__(self) -> None:
        super().__init__()
        self._next = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith("opentelemetry"):
            return True
        if time.monotonic() < self._next:
            return False
        self._next = time.monotonic() + _COMPLAIN_EVERY_S
        return True
