"""Which server is taken: the address in the environment, else Docker where a daemon answers, else a process on this machine."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.infra import Unavailable, containers, ready
from tests.infra.kafka import LocalKafka
from tests.infra.mongo import LocalMongo

_PATIENCE = 30.0  # seconds that a given address has to answer


class Server(Protocol):
    """A started server: where it is found, and its end. Its data goes with the folder or the container that it was given."""

    @property
    def address(self) -> str: ...

    def kill(self) -> None: ...


class _Startable(Server, Protocol):
    def start(self) -> None: ...


@dataclass(frozen=True)
class Kind:
    """One of the two servers: the variable that gives its address, and the ways to it."""

    variable: str
    answers: Callable[[str, float], None]
    docker: Callable[[], _Startable]
    local: Callable[[Path], _Startable]


KINDS = {
    "kafka": Kind("DUEWATCH_TEST_KAFKA", ready.kafka, containers.DockerKafka, LocalKafka),
    "mongo": Kind("DUEWATCH_TEST_MONGO", ready.mongo, containers.DockerMongo, LocalMongo),
}


def given(name: str) -> str | None:
    """The address that the environment gives for `name`, once it has answered; None where none is given, Unavailable where it is silent."""
    kind = KINDS[name]
    address = os.environ.get(kind.variable)
    if not address:
        return None
    try:
        kind.answers(address, time.monotonic() + _PATIENCE)
    except Exception as error:
        raise Unavailable(f"nothing answers at the address in {kind.variable}: {type(error).__name__}") from error
    return address


def started(name: str, folder: Path) -> Server:
    """Starts server `name`, in Docker or with its data in `folder`; raises Unavailable with what either way failed of."""
    kind = KINDS[name]
    refused = ""
    if containers.daemon_answers():
        try:
            return _start(kind.docker())
        except Unavailable as error:  # a daemon that has no image and reaches no registry, for one
            refused = f"{error}\n"
    try:
        return _start(kind.local(folder))
    except Unavailable as error:
        raise Unavailable(f"{refused}{error}") from error


def _start(server: _Startable) -> Server:
    server.start()
    return server


def advice(name: str) -> str:
    """How a person gets server `name`."""
    return (
        f"To have one: start Docker, or install Java 17 and Maven (Kafka) and use Linux on x86_64 (MongoDB), "
        f"or run `make servers` elsewhere and set {KINDS[name].variable}."
    )
