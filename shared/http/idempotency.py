"""Repeated and conditional requests: `Idempotency-Key` on POST, `If-Match` and `ETag` on changes (RFC 9110, 13.1.1)."""

import contextlib
import hashlib
import json
import re
from typing import Annotated

import msgspec
from fastapi import Depends, Header, Request

from shared.errors import Malformed, PreconditionFailed

_KEY = re.compile(r"[\x20-\x7e]{1,200}", re.ASCII)
_ENTITY_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"', re.ASCII)
_VERSION = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)


class Idempotency(msgspec.Struct, frozen=True):
    """A client's key for a command, and the digest of what it asked: the same key with another digest is a conflict."""

    key: str
    digest: str


def idempotency_key(value: str | None) -> str | None:
    """The header's key: 1 to 200 printable ASCII characters; None where there is none, else Malformed."""
    if value is not None and not _KEY.fullmatch(value):
        raise Malformed("Idempotency-Key is 1 to 200 printable ASCII characters")
    return value


def request_digest(method: str, path: str, body: bytes) -> str:
    """SHA-256 (hex) of what is asked. JSON counts by its meaning: order of fields and spaces make no other request."""
    with contextlib.suppress(ValueError, RecursionError):  # not JSON: every byte counts
        body = json.dumps(json.loads(body), sort_keys=True, separators=(",", ":")).encode()
    digest = hashlib.sha256()
    for part in (method.encode(), path.encode("utf-8", "surrogateescape"), body):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


async def _idempotency(
    request: Request,
    idempotency_key_header: Annotated[
        str | None, Header(alias="Idempotency-Key", description="a repeat with the same key gives the first answer")
    ] = None,
) -> Idempotency | None:
    key = idempotency_key(idempotency_key_header)
    if key is None:
        return None
    query = request.scope["query_string"].decode("latin-1")
    path = request.scope["path"] + (f"?{query}" if query else "")
    return Idempotency(key, request_digest(request.method, path, await request.body()))


async def _if_match(
    value: Annotated[str | None, Header(alias="If-Match", description="the ETag that was read")] = None,
) -> int | None:
    return if_match(value)


# For routes with a body model; one that streams its body uses `idempotency_key` and digests while it reads.
IdempotencyAsked = Annotated[Idempotency | None, Depends(_idempotency)]
VersionAsked = Annotated[int | None, Depends(_if_match)]


def etag(version: int) -> str:
    """The ETag of an aggregate's version."""
    return f'"{version}"'


def if_match(value: str | None) -> int | None:
    """The version that the caller read; None where any will do (no header, or `*`).

    Malformed unless it is one entity tag; PreconditionFailed for a tag that no version of ours can have: a weak one, or
    one that is no number.
    """
    if value is None or value.strip() == "*":
        return None
    tag = _ENTITY_TAG.fullmatch(value.strip())
    if tag is None:
        raise Malformed('If-Match is one entity tag as it was read, such as "3"')
    if tag[1] or not _VERSION.fullmatch(tag[2]):
        raise PreconditionFailed
    return int(tag[2])
