"""Signing, for tests of a receiver."""

from __future__ import annotations

import json
import time

from ._received import Secrets
from ._signature import body_signature, trio_signature


def sign(body: str | bytes, secrets: Secrets, *, id: str | None = None, timestamp: int | None = None) -> dict[str, str]:
    """The headers of a delivery, as Ariftly would send them, for tests of a receiver.

    `body` is the event as JSON; `secrets` is one secret, or while one is rotated the old one and then the new one. `id` is that of
    the body by default, and `timestamp` (Unix seconds) now.
    """
    raw = body.encode() if isinstance(body, str) else body
    given = [secrets] if isinstance(secrets, str) else list(secrets)
    at = int(time.time()) if timestamp is None else timestamp
    delivery = str(json.loads(raw)["id"]) if id is None else id
    return {
        "content-type": "application/json",
        "webhook-id": delivery,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(trio_signature(secret, delivery, at, raw) for secret in given),
        "x-ariftly-signature": body_signature(given[0], raw),
    }
