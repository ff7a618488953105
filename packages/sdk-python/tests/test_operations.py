"""A method for each route of the OpenAPI document, in both shells, which sends every parameter of the document."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ariftly import APIStatusError, Ariftly, AsyncAriftly, SendOptions
from contract_server import Asked, ContractServer

DOCUMENT = json.loads((Path(__file__).parents[3] / "schemas" / "openapi.json").read_text())
STREAM = "/v1/events/stream"
EVENT: Any = {"type": "session.closed", "session_id": "s", "data": {}}

#: A client of either shell, and all query parameters of the operation; ids of a path are `one` and `two`.
Method = Callable[[Any, Mapping[str, Any]], Any]

#: The method of each route. A new route needs one: add it to `src/ariftly/_resources`, and a line here.
METHODS: Mapping[str, Method] = {
    "POST /v1/events": lambda client, _: client.events.send(EVENT),
    "GET /v1/events": lambda client, query: client.events.list(**query),
    "GET /v1/events/{id}": lambda client, query: client.events.get("one", **query),
    "POST /v1/stream-tokens": lambda client, _: client.stream_tokens.create(ttl_s=60),
    "POST /v1/webhooks": lambda client, _: client.webhooks.create(url="https://example.com", events=["*"]),
    "GET /v1/webhooks": lambda client, query: client.webhooks.list(**query),
    "GET /v1/webhooks/{id}": lambda client, _: client.webhooks.get("one"),
    "PATCH /v1/webhooks/{id}": lambda client, _: client.webhooks.update("one", filter=None),
    "DELETE /v1/webhooks/{id}": lambda client, _: client.webhooks.delete("one"),
    "POST /v1/webhooks/{id}/rotate-secret": lambda client, _: client.webhooks.rotate_secret("one", overlap_hours=1),
    "POST /v1/webhooks/{id}/test": lambda client, _: client.webhooks.test("one"),
    "GET /v1/webhooks/{id}/stats": lambda client, query: client.webhooks.stats("one", **query),
    "POST /v1/webhooks/{id}/replay": lambda client, _: client.webhooks.replay("one", position="v1.a"),
    "GET /v1/webhooks/{id}/replays": lambda client, query: client.webhooks.list_replays("one", **query),
    "GET /v1/webhooks/{id}/replays/{replay}": lambda client, _: client.webhooks.get_replay("one", "two"),
    "DELETE /v1/webhooks/{id}/replays/{replay}": lambda client, _: client.webhooks.cancel_replay("one", "two"),
    "GET /v1/webhooks/{id}/deliveries": lambda client, query: client.webhooks.list_deliveries("one", **query),
    "GET /v1/deliveries": lambda client, query: client.deliveries.list(**query),
    "GET /v1/deliveries/{id}": lambda client, _: client.deliveries.get("one"),
    "POST /v1/deliveries/{id}/redeliver": lambda client, _: client.deliveries.redeliver("one"),
    "POST /v1/deliveries/redeliver": lambda client, _: client.redeliveries.create(filter={"webhook_id": "w"}),
    "GET /v1/redeliveries": lambda client, query: client.redeliveries.list(**query),
    "GET /v1/redeliveries/{id}": lambda client, _: client.redeliveries.get("one"),
    "DELETE /v1/redeliveries/{id}": lambda client, _: client.redeliveries.cancel("one"),
    "GET /v1/api-keys/current": lambda client, _: client.api_keys.current(),
    "POST /v1/api-keys": lambda client, _: client.api_keys.create(name="n", scopes=["events:write"]),
    "GET /v1/api-keys": lambda client, query: client.api_keys.list(**query),
    "PATCH /v1/api-keys/{id}": lambda client, _: client.api_keys.update("one", name="n"),
    "POST /v1/api-keys/{id}/rotate": lambda client, _: client.api_keys.rotate("one"),
    "DELETE /v1/api-keys/{id}": lambda client, _: client.api_keys.revoke("one"),
    "PUT /v1/tenants/{id}": lambda client, _: client.tenants.put("one", state="active"),
    "GET /v1/tenants/{id}": lambda client, _: client.tenants.get("one"),
    "GET /v1/tenants": lambda client, query: client.tenants.list(**query),
    "DELETE /v1/tenants/{id}": lambda client, _: client.tenants.delete("one"),
    "GET /v1/audit": lambda client, query: client.audit.list(**query),
    "GET /v1/dead-letters": lambda client, query: client.dead_letters.list(**query),
    "GET /v1/system": lambda client, _: client.system.get(),
    "GET /v1/event-types": lambda client, query: client.event_types.list(**query),
    "GET /v1/tasks": lambda client, query: client.tasks.list(**query),
}

ROUTES = [
    pytest.param(f"{method.upper()} {path}", operation, id=f"{method.upper()} {path}")
    for path, methods in DOCUMENT["paths"].items()
    if path.startswith("/v1/") and path != STREAM
    for method, operation in methods.items()
]


class _Api(ContractServer):
    """Answers all requests: with 400 a stream, 202 events that are posted, and else with a page without entries."""

    def _take(self, asked: Asked) -> Mapping[str, Any]:
        self.asked.append(asked)
        page = {"object": "list", "data": [], "has_more": False, "next_cursor": None}
        is_post = (asked.method, asked.path) == ("POST", "/v1/events")
        return {"status": 400 if asked.path == STREAM else 202 if is_post else 200, "body": page}


@pytest.fixture(scope="module")
def api() -> Iterator[_Api]:
    server = _Api([])
    yield server
    server.close()


@pytest.mark.parametrize("shell", ["sync", "async"])
@pytest.mark.parametrize(("route", "operation"), ROUTES)
def test_a_method_sends_every_parameter_and_a_body_where_there_is_one(
    api: _Api, route: str, operation: Mapping[str, Any], shell: str
) -> None:
    method = METHODS.get(route)
    assert method is not None, f"The SDK has no method for {route}: see METHODS in this file."
    query = dict.fromkeys(_names_of(operation, "query"), "x")
    before = len(api.asked)
    if shell == "sync":
        _call(api.url, method, query)
    else:
        asyncio.run(_call_async(api.url, method, query))
    asked = api.request(before)
    expected = re.sub(r"\{\w+\}", "two", route.replace("{id}", "one"))
    assert f"{asked.method} {asked.path}" == expected
    assert asked.query == query
    if "requestBody" in operation:
        assert isinstance(json.loads(asked.body), (dict, list))
    else:
        assert asked.body == ""
    if "Idempotency-Key" in _names_of(operation, "header"):
        assert asked.headers["idempotency-key"]


def test_a_replay_begins_at_a_position(api: _Api) -> None:
    before = len(api.asked)
    _call(api.url, METHODS["POST /v1/webhooks/{id}/replay"], {})
    assert json.loads(api.request(before).body) == {"from": "v1.a"}


@pytest.mark.parametrize("shell", ["sync", "async"])
def test_the_stream_is_opened_with_every_parameter_that_a_key_can_give(api: _Api, shell: str) -> None:
    given: dict[str, Any] = {
        "task_id": "t",
        "session_id": "s",
        "agent": "a",
        "types": ["session.closed", "task.failed"],
    }
    before = len(api.asked)

    async def read_async() -> None:
        async with AsyncAriftly(base_url=api.url, api_key="k") as client:
            async for _ in client.events.stream(**given, after="2026-11-25T00:00:00Z", position="v1.x"):
                pass

    def read() -> None:
        with Ariftly(base_url=api.url, api_key="k") as client:
            list(client.events.stream(**given, after="2026-11-25T00:00:00Z", position="v1.x"))

    with pytest.raises(APIStatusError):
        asyncio.run(read_async()) if shell == "async" else read()
    asked = api.request(before)
    assert asked.query["types"] == "session.closed,task.failed"
    assert asked.headers["last-event-id"] == "v1.x"
    # A program with a key needs neither a token nor a position in the query.
    known = set(_names_of(DOCUMENT["paths"][STREAM]["get"], "query")) - {"token", "last_event_id"}
    assert set(asked.query) == known


def _names_of(operation: Mapping[str, Any], where: str) -> list[str]:
    return [parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == where]


def _call(url: str, method: Method, query: Mapping[str, Any]) -> None:
    with Ariftly(base_url=url, api_key="key", max_retries=0, send=SendOptions(linger=0)) as client:
        answer = method(client, query)
        if hasattr(answer, "to_list"):
            answer.to_list(limit=1)


async def _call_async(url: str, method: Method, query: Mapping[str, Any]) -> None:
    async with AsyncAriftly(base_url=url, api_key="key", max_retries=0, send=SendOptions(linger=0)) as client:
        answer = method(client, query)
        if hasattr(answer, "to_list"):
            await answer.to_list(limit=1)
        elif inspect.isawaitable(answer):
            await answer
