"""The steps of the verification of a delivery."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

from ._received import Received
from ._signature import are_equal, body_signature, trio_key, trio_signature

_SIGNED_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")


class WebhookCheck(NamedTuple):
    """One step of the verification of a delivery."""

    #: `standard`: the `webhook-*` headers of Standard Webhooks. `untimed`: `X-Ariftly-Signature`, which says nothing about age.
    signature: Literal["standard", "untimed"]
    #: `headers`: they are there and readable. `time`: it was signed at most `tolerance` seconds from now. `secrets`: each can
    #: be a key. `match`: a signature fits the body under one of the secrets.
    check: Literal["headers", "time", "secrets", "match"]
    #: `skipped`: an earlier check of the same signature, whose result this one needs, has failed.
    result: Literal["passed", "failed", "skipped"]
    #: Why, in a few words.
    reason: str


def standard_checks(received: Received) -> Iterator[WebhookCheck]:
    """Checks the `webhook-*` headers, in the order in which `unwrap` stops at a failure."""
    headers, secrets = received.headers, received.secrets
    id, timestamp, signatures = (headers.get(name, "") for name in _SIGNED_HEADERS)
    missing = [name for name in _SIGNED_HEADERS if not headers.get(name)]
    are_readable = not missing and re.fullmatch(r"[0-9]{1,15}", timestamp) is not None
    if missing:
        yield WebhookCheck("standard", "headers", "failed", f"{', '.join(missing)} missing")
    elif are_readable:
        yield WebhookCheck("standard", "headers", "passed", "all three are there")
    else:
        yield WebhookCheck("standard", "headers", "failed", "webhook-timestamp is not a number of seconds")

    if are_readable:
        yield _time_check(int(timestamp) - received.now, received.tolerance)
    else:
        yield WebhookCheck("standard", "time", "skipped", "no time is known")

    unusable = next((at for at, secret in enumerate(secrets) if not _can_be_key(secret)), None)
    if unusable is None:
        yield WebhookCheck("standard", "secrets", "passed", f"{len(secrets)} given")
    else:
        reason = f"after whsec_, secret {unusable + 1} of {len(secrets)} is not base64"
        yield WebhookCheck("standard", "secrets", "failed", reason)

    if not are_readable or unusable is not None:
        reason = "a secret is no key" if are_readable else "the headers are not readable"
        yield WebhookCheck("standard", "match", "skipped", reason)
        return
    matched = _first_match(
        secrets, signatures.split(" "), lambda secret: trio_signature(secret, id, timestamp, received.body)
    )
    yield _match_check("standard", matched, len(secrets))


def untimed_checks(received: Received) -> Iterator[WebhookCheck]:
    """Checks `X-Ariftly-Signature`."""
    signature = received.headers.get("x-ariftly-signature")
    if not signature:
        yield WebhookCheck("untimed", "headers", "failed", "x-ariftly-signature missing")
        yield WebhookCheck("untimed", "match", "skipped", "there is no signature")
        return
    yield WebhookCheck("untimed", "headers", "passed", "it is there")
    matched = _first_match(received.secrets, [signature], lambda secret: body_signature(secret, received.body))
    yield _match_check("untimed", matched, len(received.secrets))


def _time_check(ahead: float, tolerance: float) -> WebhookCheck:
    side = "after" if ahead > 0 else "before"
    reason = f"signed {abs(ahead):g} s {side} now, {tolerance:g} s are allowed"
    if abs(ahead) <= tolerance:
        return WebhookCheck("standard", "time", "passed", reason)
    return WebhookCheck("standard", "time", "failed", f"{reason}: is the clock right?")


def _match_check(signature: Literal["standard", "untimed"], matched: int | None, secrets: int) -> WebhookCheck:
    if matched is not None:
        return WebhookCheck(signature, "match", "passed", f"fits the body under secret {matched + 1} of {secrets}")
    under = "the secret" if secrets == 1 else f"the {secrets} secrets"
    return WebhookCheck(signature, "match", "failed", f"no signature fits the body under {under}")


def _first_match(secrets: Sequence[str], given: Sequence[str], sign: Callable[[str], str]) -> int | None:
    """Index of the first secret under which one of the signatures fits. All are tried, so that the time does not reveal which fits."""
    matched: int | None = None
    for at, secret in enumerate(secrets):
        expected = sign(secret)
        for signature in given:
            if are_equal(signature, expected) and matched is None:
                matched = at
    return matched


def _can_be_key(secret: str) -> bool:
    try:
        return len(trio_key(secret)) > 0
    except ValueError:
        return False
