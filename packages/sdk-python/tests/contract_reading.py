"""The calls of contract cases that read: streams, lists, single objects, webhooks."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime, timezone
from typing import Any

from ariftly import Ariftly, AsyncAriftly, AsyncEventStream, EventStream, StreamState
from ariftly.webhooks import explain, unwrap

Call = Mapping[str, Any]
WAIT_S = 10


class _Reader:
    """What a stream of a case has shown."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self.items: list[str] = []
        self._positions: list[str | None] = []
        self._raw_events: list[str] = []
        self._states: list[str] = []
        self._retry_in: int | None = None
        self.stream: EventStream[Any] | AsyncEventStream[Any] | None = None

    def options(self) -> dict[str, Any]:
        given = dict(self._call.get("options", {}))
        if "from" in given:
            given["position"] = given.pop("from")
        if "stall_timeout_ms" in given:
            given["stall_timeout"] = given.pop("stall_timeout_ms") / 1000
        return {**given, "on_state": self._on_state, "on_reset": "yield"}

    def _on_state(self, state: StreamState) -> None:
        self._states.append(state.type)
        if state.retry_at is not None:
            self._retry_in = int((state.retry_at - datetime.now(timezone.utc)).total_seconds())
        if state.type == self._call.get("until") and self.stream is not None:
            self.stream.close()

    def take(self, event: Mapping[str, Any]) -> None:
        assert self.stream is not None
        assert self.stream.item is not None
        is_reset = event["type"] == "stream.reset"
        self.items.append(event["type"] if is_reset else event["id"])
        self._positions.append(self.stream.item.position)
        if not is_reset:
            self._raw_events.append(self.stream.item.raw_event)
        if len(self.items) == self._call.get("take"):
            self.stream.close()

    def result(self) -> dict[str, Any]:
        assert self.stream is not None
        return {
            "items": self.items,
            "positions": self._positions,
            "raw_events": self._raw_events,
            "states": self._states,
            "position": self.stream.position,
            "retry_in_s": self._retry_in,
        }


#: The stream that was opened last.
_latest: _Reader | None = None


def _stream(client: Ariftly, call: Call) -> Any:
    global _latest
    reader = _latest = _Reader(call)
    reader.stream = client.events.stream(**reader.options())
    for event in reader.stream:
        reader.take(event)
    return reader.result()


async def _stream_async(client: AsyncAriftly, call: Call) -> Any:
    global _latest
    reader = _latest = _Reader(call)
    reader.stream = client.events.stream(**reader.options())
    async for event in reader.stream:
        reader.take(event)
    return reader.result()


def _is_in(state: str) -> bool:
    return _latest is not None and _latest.stream is not None and _latest.stream.state.type == state


def _await_state(_client: Ariftly, call: Call) -> Any:
    ends_at = time.monotonic() + WAIT_S
    while not _is_in(call["state"]):
        assert time.monotonic() < ends_at, f"the state is not {call['state']}"
        threading.Event().wait(0.005)
    return {}


async def _await_state_async(_client: AsyncAriftly, call: Call) -> Any:
    ends_at = time.monotonic() + WAIT_S
    while not _is_in(call["state"]):
        assert time.monotonic() < ends_at, f"the state is not {call['state']}"
        await asyncio.sleep(0.005)
    return {}


def _unwrap(_client: object, call: Call) -> Any:
    delivered = unwrap(
        call["body_text"],
        call["headers"],
        call["secrets"],
        now=call["now_s"],
        tolerance=call.get("tolerance_s", 300),
        allow_untimed=call.get("allow_untimed", False),
    )
    return {"id": delivered.id, "type": delivered.event["type"], "raw_data": delivered.raw_data}


def _explain(_client: object, call: Call) -> Any:
    checks = explain(call["body_text"], call["headers"], call["secrets"], now=call["now_s"])
    return {"checks": [check._asdict() for check in checks]}


async def _unwrap_async(client: AsyncAriftly, call: Call) -> Any:
    return _unwrap(client, call)


async def _explain_async(client: AsyncAriftly, call: Call) -> Any:
    return _explain(client, call)


def _list_events(client: Ariftly, call: Call) -> Any:
    return {"ids": [event["id"] for event in client.events.list(**call["query"]).to_list(limit=1000)]}


async def _list_events_async(client: AsyncAriftly, call: Call) -> Any:
    return {"ids": [event["id"] for event in await client.events.list(**call["query"]).to_list(limit=1000)]}


def _get_event(client: Ariftly, call: Call) -> Any:
    return client.events.get(call["id"])


async def _get_event_async(client: AsyncAriftly, call: Call) -> Any:
    return await client.events.get(call["id"])


def _create_webhook(client: Ariftly, call: Call) -> Any:
    return client.webhooks.create(**call["body"])


async def _create_webhook_async(client: AsyncAriftly, call: Call) -> Any:
    return await client.webhooks.create(**call["body"])


SYNC_CALLS: Mapping[str, Callable[[Ariftly, Call], Any]] = {
    "stream": _stream,
    "await_state": _await_state,
    "unwrap": _unwrap,
    "explain": _explain,
    "list_events": _list_events,
    "get_event": _get_event,
    "create_webhook": _create_webhook,
}

ASYNC_CALLS: Mapping[str, Callable[[AsyncAriftly, Call], Coroutine[Any, Any, Any]]] = {
    "stream": _stream_async,
    "await_state": _await_state_async,
    "unwrap": _unwrap_async,
    "explain": _explain_async,
    "list_events": _list_events_async,
    "get_event": _get_event_async,
    "create_webhook": _create_webhook_async,
}
