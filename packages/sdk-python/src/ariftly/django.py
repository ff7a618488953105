"""Deliveries received by Django."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from ._receive import VerifyOptions, verify
from .webhooks import Delivered
from .webhooks._received import Secrets

if TYPE_CHECKING:
    from typing_extensions import Unpack


def webhook_view(
    secrets: Secrets, handle: Callable[[Delivered], Any], **options: Unpack[VerifyOptions]
) -> Callable[[HttpRequest], HttpResponse]:
    """A view: `path("ariftly-webhook", webhook_view(secret, handle))`.

    It reads the raw body, before any parser, and needs no CSRF token. Answers 204 when `handle` is done and 401 to requests that we did
    not sign; an error of `handle` is a 500, and the delivery is retried.
    """

    def receive(request: HttpRequest) -> HttpResponse:
        delivered, refusal = verify(request.body, request.headers, secrets, options)
        if delivered is None:
            return HttpResponse(refusal, status=401, content_type="text/plain")
        handle(delivered)
        return HttpResponse(status=204)

    view: Callable[[HttpRequest], HttpResponse] = csrf_exempt(require_POST(receive))
    return view
