"""Identifiers: derived ones, equal for equal causes, and new ones that sort by time."""

import hashlib
import os
import time
from typing import Protocol

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, lower case
_SALTS = 256


def derive(prefix: str, *parts: str) -> str:
    """The same id for the same parts, on every machine: an effect repeated after a crash has the id it had before."""
    return f"{prefix}_{hashlib.sha256(chr(31).join(parts).encode()).hexdigest()[:26]}"


class Ids(Protocol):
    """Where new ids and salts come from; a simulation brings its own."""

    def new(self, prefix: str) -> str:
        """A new id, later ones sorting after earlier ones."""
        ...

    def salt(self) -> bytes:
        """16 random bytes."""
        ...


class RandomIds:
    """48 bits of milliseconds, 80 random bits, as in ULID. For one thread: salts are drawn many at a time, one by one they cost a system call each."""

    def __init__(self) -> None:
        self._salts: list[bytes] = []

    def new(self, prefix: str) -> str:
        number = (int(time.time() * 1000) << 80) | int.from_bytes(os.urandom(10), "big")
        return f"{prefix}_{''.join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))}"

    def salt(self) -> bytes:
        if not self._salts:
            drawn = os.urandom(16 * _SALTS)
            self._salts = [drawn[at : at + 16] for at in range(0, len(drawn), 16)]
        return self._salts.pop()
