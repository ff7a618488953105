"""The calls of contract cases that send."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import asdict
from typing import Any

from ariftly import Ariftly, AsyncAriftly

Call = Mapping[str, Any]


def _timeout_of(call: Call) -> float | None:
    ms = call.get("timeout_ms")
    return None if ms is None else ms / 1000


def _send(client: Ariftly, call: Call) -> Any:
    return {"accepted": len(client.events.send(list(call["events"]), timeout=_timeout_of(call)))}


def _begin_send(client: Ariftly, call: Call) -> Callable[[], Any]:
    """Events are taken in the order of the calls, also of those that are not waited for."""
    future = client.events.send_nowait(call["events"])
    return lambda: {"accepted": len(future.result(30))}


def _close(client: Ariftly, call: Call) -> Any:
    return {"unsent": len(client.close(timeout=_timeout_of(call) or 1))}


SYNC_CALLS: dict[str, Callable[[Ariftly, Call], Any]] = {
    "send": _send,
    "try_send": lambda client, call: {"taken": client.events.try_send(call["events"])},
    "close": _close,
}
#: What is begun before the next call is made, and what gives its outcome.
SYNC_BEGINS: dict[str, Callable[[Ariftly, Call], Callable[[], Any]]] = {"send": _begin_send}


async def _send_async(client: AsyncAriftly, call: Call) -> Any:
    return {"accepted": len(await client.events.send(list(call["events"]), timeout=_timeout_of(call)))}


async def _try_send_async(client: AsyncAriftly, call: Call) -> Any:
    return {"taken": client.events.try_send(call["events"])}


async def _close_async(client: AsyncAriftly, call: Call) -> Any:
    return {"unsent": len(await client.close(timeout=_timeout_of(call) or 1))}


ASYNC_CALLS: dict[str, Callable[[AsyncAriftly, Call], Coroutine[Any, Any, Any]]] = {
    "send": _send_async,
    "try_send": _try_send_async,
    "close": _close_async,
}


def stats_of(client: Ariftly | AsyncAriftly) -> dict[str, int]:
    """Counts of sending, by name."""
    return asdict(client.events.stats())
