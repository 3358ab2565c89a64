"""One round of fetching a list: conditional, patient where it may pass, checked, and one archive where there are several files."""

import asyncio
import hashlib
import re
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import stamina

from services.intelligence.fetching.sources import Source
from services.intelligence.lists.spec import HEAD_BYTES, ListFile, ListSpec
from shared.errors import Invalid, Unavailable
from shared.security.download import Download, Downloader, NotFetched

_ATTEMPTS = 4
_PAUSE_S = 30.0  # the longest that one round waits because it is asked to; a longer wait is the schedule's
_CHECKSUM_BYTES, _INDEX_BYTES = 65_536, 8_000_000
_SHA256 = re.compile(r"(?<![0-9A-Fa-f])[0-9A-Fa-f]{64}(?![0-9A-Fa-f])")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # of all members: the same files give the same archive


class Known(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one address gave last, to ask whether it is still that."""

    address: str
    etag: str | None = None
    last_modified: str | None = None

    def conditions(self) -> dict[str, str]:
        """RFC 9110, 13.1: the tag says more than the time, and goes before it."""
        if self.etag:
            return {"If-None-Match": self.etag}
        return {"If-Modified-Since": self.last_modified} if self.last_modified else {}


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """`whole`: what came, None where nothing has changed; `known`: what to ask by next time."""

    whole: Path | None
    known: tuple[Known, ...]


class Round:
    """Fetches one list's files into the folder `work`; everything in `seconds` together."""

    def __init__(self, downloader: Downloader, spec: ListSpec, source: Source, work: Path, seconds: float) -> None:
        self._downloader, self._spec, self._source, self.work = downloader, spec, source, work
        self._until = asyncio.get_running_loop().time() + seconds

    async def run(self, wanted: Sequence[ListFile], known: Sequence[Known] = ()) -> Fetched:
        """What is wanted, or nothing where all of it is as `known`."""
        before = {k.address: k for k in known}
        got = [await self._one(file, before.get(file.address)) for file in wanted]
        if all(one.status == 304 for one in got):
            return Fetched(whole=None, known=tuple(known))
        for n, file in enumerate(wanted):
            if got[n].status == 304:  # part of a release is none: what has not changed is needed, too
                got[n] = await self._one(file, None)
        await self._check(wanted)
        whole = self.work / wanted[0].name if len(wanted) == 1 else await asyncio.to_thread(packed, self.work, [f.name for f in wanted])
        kept = (Known(address=f.address, etag=one.etag, last_modified=one.last_modified) for f, one in zip(wanted, got, strict=True))
        return Fetched(whole=whole, known=tuple(kept))

    async def small(self, address: str, into: Path) -> None:
        """An index of some megabytes at most."""
        await self._get(address, {}, into, _INDEX_BYTES, self._source.key())

    async def file(self, address: str, into: Path) -> None:
        """One file as large as one of the list's may be."""
        await self._get(address, {}, into, self._spec.max_file_bytes, self._source.key())

    async def _one(self, file: ListFile, known: Known | None) -> Download:
        limit = self._spec.max_total_bytes if file.role == "all" else self._spec.max_file_bytes
        return await self._get(file.address, known.conditions() if known else {}, self.work / file.name, limit, self._source.key())

    async def _get(self, address: str, headers: Mapping[str, str], into: Path, limit: int, secret: Mapping[str, str]) -> Download:
        async for attempt in stamina.retry_context(on=self._pause, attempts=_ATTEMPTS, timeout=None, wait_initial=0.5, wait_max=8.0):
            with attempt:
                return await self._downloader.get(
                    address, headers, into=into, limit_bytes=limit, seconds=max(0.1, self._left()), secret=secret
                )
        raise AssertionError("the last attempt returns or raises")

    def _left(self) -> float:
        return self._until - asyncio.get_running_loop().time()

    def _pause(self, error: Exception) -> bool | float:
        """Whether another attempt is worth it, and after how long where we are told."""
        if not isinstance(error, NotFetched) or not error.passing:
            return False
        wait = error.retry_after or 0
        if wait > _PAUSE_S or wait + 1.0 > self._left():
            return False
        return float(wait) if wait else True

    async def _check(self, wanted: Sequence[ListFile]) -> None:
        first = next((f for f in wanted if f.role in ("primary", "all")), wanted[0])
        pages = [f for f in wanted if await asyncio.to_thread(is_page, self.work / f.name)]
        head = await asyncio.to_thread(_head, self.work / first.name)
        if not head:
            raise Unavailable("The address gave an empty file")
        if pages and not (pages == [first] and any(layout.recognises(head) for layout in self._spec.layouts)):
            raise Unavailable("The address gave a web page in place of the file: an error, a consent or a login page")
        if self._source.sha256:
            await self._checksum(self.work / first.name)

    async def _checksum(self, file: Path) -> None:
        told = self._source.sha256
        if told.startswith(("https://", "http://")):
            into = self.work / "checksum"
            await self._get(told, {}, into, _CHECKSUM_BYTES, {})
            told = await asyncio.to_thread(into.read_text, encoding="utf-8", errors="replace")
        sums = set(map(str.lower, _SHA256.findall(told)))
        if not sums:
            raise Unavailable("No SHA-256 checksum stands where this list's is to be found")
        if await asyncio.to_thread(_digest, file) not in sums:
            raise Unavailable("The file is not the one that its checksum is of; nothing was taken from it")


def check_sources(spec: ListSpec, source: Source) -> tuple[ListFile, ...]:
    """What is fetched of a list; Invalid where nobody told an address."""
    if wanted := source.wanted(spec):
        return wanted
    raise Invalid(
        "No address is known for this list: upload its files, or give an address", errors=[{"field": "address", "message": "give one"}]
    )


def is_page(file: Path) -> bool:
    """Does it begin as HTML does?"""
    head = _head(file).removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    while head.startswith(b"<!--") and b"-->" in head:
        head = head.partition(b"-->")[2].lstrip()
    return head.startswith((b"<!doctype html", b"<html", b"<head", b"<body"))


def _head(file: Path) -> bytes:
    with file.open("rb") as content:
        return content.read(HEAD_BYTES)


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def packed(folder: Path, names: Sequence[str]) -> Path:
    """Files of a folder as one archive beside them."""
    whole = folder / "fetched"
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            member = zipfile.ZipInfo(name, _EPOCH)
            member.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(member, "w", force_zip64=False) as out, (folder / name).open("rb") as content:
                shutil.copyfileobj(content, out, 1 << 20)
    return whole
