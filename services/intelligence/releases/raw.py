"""The raw file of every release, kept for good by its hash: how it comes in, from a caller or from its publisher's address."""

import asyncio
import contextlib
import hashlib
import os
import shutil
import zipfile
from collections.abc import AsyncIterable
from pathlib import Path

from services.intelligence.lists.spec import ListSpec
from shared.files import Streamed, keep, stream_into
from shared.kernel.service import Context
from shared.security.client import GuardedClient

_PART, _PULLED, _DAY_S, _PULL_S = ".part", ".pull", 86_400.0, 120.0
_EPOCH = (1980, 1, 1, 0, 0, 0)  # of all members: the same files give the same archive


def raw_file(ctx: Context, sha256: str) -> Path:
    """Where the raw file of a release lies."""
    return raw_folder(ctx) / sha256


async def receive(ctx: Context, chunks: AsyncIterable[bytes]) -> Streamed:
    """Streams a body to disk; it is durable under its hash when this returns."""
    part = _new(ctx, _PART)
    streamed = await stream_into(part, chunks)
    await asyncio.to_thread(keep, part, raw_file(ctx, streamed.digest))
    return streamed


async def pull(ctx: Context, spec: ListSpec, address: str | None) -> Streamed:
    """Fetches one file or archive from an address or, without one, all of the publisher's files, which become one archive. Through the egress guard."""
    work = _new(ctx, _PULLED)
    work.mkdir()
    client = GuardedClient(ctx.networks)
    wanted = [("fetched", address, spec.max_total_bytes)] if address else [(f.name, f.address, spec.max_file_bytes) for f in spec.files]
    try:
        for name, source, most in wanted:
            await client.get(source, {}, into=work / name, limit_bytes=most, seconds=_PULL_S)
        whole = work / "fetched" if address else await asyncio.to_thread(_archive, work, [f.name for f in spec.files])
        return await asyncio.to_thread(_keep_synchronised, ctx, whole)
    finally:
        await client.close()
        shutil.rmtree(work, ignore_errors=True)


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


def _archive(work: Path, names: list[str]) -> Path:
    whole = work / "fetched"
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            member = zipfile.ZipInfo(name, _EPOCH)
            member.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(member, "w", force_zip64=False) as out, (work / name).open("rb") as content:
                shutil.copyfileobj(content, out, 1 << 20)
    return whole


def _keep_synchronised(ctx: Context, file: Path) -> Streamed:
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
        size = os.fstat(content.fileno()).st_size
        os.fsync(content.fileno())
    keep(file, raw_file(ctx, digest))
    return Streamed(size, digest)
