"""How a metric is declared: by its OpenTelemetry name, unit and description; and under which name Prometheus gets it.

The instruments are prometheus_client's: an observation costs 1 us where OpenTelemetry's SDK takes 8 to 14 (ADR 0012). Names follow
https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/ : dots become underscores, the unit a suffix.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.process_collector import ProcessCollector

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each of ours, which nobody asks for
REGISTRY = CollectorRegistry()  # of this process
ProcessCollector(registry=REGISTRY)  # its memory, processor time, open files
Kind = Literal["counter", "gauge", "histogram"]
_UNITS = {"s": "seconds", "By": "bytes"}  # what stands in braces says what is counted, and is no unit
FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds
SLOW = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0)


@dataclass(frozen=True, slots=True)
class Declared:
    """What a reader needs to know of an instrument; `exposed`: its name at Prometheus."""

    name: str
    kind: Kind
    unit: str
    description: str
    labels: tuple[str, ...]
    exposed: str

    @property
    def series(self) -> tuple[str, ...]:
        """The names of its series."""
        return tuple(self.exposed + end for end in ("_bucket", "_count", "_sum")) if self.kind == "histogram" else (self.exposed,)


DECLARED: dict[str, Declared] = {}


def _declare(name: str, kind: Kind, unit: str, description: str, labels: Sequence[str]) -> Declared:
    base = "_".join([name.replace(".", "_"), *([_UNITS[unit]] if unit in _UNITS else [])])
    labels = tuple(label.replace(".", "_") for label in labels)
    made = Declared(name, kind, unit, description, labels, f"{base}_total" if kind == "counter" else base)
    if name in DECLARED:
        raise ValueError(f"{name} is declared twice")
    DECLARED[name] = made
    return made


def counter(name: str, unit: str, description: str, *labels: str) -> Counter:
    """What only grows."""
    d = _declare(name, "counter", unit, description, labels)
    return Counter(d.exposed, description, d.labels, registry=REGISTRY)


def gauge(name: str, unit: str, description: str, *labels: str) -> Gauge:
    """What stands now."""
    d = _declare(name, "gauge", unit, description, labels)
    return Gauge(d.exposed, description, d.labels, registry=REGISTRY)


def histogram(name: str, unit: str, description: str, *labels: str, buckets: Sequence[float] = FAST) -> Histogram:
    """How long it takes, or how large it is."""
    d = _declare(name, "histogram", unit, description, labels)
    return Histogram(d.exposed, description, d.labels, registry=REGISTRY, buckets=tuple(buckets))


class Tally:
    """Counts values by a counter's only label; remembers what prometheus_client would look up each time, which costs more than to count."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._inc: dict[str, Callable[[float], None]] = {}

    def __call__(self, values: Iterable[str]) -> None:
        counts: dict[str, int] = {}
        for value in values:
            counts[value] = counts.get(value, 0) + 1
        for value, count in counts.items():
            inc = self._inc.get(value)
            if inc is None:
                inc = self._inc[value] = self._counter.labels(value).inc
            inc(count)
