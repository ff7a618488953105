"""Streams in an event loop, beyond the contract's cases."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from ariftly import AsyncAriftly, AsyncEventStream, StreamResetError
from contract_server import ContractServer, serve
from stream_cases import MemoryStore, events, eventually, stream_answer

RESET = 'event: stream.reset\ndata: {"reason":"log_changed","requested":"p1","earliest":"p9"}\nid: p9\n\n'


def play(exchanges: list[Mapping[str, Any]], act: Callable[[AsyncAriftly, ContractServer], Awaitable[None]]) -> None:
    async def run(server: ContractServer) -> None:
        async with AsyncAriftly(base_url=server.url, api_key="key") as client:
            await act(client, server)

    with serve(exchanges) as server:
        asyncio.run(run(server))


async def _ids_of(stream: AsyncEventStream[Any]) -> list[str]:
    return [event["id"] async for event in stream]


async def _until(what: str, is_true: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + 10
    while not is_true():
        assert time.monotonic() < ends_at, what
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("closes_in", ["the loop", "a thread"])
def test_close_ends_a_loop_that_waits_for_bytes(closes_in: str) -> None:
    async def act(client: AsyncAriftly, server: ContractServer) -> None:
        stream = client.events.stream()
        reading = asyncio.create_task(_ids_of(stream))
        await _until("the first event", lambda: stream.position == "p1")
        if closes_in == "the loop":
            stream.close()
        else:
            threading.Thread(target=stream.close).start()
        assert await asyncio.wait_for(reading, 5) == ["evt_1"]
        assert stream.state.type == "closed"
        await _until("the server's connection ends", lambda: server.open_connections == 0)

    play([stream_answer(events(1, 1))], act)


@pytest.mark.parametrize(
    "answer", [{"then": "hang"}, {"status": 503, "headers": {"retry-after": "50"}}], ids=["no answer", "a wait"]
)
def test_close_ends_an_attempt_and_the_wait_for_one(answer: Mapping[str, Any]) -> None:
    async def act(client: AsyncAriftly, server: ContractServer) -> None:
        stream = client.events.stream()
        reading = asyncio.create_task(_ids_of(stream))
        await _until("a request", lambda: len(server.asked) == 1)
        if "status" in answer:
            await _until("a wait", lambda: stream.state.type == "waiting")
        stream.close()
        assert await asyncio.wait_for(reading, 5) == []

    play([{"request": {}, "answer": answer}], act)


@pytest.mark.parametrize("stall_timeout", [0.2, 20.0])
def test_a_silent_connection_is_given_up_after_its_own_time_and_not_after_that_of_an_attempt(
    stall_timeout: float,
) -> None:
    async def run(url: str) -> list[str]:
        async with AsyncAriftly(base_url=url, api_key="key", attempt_timeout=0.3) as client:
            stream = client.events.stream(stall_timeout=stall_timeout)
            asyncio.get_running_loop().call_later(1.5, stream.close)
            return await asyncio.wait_for(_ids_of(stream), 5)

    with serve([stream_answer(events(1, 1)), stream_answer(events(2, 2))]) as server:
        ids = asyncio.run(run(server.url))
    assert ids[:1] == ["evt_1"]
    assert (len(ids) > 1) == (stall_timeout == 0.2)


def test_reconnect_opens_another_connection_without_a_wait() -> None:
    async def act(client: AsyncAriftly, server: ContractServer) -> None:
        stream = client.events.stream()
        reading = asyncio.create_task(_ids_of(stream))
        await _until("the first event", lambda: stream.position == "p1")
        stream.reconnect()
        await _until("the second event", lambda: stream.position == "p2")
        stream.close()
        assert await reading == ["evt_1", "evt_2"]
        assert server.request(1).headers["last-event-id"] == "p1"

    play([stream_answer("retry: 60000\n\n" + events(1, 1)[9:]), stream_answer(events(1, 2))], act)


def test_break_leaves_the_event_in_hand_unfinished_and_ends_the_connection() -> None:
    async def act(client: AsyncAriftly, server: ContractServer) -> None:
        store = MemoryStore()
        stream = client.events.stream(position_store=store)
        async for event in stream:
            if event["id"] == "evt_2":
                break
        await _until("the loop has ended", lambda: stream.state.type == "closed")
        await _until("the server's connection ends", lambda: server.open_connections == 0)
        assert (stream.position, store.saved) == ("p1", ["p1"])

    play([stream_answer(events(1, 3))], act)


def test_the_position_is_saved_while_the_loop_waits_and_a_store_may_have_coroutines() -> None:
    class Store:
        saved: list[str] = []  # noqa: RUF012

        async def load(self) -> str | None:
            await asyncio.sleep(0)
            return "p0"

        async def save(self, position: str) -> None:
            await asyncio.sleep(0)
            self.saved.append(position)

    async def act(client: AsyncAriftly, server: ContractServer) -> None:
        store = Store()
        stream = client.events.stream(position_store=store, save_every=0.05)
        reading = asyncio.create_task(_ids_of(stream))
        await _until("the position is saved", lambda: store.saved == ["p2"])
        assert server.request(0).headers["last-event-id"] == "p0"
        stream.close()
        await reading

    play([stream_answer(events(1, 2))], act)


def test_a_reset_is_an_error_with_the_position_to_go_on_from() -> None:
    async def act(client: AsyncAriftly, _: ContractServer) -> None:
        store = MemoryStore("p1")
        with pytest.raises(StreamResetError) as raised:
            await _ids_of(client.events.stream(position_store=store))
        assert (raised.value.reason, raised.value.position, store.position) == ("log_changed", "p9", "p1")

    play([stream_answer(RESET)], act)


def test_100_tasks_that_are_cancelled_at_random_leave_nothing_behind() -> None:
    async def act(client: AsyncAriftly, server: ContractServer) -> None:
        streams = [client.events.stream() for _ in range(100)]
        tasks = [asyncio.create_task(_ids_of(stream)) for stream in streams]
        for task in random.Random(48).sample(tasks, 100):
            await asyncio.sleep(0.001)
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in results)
        assert {stream.state.type for stream in streams} <= {"closed", "connecting"}
        await _until("all connections end", lambda: server.open_connections == 0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    play([stream_answer(events(1, 2))] * 100, act)


def test_a_client_whose_event_loop_was_closed_works_in_the_next_one() -> None:
    with serve([stream_answer(events(1, 1)), stream_answer(events(2, 2))]) as server:
        client = AsyncAriftly(base_url=server.url, api_key="key")
        streams = [client.events.stream() for _ in range(2)]

        async def first_of(stream: AsyncEventStream[Any]) -> str:
            async with stream:
                async for event in stream:
                    return str(event["id"])
            raise AssertionError("there was no event")

        assert asyncio.run(first_of(streams[0])) == "evt_1"
        # A stream of the former loop has nothing left to end.
        streams[0].close()
        assert asyncio.run(first_of(streams[1])) == "evt_2"
        eventually("all connections end", lambda: server.open_connections == 0)
        asyncio.run(client.close())
