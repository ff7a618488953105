"""Deliveries received by FastAPI, or by Starlette alone."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from ._receive import VerifyOptions, verify
from .webhooks import Delivered
from .webhooks._received import Secrets

if TYPE_CHECKING:
    from typing_extensions import Unpack


def webhook_endpoint(
    secrets: Secrets, handle: Callable[[Delivered], Any], **options: Unpack[VerifyOptions]
) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint: `app.add_route("/ariftly-webhook", webhook_endpoint(secret, handle), methods=["POST"])`.

    It reads the raw body, before any parser. `handle` may be a coroutine function; a plain one must not block. Answers 204 when it is
    done and 401 to requests that we did not sign; an error of `handle` is a 500, and the delivery is retried.
    """

    async def receive(request: Request) -> Response:
        delivered, refusal = verify(await request.body(), request.headers, secrets, options)
        if delivered is None:
            return Response(refusal, status_code=401, media_type="text/plain")
        result = handle(delivered)
        if inspect.isawaitable(result):
            await result
        return Response(status_code=204)

    return receive


def webhook_delivery(secrets: Secrets, **options: Unpack[VerifyOptions]) -> Callable[[Request], Awaitable[Delivered]]:
    """A dependency: `def receive(delivered: Annotated[Delivered, Depends(webhook_delivery(secret))])`.

    Requests that we did not sign are answered with 401.
    """
    from starlette.exceptions import HTTPException

    async def delivery(request: Request) -> Delivered:
        delivered, refusal = verify(await request.body(), request.headers, secrets, options)
        if delivered is None:
            raise HTTPException(401, refusal)
        return delivered

    return delivery
