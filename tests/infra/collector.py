"""A collector for tests: takes spans by OTLP over HTTP (protobuf), as all processes of a running system export them, and keeps them."""

import gzip
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Span:
    """One span as it was exported; ids in hexadecimal, `parent` "" for a root; `service` is its process's."""

    trace: str
    id: str
    parent: str
    name: str
    kind: int
    service: str
    attributes: dict[str, Any]
    failed: bool


def chain(spans: Sequence[Span], last: Span) -> list[Span]:
    """From the root of its trace to this span; KeyError where a parent was never exported."""
    by_id, found = {span.id: span for span in spans}, [last]
    while found[0].parent:
        found.insert(0, by_id[found[0].parent])
    return found


_FIELD = re.compile(r"^(?:\S+\s+\|)?\s*(Trace ID|Parent ID|ID|Name)\s*:\s*(\S.*)?$")


def of_log(log: str) -> list[Span]:
    """The spans in what a real collector's `debug` exporter says at `verbosity: detailed`; their processes and attributes are left out."""
    found: list[Span] = []
    seen: dict[str, str] = {}
    for line in log.splitlines():
        if field := _FIELD.match(line):
            seen[field[1]] = (field[2] or "").strip()
            if field[1] == "Name" and "Trace ID" in seen:
                found.append(Span(seen["Trace ID"], seen["ID"], seen["Parent ID"], seen["Name"], 0, "", {}, False))
                seen = {}
    return found


def _read(body: bytes) -> Iterator[Span]:
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        service = next(a.value.string_value for a in resource.resource.attributes if a.key == "service.name")
        for scope in resource.scope_spans:
            for span in scope.spans:
                attributes = {a.key: getattr(a.value, str(a.value.WhichOneof("value"))) for a in span.attributes}
                ids = (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex())
                yield Span(*ids, span.name, span.kind, service, attributes, span.status.code == 2)


@contextmanager
def collecting() -> Iterator[tuple[str, list[Span]]]:
    """Its address, for OTEL_EXPORTER_OTLP_ENDPOINT, and the spans that have come."""
    spans: list[Span] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            spans.extend(_read(body))
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", spans
    finally:
        server.shutdown()
        server.server_close()
