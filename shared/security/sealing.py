"""Sealed fields: what must not be readable on disk, nor after its key is erased.

AES-256-GCM with a fresh key per record (NIST SP 800-38D), that key wrapped by a master key behind a port: a file at
first, a key management service later. Erasing the wrapped key erases the record, in every backup of it, too.
"""

import os
from pathlib import Path
from typing import Protocol

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.errors import DuewatchError, NotFound
from shared.security.keyfiles import read_or_create

_KEY_BYTES = 32
_NONCE_BYTES = 12


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """A sealed record: the wrapped data key (empty once erased), the nonce and the ciphertext with its tag."""

    key: bytes
    nonce: bytes
    text: bytes


class MasterKey(Protocol):
    """Wraps data keys (32 bytes); `context` must be the same when unwrapping. Raises InvalidTag where it is not."""

    def wrap(self, key: bytes, context: bytes) -> bytes: ...
    def unwrap(self, wrapped: bytes, context: bytes) -> bytes: ...


class FileMasterKey:
    """A master key in a file of mode 0600, made at first use. Whoever loses the file loses every sealed record."""

    def __init__(self, path: Path) -> None:
        key = read_or_create(path, lambda: AESGCM.generate_key(_KEY_BYTES * 8))
        if len(key) != _KEY_BYTES:
            raise DuewatchError("The master key file must hold exactly 32 bytes; restore it from your backup")
        self._cipher = AESGCM(key)

    def wrap(self, key: bytes, context: bytes) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, key, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        return self._cipher.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], context)


class Sealer:
    """Seals and opens records under one master key."""

    def __init__(self, master: MasterKey) -> None:
        self._master = master

    def seal(self, plaintext: bytes, *, context: str) -> Sealed:
        """`context` says which record and field this is (`tenant/report/ID/text`): moved elsewhere it does not open."""
        bound, key, nonce = context.encode(), AESGCM.generate_key(_KEY_BYTES * 8), os.urandom(_NONCE_BYTES)
        return Sealed(key=self._master.wrap(key, bound), nonce=nonce, text=AESGCM(key).encrypt(nonce, plaintext, bound))

    def open(self, sealed: Sealed, *, context: str) -> bytes:
        """The plaintext. NotFound once erased; DuewatchError where record, key or context were changed."""
        if not sealed.key:
            raise NotFound("This was erased; it cannot be read any more")
        bound = context.encode()
        try:
            return AESGCM(self._master.unwrap(sealed.key, bound)).decrypt(sealed.nonce, sealed.text, bound)
        except (InvalidTag, ValueError) as error:
            raise DuewatchError("A sealed record does not open: it, its key or its place was changed") from error


def erase(sealed: Sealed) -> Sealed:
    """The record without its key: nobody can open it again (GDPR art. 17), while its digest still holds its place."""
    return msgspec.structs.replace(sealed, key=b"")
