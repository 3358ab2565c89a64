"""The raw file of every release, kept for good by its hash: how it comes in from a caller, or from who fetched it."""

import asyncio
import contextlib
import hashlib
import os
import shutil
from collections.abc import AsyncIterable
from pathlib import Path

from shared.files import Streamed, keep, stream_into
from shared.kernel.service import Context

_PART, _PULLED, _DAY_S = ".part", ".pull", 86_400.0


def raw_file(ctx: Context, sha256: str) -> Path:
    """Where the raw file of a release lies."""
    return raw_folder(ctx) / sha256


async def receive(ctx: Context, chunks: AsyncIterable[bytes]) -> Streamed:
    """Streams a body to disk; it is durable under its hash when this returns."""
    part = _new(ctx, _PART)
    streamed = await stream_into(part, chunks)
    await asyncio.to_thread(keep, part, raw_file(ctx, streamed.digest))
    return streamed


def new_pull(ctx: Context) -> Path:
    """A folder to fetch into; what is left of it after a crash is taken away in time."""
    work = _new(ctx, _PULLED)
    work.mkdir()
    return work


def discard_parts(ctx: Context, now_s: float) -> None:
    """Takes away what was cut off while it came in, a day or more ago: another process may be receiving now."""
    for entry in os.scandir(raw_folder(ctx)):
        with contextlib.suppress(FileNotFoundError):
            if entry.name.endswith((_PART, _PULLED)) and now_s - entry.stat().st_mtime > _DAY_S:
                shutil.rmtree(entry.path) if entry.is_dir() else os.unlink(entry.path)


def raw_folder(ctx: Context) -> Path:
    """Where raw files lie, and what is kept beside them."""
    folder = ctx.folder / "raw"
    folder.mkdir(exist_ok=True)
    return folder


def _new(ctx: Context, suffix: str) -> Path:
    return raw_folder(ctx) / f"{ctx.ids.new('raw')}{suffix}"


def keep_synchronised(ctx: Context, file: Path) -> Streamed:
    """Keeps a whole file for good, by its hash; blocks."""
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
        size = os.fstat(content.fileno()).st_size
        os.fsync(content.fileno())
    keep(file, raw_file(ctx, digest))
    return Streamed(size, digest)
