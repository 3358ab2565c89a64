"""What the image installs is what everything was tested with, and it is asked for its health without curl."""

import http.server
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import yaml

from services.runtime.processes import MODULES

_ROOT = Path(__file__).parents[2]


def _pins(lock: str) -> dict[str, set[str]]:
    """A pinned line of a lock -> its hashes."""
    found: dict[str, set[str]] = {}
    pin = ""
    for line in (_ROOT / lock).read_text(encoding="utf-8").splitlines():
        if re.match(r"[a-z0-9]", line):
            pin = line.removesuffix(" \\")
            found[pin] = set()
        elif match := re.match(r"    --hash=(sha256:[0-9a-f]{64})", line):
            found[pin].add(match[1])
    return found


def test_the_images_lock_is_part_of_the_developers_lock() -> None:
    ours, all_of_them = _pins("deploy/requirements.lock"), _pins("requirements.lock")
    assert len(ours) > 30
    assert all(hashes for hashes in ours.values())
    assert {pin.split(" ;")[0]: hashes for pin, hashes in ours.items()}.items() <= {
        pin.split(" ;")[0]: hashes for pin, hashes in all_of_them.items()
    }.items()


def test_the_images_lock_has_what_the_project_depends_on_and_no_developers_tool() -> None:
    import tomllib

    project = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {pin.split("==")[0] for pin in _pins("deploy/requirements.lock")}
    assert {re.split("[=<>]", name.lower())[0] for name in project["dependencies"]} <= names
    assert not names & {name.lower() for name in project["optional-dependencies"]["dev"]}


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1), (None, 1)])
def test_the_health_check_fails_where_nobody_answers_or_says_no(status: int | None, code: int) -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/health/live" and status else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        port = server.server_port
        if status is not None:
            threading.Thread(target=server.serve_forever, daemon=True).start()
        else:
            server.server_close()
        done = subprocess.run(
            [sys.executable, _ROOT / "deploy/health.py"], env={"DUEWATCH_PORT": str(port)}, capture_output=True, timeout=30
        )
        if status is not None:
            server.shutdown()
    assert done.returncode == code, done.stderr


def test_compose_runs_every_service_and_each_process_has_a_name_of_its_own() -> None:
    compose = yaml.safe_load((_ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    ours = {name: service for name, service in compose.items() if str(service.get("image", "")).startswith("${DUEWATCH_IMAGE")}
    serving = {name: service for name, service in ours.items() if service.get("command", [""])[0] == "serve"}
    assert {service["command"][1] for service in serving.values()} == {*MODULES, "gateway"}
    named = {name: service["environment"].get("DUEWATCH_INSTANCE") for name, service in serving.items() if name != "gateway"}
    assert named == {name: name for name in named}, "else two would be one member of a group"
    for name, service in ours.items():
        assert service["read_only"] is True, name
        assert (service["user"], service["cap_drop"]) == ("10001:10001", ["ALL"]), name
    published = {name: s["ports"] for name, s in compose.items() if "ports" in s}
    assert published == {"gateway": ["127.0.0.1:${DUEWATCH_PORT:-8080}:8080"]}
