"""The collector and Prometheus of deploy/compose/observability.yml, without Grafana: a span that is sent is seen, every process is a target.

`make test-compose` runs it.
"""

import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.infra import images
from tests.system.lists import until

pytestmark = pytest.mark.timeout(1800)  # the first run builds the collector
_ROOT = Path(__file__).parents[2]
_PROJECT = f"duewatchobservability{os.getpid()}"
_FILES = [_ROOT / "docker-compose.yml", _ROOT / "deploy/compose/observability.yml"]


@pytest.fixture(scope="module")
def compose() -> Iterator[Callable[..., str]]:
    """Runs one command of compose on both files; the two servers are up."""
    images.make()
    images.make_observability()
    newer = subprocess.run(["docker", "compose", "version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    command = ["docker", "compose"] if newer else [shutil.which("docker-compose") or "docker-compose"]
    files = [word for file in _FILES for word in ("-f", str(file))]

    def run(*words: str) -> str:
        env = {**os.environ, "GRAFANA_PASSWORD": "unused"}
        done = subprocess.run(
            [*command, "-p", _PROJECT, *files, *words], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300
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
