"""Verification of webhooks: `from ariftly.webhooks import unwrap`."""

from ._checks import WebhookCheck
from ._sign import sign
from ._unwrap import Delivered, WebhookVerificationError, explain, unwrap

__all__ = ["Delivered", "WebhookCheck", "WebhookVerificationError", "explain", "sign", "unwrap"]
