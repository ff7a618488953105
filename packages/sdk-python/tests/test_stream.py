"""Streams in a thread, beyond the contract's cases."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ariftly import Ariftly, AriftlyError, ProtocolError, StreamResetError
from contract_server import ContractServer, serve
from stream_cases import MemoryStore, event_frame, events, eventually, stream_answer

RESET = 'event: stream.reset\ndata: {"reason":"history_expired","requested":"p1","earliest":"p9"}\nid: p9\n\n'


@contextlib.contextmanager
def playing(*exchanges: Mapping[str, Any], **options: Any) -> Iterator[tuple[Ariftly, ContractServer]]:
    with serve(exchanges) as server:
        client = Ariftly(base_url=server.url, api_key="key", **options)
        try:
            yield client, server
        finally:
            client.close(timeout=0)


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


def test_an_error_of_the_loop_leaves_the_event_in_hand_unfinished() -> None:
    with playing(stream_answer(events(1, 3))) as (client, _):
        store = MemoryStore()

        def work() -> None:
            for event in client.events.stream(position_store=store):
                assert event["id"] != "evt_3"

        with pytest.raises(AssertionError):
            work()
        assert store.position == "p2"


def test_a_stream_begins_at_the_stored_position_and_an_own_one_wins() -> None:
    with playing(stream_answer(events(8, 8)), stream_answer(events(4, 4))) as (client, server):
        for position in (None, "p3"):
            stream = client.events.stream(position_store=MemoryStore("p7"), position=position)
            for _ in stream:
                stream.close()
        assert [server.request(at).headers["last-event-id"] for at in range(2)] == ["p7", "p3"]


def test_with_save_every_0_each_event_is_saved_before_the_next_one_is_given_out() -> None:
    with playing(stream_answer(events(1, 3))) as (client, _):
        store = MemoryStore()
        stream = client.events.stream(position_store=store, save_every=0)
        seen = []
        for event in stream:
            seen.append((event["id"], store.position))
            if event["id"] == "evt_3":
                stream.close()
        assert seen == [("evt_1", None), ("evt_2", "p1"), ("evt_3", "p2")]
        assert store.saved == ["p1", "p2", "p3"]


def test_positions_are_saved_by_the_thread_of_the_loop_once_in_a_while_and_at_the_end() -> None:
    with playing(stream_answer(events(1, 500))) as (client, _):
        store = MemoryStore()
        stream = client.events.stream(position_store=store)
        for event in stream:
            if event["id"] == "evt_500":
                stream.close()
        assert store.saved == ["p500"]
        assert store.threads == {threading.get_ident()}


def test_a_store_that_fails_is_a_warning_while_the_loop_runs_and_an_error_at_its_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Full(MemoryStore):
        def save(self, position: str) -> None:
            raise OSError("the disk is full")

    with playing(stream_answer(events(1, 1), None), stream_answer(events(2, 2))) as (client, _):
        stream = client.events.stream(position_store=Full(), save_every=0.01)

        def work() -> None:
            for event in stream:
                time.sleep(0.02)
                if event["id"] == "evt_2":
                    stream.close()

        with pytest.raises(OSError, match="the disk is full"):
            work()
        assert "The position of a stream could not be saved. the disk is full" in caplog.text


def test_a_reset_is_an_error_with_the_position_to_go_on_from_and_moves_nothing() -> None:
    with playing(stream_answer(RESET), stream_answer(events(10, 10))) as (client, server):
        store = MemoryStore("p1")
        with pytest.raises(StreamResetError) as raised:
            list(client.events.stream(position_store=store))
        reset = raised.value
        assert (reset.reason, reset.requested, reset.earliest, reset.position) == ("history_expired", "p1", "p9", "p9")
        assert store.position == "p1"
        stream = client.events.stream(position_store=store, position=reset.position)
        for _ in stream:
            stream.close()
        assert server.request(1).headers["last-event-id"] == "p9"
        assert store.position == "p10"


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


def test_an_empty_position_file_ends_the_loop(tmp_path: Path) -> None:
    from ariftly import FilePositionStore

    (tmp_path / "position").write_text("\n")
    with playing() as (client, _):
        with pytest.raises(AriftlyError) as raised:
            list(client.events.stream(position_store=FilePositionStore(tmp_path / "position")))
        assert raised.value.code == "position_lost"


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
