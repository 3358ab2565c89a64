"""What a group of the bus is seen to do: records handled, how long; and the `process` spans of traced records.

A batch has one span for each parent that stands in it, not for each record: what one import or one release caused comes with few parents,
since whoever made it was one step for a batch, too. That is bounded twice: at most _A_BATCH spans a batch, at most _A_TRACE steps of one
trace for one group in one process (which remembers so many traces). What has no span left goes on below its parent and is counted.
https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
"""

import time
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType

import msgspec

from shared.events.envelope import Record
from shared.telemetry import metrics, tracing

_A_BATCH = 16
_A_TRACE = 100
_TRACES_REMEMBERED = 1_000


class Budget:
    """How many steps a trace may still have."""

    def __init__(self, name: str, most: int = _A_TRACE) -> None:
        self._name, self._most = name, most
        self._had: OrderedDict[str, int] = OrderedDict()

    def spend(self, traceparent: str) -> bool:
        """Takes one; False where the trace is not sampled, or had enough."""
        if not traceparent or not tracing.on() or not tracing.is_sampled(traceparent):
            return False
        trace = traceparent[3:35]
        had = self._had.pop(trace, 0)
        self._had[trace] = had + 1
        if len(self._had) > _TRACES_REMEMBERED:
            self._had.popitem(last=False)
        if had >= self._most:
            metrics.SPANS_LEFT_OUT.labels(self._name).inc()
            return False
        return True


class Batch:
    """One batch while it is handled; `records` are to be handled, whose traced ones name their span as what causes more."""

    def __init__(self, group: "Group", records: Sequence[Record]) -> None:
        self._group, self._began = group, time.perf_counter()
        self._spans = ExitStack()
        self._count = len(records)
        self.records = self._traced(records) if tracing.on() else records

    def _traced(self, records: Sequence[Record]) -> list[Record]:
        places: dict[tuple[str, str], list[int]] = {}
        out = list(records)
        for at, record in enumerate(records):
            if record.meta.traceparent:
                places.setdefault((record.meta.traceparent, record.topic), []).append(at)
        left = _A_BATCH
        for (traceparent, topic), found in places.items():
            if not left or not self._group.budget.spend(traceparent):
                continue
            left -= 1
            attributes = {
                "messaging.operation.name": "process", "messaging.operation.type": "process", "messaging.system": self._group.system,
                "messaging.destination.name": topic, "messaging.consumer.group.name": self._group.name,
                "messaging.batch.message_count": len(found),
            }  # fmt: skip
            made = tracing.step(f"process {topic}", kind="consumer", parent=traceparent, attributes=attributes, current=False)
            self._spans.enter_context(made)
            for at in found:
                meta = msgspec.structs.replace(records[at].meta, traceparent=made.traceparent)
                out[at] = msgspec.structs.replace(records[at], meta=meta)
        return out

    def __enter__(self) -> "Batch":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._spans.__exit__(kind, error, trace)
        if kind is None:
            self._group.handled.inc(self._count)
            self._group.seconds.observe(time.perf_counter() - self._began)


class Group:
    """One group in one process."""

    def __init__(self, name: str, system: str = "duewatch") -> None:
        self.name, self.system, self.budget = name, system, Budget(name)
        self.handled, self.seconds, self.dead = metrics.HANDLED.labels(name), metrics.BATCH_SECONDS.labels(name), metrics.DEAD.labels(name)

    def batch(self, records: Sequence[Record]) -> Batch:
        """A context manager around all that is done with them."""
        return Batch(self, records)
