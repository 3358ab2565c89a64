"""How a system begins and ends: one a folder, ended cleanly, put up again where a part of it dies, never a process left over."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from services.runtime.processes import WORKERS
from tests.system.running import DUEWATCH, System, free_port, running

pytestmark = pytest.mark.xdist_group("start_stop")  # one system for most of them
_SOON_S = 30.0


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(tmp_path_factory.mktemp("start_stop") / "data") as started:
        yield started


def workers(system: System) -> dict[str, int]:
    """Process ids of the workers, by name."""
    leader = system.process.pid
    found: dict[str, int] = {}
    for pid in Path(f"/proc/{leader}/task/{leader}/children").read_text().split():
        *_, module, name = Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").split("\0")
        assert module == "services.runtime.worker"
        found[name] = int(pid)
    return found


def alive(pid: int) -> bool:
    """Does it still run? One that has ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def soon(holds: Callable[[], bool]) -> bool:
    """Comes it true in reasonable time?"""
    end = time.monotonic() + _SOON_S
    while not holds() and time.monotonic() < end:
        time.sleep(0.01)
    return holds()


def ready(system: System) -> int:
    """The status of the readiness check."""
    return httpx.get(f"{system.url}/health/ready", trust_env=False).status_code


def second(data: Path, port: int, **environment: str) -> subprocess.CompletedProcess[str]:
    """Another `up`, which must end by itself."""
    command = [DUEWATCH, "up", "--data", data, "--port", str(port)]
    return subprocess.run(command, capture_output=True, text=True, timeout=_SOON_S, check=False, env={**os.environ, **environment})


def test_all_workers_run_and_the_first_token_is_for_its_owner_alone(system: System) -> None:
    assert workers(system).keys() == {process.name for process in WORKERS}
    assert (system.data / "admin-token").stat().st_mode & 0o777 == 0o600
    made = [path for path in system.data.rglob("*") if path.name != "test.log" and not path.is_socket()]
    assert {"token-keys.json", "onboarding.db", "onboarding.db-wal", "waiting"} <= {path.name for path in made}
    for path in made:  # they hold suppliers and their owners
        assert path.stat().st_mode & 0o077 == 0, path.name


def test_no_process_leaves_a_dump_of_its_memory(system: System) -> None:
    for pid in (system.process.pid, *workers(system).values()):
        (limit,) = [line for line in Path(f"/proc/{pid}/limits").read_text().splitlines() if line.startswith("Max core file size")]
        assert limit.split()[4:6] == ["0", "0"]


def test_a_second_one_on_the_same_folder_is_refused(system: System) -> None:
    refused = second(system.data, free_port())
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "Another Duewatch runs on this data folder" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert ready(system) == 200


def test_a_policy_file_that_is_none_is_said_before_anything_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own.yaml").write_text("name: own\n")
    monkeypatch.setenv("DUEWATCH_POLICY", str(tmp_path / "own.yaml"))
    refused = second(tmp_path / "data", free_port())
    assert refused.returncode == 2
    assert "DUEWATCH_POLICY" in refused.stderr
    assert "points: is missing" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PARTITIONS", "5", "made with 4 partitions"),
        ("PARTITIONS", "0", "from 1 to 64"),
        ("HEAD_EVERY_S", "nan", "from 0.1 to"),
        ("HEAD_EVERY_S", "soon", "is not a number"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(name: str, value: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "layout.json").write_text('{"version": 1, "partitions": 4}')
    monkeypatch.setenv(f"DUEWATCH_{name}", value)
    refused = second(tmp_path, free_port())
    assert refused.returncode in (1, 2)
    assert told in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not list(tmp_path.glob("*.db"))


@pytest.mark.parametrize(("text", "told"), [('{"version": 2, "partitions": 4}', "a newer Duewatch"), ("{", "is damaged")])
def test_a_folder_of_another_layout_is_refused(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "layout.json").write_text(text)
    refused = second(tmp_path, free_port())
    assert (refused.returncode, told in refused.stderr) == (1, True)


def test_settings_that_cannot_be_start_nothing(tmp_path: Path) -> None:
    keys = {"DUEWATCH_OIDC_ISSUER": "https://id.example", "DUEWATCH_OIDC_JWKS": "keys.json"}
    for wrong, told in (
        ({"DUEWATCH_REQUESTS_PER_S": "0"}, "requests_per_s: from 1 to"),
        ({"DUEWATCH_EGRESS_ALLOW": "x"}, "Write the allowed networks as"),
        ({"DUEWATCH_OIDC_ISSUER": "https://id.example"}, "oidc_jwks: "),
        ({**keys, "DUEWATCH_OIDC_ROLE_NAMES": "x"}, "Write an issuer's names of roles as"),
    ):
        refused = second(tmp_path, free_port(), **wrong)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert told in refused.stderr
        assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(("lost", "left"), [("master-key", "journal-key"), ("journal-key", "master-key")])
def test_a_lost_key_is_told_and_no_new_one_takes_its_place(tmp_path: Path, lost: str, left: str) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / left).write_bytes(bytes(32))
    (tmp_path / "intelligence.db").touch()
    refused = second(tmp_path, free_port())
    assert (refused.returncode, f"lacks {lost}:" in refused.stderr) == (1, True)
    assert not (tmp_path / "keys" / lost).exists()


def test_an_address_in_use_is_said_and_leaves_nothing(system: System, tmp_path: Path) -> None:
    refused = second(tmp_path, int(system.url.rpartition(":")[2]))
    assert refused.returncode == 1
    assert "choose another with" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert ready(system) == 200


@pytest.mark.parametrize("name", [process.name for process in WORKERS])
def test_a_worker_that_dies_is_started_again(system: System, name: str) -> None:
    before = workers(system)
    os.kill(before[name], signal.SIGKILL)
    assert soon(lambda: ready(system) == 503)
    assert [error["field"] for error in httpx.get(f"{system.url}/health/ready", trust_env=False).json()["errors"]] == [name]
    assert soon(lambda: ready(system) == 200)
    after = workers(system)
    assert {worker for worker in before if before[worker] != after[worker]} == {name}
    with system.client(system.token("analyst")) as client:  # a question that crosses to a worker
        assert client.post("/v1/screenings", json={"name": "Quiet Meadow Dairy", "country": "GB"}).status_code == 200


def test_sigterm_ends_it_cleanly_and_it_can_start_again(tmp_path: Path) -> None:
    with running(tmp_path) as system:
        token, pids = system.admin_token, workers(system).values()
        with system.client(system.token("analyst")) as client:  # leaves a connection to a worker open
            client.post("/v1/screenings", json={"name": "Quiet Meadow Dairy", "country": "GB"}).raise_for_status()
        system.process.terminate()
        assert system.process.wait(_SOON_S) == 0
        assert not any(alive(pid) for pid in pids)
        log = (tmp_path / "test.log").read_text()
        assert "Duewatch is ready at" in log
        assert "Traceback" not in log
        assert '"level": "error"' not in log
    with running(tmp_path) as system:
        assert system.admin_token == token


def test_workers_end_when_the_front_is_killed(tmp_path: Path) -> None:
    with running(tmp_path) as system:
        pids = list(workers(system).values())
        assert all(alive(pid) for pid in pids)
        os.kill(system.process.pid, signal.SIGKILL)
        system.process.wait()
        assert soon(lambda: not any(alive(pid) for pid in pids))
