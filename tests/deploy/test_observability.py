"""The collector and Prometheus of deploy/compose/observability.yml, without Grafana: a span that is sent is seen, every process is a target,
and with all services up one trace from a list release to a webhook stands in the collector's log, and Prometheus has their numbers.

`make test-compose` runs it.
"""

import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
import yaml

from tests.deploy.test_compose import build_image
from tests.infra import images
from tests.infra.collector import chain, of_log
from tests.system.lists import LIST, OTHERS, bring_in, load, official, staff, until
from tests.system.running import System, free_port

pytestmark = pytest.mark.timeout(1800)  # the first run builds the collector
_ROOT = Path(__file__).parents[2]
_PROJECT = f"duewatchobservability{os.getpid()}"
_PORT = free_port()
_PRIVATE = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16"  # where a webhook of this test goes: a container beside ours
_FIRST = {n: name.upper() for n, name in enumerate(OTHERS, 100)}
_FILES = [_ROOT / "docker-compose.yml", _ROOT / "deploy/compose/observability.yml"]


@pytest.fixture(scope="module")
def compose() -> Iterator[Callable[..., str]]:
    """Runs one command of compose on both files; the two servers are up."""
    image = build_image()
    images.make_observability()
    newer = subprocess.run(["docker", "compose", "version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    command = ["docker", "compose"] if newer else [shutil.which("docker-compose") or "docker-compose"]
    files = [word for file in _FILES for word in ("-f", str(file))]

    def run(*words: str) -> str:
        env = {
            **os.environ, "GRAFANA_PASSWORD": "unused", "DUEWATCH_IMAGE": image, "DUEWATCH_PORT": str(_PORT), "DUEWATCH_EGRESS_ALLOW": _PRIVATE,
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318",
        }  # fmt: skip
        done = subprocess.run(
            [*command, "-p", _PROJECT, *files, *words], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout

    try:
        run("up", "--no-build", "--detach", "collector", "prometheus")
        yield run
    finally:
        run("down", "--volumes")


def _ask(address: str, body: object = None) -> str:
    """Asks from inside the network of the project, as the services would."""
    code = "import sys, urllib.request as u; r = u.Request(sys.argv[1], sys.argv[2].encode() or None, {'Content-Type': 'application/json'}); print(u.urlopen(r, timeout=5).read().decode())"
    command = [
        "docker",
        "run",
        "--rm",
        "--network",
        f"{_PROJECT}_default",
        images.PYTHON,
        "python3",
        "-c",
        code,
        address,
        json.dumps(body) if body else "",
    ]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    return done.stdout if done.returncode == 0 else ""


def test_a_span_that_is_sent_is_seen(compose: Callable[..., str]) -> None:
    trace, span = secrets.token_hex(16), secrets.token_hex(8)
    spans = [
        {
            "traceId": trace,
            "spanId": span,
            "name": "asked",
            "kind": 1,
            "startTimeUnixNano": "1700000000000000000",
            "endTimeUnixNano": "1700000001000000000",
        }
    ]
    body = {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}
    until(lambda: _ask("http://collector:4318/v1/traces", body), bool)
    until(lambda: compose("logs", "--no-color", "collector"), lambda said: trace in said and span in said)


def test_prometheus_asks_every_process(compose: Callable[..., str]) -> None:
    def targets() -> set[str]:
        found = _ask("http://prometheus:9090/api/v1/targets")
        return {target["discoveredLabels"]["__address__"] for target in json.loads(found)["data"]["activeTargets"]} if found else set()

    services = yaml.safe_load(_FILES[0].read_text(encoding="utf-8"))["services"]
    ours = {f"{name}:8080" for name, service in services.items() if "command" in service and service["command"][0] == "serve"}
    assert until(targets, bool) == ours


def test_one_trace_from_a_release_to_a_webhook_is_in_the_collectors_log(compose: Callable[..., str], tmp_path: Path) -> None:
    base = _all_up(compose)
    (tmp_path / "admin-token").write_text(compose("exec", "-T", "gateway", "cat", "/data/admin-token"))
    trace, caller = secrets.token_hex(16), secrets.token_hex(8)
    with staff(System(base, tmp_path, cast(Any, None))) as client:  # no process of ours is behind it
        load(client, official(_FIRST))
        assert bring_in(client, {"L1": "Zelmar Overseas Freight"})["created"] == 1
        # Its receiver will refuse it, which is an attempt all the same.
        client.post("/v1/subscriptions", json={"url": "http://prometheus:9090/hook", "filters": {}}).raise_for_status()
        headers = {"Content-Type": "application/zip", "traceparent": f"00-{trace}-{caller}-01"}
        body = official(_FIRST | {36: "ZELMAR OVERSEAS FREIGHT"})
        client.post(f"/v1/lists/{LIST}/releases", content=body, headers=headers).raise_for_status()

    def names() -> list[str]:
        spans = [span for span in of_log(compose("logs", "--no-color", "collector")) if span.trace == trace]
        post = next((span for span in spans if span.name == "POST"), None)
        if post is None or caller not in {span.parent for span in spans}:
            return []
        root = replace(post, id=caller, parent="", name="caller")
        try:
            return [span.name for span in chain([*spans, root], post)]
        except KeyError:  # a process has not sent its own yet
            return []

    call = "POST /v1/lists/{list_id}/releases"
    wanted = ["caller", call, call, "load release", "process signals", "process matches", "process ratings", "POST"]
    until(names, lambda found: found == wanted)


def test_prometheus_reads_every_process_and_knows_the_rules(compose: Callable[..., str]) -> None:
    _all_up(compose)

    def down() -> set[str]:
        found = _ask("http://prometheus:9090/api/v1/targets")
        return (
            {t["discoveredLabels"]["__address__"] for t in json.loads(found)["data"]["activeTargets"] if t["health"] != "up"}
            if found
            else {"?"}
        )

    until(down, lambda found: not found, 120)
    rules = json.loads(_ask("http://prometheus:9090/api/v1/rules"))["data"]["groups"][0]["rules"]
    written = yaml.safe_load((_ROOT / "deploy/alerts.yaml").read_text(encoding="utf-8"))["groups"][0]["rules"]
    assert [rule["name"] for rule in rules] == [rule["alert"] for rule in written]
    assert {rule["health"] for rule in rules} <= {"ok", "unknown"}


def test_each_rule_speaks_when_it_is_to(compose: Callable[..., str]) -> None:
    tool = ["docker", "run", "--rm", "--entrypoint", "promtool", "--volume", f"{_ROOT}:/src:ro", images.PROMETHEUS]
    done = subprocess.run([*tool, "test", "rules", "/src/tests/deploy/alerts_test.yaml"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def _all_up(compose: Callable[..., str]) -> str:
    """Every service, ready; where the gateway answers."""
    compose("up", "--no-build", "--detach", *yaml.safe_load(_FILES[0].read_text(encoding="utf-8"))["services"])
    base = f"http://127.0.0.1:{_PORT}"
    until(lambda: _ready(base), bool, 180)
    return base


def _ready(base: str) -> bool:
    try:
        return httpx.get(f"{base}/health/ready", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False
