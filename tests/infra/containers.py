"""The same two servers in Docker, through testcontainers, whose reaper removes them when their starter is gone.

Both listen inside at the port that they have outside, on this machine: a broker and a replica set tell clients where they are found.
"""

import abc
import shlex
import time
from typing import ClassVar

from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient

from tests.infra import Unavailable, mongo, ready
from tests.infra.kafka import HEAP, settings
from tests.infra.local import HOST, free_ports

_KAFKA_IMAGE = "apache/kafka:4.3.1"
_MONGO_IMAGE = "mongo:6.0"
_HERE = ("localhost", HOST)
_TAIL = 25  # lines of a container's log in an error


def daemon_answers() -> bool:
    """Whether a Docker daemon on this machine answers; one elsewhere does not count, since its ports are not ours."""
    try:
        client = DockerClient()
        try:
            client.client.ping()
            return client.host() in _HERE
        finally:
            client.client.close()
    except Exception:  # docker-py lets through what its transport raises, and testcontainers adds its own: all of it means no
        return False


class Container(abc.ABC):
    """One server in a container, for one start."""

    name: ClassVar[str]

    def __init__(self) -> None:
        (self._port,) = free_ports(1)
        self._container: DockerContainer | None = None

    @property
    @abc.abstractmethod
    def address(self) -> str:
        """What a client is given to connect."""

    @abc.abstractmethod
    def _made(self) -> DockerContainer: ...

    @abc.abstractmethod
    def _wait(self, deadline: float) -> None: ...

    def start(self, patience: float = 120.0) -> None:
        """Starts it and returns when it serves; raises Unavailable where it does not within `patience` seconds or has no image."""
        try:
            self._container = self._made().with_bind_ports(self._port, self._port)
            self._container.start()
            self._wait(time.monotonic() + patience)
        except BaseException as error:
            said = self._tail()
            self.stop()
            if not isinstance(error, Exception):  # told to end while it started
                raise
            raise Unavailable(f"{self.name} did not come up in Docker: {type(error).__name__}: {error}{said}") from error

    def stop(self) -> None:
        """Removes the container with its data."""
        if self._container is not None:
            self._container.stop()
        self._container = None

    kill = stop

    def _tail(self) -> str:
        if self._container is None:
            return ""
        try:
            out, err = self._container.get_logs()
        except Exception:  # it never came so far: there is no image
            return ""
        lines = (out + err).decode(errors="replace").splitlines()[-_TAIL:]
        return "\nThe end of its log:\n" + "\n".join(lines)


class DockerKafka(Container):
    name = "Kafka"

    @property
    def address(self) -> str:
        return f"{HOST}:{self._port}"

    def _made(self) -> DockerContainer:
        controller = free_ports(1)[0]
        listeners = f"PLAINTEXT://0.0.0.0:{self._port},CONTROLLER://{HOST}:{controller}"
        given = settings(listeners, f"PLAINTEXT://{self.address}", f"{HOST}:{controller}")
        # The image takes a property by its name in capitals, dots as underscores.
        env = {"KAFKA_" + name.upper().replace(".", "_"): value for name, value in given.items()}
        return DockerContainer(_KAFKA_IMAGE, env={"KAFKA_HEAP_OPTS": " ".join(HEAP), **env})

    def _wait(self, deadline: float) -> None:
        ready.kafka(self.address, deadline)


class DockerMongo(Container):
    name = "MongoDB"

    @property
    def address(self) -> str:
        return mongo.uri(self._port)

    def _made(self) -> DockerContainer:
        return DockerContainer(_MONGO_IMAGE, command=shlex.join(["mongod", "--bind_ip_all", *mongo.arguments(self._port)]))

    def _wait(self, deadline: float) -> None:
        ready.replica_set(HOST, self._port, deadline)
