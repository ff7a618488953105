"""Streams in a thread, beyond the contract's cases."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import threading
import time
from typing import Any

import pytest

from ariftly import Ariftly, ProtocolError
from contract_server import serve
from stream_cases import MemoryStore, event_frame, events, eventually, playing, stream_answer


def test_close_from_another_thread_ends_a_loop_that_waits_for_bytes() -> None:
    with playing(stream_answer(events(1, 1))) as (client, server):
        stream = client.events.stream()
        threading.Thread(target=_close_when, args=[stream, lambda: stream.position == "p1"]).start()
        began = time.monotonic()
        assert [event["id"] for event in stream] == ["evt_1"]
        assert time.monotonic() - began < 5
        assert stream.state.type == "closed"
        eventually("the server's connection ends", lambda: server.open_connections == 0)


def test_close_from_another_thread_ends_a_loop_whose_server_does_not_answer() -> None:
    silent = {"request": {}, "answer": {"then": "hang"}}
    with playing(silent) as (client, server):
        stream = client.events.stream()
        threading.Thread(target=_close_when, args=[stream, lambda: len(server.asked) == 1]).start()
        began = time.monotonic()
        assert list(stream) == []
        assert time.monotonic() - began < 5


def test_close_from_another_thread_ends_the_wait_for_the_next_attempt() -> None:
    busy = {"request": {}, "answer": {"status": 503, "headers": {"retry-after": "50"}}}
    with playing(busy) as (client, _):
        stream = client.events.stream()
        threading.Thread(target=_close_when, args=[stream, lambda: stream.state.type == "waiting"]).start()
        began = time.monotonic()
        assert list(stream) == []
        assert time.monotonic() - began < 5


@pytest.mark.parametrize(("protocol", "is_shut"), [("h2", False), ("http/1.1", True), (None, True)])
def test_close_does_not_shut_down_a_connection_that_other_requests_share(protocol: str | None, is_shut: bool) -> None:
    class Tls:
        def selected_alpn_protocol(self) -> str | None:
            return protocol

    class Connection:
        def get_extra_info(self, name: str) -> Any:
            return {"socket": ours, "ssl_object": Tls()}[name]

    ours, theirs = socket.socketpair()
    with ours, theirs, Ariftly(base_url="http://127.0.0.1:1", api_key="key") as client:
        stream = client.events.stream()
        stream._trace("connection.start_tls.complete", {"return_value": Connection()})
        stream.close()
        theirs.settimeout(0.1)
        with contextlib.nullcontext() if is_shut else pytest.raises(TimeoutError):
            assert theirs.recv(1) == b""


def test_close_in_a_signal_handler_of_the_thread_that_reads() -> None:
    with playing(stream_answer(events(1, 1))) as (client, _):
        stream = client.events.stream()
        former = signal.signal(signal.SIGALRM, lambda *_: client.close(timeout=0))
        try:
            for event in stream:
                assert event["id"] == "evt_1"
                # By then the loop waits for the next bytes.
                signal.setitimer(signal.ITIMER_REAL, 0.2)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, former)
        assert stream.position == "p1"


def test_a_silent_connection_is_given_up_after_its_own_time_and_not_after_that_of_an_attempt() -> None:
    exchanges = [stream_answer(events(1, 1)), stream_answer(events(2, 2))]
    for stall_timeout, attempt_timeout, ids in ((0.2, 20.0, ["evt_1", "evt_2"]), (20.0, 0.2, ["evt_1"])):
        with playing(*exchanges, attempt_timeout=attempt_timeout) as (client, _):
            stream = client.events.stream(stall_timeout=stall_timeout)
            threading.Timer(1.5 if len(ids) == 1 else 10, stream.close).start()
            began = time.monotonic()
            seen = []
            for event in stream:
                seen.append(event["id"])
                if event["id"] == "evt_2":
                    stream.close()
            assert seen == ids
            assert time.monotonic() - began < 5


def test_reconnect_opens_another_connection_without_a_wait() -> None:
    with playing(stream_answer("retry: 60000\n\n" + events(1, 1)[9:]), stream_answer(events(1, 2))) as (client, server):
        states: list[str] = []
        stream = client.events.stream(on_state=lambda state: states.append(state.type))
        threading.Thread(target=_reconnect_when, args=[stream, lambda: stream.position == "p1"]).start()
        for event in stream:
            if event["id"] == "evt_2":
                stream.close()
        assert server.request(1).headers["last-event-id"] == "p1"
        assert states == ["connecting", "catching_up", "connecting", "catching_up", "closed"]


def test_break_leaves_the_event_in_hand_unfinished_and_ends_the_connection() -> None:
    with playing(stream_answer(events(1, 3))) as (client, server):
        store = MemoryStore()
        stream = client.events.stream(position_store=store)
        for event in stream:
            if event["id"] == "evt_2":
                break
        assert (stream.position, store.saved) == ("p1", ["p1"])
        assert stream.state.type == "closed"
        eventually("the server's connection ends", lambda: server.open_connections == 0)


def test_a_with_block_ends_the_stream_although_its_loop_is_still_referred_to() -> None:
    with playing(stream_answer(events(1, 3))) as (client, server):
        store = MemoryStore()
        with client.events.stream(position_store=store) as stream:
            items = iter(stream)
            assert [next(items)["id"], next(items)["id"]] == ["evt_1", "evt_2"]
        assert (stream.state.type, store.saved) == ("closed", ["p1"])
        eventually("the server's connection ends", lambda: server.open_connections == 0)


def test_a_stream_can_be_iterated_once() -> None:
    with playing(stream_answer(events(1, 1))) as (client, _):
        stream = client.events.stream()
        for _ in stream:
            stream.close()
        with pytest.raises(ProtocolError, match="once"):
            iter(stream)


def test_a_stream_of_a_closed_client_ends() -> None:
    with playing() as (client, server):
        stream = client.events.stream()
        client.close()
        assert list(stream) == []
        assert server.asked == []


def test_a_function_that_gives_keys_and_fails_is_waited_out() -> None:
    failures = [KeyError("vault")]

    def key() -> str:
        if failures:
            raise failures.pop()
        return "key"

    with serve([stream_answer(events(1, 1))]) as server, Ariftly(base_url=server.url, api_key=key) as client:
        stream = client.events.stream()
        for _ in stream:
            stream.close()
        assert server.request(0).headers["authorization"] == "Bearer key"


def test_the_child_of_a_fork_does_not_disturb_the_parents_stream() -> None:
    with playing(stream_answer(events(1, 3))) as (client, server):
        store = MemoryStore()
        stream = client.events.stream(position_store=store)
        ids = []
        for event in stream:
            ids.append(event["id"])
            if event["id"] == "evt_1":
                child = os.fork()
                if child == 0:
                    stream.close()
                    del stream, event
                    os._exit(0)
                os.waitpid(child, 0)
            if event["id"] == "evt_3":
                stream.close()
        assert ids == ["evt_1", "evt_2", "evt_3"]
        assert len(server.asked) == 1


def test_messages_hold_no_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    refused = {"request": {}, "answer": {"status": 503, "headers": {"retry-after": "0"}}}
    with serve([refused] * 3 + [stream_answer(event_frame(1))]) as server:
        client = Ariftly(base_url=server.url, api_key="a-secret-key")
        stream = client.events.stream()
        for _ in stream:
            stream.close()
        client.close()
    assert "The stream could not be opened" in caplog.text
    assert "a-secret-key" not in caplog.text


def _close_when(stream: Any, is_time: Any) -> None:
    eventually("it is time to close", is_time)
    stream.close()


def _reconnect_when(stream: Any, is_time: Any) -> None:
    eventually("it is time to reconnect", is_time)
    stream.reconnect()
