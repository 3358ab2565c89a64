"""The key that signs journal heads: made at first start, its public half beside it for whoever verifies."""

from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.errors import Invalid
from shared.security.keyfiles import read_or_create


class HeadSigner:
    """Ed25519 (RFC 8032) over `shared.kernel.journal.head_statement`."""

    def __init__(self, folder: Path) -> None:
        raw = read_or_create(folder / "journal-key", lambda: Ed25519PrivateKey.generate().private_bytes_raw())
        self._key = Ed25519PrivateKey.from_private_bytes(raw)
        read_or_create(folder / "journal-key.pub", lambda: self._key.public_key().public_bytes_raw())

    def sign(self, statement: bytes) -> bytes:
        """64 bytes."""
        return self._key.sign(statement)


class HeadVerifier:
    """Needs the public key only; Invalid where the file holds none, FileNotFoundError where there is no file."""

    def __init__(self, folder: Path) -> None:
        try:
            self._key = Ed25519PublicKey.from_public_bytes((folder / "journal-key.pub").read_bytes())
        except ValueError:
            raise Invalid("The file journal-key.pub holds no key; restore it from a backup") from None

    def holds(self, statement: bytes, signature: bytes) -> bool:
        """Is it our signature of this statement?"""
        try:
            self._key.verify(signature, statement)
        except InvalidSignature:
            return False
        return True
