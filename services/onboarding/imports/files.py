"""The files of imports: uploads that wait, in the order in which they came, and results.

The folder of waiting uploads is the queue: each file bears its time, tenant and import in its name. It is there, whole and synchronised,
before its import is; a file without an import was never acknowledged.
"""

import asyncio
import contextlib
import errno
import fcntl
import hashlib
import os
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple

from shared.errors import Unavailable

_CHUNK = 1 << 20
_PART = ".part"


class Waiting(NamedTuple):
    """An upload that waits."""

    name: str
    tenant: str
    import_id: str


class Stored(NamedTuple):
    """An upload's file, its bytes, and their SHA-256 (hex)."""

    name: str
    size: int
    digest: str


class Files:
    """Under a service's own folder."""

    def __init__(self, folder: Path) -> None:
        self._uploads, self._results = folder / "imports" / "waiting", folder / "imports" / "results"
        self._uploads.mkdir(parents=True, exist_ok=True)
        self._results.mkdir(parents=True, exist_ok=True)

    async def store(self, name: str, chunks: AsyncIterable[bytes]) -> Stored:
        """Stores a body that streams in; when it returns, the file survives a power cut. Disk work happens beside the event loop.

        Unavailable where the disk has no room for it; nothing of it stays then.
        """
        part = self._uploads / (name + _PART)
        digest, size = hashlib.sha256(), 0
        with _room_needed(), contextlib.ExitStack() as undo:
            file = undo.enter_context(part.open("xb"))
            fcntl.flock(file, fcntl.LOCK_EX)  # until it is closed, however we end: so `discard_parts` knows who is still coming in
            undo.callback(part.unlink, missing_ok=True)

            def write(block: bytes) -> None:
                digest.update(block)
                file.write(block)

            block = bytearray()
            async for chunk in chunks:
                block += chunk
                if len(block) >= _CHUNK:
                    size += len(block)
                    await asyncio.to_thread(write, bytes(block))
                    block.clear()
            size += len(block)

            def finish() -> None:
                write(bytes(block))
                file.flush()
                os.fsync(file.fileno())
                part.rename(self._uploads / name)
                _sync_folder(self._uploads)

            await asyncio.to_thread(finish)
        return Stored(name, size, digest.hexdigest())

    @staticmethod
    def name(now: datetime, tenant: str, import_id: str, nonce: str) -> str:
        """The name of an upload: names sort by time; neither tenant nor ids hold a full stop."""
        return f"{round(now.timestamp() * 1e6):020d}.{tenant}.{import_id}.{nonce}"

    def waiting(self) -> list[Waiting]:
        """The uploads that wait, oldest first."""
        found = sorted(entry.name for entry in os.scandir(self._uploads) if not entry.name.endswith(_PART))
        return [Waiting(name, *name.split(".")[1:3]) for name in found if name.count(".") == 3]

    def held(self, tenant: str) -> int:
        """How many uploads of a tenant wait or are coming in."""
        return sum(entry.name.split(".")[1:2] == [tenant] for entry in os.scandir(self._uploads))

    def upload(self, name: str) -> Path:
        """Where an upload lies."""
        return self._uploads / name

    def discard(self, name: str) -> None:
        """Takes away an upload that nobody needs any more."""
        self.upload(name).unlink(missing_ok=True)

    @staticmethod
    def age_s(name: str, now: datetime) -> float:
        """Seconds since an upload came."""
        return now.timestamp() - int(name.split(".", 1)[0]) / 1e6

    def discard_parts(self, older_than_s: float, now_s: float) -> None:
        """Takes away what was cut off while it came in; the age is for those that were not locked yet."""
        for entry in os.scandir(self._uploads):
            with contextlib.suppress(FileNotFoundError, BlockingIOError):
                if entry.name.endswith(_PART) and now_s - entry.stat().st_mtime > older_than_s:
                    with open(entry.path, "rb") as part:
                        fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        os.unlink(entry.path)

    def results(self, import_id: str) -> Path:
        """Where the results of an import lie, a line of JSON a row."""
        return self._results / f"{import_id}.ndjson"

    def open_results(self, import_id: str, size: int) -> BinaryIO:
        """The results, to go on behind the first `size` bytes; what stands there was never recorded."""
        file = self.results(import_id).open("r+b" if size else "wb")
        _sync_folder(self._results)
        file.truncate(size)
        file.seek(size)
        return file

    async def read_results(self, import_id: str, size: int) -> AsyncIterator[bytes]:
        """The first `size` bytes of the results: what is recorded of them."""
        if not size:
            return
        with self.results(import_id).open("rb") as file:
            while size > 0 and (block := await asyncio.to_thread(file.read, min(size, _CHUNK // 4))):
                size -= len(block)
                yield block


@contextlib.contextmanager
def _room_needed() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise Unavailable("There is no room for this file on the system's disk; tell its operator") from None


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
