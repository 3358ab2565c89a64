"""Dashboards, alert rules and runbooks against the code: every metric that they name is declared, every alert says what to do."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from services.cli.main import app
from shared.telemetry import metrics
from shared.telemetry.instruments import DECLARED
from tests.infra.collector import chain, of_log
from tests.unit.test_cli_commands import leaves

_DEPLOY = Path(__file__).parents[2] / "deploy"
_ALERTS = _DEPLOY / "alerts.yaml"
_FOREIGN = {"up", "process_resident_memory_bytes", "process_cpu_seconds_total"}  # Prometheus' own, and its client's of the process
_WORDS = {"and", "or", "unless", "by", "without", "on", "ignoring", "bool"}


def _rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(_ALERTS.read_text(encoding="utf-8"))["groups"]
    return list(group["rules"])


def _panels() -> list[tuple[str, dict[str, Any]]]:
    files = sorted((_DEPLOY / "grafana").glob("*.json"))
    return [(file.stem, panel) for file in files for panel in json.loads(file.read_text(encoding="utf-8"))["panels"]]


def _asked() -> list[tuple[str, str]]:
    """Where it stands, and the PromQL."""
    charts = [(f"{file}: {p['title']}", t["expr"]) for file, p in _panels() if p["type"] != "row" for t in p["targets"]]
    return [*((rule["alert"], rule["expr"]) for rule in _rules()), *charts]


def parts(promql: str) -> tuple[set[str], set[str]]:
    """The series and the labels that an expression names."""
    text = re.sub(r'"[^"]*"', '""', promql)
    labels = {name for inside in re.findall(r"\{([^}]*)\}", text) for name in re.findall(r"([a-zA-Z_]\w*)\s*(?:=|!)", inside)}
    labels |= {name.strip() for inside in re.findall(r"\b(?:by|without)\s*\(([^)]*)\)", text) for name in inside.split(",")}
    text = re.sub(r"\b(?:by|without)\s*\([^)]*\)|\{[^}]*\}|\[[^\]]*\]", " ", text)
    names = set(re.findall(r"[a-zA-Z_:][\w:]*(?!\w)(?!\s*\()", text))
    return {name for name in names if name not in _WORDS}, labels


def test_the_parser_finds_what_is_asked() -> None:
    promql = 'histogram_quantile(0.99, sum by (le, a) (rate(x_bucket{b="y_total", c=~"z"}[5m]))) > 1 and time() - max by (s) (w) > 900'
    assert parts(promql) == ({"x_bucket", "w"}, {"le", "a", "b", "c", "s"})


@pytest.mark.parametrize(("where", "promql"), _asked(), ids=lambda value: value if ":" in value or value.startswith("Duewatch") else "")
def test_what_is_asked_of_prometheus_is_told_by_the_code(where: str, promql: str) -> None:
    series = {name: declared for declared in DECLARED.values() for name in declared.series}
    names, labels = parts(promql)
    assert names, where
    assert names <= series.keys() | _FOREIGN, where
    known = {label for name in names & series.keys() for label in series[name].labels} | {"le", "process", "instance", "job"}
    assert labels <= known, where


def test_every_metric_is_asked_for_somewhere() -> None:
    asked = {name for _, promql in _asked() for name in parts(promql)[0]}
    forgotten = [declared.name for declared in DECLARED.values() if not asked & set(declared.series)]
    assert not forgotten, "nobody would ever see them"


def test_every_alert_has_its_runbook_and_every_runbook_its_alert() -> None:
    alerts = {rule["alert"]: rule for rule in _rules()}
    assert {file.stem for file in (_DEPLOY / "runbooks").glob("*.md")} == set(alerts)
    for name, rule in alerts.items():
        assert rule["annotations"]["runbook"] == f"runbooks/{name}.md"
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert re.fullmatch(r"\d+m", rule["for"])
        text = (_DEPLOY / "runbooks" / f"{name}.md").read_text(encoding="utf-8")
        assert all(part in text for part in ("**Means.**", "**Look.**", "**Do.**")), name


def test_the_commands_of_the_runbooks_are_there() -> None:
    known = {path for path, _ in leaves(typer.main.get_command(app))}
    told = [
        found
        for file in (_DEPLOY / "runbooks").glob("*.md")
        for found in re.findall(r"`duewatch ([a-z -]+)", file.read_text(encoding="utf-8"))
    ]
    assert len(told) > 5
    for command in told:
        assert tuple(command.split()) in known, command


def test_panels_stand_beside_each_other() -> None:
    for file in sorted({name for name, _ in _panels()}):
        taken: set[tuple[int, int]] = set()
        for panel in (panel for name, panel in _panels() if name == file):
            g = panel["gridPos"]
            assert g["x"] + g["w"] <= 24
            cells = {(x, y) for x in range(g["x"], g["x"] + g["w"]) for y in range(g["y"], g["y"] + g["h"])}
            assert not cells & taken, panel["title"]
            taken |= cells


def test_the_webhooks_dashboard_and_rule_know_the_outcomes() -> None:
    assert metrics.webhook_outcome(204, "") == "2xx"
    assert metrics.webhook_outcome(None, "timeout") == "timeout"
    assert 'outcome!="2xx"' in next(rule["expr"] for rule in _rules() if rule["alert"] == "DuewatchWebhooksFailing")


def test_what_a_collector_says_is_read() -> None:
    said = """collector-1  | 2026-01-01T00:00:00.000Z\tinfo\tTraces\t{"spans": 2}
collector-1  | Resource attributes:
collector-1  |      -> service.name: Str(duewatch-intelligence)
collector-1  | Span #0
collector-1  |     Trace ID       : aa
collector-1  |     Parent ID      : bb
collector-1  |     ID             : cc
collector-1  |     Name           : load release
collector-1  |     Kind           : Internal
collector-1  | Span #1
collector-1  |     Trace ID       : aa
collector-1  |     Parent ID      :
collector-1  |     ID             : bb
collector-1  |     Name           : POST /v1/lists/{list_id}/releases
"""
    root, load = of_log(said)[::-1]
    assert (load.trace, load.parent, load.id, load.name) == ("aa", "bb", "cc", "load release")
    assert chain([root, load], load) == [root, load]


def test_prometheus_and_the_chart_have_the_rules_and_the_collector_the_port() -> None:
    observability = yaml.safe_load((_DEPLOY / "compose/observability.yml").read_text(encoding="utf-8"))["services"]
    mounted = [mount.split(":") for mount in observability["prometheus"]["volumes"]]
    (inside,) = yaml.safe_load((_DEPLOY / "compose/prometheus.yml").read_text(encoding="utf-8"))["rule_files"]
    assert ["./deploy/alerts.yaml", inside, "ro"] in mounted
    assert (_DEPLOY / "helm/duewatch/alerts.yaml").read_bytes() == _ALERTS.read_bytes()
    collector = yaml.safe_load((_DEPLOY / "compose/collector.yaml").read_text(encoding="utf-8"))
    assert collector["receivers"]["otlp"]["protocols"]["http"]["endpoint"].endswith(":4318"), "we speak OTLP over HTTP"
