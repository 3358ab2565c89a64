"""A run of pytest shares its servers between its workers, and leaves none behind, however it ends.

Each test starts pytest as a person does, with a temporary folder of its own: every process that such a run starts names that folder in its
command line, so what is left of it can be found.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_PATIENCE = 30.0  # seconds
_TWO_TESTS = """
import os, pathlib, pytest, time
AT = pathlib.Path(__file__).parent

@pytest.mark.parametrize("n", range(2))
def test_it(n, kafka, mongo):
    (AT / f"saw-{n}").write_text(f"{os.getpid()} {kafka} {mongo}")
    until = time.monotonic() + 20
    while len(list(AT.glob("saw-*"))) < 2 and time.monotonic() < until:  # so that either worker has one of the two
        time.sleep(0.05)
    while (AT / "hang").exists():
        time.sleep(0.1)
"""


@pytest.fixture
def inner(tmp_path: Path) -> Iterator[Path]:
    """The folder of an inner run; what is left of that is killed at the end."""
    if not Path("/proc/self/cmdline").exists():
        pytest.skip("needs /proc to find what a run leaves")
    (tmp_path / "test_inner.py").write_text(_TWO_TESTS, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (tmp_path / "tmp").mkdir()
    yield tmp_path
    for pid in _left(tmp_path):
        os.kill(pid, signal.SIGKILL)


def _python(folder: Path, *arguments: str, **env: str) -> subprocess.Popen[str]:
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("DUEWATCH_TEST_", "PYTEST_"))}
    return subprocess.Popen(
        [sys.executable, *arguments],
        env={**outside, "PYTHONPATH": str(_ROOT), "TMPDIR": str(folder / "tmp"), **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _pytest(folder: Path, *options: str, **env: str) -> subprocess.Popen[str]:
    plugins = ["-p", "no:randomly", "-p", "tests.infra.fixtures"]
    return _python(folder, "-m", "pytest", "-q", "-ra", *plugins, "--rootdir", str(folder), *options, str(folder / "test_inner.py"), **env)


def _left(folder: Path) -> list[int]:
    """Processes, ours aside, that name `folder` in their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if os.fsencode(folder) in command:
                found.append(int(entry.name))
    return found


def _folders(folder: Path) -> list[Path]:
    """Data of servers that is left."""
    return list((folder / "tmp").glob("duewatch-*"))


def _wait_until_nothing_is_left(folder: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while (_left(folder) or _folders(folder)) and time.monotonic() < until:
        time.sleep(0.1)
    assert not _left(folder)
    assert not _folders(folder)


def _saw(folder: Path) -> list[list[str]]:
    return [file.read_text(encoding="utf-8").split() for file in sorted(folder.glob("saw-*"))]


def _skip_where_none_can_be_had(output: str) -> None:
    if " skipped" in output and os.environ.get("CI") != "true":
        pytest.skip(output)


def test_two_workers_share_the_servers_and_nothing_is_left_of_them(inner: Path) -> None:
    output, _ = _pytest(inner, "-n", "2").communicate(timeout=200)
    _skip_where_none_can_be_had(output)
    assert "2 passed" in output, output
    (first, *servers), (second, *other_servers) = _saw(inner)
    assert first != second
    assert servers == other_servers
    assert not _left(inner), "the run waits for its servers' end"
    assert not _folders(inner)


def test_nothing_is_left_of_a_run_that_was_killed(inner: Path) -> None:
    (inner / "hang").touch()
    run = _pytest(inner, "-n", "2")
    until = time.monotonic() + 200
    while len(_saw(inner)) < 2 and run.poll() is None and time.monotonic() < until:
        time.sleep(0.1)
    if run.poll() is None:
        assert any(b"mongo" in Path(f"/proc/{pid}/cmdline").read_bytes() for pid in _left(inner))
        run.kill()
    (inner / "hang").unlink()  # a worker whose controller is gone ends with its test
    _skip_where_none_can_be_had(run.communicate()[0])
    assert len(_saw(inner)) == 2
    _wait_until_nothing_is_left(inner)


@pytest.mark.parametrize(("ci", "outcome"), [("true", "2 errors"), ("false", "2 skipped")])
def test_a_server_that_cannot_be_had_is_a_failure_in_ci_and_else_a_skip(inner: Path, ci: str, outcome: str) -> None:
    nowhere = {"PATH": str(inner / "tmp"), "DOCKER_HOST": "unix:///nowhere", "XDG_CACHE_HOME": str(inner / "cache")}
    output, _ = _pytest(inner, CI=ci, **nowhere).communicate(timeout=100)
    assert outcome in output, output
    assert "a Java runtime, 17 or newer is needed" in output
    assert ("DUEWATCH_TEST_KAFKA" in output) == (ci == "false")
    _wait_until_nothing_is_left(inner)


@pytest.mark.parametrize(
    ("told", "at"), [(signal.SIGINT, "DUEWATCH_TEST_MONGO="), (signal.SIGTERM, "# kafka")], ids=["serving", "starting"]
)
def test_servers_for_a_person_end_when_told(inner: Path, told: signal.Signals, at: str) -> None:
    run = _python(inner, "-m", "tests.infra")
    said = []
    with run:
        assert run.stdout is not None
        for line in run.stdout:
            said.append(line)
            if line.startswith(at):
                run.send_signal(told)
    if run.returncode and os.environ.get("CI") != "true":
        pytest.skip("".join(said))
    assert run.returncode == 0, "".join(said)
    assert sum(line.startswith("DUEWATCH_TEST_") for line in said) == (2 if told == signal.SIGINT else 0)
    _wait_until_nothing_is_left(inner)
