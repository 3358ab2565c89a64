"""The text that Prometheus reads: of this process, and of several as one, told apart by the label `process`."""

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from shared.telemetry.instruments import REGISTRY

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def own() -> bytes:
    """Of this process, in Prometheus' text format 0.0.4."""
    return generate_latest(REGISTRY)


class _Joined(Collector):
    """A family may stand in a text once only: samples of all processes come together under it."""

    def __init__(self, families: Mapping[str, Iterable[Metric]]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        joined: dict[str, Metric] = {}
        for process, families in self._families.items():
            for family in families:
                whole = joined.setdefault(family.name, Metric(family.name, family.documentation, family.type))
                whole.samples += [Sample(s.name, {**s.labels, "process": process}, s.value) for s in family.samples]
        yield from joined.values()


def joined(name: str, others: Mapping[str, bytes]) -> bytes:
    """This process, called `name`, and others by what `own` gave there."""
    families: dict[str, Iterable[Metric]] = {name: REGISTRY.collect()}
    for process, text in others.items():
        families[process] = text_string_to_metric_families(text.decode())
    return generate_latest(_Joined(families))
