"""The guarded HTTP client: all that leaves this system by itself goes through here."""

import asyncio
import hashlib
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import BinaryIO

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver
from yarl import URL

from shared.errors import Invalid, TooLarge, Unavailable
from shared.security.addresses import Networks
from shared.security.egress import EgressRefused, PinningResolver, Target, check_url

_CONNECTIONS = 1_000
_CONNECTIONS_PER_HOST = 300  # as many as deliveries are sent at once: those who share a host never wait for each other's answers
_POST_S = 15.0
_ANSWER_BYTES = 65_536  # of an answer to a post, read only so that its connection can be used again
_WRITE_BYTES = 1_048_576
_LONGEST_WAIT_S = 86_400


class Outcome(msgspec.Struct, frozen=True):
    """What became of a post: an HTTP `status`, or an `error`: refused, dns, tls, connection, timeout.
    `retry_after` in seconds where the receiver asked for a pause."""

    status: int | None = None
    retry_after: int | None = None
    error: str | None = None


class Download(msgspec.Struct, frozen=True, kw_only=True):
    """A fetched file: HTTP `status` (200, or 304 with nothing written), its size, SHA-256 and validators."""

    status: int
    size: int = 0
    sha256: str = ""
    etag: str | None = None
    last_modified: str | None = None


class GuardedClient:
    """Shared by all deliveries of a process: keep-alive, limits per host and in all, no redirects, cookies or proxies."""

    def __init__(self, allow: Networks, *, tls: ssl.SSLContext | None = None, resolver: AbstractResolver | None = None) -> None:
        self._allow = allow
        self._sessions = {plain: _session(allow, plain, tls, resolver) for plain in (False, True)}

    async def close(self) -> None:
        for session in self._sessions.values():
            await session.close()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, *, seconds: float = _POST_S) -> Outcome:
        """Sends `body`; never raises for what the other side does. `seconds` bounds connecting, sending and answer."""
        try:
            target = check_url(url, self._allow)
            limit = aiohttp.ClientTimeout(total=seconds)
            async with self._session(target).post(
                _address(target), data=body, headers=headers, timeout=limit, allow_redirects=False
            ) as answer:
                await _drain(answer)
                return Outcome(answer.status, _retry_after(answer.headers.get("Retry-After")))
        except (Invalid, aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            return Outcome(error=_kind(error))

    async def get(self, url: str, headers: Mapping[str, str], *, into: Path, limit_bytes: int, seconds: float) -> Download:
        """Fetches into a file, as sent (no decompression: a bomb stays small). Raises Invalid where the address may not
        be called, TooLarge over `limit_bytes` (the part file is removed), Unavailable for all else."""
        target = check_url(url, self._allow)
        limit = aiohttp.ClientTimeout(total=seconds, sock_connect=15, sock_read=60)
        asked = {"Accept-Encoding": "identity", **headers}
        try:
            async with self._session(target).get(_address(target), headers=asked, timeout=limit, allow_redirects=False) as answer:
                etag, modified = answer.headers.get("ETag"), answer.headers.get("Last-Modified")
                if answer.status == 304:
                    return Download(status=304, etag=etag, last_modified=modified)
                if answer.status != 200:
                    raise Unavailable(_not_the_file(answer.status))
                if answer.content_length is not None and answer.content_length > limit_bytes:
                    raise TooLarge("The file is larger than the limit for it")
                size, digest = await _store(answer.content, into, limit_bytes)
                return Download(status=200, size=size, sha256=digest, etag=etag, last_modified=modified)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise Unavailable(f"The file could not be fetched: {_kind(error)}") from error

    def _session(self, target: Target) -> aiohttp.ClientSession:
        return self._sessions[target.scheme == "http"]


def _session(allow: Networks, plain: bool, tls: ssl.SSLContext | None, resolver: AbstractResolver | None) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        resolver=PinningResolver(allow, plain=plain, inner=resolver),
        limit=_CONNECTIONS,
        limit_per_host=_CONNECTIONS_PER_HOST,
        ssl=tls or True,
        ttl_dns_cache=30,
    )
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False)


def _address(target: Target) -> URL:
    """Built from the checked parts, so that no other parser reads another host out of the same text."""
    path, _, query = target.path.partition("?")
    return URL.build(
        scheme=target.scheme,
        host=target.literal or target.host,
        port=target.port,
        path=path,
        query_string=query,
        encoded=True,
    )


async def _drain(answer: aiohttp.ClientResponse) -> None:
    """Reads the body away. What is too long, too slow or cut off costs the connection; the status has been said, and stands."""
    read = 0
    try:
        async for chunk in answer.content.iter_any():
            read += len(chunk)
            if read > _ANSWER_BYTES:
                answer.close()
                return
    except (aiohttp.ClientError, OSError, TimeoutError):
        answer.close()


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


def _not_the_file(status: int) -> str:
    if 300 <= status < 400:
        return "The address leads on to another one, which is not followed; give the address of the file itself"
    return f"The address answered {status} in place of the file"


def _retry_after(value: str | None) -> int | None:
    """Seconds of a Retry-After (RFC 9110, 10.2.3: seconds or a date), at most a day; None where it is neither."""
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        return min(int(value[:9]), _LONGEST_WAIT_S)
    try:
        wait = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
    except (TypeError, ValueError, OverflowError):
        return None
    return max(0, min(int(wait), _LONGEST_WAIT_S))


def _kind(error: Exception) -> str:
    if isinstance(error, Invalid | EgressRefused):
        return "refused"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "refused" if isinstance(error.__cause__ or error.os_error, EgressRefused) else "dns"
    if isinstance(error, aiohttp.ClientSSLError):
        return "tls"
    return "timeout" if isinstance(error, TimeoutError) else "connection"
