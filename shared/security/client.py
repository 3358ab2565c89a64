"""The guarded HTTP client: what this system sends by itself goes through here; what it fetches, through `download`."""

import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver
from yarl import URL

from shared.errors import Invalid
from shared.security.addresses import Networks
from shared.security.egress import EgressRefused, PinningResolver, Target, check_url

_CONNECTIONS = 1_000
_CONNECTIONS_PER_HOST = 300  # as many as deliveries are sent at once: those who share a host never wait for each other's answers
_POST_S = 15.0
_ANSWER_BYTES = 65_536  # of an answer to a post, read only so that its connection can be used again
_LONGEST_WAIT_S = 86_400


class Outcome(msgspec.Struct, frozen=True):
    """What became of a post: an HTTP `status`, or an `error`: refused, dns, tls, connection, timeout.
    `retry_after` in seconds where the receiver asked for a pause."""

    status: int | None = None
    retry_after: int | None = None
    error: str | None = None


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
                request_url(target), data=body, headers=headers, timeout=limit, allow_redirects=False
            ) as answer:
                await _drain(answer)
                return Outcome(answer.status, retry_after_s(answer.headers.get("Retry-After")))
        except (Invalid, aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            return Outcome(error=kind_of(error))

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


def request_url(target: Target) -> URL:
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


def retry_after_s(value: str | None) -> int | None:
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


def kind_of(error: Exception) -> str:
    """In a word, what went wrong; see `Outcome.error`."""
    if isinstance(error, Invalid | EgressRefused):
        return "refused"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "refused" if isinstance(error.__cause__ or error.os_error, EgressRefused) else "dns"
    if isinstance(error, aiohttp.ClientSSLError):
        return "tls"
    return "timeout" if isinstance(error, TimeoutError) else "connection"
