"""Deliveries received by Flask."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import Response, request

from ._receive import VerifyOptions, verify
from .webhooks import Delivered
from .webhooks._received import Secrets

if TYPE_CHECKING:
    from typing_extensions import Unpack


def webhook_view(
    secrets: Secrets, handle: Callable[[Delivered], Any], **options: Unpack[VerifyOptions]
) -> Callable[[], Response]:
    """A view: `app.post("/ariftly-webhook")(webhook_view(secret, handle))`.

    It reads the raw body, before any parser. Answers 204 when `handle` is done and 401 to requests that we did not sign; an error of
    `handle` is a 500, and the delivery is retried.
    """

    def receive() -> Response:
        delivered, refusal = verify(request.get_data(), request.headers, secrets, options)
        if delivered is None:
            return Response(refusal, status=401, mimetype="text/plain")
        handle(delivered)
        return Response(status=204)

    return receive
