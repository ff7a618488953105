"""Calls of tools: one event each, and no failure of its own."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

from ariftly import Ariftly, AsyncAriftly, SendOptions
from sink import Sink, event_of


def _data(sink: Sink) -> list[dict[str, Any]]:
    return [event["data"] for event in sink.events]


def test_a_decorated_function_is_reported_with_its_end(sink: Sink) -> None:
    with Ariftly(base_url=sink.url, api_key="k") as client:

        @client.tool_call(
            task_id=lambda query, **_: f"task-{query}", agent="bot", include_arguments=True, include_result=True
        )
        def search(query: str, *, limit: int = 3) -> list[str]:
            """Finds."""
            return [query] * limit

        @client.tool_call(task_id="t", tool="divide")
        def divide(a: int, b: int) -> float:
            return a / b

        assert search("a", limit=2) == ["a", "a"]
        assert (search.__name__, search.__doc__) == ("search", "Finds.")
        with pytest.raises(ZeroDivisionError):
            divide(1, 0)
    by_tool = {event["data"]["tool"]: event for event in sink.events}
    found = by_tool["search"]
    assert (found["type"], found["task_id"], found["agent"]) == ("tool_call.executed", "task-a", "bot")
    assert found["data"]["arguments"] == {"query": "a", "limit": 2}
    assert found["data"]["result"] == ["a", "a"]
    assert found["data"]["status"] == "ok"
    assert isinstance(found["data"]["duration_ms"], int)
    failed = by_tool["divide"]["data"]
    assert failed["status"] == "error"
    assert failed["error"] == {"type": "ZeroDivisionError", "message": "division by zero"}
    assert "arguments" not in failed
    assert found["data"]["tool_call_id"] != failed["tool_call_id"]


def test_blocks_and_coroutine_functions_are_reported_too(sink: Sink) -> None:
    async def run() -> None:
        async with AsyncAriftly(base_url=sink.url, api_key="k") as client:

            @client.tool_call(task_id="t", include_result=True)
            async def wait(seconds: float) -> object:
                await asyncio.sleep(seconds)
                return object

            async with client.tool_call(task_id="t", tool="block", tool_call_id="call_1") as call:
                call.result = None
            await wait(0)
            task = asyncio.create_task(wait(30))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(run())
    block, waited, cancelled = _data(sink)
    assert (block["tool"], block["tool_call_id"], block["result"]) == ("block", "call_1", None)
    assert waited["result"] == "<class 'object'>"
    assert cancelled["error"]["type"] == "CancelledError"


def test_reporting_never_fails_the_tool(sink: Sink, caplog: pytest.LogCaptureFixture) -> None:
    client = Ariftly(base_url=sink.url, api_key="k", send=SendOptions(queue_events_max=1))
    sink.answer = lambda events: (503, {"retry-after": "60"})

    @client.tool_call(task_id=lambda: str(1 // 0), include_arguments=True)
    def tool() -> str:
        return "done"

    with caplog.at_level(logging.WARNING, "ariftly"):
        client.events.try_send(event_of(0))
        assert tool() == "done"
        client.close(timeout=0)
        assert tool() == "done"
    assert "cannot be read" in caplog.text
    assert "the queue is full" in caplog.text
    assert "The client is closed." in caplog.text


def test_the_current_span_is_the_trace_of_the_request(sink: Sink) -> None:
    tracer = TracerProvider().get_tracer("test")
    expected = []
    with Ariftly(base_url=sink.url, api_key="k") as client:
        client.events.try_send(event_of(0, "plain"))
        for at in range(2):
            with tracer.start_as_current_span("step") as span:
                context = span.get_span_context()
                expected.append(f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}")
                with client.tool_call(task_id=f"t{at}", tool="search"):
                    pass
    traces = {events[0]["task_id"]: trace for events, trace in zip(sink.bodies, sink.traces, strict=True)}
    assert traces == {"plain": None, "t0": expected[0], "t1": expected[1]}
