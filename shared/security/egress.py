"""The egress guard: where webhooks and list downloads may go, judged when an address is given and again at connect time.

A name is judged by what it resolves to, and the connection goes to just those addresses: a name that changes its mind
between check and use (DNS rebinding) gains nothing.
"""

import asyncio
import contextlib
import re
import socket
import threading
from collections.abc import Awaitable, Callable
from functools import lru_cache
from urllib.parse import urlsplit

import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult

from shared.errors import Invalid
from shared.security.addresses import Networks, is_inside, is_reachable, parse_address

MAX_URL_CHARS = 2_000
_RESOLVE_S = 3.0
_LOOKUPS = threading.BoundedSemaphore(256)  # at once, in this process
_VISIBLE = re.compile(r"[\x21-\x7e]+", re.ASCII)
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)

Resolve = Callable[[str, int], Awaitable[list[str]]]


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A checked address: `path` with its query; `literal` where the host is an IP address rather than a name."""

    scheme: str
    host: str
    port: int
    path: str
    literal: str | None = None


class EgressRefused(OSError):
    """A name resolves to somewhere that may not be called; an OSError, for that is what a connection may raise."""


@lru_cache(maxsize=10_000)
def check_url(url: str, allow: Networks) -> Target:
    """The parts of an address that may be called, or Invalid. Looks nothing up: names are judged by `check_new_url` and
    at connect time."""
    if len(url) > MAX_URL_CHARS:
        raise _refusal(f"At most {MAX_URL_CHARS} characters")
    if not _VISIBLE.fullmatch(url) or "\\" in url:
        raise _refusal("Only visible ASCII characters, without spaces or backslashes; write other names in punycode")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _refusal("Not an address of the form https://host/path") from None
    if parts.scheme not in ("https", "http"):
        raise _refusal("The address must begin with https://")
    if "@" in parts.netloc:
        raise _refusal("No user name or password in the address")
    if port == 0 or parts.netloc.endswith(":"):
        raise _refusal("The port is 1 to 65535, or left out")
    literal = parse_address(host)
    if literal is None:
        _check_name(parts.netloc if "[" in parts.netloc else host)  # [v1.x] is not the name v1.x
    elif not is_reachable(literal, allow):
        raise _refusal("This network may not be called")
    if parts.scheme == "http" and not (is_inside(literal, allow) if literal else allow):
        raise _refusal("The address must begin with https://")
    return Target(
        scheme=parts.scheme,
        host=host,
        port=port or (443 if parts.scheme == "https" else 80),
        path=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        literal=str(literal) if literal else None,
    )


async def check_new_url(url: str, allow: Networks, resolve: Resolve | None = None) -> Target:
    """As `check_url`, and a name must not resolve to anywhere forbidden. One that does not resolve (yet) is accepted:
    it is judged again at every connection."""
    target = check_url(url, allow)
    if target.literal is None:
        try:
            found = await asyncio.wait_for((resolve or _system_resolve)(target.host, target.port), _RESOLVE_S)
            check_resolved(found, allow, plain=target.scheme == "http")
        except EgressRefused:
            raise _refusal("This name leads to a network that may not be called") from None
        except (OSError, TimeoutError, UnicodeError):
            return target
    return target


def check_resolved(addresses: list[str], allow: Networks, *, plain: bool) -> None:
    """EgressRefused where one of a name's addresses is forbidden; for plain http all must be in an allowed network."""
    for text in addresses:
        address = parse_address(text)
        if address is None or not (is_inside(address, allow) if plain else is_reachable(address, allow)):
            raise EgressRefused("the name leads to a network that may not be called")


class PinningResolver(AbstractResolver):
    """Gives aiohttp only addresses that were just judged. (For literal addresses aiohttp asks no resolver: `check_url`
    has judged those.)"""

    def __init__(self, allow: Networks, *, plain: bool, inner: AbstractResolver | None = None) -> None:
        self._allow, self._plain, self._inner = allow, plain, inner or _SystemResolver()

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        check_resolved([one["host"] for one in found], self._allow, plain=self._plain)
        return found

    async def close(self) -> None:
        await self._inner.close()


class _SystemResolver(AbstractResolver):
    """The system's own look-up."""

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:
        flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        return [
            ResolveResult(hostname=host, host=address, port=port, family=found, proto=0, flags=flags)
            for found, address in await _look_up(host, port, family)
        ]

    async def close(self) -> None:
        pass


async def _system_resolve(host: str, port: int) -> list[str]:
    return [address for _, address in await _look_up(host, port, socket.AF_UNSPEC)]


async def _look_up(host: str, port: int, family: int) -> list[tuple[int, str]]:
    """Family and address of each answer; OSError where there is none.

    In a thread of its own: a loop has few for this, and names whose servers are silent would hold them all, half a minute each, while
    others wait. Nobody waits for it when the process ends.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[tuple[int, str]]] = loop.create_future()

    def tell(found: list[tuple[int, str]] | None, error: Exception | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(found or [])

    def work() -> None:
        found, failed = None, None
        try:
            rows = socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
            found = [(int(kind), str(sockaddr[0])) for kind, _, _, _, sockaddr in rows]
        except (OSError, UnicodeError) as error:
            failed = error
        _LOOKUPS.release()
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(tell, found, failed)

    if not _LOOKUPS.acquire(blocking=False):
        raise OSError("too many names are being looked up")
    try:
        threading.Thread(target=work, name="look-up", daemon=True).start()
    except RuntimeError:  # the system gives no more threads
        _LOOKUPS.release()
        raise OSError("too many names are being looked up") from None
    return await answer


def _check_name(host: str) -> None:
    labels = host.split(".")
    if not host or len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise _refusal("The host is a name of labels of 1 to 63 letters, digits and hyphens, or an IP address")
    if _NUMERIC_LABEL.fullmatch(labels[-1]):  # 2852039166, 0xa9fea9fe, 0251.0376.1, 127.1: resolvers read these as IPv4
        raise _refusal("Write an IPv4 address as four decimal numbers")
    if labels[-1] == "localhost":
        raise _refusal("This network may not be called")


def _refusal(message: str) -> Invalid:
    return Invalid("This address cannot be called", errors=[{"field": "url", "message": message}])
