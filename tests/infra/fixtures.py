"""Pytest plugin: fixtures `kafka` (bootstrap address) and `mongo` (URI), real servers that are started when the first test asks.

All workers of one run share them through a folder of the run, whose name the controller hands to its xdist workers. Tests keep apart by
names of their own for topics, groups and databases. The controller ends the servers with the run; where it cannot, it was killed, their
supervisors see that. With CI=true a server that cannot be had fails the test, else it is skipped.
"""

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.infra import Unavailable
from tests.infra.locks import locked
from tests.infra.supervisor import wait_for_end_of

_RUN = pytest.StashKey[tuple[Path, int]]()  # the run's folder and its controller's process id
_STARTED = pytest.StashKey[list[subprocess.Popen[bytes]]]()
_INPUT = "duewatch_servers"
_LONGEST = 900  # seconds until a server has answered, downloads included
_ENDING = 15  # seconds for the servers' end
_ROOT = Path(__file__).parents[2]


def pytest_configure(config: pytest.Config) -> None:
    handed = getattr(config, "workerinput", {}).get(_INPUT)  # only an xdist worker has such an attribute
    if handed:
        config.stash[_RUN] = Path(handed[0]), handed[1]
    else:
        config.stash[_RUN] = Path(tempfile.gettempdir()) / f"duewatch-servers-{os.getpid()}-{secrets.token_hex(6)}", os.getpid()
    config.stash[_STARTED] = []


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    folder, owner = node.config.stash[_RUN]
    node.workerinput[_INPUT] = (str(folder), owner)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    folder, owner = config.stash.get(_RUN, (None, 0))
    if folder is None or owner != os.getpid() or not folder.exists():
        return
    told = []
    for file in folder.glob("*/state.json"):
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):
            told.append(json.loads(file.read_text(encoding="utf-8"))["supervisor"])
            os.kill(told[-1], signal.SIGTERM)
    for supervisor in told:
        wait_for_end_of(supervisor, _ENDING)
    for child in config.stash[_STARTED]:
        child.poll()  # reaps it
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def kafka(pytestconfig: pytest.Config) -> str:
    """Bootstrap address (host:port) of a Kafka broker that creates no topics by itself."""
    return _address("kafka", pytestconfig)


@pytest.fixture(scope="session")
def mongo(pytestconfig: pytest.Config) -> str:
    """URI of a MongoDB replica set of one."""
    return _address("mongo", pytestconfig)


def had_or_skipped(name: str, error: Unavailable) -> NoReturn:
    """Ends the test whose server `name` ("kafka", "mongo") cannot be had: fails it with CI=true, else skips it and says how to get one."""
    from tests.infra.obtain import advice

    if os.environ.get("CI") == "true":
        raise pytest.fail.Exception(f"no {name} server: {error}", pytrace=False) from None
    raise pytest.skip.Exception(f"no {name} server: {error}\n{advice(name)}") from None


def _address(name: str, config: pytest.Config) -> str:
    from tests.infra import obtain  # here: runs that need no server shall not wait for the clients' import

    try:
        address = obtain.given(name)
    except Unavailable as error:
        # Who gave an address wants it used: no skip.
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    if address is not None:
        return address
    try:
        return _shared(name, config)
    except Unavailable as error:
        had_or_skipped(name, error)


def _shared(name: str, config: pytest.Config) -> str:
    run, owner = config.stash[_RUN]
    folder = run / name
    run.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(exist_ok=True)
    with locked(folder / "asking"):
        if not (folder / "state.json").exists():
            _supervise(name, folder, owner, config.stash[_STARTED])
        state = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    if "error" in state:
        raise Unavailable(state["error"])
    return str(state["address"])


def _supervise(name: str, folder: Path, owner: int, started: list[subprocess.Popen[bytes]]) -> None:
    log = folder / "supervisor.log"
    with log.open("ab") as output:
        command = [sys.executable, "-m", "tests.infra.supervisor", name, str(folder), str(owner)]
        supervisor = subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
    started.append(supervisor)
    until = time.monotonic() + _LONGEST
    while not (folder / "state.json").exists():
        if supervisor.poll() or time.monotonic() > until:
            said = log.read_text(encoding="utf-8")[-2000:] if log.exists() else ""
            raise Unavailable(f"its supervisor gave no address and ended with {supervisor.poll()}: {said}")
        time.sleep(0.05)
