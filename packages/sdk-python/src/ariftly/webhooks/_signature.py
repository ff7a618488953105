"""Signatures of deliveries."""

from __future__ import annotations

import base64
import hashlib
import hmac

_PREFIX = "whsec_"


def trio_signature(secret: str, id: str, timestamp: int | str, body: bytes) -> str:
    """HMAC-SHA256 of `id.timestamp.body` in base64, as Standard Webhooks says (1.0, "Signature scheme: symmetric")."""
    signed = f"{id}.{timestamp}.".encode() + body
    digest = hmac.new(trio_key(secret), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def body_signature(secret: str, body: bytes) -> str:
    """`sha256=<hex>` of the body under the whole secret as shown."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def are_equal(a: str, b: str) -> bool:
    """Whether two texts are equal, in constant time."""
    return hmac.compare_digest(a.encode("utf-8", "replace"), b.encode("utf-8", "replace"))


def trio_key(secret: str) -> bytes:
    """After `whsec_` the key is base64, else ValueError; any other secret is its UTF-8 bytes."""
    if not secret.startswith(_PREFIX):
        return secret.encode()
    text = secret[len(_PREFIX) :]
    # As browsers' `atob` takes it: the padding may be left out.
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
