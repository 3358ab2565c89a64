"""Files that must be there after a power cut: streamed in with bounded memory, synchronised, and named only when whole."""

import asyncio
import contextlib
import hashlib
import os
from collections.abc import AsyncIterable
from pathlib import Path
from typing import NamedTuple

_BLOCK = 1 << 20


class Streamed(NamedTuple):
    """A file's bytes and their SHA-256 (hex)."""

    size: int
    digest: str


async def stream_into(part: Path, chunks: AsyncIterable[bytes]) -> Streamed:
    """Writes and synchronises `part`, which must not exist; it is gone again where anything fails. Disk work happens beside the event loop."""
    digest, size = hashlib.sha256(), 0
    with contextlib.ExitStack() as undo:
        file = undo.enter_context(part.open("xb"))
        failed = undo.enter_context(contextlib.ExitStack())
        failed.callback(part.unlink, missing_ok=True)

        def write(block: bytes) -> None:
            digest.update(block)
            file.write(block)

        block = bytearray()
        async for chunk in chunks:
            block += chunk
            if len(block) >= _BLOCK:
                size += len(block)
                await asyncio.to_thread(write, bytes(block))
                block.clear()
        size += len(block)

        def finish() -> None:
            write(bytes(block))
            file.flush()
            os.fsync(file.fileno())

        await asyncio.to_thread(finish)
        failed.pop_all()
    return Streamed(size, digest.hexdigest())


def keep(part: Path, target: Path) -> None:
    """Gives a whole file its name, for good."""
    part.rename(target)
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
