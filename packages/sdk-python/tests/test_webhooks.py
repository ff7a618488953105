"""Verification of deliveries, beyond the contract's cases."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import pytest

from ariftly import Ariftly
from ariftly.webhooks import WebhookVerificationError, explain, sign, unwrap

ID = "evt_01m88y3fz3eeksq399rkr6wnx3"
BODY = (
    f'{{"object":"event","id":"{ID}","type":"task.progress","created_at":"2026-11-25T08:45:37.123Z","task_id":"t",'
    '"agent":null,"session_id":null,"data":{"task_id":"t","message":"Größe","n":1.0}}'
)
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
OTHER = "your-signing-secret"
NOW = int(time.time())


class Headers:
    """As those of werkzeug: no Mapping, and iterated as pairs."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._pairs = list(pairs)

    def items(self) -> Iterable[tuple[str, str]]:
        return self._pairs

    def __iter__(self) -> Any:
        return iter(self._pairs)


@pytest.mark.parametrize("body", [BODY, BODY.encode(), bytearray(BODY.encode()), memoryview(BODY.encode())])
def test_takes_every_form_of_body(body: Any) -> None:
    delivered = unwrap(body, {**sign(BODY, [OTHER, SECRET]), "X-Ariftly-Webhook-Id": "whk_1"}, [SECRET])
    assert delivered.id == ID
    assert delivered.webhook_id == "whk_1"
    assert delivered.event["type"] == "task.progress"
    assert delivered.raw_data == '{"task_id":"t","message":"Größe","n":1.0}'


def test_takes_every_form_of_headers() -> None:
    headers = sign(BODY, SECRET)
    asgi = [(name.encode(), value.encode()) for name, value in headers.items()]
    upper = {name.upper(): value for name, value in headers.items()}
    given: list[Any] = [headers, upper, list(headers.items()), asgi, Headers(headers.items())]
    assert [unwrap(BODY, each, SECRET).id for each in given] == [ID] * 5


def test_is_a_method_of_the_client_too() -> None:
    with Ariftly(base_url="http://127.0.0.1:1", api_key="key") as client:
        assert client.webhooks.unwrap(BODY, sign(BODY, SECRET), SECRET).id == ID


@pytest.mark.parametrize("secrets", [None, [None], "", [], [""], [SECRET, ""]])
def test_says_that_a_secret_is_missing(secrets: Any) -> None:
    with pytest.raises(TypeError, match="A secret is needed"):
        unwrap(BODY, sign(BODY, SECRET), secrets)


def test_a_parsed_body_is_refused_with_a_message_that_says_how_to_get_the_raw_one() -> None:
    parsed: Any = {"id": ID}
    with pytest.raises(TypeError, match=r"request\.body\(\)"):
        unwrap(parsed, sign(BODY, SECRET), SECRET)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"webhook-timestamp": "1e3"}, "missing_header"),
        ({"webhook-timestamp": str(NOW - 1)}, "no_match"),
        ({"webhook-id": "evt_other"}, "no_match"),
        ({"webhook-signature": "v1,x"}, "no_match"),
        ({"webhook-signature": "v1,\u00e9"}, "no_match"),
    ],
)
def test_refuses(changed: dict[str, str], code: str) -> None:
    with pytest.raises(WebhookVerificationError) as raised:
        unwrap(BODY, {**sign(BODY, SECRET, timestamp=NOW), **changed}, SECRET, now=NOW)
    assert raised.value.code == code


def test_an_error_for_missing_headers_names_allow_untimed() -> None:
    signature = {"x-ariftly-signature": sign(BODY, SECRET)["x-ariftly-signature"]}
    with pytest.raises(WebhookVerificationError, match="allow_untimed"):
        unwrap(BODY, signature, SECRET)
    assert unwrap(BODY, signature, SECRET, allow_untimed=True).id == ID


def test_explain_gives_a_reason_for_each_check() -> None:
    checks = explain(f"{BODY} ", sign(BODY, SECRET, timestamp=NOW - 400), [SECRET, OTHER], now=NOW)
    assert [(check.check, check.result, check.reason) for check in checks] == [
        ("headers", "passed", "all three are there"),
        ("time", "failed", "signed 400 s before now, 300 s are allowed: is the clock right?"),
        ("secrets", "passed", "2 given"),
        ("match", "failed", "no signature fits the body under the 2 secrets"),
        ("headers", "passed", "it is there"),
        ("match", "failed", "no signature fits the body under the 2 secrets"),
    ]
