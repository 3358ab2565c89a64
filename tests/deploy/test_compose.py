"""docker-compose.yml for real: the image is built, everything comes up, a list change blocks a purchase through the gateway, and it ends cleanly.

`make test-compose` runs it. Where no image registry is reached, stand-ins take the place of Python's, Kafka's and MongoDB's images.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.infra import images
from tests.system.lists import OTHERS, bring_in, load, official, said, staff, until
from tests.system.running import System, free_port

pytestmark = pytest.mark.timeout(1800)  # the first run builds four images
_ROOT = Path(__file__).parents[2]
_IMAGE = "duewatch:test-compose"
_PROJECT = f"duewatchtest{os.getpid()}"
_READY_S = 180.0
_FIRST = {n: name.upper() for n, name in enumerate(OTHERS, 100)} | {36: "ZELMAR OVERSEAS FREIGHT"}
_SECOND = {n: name for n, name in _FIRST.items() if n != 36} | {200: "VORUNTEK MINING LIMITED LIABILITY COMPANY"}
_SUPPLIERS = {"L1": "Zelmar Overseas Freight", "N1": "Voruntek Mining LLC", "C1": "Lakeside Berry House"}


class _Composed:
    """The compose file under a project name and a port of its own."""

    def __init__(self) -> None:
        self.port = free_port()
        newer = subprocess.run(["docker", "compose", "version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
        command = ["docker", "compose"] if newer else [shutil.which("docker-compose") or "docker-compose"]
        self._command = [*command, "-p", _PROJECT, "-f", str(_ROOT / "docker-compose.yml")]
        self._env = {**os.environ, "DUEWATCH_IMAGE": _IMAGE, "DUEWATCH_PORT": str(self.port)}

    def run(self, *words: str) -> str:
        done = subprocess.run(
            [*self._command, *words], env=self._env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        return done.stdout

    def follow(self, log: Path) -> subprocess.Popen[bytes]:
        """Everything that the containers say, from now on."""
        with log.open("wb") as out:
            return subprocess.Popen([*self._command, "logs", "--no-color", "--follow"], env=self._env, stdout=out, stderr=out)

    def containers(self) -> dict[str, dict[str, object]]:
        """Docker's description of each, by its service's name."""
        ids = subprocess.run(
            ["docker", "ps", "-aq", "--filter", f"label=com.docker.compose.project={_PROJECT}"], capture_output=True, text=True, check=True
        ).stdout.split()  # fmt: skip
        found = json.loads(subprocess.run(["docker", "inspect", *ids], capture_output=True, text=True, check=True).stdout)
        return {one["Config"]["Labels"]["com.docker.compose.service"]: one for one in found}

    def wait(self) -> None:
        """Until all services live, and the gateway says that they are ready: it may be some seconds behind."""
        until(
            lambda: {name: one["State"]["Health"]["Status"] for name, one in self.containers().items() if name != "setup"},  # type: ignore[index]
            lambda found: set(found.values()) == {"healthy"},
            _READY_S,
        )
        end = time.monotonic() + _READY_S
        while True:
            with suppress(httpx.TransportError):
                if httpx.get(f"http://127.0.0.1:{self.port}/health/ready", trust_env=False).status_code == 200:
                    return
            assert time.monotonic() < end, self.run("logs", "--no-color", "--tail", "20")
            time.sleep(0.5)


def build_image() -> str:
    """The image of this state of the code; its name."""
    images.make()
    build = ["docker", "build", "--network", "host", "-f", "deploy/Dockerfile", "-t", _IMAGE, "."]
    done = subprocess.run(
        build, cwd=_ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=1500
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return _IMAGE


@pytest.fixture(scope="module")
def composed() -> Iterator[_Composed]:
    build_image()
    made = _Composed()
    try:
        made.run("up", "--no-build", "--detach")
        made.wait()
        yield made
    finally:
        made.run("down", "--volumes", "--timeout", "20")


@pytest.fixture
def system(composed: _Composed, tmp_path: Path) -> Iterator[System]:
    (tmp_path / "admin-token").write_text(composed.run("exec", "-T", "gateway", "cat", "/data/admin-token"))
    following = composed.follow(tmp_path / "compose.log")
    yield System(f"http://127.0.0.1:{composed.port}", tmp_path, following)
    following.terminate()
    following.wait()
    sys.stdout.write((tmp_path / "compose.log").read_text(errors="replace")[-4000:])  # pytest shows it where the test fails


def test_the_image_runs_without_rights_and_brings_no_build_tools(composed: _Composed) -> None:
    tools = "for tool in cc gcc g++ make curl; do ! command -v $tool || exit 1; done; test ! -e /opt/duewatch/bin/pip"
    composed.run("exec", "-T", "gateway", "sh", "-c", tools)
    assert composed.run("exec", "-T", "gateway", "id", "-u").strip() == "10001"
    composed.run(
        "exec", "-T", "gateway", "sh", "-c", "! touch /opt/duewatch/x 2>/dev/null && ! touch /home/x 2>/dev/null && touch /data/run/x"
    )
    for name, one in composed.containers().items():
        if one["Config"]["Image"] == _IMAGE:  # type: ignore[index]
            host = one["HostConfig"]
            assert (host["ReadonlyRootfs"], host["CapDrop"], host["Privileged"]) == (True, ["ALL"], False), name  # type: ignore[index]


def test_a_list_change_blocks_a_purchase_also_after_workers_were_stopped_and_started(composed: _Composed, system: System) -> None:
    with staff(system) as client:
        assert load(client, official(_FIRST))["entries"] == len(_FIRST)
        job = bring_in(client, _SUPPLIERS)
        assert (job["state"], job["created"], job["rejected"]) == ("done", len(_SUPPLIERS), 0)
        until(lambda: said(client, list(_SUPPLIERS)), lambda words: words == ["block", "allow", "allow"])
        composed.run("stop", "screening-1", "screening-2", "assessment", "intelligence")
        assert said(client, list(_SUPPLIERS)) == ["block", "allow", "allow"], "the gate answers by itself"
        composed.run("start", "screening-1", "screening-2", "assessment", "intelligence")
        composed.wait()
        assert load(client, official(_SECOND))["state"] == "accepted"
        until(lambda: said(client, list(_SUPPLIERS)), lambda words: words == ["allow", "block", "allow"])


def test_a_copy_that_is_killed_leaves_its_partitions_to_the_other_until_it_is_back(composed: _Composed, system: System) -> None:
    with staff(system) as client:
        composed.run("kill", "screening-2")
        assert load(client, official(_FIRST))["state"] == "accepted", "its sweep is complete once every partition has passed it"
        assert bring_in(client, _SUPPLIERS)["state"] == "done"
        until(lambda: said(client, list(_SUPPLIERS)), lambda words: words == ["block", "allow", "allow"])
        composed.run("start", "screening-2")
        composed.wait()
        assert load(client, official(_SECOND))["state"] == "accepted"
        until(lambda: said(client, list(_SUPPLIERS)), lambda words: words == ["allow", "block", "allow"])


def test_every_container_is_healthy_and_all_services_end_in_time_when_told_to(composed: _Composed) -> None:
    states = {name: one["State"] for name, one in composed.containers().items()}
    setup = states.pop("setup")
    assert (setup["Status"], setup["ExitCode"]) == ("exited", 0)  # type: ignore[index]
    composed.wait()
    composed.run("stop")
    ours = {name: one["State"] for name, one in composed.containers().items() if one["Config"]["Image"] == _IMAGE}  # type: ignore[index]
    late = {name: state for name, state in ours.items() if state["ExitCode"] != 0}  # type: ignore[index]
    assert not late, f"{late}\n{composed.run('logs', '--no-color', '--timestamps', '--tail', '8', *late)}"
