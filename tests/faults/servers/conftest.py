"""One distributed system for all tests of a file, which each do their work in a tenant of their own: the checks after each read all that was ever
written there, and a replay repeats it."""

import re
from collections.abc import Iterator

import pytest

from tests.faults.servers.invariants import Checker
from tests.faults.servers.scene import Outcome, Scene, outcome
from tests.faults.servers.work import SUPPLIERS, Work
from tests.faults.servers.world import World, running
from tests.infra import Unavailable
from tests.infra.fixtures import had_or_skipped


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    try:
        with running(tmp_path_factory.mktemp("faults")) as found:
            yield found
    except Unavailable as error:
        had_or_skipped("kafka and mongo", error)


@pytest.fixture(scope="module")
def checker(world: World) -> Iterator[Checker]:
    found = Checker(world)
    yield found
    found.ledger.client.close()


@pytest.fixture(scope="module")
def calm(world: World, checker: Checker) -> Outcome:
    """What comes of the work where nothing goes wrong."""
    with world.caller("calm") as caller:
        work = Work(caller, "calm")
        answered = work.ready()
        sweep = work.end_release(work.begin_release("b"))
        assert sweep["suppliers"] == SUPPLIERS, sweep
        assert checker.check("calm", answered) == []
        found = outcome(checker.ledger, work)
    assert {row["decision"] for row in found.values()} == {"allow", "review", "block"}
    return found


@pytest.fixture
def scene(world: World, checker: Checker, calm: Outcome, request: pytest.FixtureRequest) -> Iterator[Scene]:
    """Everything runs, and a tenant of the test's own."""
    tenant = re.sub("[^a-z0-9]+", "-", request.node.name.removeprefix("test_"))[-40:].strip("-")
    with world.caller(tenant) as caller:
        yield Scene(world, checker, caller, tenant, calm)
    for name, process in world.system.processes.items():
        if process.poll() is not None:
            world.system.start(name)  # where a test failed half-way
    world.system.wait()


@pytest.fixture
def churn_s(pytestconfig: pytest.Config) -> float:
    """For how long a worker comes and goes."""
    return float(pytestconfig.getoption("--churn"))
