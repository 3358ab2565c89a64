"""Files fetched from others: each hop judged by the egress guard, bounded in size and time, written only when whole.

Behind a proxy the connection goes where the proxy's own look-up leads: a name is then judged by what it resolves to here, where it does.
"""

import asyncio
import hashlib
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver
from yarl import URL

from shared.errors import Invalid, TooLarge, Unavailable
from shared.security.addresses import Networks
from shared.security.client import kind_of, request_url, retry_after_s
from shared.security.egress import PinningResolver, Target, check_new_url, check_url

MOST_HOPS = 5
_MOVED = frozenset({301, 302, 303, 307, 308})
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_WRITE_BYTES = 1_048_576
_CONNECT_S, _SILENCE_S = 15.0, 60.0


class Download(msgspec.Struct, frozen=True, kw_only=True):
    """A fetched file: HTTP `status` (200, or 304 with nothing written), its size, SHA-256, validators and media type."""

    status: int
    size: int = 0
    sha256: str = ""
    etag: str | None = None
    last_modified: str | None = None
    media_type: str = ""


class NotFetched(Unavailable):
    """`passing`: worth trying again soon; `retry_after` in seconds, where the other side asked for a pause."""

    def __init__(self, detail: str, *, passing: bool = False, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.passing, self.retry_after = passing, retry_after


class Downloader:
    """Connections of one round of downloads: no cookies, no proxies but the one given."""

    def __init__(
        self, allow: Networks, *, proxy: str = "", tls: ssl.SSLContext | None = None, resolver: AbstractResolver | None = None
    ) -> None:
        self._allow, self._proxy = allow, proxy or None
        self._sessions = {plain: self._made(plain, tls, resolver) for plain in (False, True)}

    def _made(self, plain: bool, tls: ssl.SSLContext | None, resolver: AbstractResolver | None) -> aiohttp.ClientSession:
        pinned = None if self._proxy else PinningResolver(self._allow, plain=plain, inner=resolver)
        connector = aiohttp.TCPConnector(resolver=pinned or resolver, ssl=tls or True)
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False)

    async def close(self) -> None:
        """Ends what is open."""
        for session in self._sessions.values():
            await session.close()

    async def get(
        self, url: str, headers: Mapping[str, str], *, into: Path, limit_bytes: int, seconds: float, secret: Mapping[str, str] | None = None
    ) -> Download:
        """Fetches into a file, as sent (no decompression: a bomb stays small), `secret` headers to no other host than the one asked.

        Raises Invalid where the address may not be called, TooLarge over `limit_bytes`, NotFetched for all else; then nothing is left of the file.
        """
        check_url(url, self._allow)
        try:
            async with asyncio.timeout(seconds):
                return await self._follow(url, dict(headers), dict(secret or {}), into, limit_bytes)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            kind = kind_of(error)
            raise NotFetched(_WENT_WRONG.get(kind, kind), passing=kind in ("connection", "timeout", "dns")) from error

    async def _follow(self, url: str, headers: dict[str, str], secret: dict[str, str], into: Path, limit_bytes: int) -> Download:
        for _ in range(MOST_HOPS + 1):
            target = await self._target(url)
            asked = {"Accept-Encoding": "identity", **headers, **secret}
            limit = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=_SILENCE_S)
            session = self._sessions[target.scheme == "http"]
            async with session.get(request_url(target), headers=asked, timeout=limit, allow_redirects=False, proxy=self._proxy) as answer:
                if answer.status not in _MOVED:
                    return await _taken(answer, into, limit_bytes)
                there = _elsewhere(url, answer.headers.get("Location"))
            if _origin(there) != _origin(url):
                secret = {}
            url = there
        raise NotFetched(f"The address leads on more than {MOST_HOPS} times")

    async def _target(self, url: str) -> Target:
        try:
            return await check_new_url(url, self._allow) if self._proxy else check_url(url, self._allow)
        except Invalid as refused:  # the first address was judged before: this is one that it leads to, or that resolves to one
            raise NotFetched(f"The address leads to one that may not be called: {refused.errors[0]['message']}") from None


async def _taken(answer: aiohttp.ClientResponse, into: Path, limit_bytes: int) -> Download:
    etag, modified = answer.headers.get("ETag"), answer.headers.get("Last-Modified")
    if answer.status == 304:
        return Download(status=304, etag=etag, last_modified=modified)
    if answer.status != 200:
        wait = retry_after_s(answer.headers.get("Retry-After"))
        passing = answer.status in _PASSING
        raise NotFetched(
            f"The address answered {answer.status} in place of the file", passing=passing, retry_after=wait if passing else None
        )
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise NotFetched("The file was sent compressed, though it was asked for as it is")
    if answer.content_length is not None and answer.content_length > limit_bytes:
        raise TooLarge("The file is larger than the limit for it")
    size, digest = await _store(answer.content, into, limit_bytes)
    return Download(status=200, size=size, sha256=digest, etag=etag, last_modified=modified, media_type=answer.content_type)


def _elsewhere(url: str, location: str | None) -> str:
    """Where a redirect leads, as an absolute address in ASCII; it is judged like any other."""
    if not location:
        raise NotFetched("The address leads on without saying where")
    return str(URL(url).join(URL(location)))


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


async def _store(content: aiohttp.StreamReader, into: Path, limit_bytes: int) -> tuple[int, str]:
    """Writes in a thread, a megabyte at a time: the event loop never waits for the disk, and memory stays flat."""
    size, digest, waiting = 0, hashlib.sha256(), bytearray()
    file = await asyncio.to_thread(into.open, "wb")
    try:
        async for chunk in content.iter_any():
            size += len(chunk)
            if size > limit_bytes:
                raise TooLarge("The file is larger than the limit for it")
            digest.update(chunk)
            waiting += chunk
            if len(waiting) >= _WRITE_BYTES:
                await asyncio.to_thread(file.write, waiting)
                waiting = bytearray()
        await asyncio.to_thread(file.write, waiting)
    except BaseException:  # cancelled or failed: half a list must not lie about as if it were one
        _discard(file, into)
        raise
    await asyncio.to_thread(file.close)
    return size, digest.hexdigest()


def _discard(file: BinaryIO, path: Path) -> None:
    file.close()
    path.unlink(missing_ok=True)


_WENT_WRONG = {
    "refused": "The address leads to a network that may not be called",
    "dns": "The file could not be fetched: the name of its server is not known",
    "tls": "The file could not be fetched: its server's certificate cannot be trusted",
    "connection": "The file could not be fetched: the connection failed or was cut off",
    "timeout": "The file could not be fetched: it took longer than it may",
}
