"""Signatures of outgoing webhooks, as the Standard Webhooks specification 1.0 has them, so that any of its libraries verifies."""

import base64
import binascii
import hashlib
import hmac
import secrets as random
from collections.abc import Sequence

from shared.errors import Invalid

_PREFIX = "whsec_"


def new_secret() -> str:
    """A fresh signing secret: `whsec_` and 32 random bytes in base64."""
    return _PREFIX + base64.b64encode(random.token_bytes(32)).decode()


def sign(secrets: Sequence[str], *, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers of a delivery; `timestamp` in Unix seconds.

    Several secrets (the new one first) give several signatures, so that a subscriber can change theirs without a gap.
    """
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    signatures = (hmac.digest(_key(secret), signed, hashlib.sha256) for secret in secrets)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join("v1," + base64.b64encode(signature).decode() for signature in signatures),
    }


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(_PREFIX) or not 24 <= len(key) <= 64:
        raise Invalid("A webhook secret is `whsec_` and 24 to 64 bytes in base64")
    return key
