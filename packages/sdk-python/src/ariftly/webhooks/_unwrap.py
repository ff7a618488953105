"""`unwrap` and `explain`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from .._errors import AriftlyError
from ..types import Event
from ._checks import WebhookCheck, standard_checks, untimed_checks
from ._received import ReceivedHeaders, Secrets, read_received

_DATA = ',"data":'
_CODES: Mapping[str, str] = {
    "headers": "missing_header",
    "time": "timestamp_out_of_range",
    "secrets": "invalid_secret",
    "match": "no_match",
}


@dataclass(frozen=True)
class Delivered:
    """A delivery that was verified."""

    event: Event
    #: The same at every attempt, redelivery and replay: handle each once.
    id: str
    #: Which webhook sent it.
    webhook_id: str | None
    #: The posted `data` as JSON text: numbers are not rounded.
    raw_data: str


class WebhookVerificationError(AriftlyError):
    """The request is not what we signed, or cannot be known to be: answer 401.

    `code` is `missing_header`, `timestamp_out_of_range`, `invalid_secret` or `no_match`.
    """


def unwrap(
    raw_body: bytes | str,
    headers: ReceivedHeaders,
    secrets: Secrets,
    *,
    tolerance: float = 300,
    now: float | None = None,
    allow_untimed: bool = False,
) -> Delivered:
    """Verifies a delivery and returns its event.

    `raw_body` is the received body, before any parser; `secrets` is the secret, or all valid ones during a rotation. Verifies the
    `webhook-*` headers, whose time is at most `tolerance` seconds from now (`now`: Unix seconds), either way.

    `allow_untimed` takes `X-Ariftly-Signature` where they are missing, as behind a proxy that drops them. That signature has no
    time in it, so who has seen one delivery can send it again at any later time.

    Raises WebhookVerificationError at the first failed check: `explain` lists them all.
    """
    received = read_received(raw_body, headers, secrets, tolerance=tolerance, now=now)
    has_untimed = "x-ariftly-signature" in received.headers
    is_untimed = allow_untimed and "webhook-signature" not in received.headers
    for check in untimed_checks(received) if is_untimed else standard_checks(received):
        if check.result == "failed":
            raise _failure_of(check, has_untimed and not is_untimed)
    text = received.body.decode()
    event = cast(Event, json.loads(text))
    return Delivered(
        event=event,
        id=received.headers.get("webhook-id", event["id"]),
        webhook_id=received.headers.get("x-ariftly-webhook-id"),
        raw_data=raw_data_of(text),
    )


def explain(
    raw_body: bytes | str,
    headers: ReceivedHeaders,
    secrets: Secrets,
    *,
    tolerance: float = 300,
    now: float | None = None,
) -> list[WebhookCheck]:
    """Every check of both signatures with its result and its reason, for finding out why `unwrap` refuses a delivery, or would.

    Raises TypeError for a body that was parsed, and without a secret.
    """
    received = read_received(raw_body, headers, secrets, tolerance=tolerance, now=now)
    return [*standard_checks(received), *untimed_checks(received)]


def raw_data_of(event: str) -> str:
    """The payload in the text of an event: `data` is its last member, and none before it can hold a quote."""
    return event.partition(_DATA)[2][:-1]


def _failure_of(check: WebhookCheck, has_untimed: bool) -> WebhookVerificationError:
    hint = " X-Ariftly-Signature alone is taken with allow_untimed." if check.check == "headers" and has_untimed else ""
    return WebhookVerificationError(_CODES[check.check], f"The delivery cannot be verified: {check.reason}.{hint}")
