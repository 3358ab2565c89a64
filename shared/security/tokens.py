"""Bearer tokens: JWT (RFC 7519) signed with Ed25519 (RFC 8037, algorithm name of RFC 9864), issued and verified here.

One algorithm a key, named in code: a token chooses neither its algorithm nor its key material, only a key id we know.
"""

import hashlib
import json
import math
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeGuard

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key, OKPKey

from shared.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated, Unavailable
from shared.security.keyfiles import read_or_create, write_private
from shared.security.roles import Permission, Principal, Role

MAX_TTL_S = 31_536_000
_KEY_FILE = "token-keys.json"
_MAX_TOKEN_CHARS = 8_192
_END_OF_TIME = 1e12  # seconds; what is more, or no number, is no time
_ROLES = frozenset(Role)
_REMEMBERED = 10_000
_TENANT = re.compile(r"[a-z0-9-]{1,40}", re.ASCII)
_SUBJECT = re.compile(r"[\x21-\x7e]{1,200}", re.ASCII)


class KeysNeeded(Unavailable):
    """The key that a token names is not known yet: `await refresh()`, then verify once more."""


class Tokens(Protocol):
    """What the HTTP edge needs: verify every call, issue some."""

    def verify(self, token: str) -> Principal:
        """Who it is; Unauthenticated where the token is not valid now, KeysNeeded where keys must be fetched first."""
        ...

    async def refresh(self) -> None:
        """Fetches the issuer's keys where there are newer ones; Unavailable where it cannot be reached."""
        ...

    def issue(self, by: Principal, *, roles: Collection[str], subject: str, tenant: str, ttl_s: int) -> str:
        """A new token; Forbidden, Invalid, or Conflict where another system issues them."""
        ...


class Remembered:
    """Verified tokens by their SHA-256 until they expire, least recently used out first: the gate verifies thousands a
    second. Holds no token, so a memory dump gives none away. For one thread (an event loop) only.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: OrderedDict[bytes, tuple[Principal, float]] = OrderedDict()

    def get(self, digest: bytes) -> Principal | None:
        found = self._known.get(digest)
        if found is None:
            return None
        if self._clock() >= found[1]:
            del self._known[digest]
            return None
        self._known.move_to_end(digest)
        return found[0]

    def put(self, digest: bytes, principal: Principal, expires: float) -> None:
        self._known[digest] = (principal, expires)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)


class Verifier:
    """Checks signature, issuer, audience and times of tokens, by keys that `find_key(key id)` gives."""

    def __init__(
        self,
        *,
        issuer: str,
        audience: str,
        algorithms: Collection[str],
        find_key: Callable[[str], Key],
        read_principal: Callable[[Mapping[str, Any]], Principal],
        clock: Callable[[], float],
        leeway_s: float = 0.0,
        remember_s: float = math.inf,
    ) -> None:
        self._issuer, self._audience, self._algorithms = issuer, audience, list(algorithms)
        self._find_key, self._read_principal, self._clock, self._leeway = find_key, read_principal, clock, leeway_s
        self._remember_s = remember_s
        self._remembered = Remembered(clock)

    def verify(self, token: str) -> Principal:
        if len(token) > _MAX_TOKEN_CHARS or not token.isascii():
            raise Unauthenticated
        digest = hashlib.sha256(token.encode()).digest()
        known = self._remembered.get(digest)
        if known is not None:
            return known
        try:
            claims = jwt.decode(token, self._key, algorithms=self._algorithms).claims
        except (JoseError, ValueError, TypeError, RecursionError):  # what joserfc raises on hostile input, too
            raise Unauthenticated from None
        expires = self._check_times_and_parties(claims)
        principal = self._read_principal(claims)
        self._remembered.put(digest, principal, min(expires, self._clock() + self._remember_s))
        return principal

    def _key(self, signature: Any) -> Key:
        key_id = signature.headers().get("kid")
        if not isinstance(key_id, str):
            raise Unauthenticated
        return self._find_key(key_id)

    def _check_times_and_parties(self, claims: Mapping[str, Any]) -> float:
        now, expires, issued = self._clock(), claims.get("exp"), claims.get("iat")
        valid_from, audience = claims.get("nbf", 0), claims.get("aud")
        if not (_is_time(expires) and _is_time(issued) and _is_time(valid_from)):
            raise Unauthenticated
        early, late = now + max(self._leeway, 5.0), now - self._leeway
        right_audience = self._audience in audience if isinstance(audience, list) else audience == self._audience
        if late >= expires or issued > early or valid_from > early or claims.get("iss") != self._issuer:
            raise Unauthenticated
        if not right_audience:
            raise Unauthenticated
        return float(expires) + self._leeway


class LocalIssuer:
    """Issues and verifies tokens by a key of its own, made at first start in `folder` (a JWK set of mode 0600).

    The first key of the set signs, all verify: a new key goes in front, an old one leaves when its tokens have expired (`rotate`).
    """

    def __init__(
        self,
        folder: Path,
        *,
        clock: Callable[[], float] = time.time,
        issuer: str = "duewatch",
        audience: str = "duewatch",
    ) -> None:
        self._keys = _keys_in(read_or_create(folder / _KEY_FILE, _new_key_set))
        self._signing = next(iter(self._keys))
        self._issuer, self._audience, self._clock = issuer, audience, clock
        self._verifier = Verifier(
            issuer=issuer,
            audience=audience,
            algorithms=["Ed25519"],
            find_key=self._find_key,
            read_principal=lambda claims: principal_of(claims["sub"], claims["tenant"], claims["roles"]),
            clock=clock,
        )

    def verify(self, token: str) -> Principal:
        return self._verifier.verify(token)

    async def refresh(self) -> None:
        """Nothing to fetch: all keys are here."""

    def issue(self, by: Principal, *, roles: Collection[str], subject: str, tenant: str, ttl_s: int) -> str:
        """A token for somebody: by an operator for any tenant and role, by an admin for the own tenant, never operator."""
        if not by.may(Permission.TOKENS_ISSUE):
            raise Forbidden
        principal = checked_principal(roles, subject, tenant, ttl_s)
        if Role.OPERATOR not in by.roles and (tenant != by.tenant or Role.OPERATOR in principal.roles):
            raise Forbidden("An admin issues tokens of the own tenant only, and no operator's")
        return self.mint(principal, ttl_s)

    def mint(self, principal: Principal, ttl_s: int) -> str:
        """A token without asking who wants it: for the runtime's first start. `ttl_s` seconds, counted from the next
        full second, since expiry is a whole number."""
        now = self._clock()
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": principal.subject,
            "tenant": principal.tenant,
            "roles": sorted(principal.roles),
            "iat": int(now),
            "exp": math.ceil(now) + ttl_s,
        }
        key = self._keys[self._signing]
        return jwt.encode({"alg": "Ed25519", "kid": self._signing}, claims, key, algorithms=["Ed25519"])

    def _find_key(self, key_id: str) -> Key:
        if key_id not in self._keys:
            raise Unauthenticated
        return self._keys[key_id]


def checked_principal(roles: Collection[str], subject: str, tenant: str, ttl_s: int) -> Principal:
    """The principal to be issued, or Invalid with every fault named."""
    faults = []
    if not roles or not {str(role) for role in roles} <= _ROLES:
        faults.append({"field": "roles", "message": "Name one or more of: " + ", ".join(sorted(Role))})
    if not _SUBJECT.fullmatch(subject):
        faults.append({"field": "subject", "message": "1 to 200 printable ASCII characters without spaces"})
    if not _TENANT.fullmatch(tenant) or tenant == "public":
        faults.append({"field": "tenant", "message": "1 to 40 of a-z, 0-9 and -; public is reserved"})
    if isinstance(ttl_s, bool) or not 1 <= ttl_s <= MAX_TTL_S:
        faults.append({"field": "ttl_s", "message": f"1 to {MAX_TTL_S} seconds"})
    if faults:
        raise Invalid("This token cannot be issued", errors=faults)
    return Principal(subject=subject, tenant=tenant, roles=frozenset(Role(role) for role in roles))


def principal_of(subject: Any, tenant: Any, roles: Any) -> Principal:
    """The principal of a token's claims; Unauthenticated where they are not of our shape, or name no role of ours."""
    if not isinstance(subject, str) or not isinstance(tenant, str) or not isinstance(roles, list):
        raise Unauthenticated
    known = frozenset(Role(role) for role in roles if isinstance(role, str) and role in _ROLES)
    if not known or not _SUBJECT.fullmatch(subject) or not _TENANT.fullmatch(tenant) or tenant == "public":
        raise Unauthenticated
    return Principal(subject=subject, tenant=tenant, roles=known)


def rotate(folder: Path, *, forget: bool) -> None:
    """Puts a new key in front of a local issuer's, from its next start on; `forget` drops the others, which ends all their tokens.

    NotFound where there are no keys yet.
    """
    path = folder / _KEY_FILE
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise NotFound("There are no keys in this data folder; the first start makes them") from None
    old = [] if forget else [{**key.as_dict(private=True), "kid": kid} for kid, key in _keys_in(content).items()]
    write_private(path, json.dumps({"keys": [*json.loads(_new_key_set())["keys"], *old]}).encode())


def _keys_in(content: bytes) -> dict[str, OKPKey]:
    try:
        found = {key["kid"]: OKPKey.import_key(key) for key in json.loads(content)["keys"]}
    except (JoseError, ValueError, TypeError, LookupError):
        found = {}
    if not found:
        raise Conflict("The file keys/token-keys.json of the data folder is damaged: restore it, or take it away, which ends every token")
    return found


def _is_time(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _END_OF_TIME


def _new_key_set() -> bytes:
    key = OKPKey.generate_key("Ed25519")
    return json.dumps({"keys": [{**key.as_dict(private=True), "kid": key.thumbprint()}]}).encode()
