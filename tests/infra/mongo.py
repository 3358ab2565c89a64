"""MongoDB, one mongod that is a replica set of its own: transactions, retryable writes and majority writes need one."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.infra import downloads, ready
from tests.infra.local import HOST, Local, ports_of


def arguments(port: int) -> list[str]:
    """A mongod's arguments for tests, the same for a process and a container: small cache and oplog, and no past kept, which nothing reads."""
    small = ["--wiredTigerCacheSizeGB", "0.5", "--oplogSize", "256", "--setParameter", "minSnapshotHistoryWindowInSeconds=0"]
    return ["--port", str(port), "--replSet", ready.REPLICA_SET, *small, "--nounixsocket"]


def uri(port: int) -> str:
    """What a client is given for the replica set of one at `port` of this machine."""
    return f"mongodb://{HOST}:{port}/?replicaSet={ready.REPLICA_SET}"


class LocalMongo(Local):
    """A mongod on this machine. `options` are further arguments of its command line."""

    name = "MongoDB"

    def __init__(self, folder: Path, options: Sequence[str] = ()) -> None:
        super().__init__(folder)
        (self._port,) = ports_of(folder, 1)
        self._options = list(options)

    @property
    def address(self) -> str:
        return uri(self._port)

    def _prepare(self) -> tuple[Sequence[str], Mapping[str, str]]:
        parts = downloads.mongod()
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        command = [str(parts / "mongod"), "--dbpath", str(data), "--bind_ip", HOST, *arguments(self._port), *self._options]
        return command, {"LD_LIBRARY_PATH": str(parts / "libs")}

    def _wait(self, deadline: float) -> None:
        ready.replica_set(HOST, self._port, deadline, self.gone)
