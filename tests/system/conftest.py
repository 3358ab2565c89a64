"""The distributed runtime for a test: every service a process of its own on Kafka and MongoDB, under names that no other test has."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from pymongo import MongoClient

from tests.infra.distributed import distributed
from tests.system.running import System, free_port


@pytest.fixture
def distributed_runtime(kafka: str, mongo: str, tmp_path: Path) -> Iterator[Callable[[], AbstractContextManager[System]]]:
    """Starts such a system on the test's folder, as often as it is called; what it leaves in MongoDB is removed."""
    name = f"t{secrets.token_hex(4)}"
    servers = {
        "DUEWATCH_BUS": f"kafka://{kafka}/?prefix={name}.",
        "DUEWATCH_STORE": mongo.replace("/?", f"/{name}?"),
        "DUEWATCH_EGRESS_ALLOW": "127.0.0.0/8",
    }

    @contextmanager
    def start() -> Iterator[System]:
        with distributed(tmp_path, free_port(), servers) as found:
            yield System(found.url, found.folder, found.processes["gateway"])

    yield start
    with MongoClient(mongo) as client:
        for database in client.list_database_names():
            if database.startswith(name):
                client.drop_database(database)
