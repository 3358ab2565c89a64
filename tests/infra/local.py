"""A server as a process on this machine, one that a test may stop, kill, freeze and start again where it left off."""

import abc
import contextlib
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Self

from tests.infra import Unavailable
from tests.infra.kept import kept

HOST = "127.0.0.1"
# Below what systems take for outgoing connections: a client that tries a port of those again and again while its server is down can be
# given that very port as its own, is then connected to itself, and the server cannot come back.
_PORTS = range(12_000, 32_000)
_TAIL = 25  # lines of a server's log in an error


def _ports() -> range:
    """Those of this worker of xdist: a port that is free in one moment is another test's in the next."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    number = int(worker.removeprefix("gw")) % 4 if worker.startswith("gw") else 0
    return _PORTS[number::4]


def free_ports(count: int) -> list[int]:
    """`count` different ports of 127.0.0.1 that nobody listens at now."""
    found: list[int] = []
    with contextlib.ExitStack() as held:
        for port in random.sample(_ports(), k=500):
            probe = held.enter_context(socket.socket())
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind((HOST, port))
                found.append(port)
            if len(found) == count:
                return found
    raise Unavailable(f"no {count} free ports on {HOST}")


def ports_of(folder: Path, count: int) -> list[int]:
    """The ports of a server's folder: chosen when it is made, for a replica set knows itself by its own."""
    file = folder / "ports"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(" ".join(map(str, free_ports(count))), encoding="utf-8")
    return [int(port) for port in file.read_text(encoding="utf-8").split()]


class Local(abc.ABC):
    """One server with its folder (`data`, `log`) and its port, which stay the same over any number of starts.

    Not for use by several threads at once. All calls block: an async test that wants its loop to go on says `asyncio.to_thread(server.start)`.
    """

    name: ClassVar[str]

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.log = folder / "log"
        self._keeper: subprocess.Popen[str] | None = None
        self._pid = 0

    @property
    @abc.abstractmethod
    def address(self) -> str:
        """What a client is given to connect."""

    @abc.abstractmethod
    def _prepare(self) -> tuple[Sequence[str], Mapping[str, str]]:
        """Makes the data folder ready; gives the command and what its environment has beside ours. Raises Unavailable."""

    @abc.abstractmethod
    def _wait(self, deadline: float) -> None:
        """Talks to the server until it serves; raises whatever the last try ended with once time.monotonic() has passed `deadline`."""

    @property
    def pid(self) -> int:
        """The server's process id while it runs (frozen or not), else 0."""
        return self._pid if self._keeper is not None and self._keeper.poll() is None else 0

    def start(self, patience: float = 60.0) -> None:
        """Starts it and returns when it serves; raises Unavailable with the end of its log where it does not within `patience` seconds."""
        if self.pid:
            raise RuntimeError(f"{self.name} runs already")
        command, env = self._prepare()
        deadline = time.monotonic() + patience
        with self.log.open("ab") as log:
            self._keeper = subprocess.Popen(
                kept(command, self.log),
                env={**os.environ, **env},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        try:
            assert self._keeper.stdout is not None
            with self._keeper.stdout as said:
                self._pid = int(said.readline() or 0)
            self._wait(deadline)
        except BaseException as error:
            self.kill()
            if isinstance(error, Exception):
                raise Unavailable(
                    f"{self.name} did not come up: {type(error).__name__}: {error}\nThe end of its log:\n{self._tail()}"
                ) from error
            raise

    def stop(self, patience: float = 20.0) -> None:
        """Asks it to end (SIGTERM) and waits; kills it after `patience` seconds. Nothing happens where it does not run."""
        self.thaw()
        self._send(signal.SIGTERM)
        if self._keeper is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._keeper.wait(patience)
        self.kill()

    def kill(self) -> None:
        """Ends it as a crash would (SIGKILL), frozen or not, and waits until it is gone."""
        self._send(signal.SIGKILL)
        if self._keeper is not None:
            self._keeper.wait()
        self._keeper = None

    def freeze(self) -> None:
        """Takes all processor time from it (SIGSTOP): connections stay open and nothing is answered."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        """Lets it go on after `freeze`."""
        self._send(signal.SIGCONT)

    def restart(self, patience: float = 60.0) -> None:
        """Stops it where it runs, and starts it on the same port with the same data."""
        self.stop()
        self.start(patience)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def gone(self) -> bool:
        """Whether it has ended by itself, so that waiting for it is over."""
        return self._keeper is not None and self._keeper.poll() is not None

    def _send(self, number: signal.Signals) -> None:
        if pid := self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _tail(self) -> str:
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL:])
