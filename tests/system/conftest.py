"""The distributed runtime for a test: every service a process of its own on Kafka and MongoDB, under names that no other test has."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from pymongo import MongoClient

from tests.infra.distributed import distributed
from tests.system.running import System, free_port, running


@pytest.fixture
def settings_there(kafka: str, mongo: str) -> Iterator[dict[str, str]]:
    """Variables for topics and databases of one test; the databases are dropped at its end."""
    name = f"t{secrets.token_hex(4)}"
    yield {
        "DUEWATCH_BUS": f"kafka://{kafka}/?prefix={name}.",
        "DUEWATCH_STORE": mongo.replace("/?", f"/{name}?"),
        "DUEWATCH_EGRESS_ALLOW": "127.0.0.0/8",
    }
    with MongoClient(mongo) as client:
        for database in client.list_database_names():
            if database.startswith(name):
                client.drop_database(database)


@pytest.fixture
def distributed_runtime(settings_there: dict[str, str], tmp_path: Path) -> Callable[..., AbstractContextManager[System]]:
    """Starts such a system on the test's folder, as often as it is called; takes further variables."""

    @contextmanager
    def start(**environment: str) -> Iterator[System]:
        with distributed(tmp_path, free_port(), settings_there, **environment) as found:
            yield System(found.url, found.folder, found.processes["gateway"])

    return start


@pytest.fixture(params=["embedded", "distributed"])
def runtime(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], AbstractContextManager[System]]:
    """Starts a system on the test's folder, on either runtime, as often as it is called."""
    if request.param == "embedded":
        return lambda: running(tmp_path)
    made: Callable[[], AbstractContextManager[System]] = request.getfixturevalue("distributed_runtime")
    return made
