"""A nudge after a commit: a datagram to every process of the system, or to some services', so that readers look at once instead of at
their next poll.

A lost nudge costs a poll interval, never an event.
"""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Collection
from pathlib import Path
from weakref import WeakSet

_LOOK_EVERY_S = 1.0  # for processes that have come or gone


class Waiter:
    """Waits for the next nudge. One that came since the last wait is not missed."""

    def __init__(self, nudges: "Nudges") -> None:
        self._event = asyncio.Event()
        nudges.add(self._event)

    async def wait(self, seconds: float, breath_s: float = 0.0) -> None:
        """Until a nudge, at most so long; not before `breath_s` have passed."""
        if breath_s:
            await asyncio.sleep(breath_s)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._event.wait()
        self._event.clear()

    def clear(self) -> None:
        """What came until now has been seen to."""
        self._event.clear()


class Nudges:
    """One a process, whose `name` begins with that of its service where it has one (`SERVICE-...`): `send` wakes waiters of all processes."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._mine, self._service = folder, folder / f"{name}.sock", _service(name)
        self._mine.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        self._socket.bind(self.address(self._mine.name))
        self._waiters: WeakSet[asyncio.Event] = WeakSet()
        self._listening = False
        self._others: list[tuple[str, str]] = []  # service and address
        self._looked = -_LOOK_EVERY_S

    def _listen(self) -> None:
        if not self._listening:
            asyncio.get_running_loop().add_reader(self._socket.fileno(), self._received)
            self._listening = True

    def _received(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._socket.recv(16):
                pass
        self._wake()

    def _wake(self) -> None:
        for waiter in self._waiters:
            waiter.set()

    def send(self, services: Collection[str] | None = None) -> None:
        """Wakes this process's waiters and those of the others, or only those of some services' processes: each look that finds nothing
        costs more than the nudge."""
        if services is None or self._service in services:
            self._wake()
        now = time.monotonic()
        if now > self._looked + _LOOK_EVERY_S:
            self._looked = now
            others = [p.name for p in self._folder.glob("*.sock") if p.name != self._mine.name]
            self._others = [(_service(name), self.address(name)) for name in others]
        for service, other in self._others:
            if services is None or service in services:
                with contextlib.suppress(OSError):  # gone, or its queue is full: then it is awake already
                    self._socket.sendto(b"n", other)

    def address(self, name: str) -> str:
        """Relative to the open folder: a socket's path is limited to about 100 bytes, a data folder's is not."""
        return f"/proc/self/fd/{self._directory}/{name}"

    def add(self, event: asyncio.Event) -> None:
        """Every nudge sets it, as long as somebody holds it."""
        self._listen()
        self._waiters.add(event)

    def close(self) -> None:
        """Takes the socket away."""
        if self._listening:
            with contextlib.suppress(RuntimeError):
                asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()
        os.close(self._directory)
        self._mine.unlink(missing_ok=True)


def _service(name: str) -> str:
    return name.removesuffix(".sock").partition("-")[0]
