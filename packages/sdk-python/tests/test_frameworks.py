"""Receivers of frameworks. Those of Flask and Django run where these are installed: in `npm run test:long`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from ariftly.webhooks import Delivered, sign

SECRET = "a-signing-secret"
PATH = "/ariftly-webhook"
BODY = '{"object":"event","id":"evt_1","type":"session.closed","data":{"session_id":"s","n":1.0}}'

#: Posts to a receiver and answers with the status.
Post = Callable[[str, "dict[str, str]"], int]


def _post_to(app: Any) -> Post:
    """Posts to an ASGI application."""

    async def post(body: str, headers: dict[str, str]) -> int:
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            answer = await client.post(PATH, content=body, headers=headers)
            return int(answer.status_code)

    return lambda body, headers: asyncio.run(post(body, headers))


def _fastapi(handle: Callable[[Delivered], Any]) -> Post:
    from fastapi import FastAPI

    from ariftly.fastapi import webhook_endpoint

    app = FastAPI()
    app.add_route(PATH, webhook_endpoint(SECRET, handle), methods=["POST"])
    return _post_to(app)


def _fastapi_coroutine(handle: Callable[[Delivered], Any]) -> Post:
    from fastapi import FastAPI

    from ariftly.fastapi import webhook_endpoint

    async def handle_async(delivered: Delivered) -> None:
        await asyncio.sleep(0)
        handle(delivered)

    app = FastAPI()
    app.add_route(PATH, webhook_endpoint([SECRET, "former"], handle_async), methods=["POST"])
    return _post_to(app)


def _fastapi_dependency(handle: Callable[[Delivered], Any]) -> Post:
    from fastapi import Depends, FastAPI

    from ariftly.fastapi import webhook_delivery

    app = FastAPI()

    def receive(delivered: Delivered = Depends(webhook_delivery(SECRET))) -> None:  # noqa: B008
        handle(delivered)

    # Here, names of annotations are those of the module.
    app.post(PATH, status_code=204)(receive)
    return _post_to(app)


def _flask(handle: Callable[[Delivered], Any]) -> Post:
    flask = pytest.importorskip("flask")
    from ariftly.flask import webhook_view

    app = flask.Flask("test")
    app.post(PATH)(webhook_view(SECRET, handle))
    return lambda body, headers: int(app.test_client().post(PATH, data=body, headers=headers).status_code)


def _django(handle: Callable[[Delivered], Any]) -> Post:
    django = pytest.importorskip("django")
    from django.conf import settings
    from django.test import Client
    from django.urls import path

    if not settings.configured:
        settings.configure(
            ROOT_URLCONF=(), ALLOWED_HOSTS=["*"], MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"]
        )
        django.setup()
    from django.test.utils import override_settings

    from ariftly.django import webhook_view

    urls = (path(PATH[1:], webhook_view(SECRET, handle)),)

    def post(body: str, headers: dict[str, str]) -> int:
        with override_settings(ROOT_URLCONF=urls):
            client = Client(raise_request_exception=False, enforce_csrf_checks=True)
            answer = client.post(PATH, body, content_type=headers["content-type"], headers=headers)
            return int(answer.status_code)

    return post


RECEIVERS = [_fastapi, _fastapi_coroutine, _fastapi_dependency, _flask, _django]


@pytest.mark.parametrize("start", RECEIVERS)
def test_hands_over_signed_deliveries_and_refuses_others(start: Callable[[Callable[[Delivered], Any]], Post]) -> None:
    handled: list[Delivered] = []
    post = start(handled.append)
    headers = sign(BODY, SECRET)
    assert post(BODY, headers) == 204
    assert [(each.id, each.raw_data, each.event["type"]) for each in handled] == [
        ("evt_1", '{"session_id":"s","n":1.0}', "session.closed")
    ]
    assert post(f"{BODY} ", headers) == 401
    assert post(BODY, {"content-type": "application/json"}) == 401
    assert len(handled) == 1


@pytest.mark.parametrize("start", RECEIVERS)
def test_answers_500_when_the_handler_fails_so_that_the_delivery_is_retried(
    start: Callable[[Callable[[Delivered], Any]], Post],
) -> None:
    def fail(_: Delivered) -> None:
        raise RuntimeError("the database is down")

    assert start(fail)(BODY, sign(BODY, SECRET)) == 500
