"""The journal's hash chain: each entry carries the hash of the one before it on the same aggregate.

The chain covers a salted digest of the payload, so a payload can be erased (privacy law) without breaking it.
Heads are signed at intervals over a rolling digest of all entries, so that nobody can rewrite or cut the whole journal unseen.
"""

import hashlib

import msgspec

GENESIS = bytes(32)


class JournalRow(msgspec.Struct, frozen=True, gc=False):
    """One entry. `topic` None: it is not published. `partitions`: where it is published, all of them for a broadcast."""

    kind: str
    tenant: str
    subject: str
    version: int
    n: int
    type: str
    meta: bytes  # JSON of shared.events.envelope.Meta
    data: bytes | None  # None once erased
    salt: bytes
    digest: bytes
    hash: bytes
    topic: str | None = None
    partitions: tuple[int, ...] = ()
    key: str | None = None  # of compacted topics: the aggregate with its kind, for a release and its marker bear one id


class SignedHead(msgspec.Struct, frozen=True):
    """The rolling digest over all journal entries up to `seq`, signed with Ed25519."""

    seq: int
    digest: bytes
    signature: bytes
    signed_at: str


def payload_digest(salt: bytes, data: bytes) -> bytes:
    """What stands for the payload in the chain."""
    return hashlib.sha256(salt + data).digest()


def link(previous: bytes, meta: bytes, digest: bytes) -> bytes:
    """The hash of an entry, given that of the one before it."""
    return hashlib.sha256((previous or GENESIS) + digest + meta).digest()


def roll(digest: bytes, entry_hash: bytes) -> bytes:
    """The rolling digest one entry further."""
    return hashlib.sha256(digest + entry_hash).digest()


def head_statement(store: str, seq: int, digest: bytes, signed_at: str) -> bytes:
    """The bytes that a signature of a head covers."""
    return f"duewatch-journal-head-v1\n{store}\n{seq}\n{digest.hex()}\n{signed_at}".encode()
