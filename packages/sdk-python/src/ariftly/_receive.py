"""What receivers of all frameworks do with a delivery."""

from __future__ import annotations

from typing import TypedDict

from .webhooks import Delivered, WebhookVerificationError, unwrap
from .webhooks._received import ReceivedHeaders, Secrets


class VerifyOptions(TypedDict, total=False):
    """How strict a receiver is; see `unwrap`."""

    tolerance: float
    allow_untimed: bool


def verify(
    raw_body: bytes, headers: ReceivedHeaders, secrets: Secrets, options: VerifyOptions
) -> tuple[Delivered | None, str]:
    """The delivery, or None and what to answer with 401."""
    try:
        return unwrap(raw_body, headers, secrets, **options), ""
    except WebhookVerificationError as error:
        return None, str(error)
