"""Tokens of an external OpenID Connect issuer: verified here, issued there."""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key

from shared.errors import Conflict, Unauthenticated, Unavailable
from shared.security.roles import Principal
from shared.security.tokens import KeysNeeded, Verifier, principal_of

# No HMAC: a verifier that also took a shared secret could be given the public key as that secret.
ALGORITHMS = ("RS256", "PS256", "ES256", "Ed25519")
_FETCH_S = 5.0
_MAX_KEY_SET_BYTES = 262_144
_RSA_CHARS = 342  # of a modulus of 2048 bits in base64: the least there may be (RFC 7518, 3.3)
_KEYS_FRESH_S = 3_600.0
_REMEMBERED_S = 300.0  # then a token's signature is checked again, for its key may have been withdrawn
_ASK_AGAIN_S = 30.0  # however many tokens name unknown keys, the issuer is asked this seldom


class OidcSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where tokens come from. `keys` is a JWKS file's path or an http(s) address; claims may be dotted paths
    (`realm_access.roles`), roles a list or a text parted by spaces; `role_names` maps the issuer's role names to ours, names that are neither are ignored.
    """

    issuer: str
    audience: str
    keys: str
    tenant_claim: str = "tenant"
    roles_claim: str = "roles"
    role_names: Mapping[str, str] = {}
    algorithms: tuple[str, ...] = ALGORITHMS


class ExternalIssuer:
    """Verifies an external issuer's tokens by its published keys, fetched when a token first needs them."""

    def __init__(self, settings: OidcSettings, *, clock: Callable[[], float] = time.time) -> None:
        if not set(settings.algorithms) <= set(ALGORITHMS):
            raise ValueError("Algorithms of an external issuer: some of " + ", ".join(ALGORITHMS))
        self._settings, self._clock = settings, clock
        self._keys: dict[str, Key] = {}
        self._fetched = self._asked = float("-inf")
        self._fetching = asyncio.Lock()
        self._verifier = Verifier(
            issuer=settings.issuer,
            audience=settings.audience,
            algorithms=settings.algorithms,
            find_key=self._find_key,
            read_principal=self._principal,
            clock=clock,
            leeway_s=30.0,  # two machines' clocks
            remember_s=_REMEMBERED_S,
        )

    def verify(self, token: str) -> Principal:
        return self._verifier.verify(token)

    def issue(self, by: Principal, *, roles: Collection[str], subject: str, tenant: str, ttl_s: int) -> str:
        raise Conflict("Tokens come from the configured identity provider; ask there")

    async def refresh(self) -> None:
        """Fetches the key set, at most every 30 seconds; a failed fetch keeps the keys that are known."""
        async with self._fetching:
            if self._clock() - self._asked < _ASK_AGAIN_S:
                if not self._keys:
                    raise Unavailable(_NO_KEYS)
                return
            self._asked = self._clock()
            try:
                self._keys = _keys_of(await _read(self._settings.keys))
                self._fetched = self._clock()
            except (OSError, aiohttp.ClientError, TimeoutError, ValueError, JoseError) as error:
                if not self._keys:
                    raise Unavailable(_NO_KEYS) from error

    def _find_key(self, key_id: str) -> Key:
        if not self._keys:
            raise KeysNeeded
        now = self._clock()
        stale = key_id not in self._keys or now - self._fetched > _KEYS_FRESH_S
        if stale and now - self._asked >= _ASK_AGAIN_S:
            raise KeysNeeded
        if key_id not in self._keys:
            raise Unauthenticated
        return self._keys[key_id]

    def _principal(self, claims: Mapping[str, Any]) -> Principal:
        roles = _at(claims, self._settings.roles_claim)
        names = self._settings.role_names
        if isinstance(roles, str):
            roles = roles.split()
        if isinstance(roles, list):
            roles = [names.get(role, role) for role in roles if isinstance(role, str)]
        return principal_of(claims.get("sub"), _at(claims, self._settings.tenant_claim), roles)


_NO_KEYS = "The identity provider's keys cannot be read for the moment"


def _at(claims: Mapping[str, Any], path: str) -> Any:
    if path in claims:  # a name that is an address has full stops of its own
        return claims[path]
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


async def _read(place: str) -> bytes:
    if not place.startswith(("https://", "http://")):
        return await asyncio.to_thread(Path(place).read_bytes)
    limit = aiohttp.ClientTimeout(total=_FETCH_S)
    async with aiohttp.ClientSession(timeout=limit) as session, session.get(place, allow_redirects=False) as answer:
        if answer.status != 200:
            raise OSError("the key set's address did not answer 200")
        content = bytearray()
        async for chunk in answer.content.iter_chunked(65_536):
            content += chunk
            if len(content) > _MAX_KEY_SET_BYTES:
                raise OSError("the key set is too large")
        return bytes(content)


def _keys_of(content: bytes) -> dict[str, Key]:
    """Signing keys by their id; keys of other kinds, and those without an id, are not for us. ValueError where none is left.

    One key that we cannot read, such as one of a curve that is new to us, never loses the others.
    """
    found = {}
    for entry in _entries(content):
        with contextlib.suppress(JoseError, ValueError, TypeError, KeyError):
            found[entry["kid"]] = JWKRegistry.import_key(entry)
    if not found:
        raise ValueError("no signing key")
    return found


def _entries(content: bytes) -> Iterator[dict[str, Any]]:
    document = json.loads(content)
    entries = document.get("keys") if isinstance(document, dict) else None
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict) or not isinstance(entry.get("kid"), str) or not entry["kid"]:
            continue
        if entry.get("kty") == "RSA" and len(str(entry.get("n", ""))) < _RSA_CHARS:
            continue
        if entry.get("kty") in ("RSA", "EC", "OKP") and entry.get("use", "sig") == "sig":
            yield entry
