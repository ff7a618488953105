"""Positions of streams: what is finished, when it is saved, and what a reset does."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from ariftly import AriftlyError, StreamResetError
from stream_cases import MemoryStore, events, playing, stream_answer

RESET = 'event: stream.reset\ndata: {"reason":"history_expired","requested":"p1","earliest":"p9"}\nid: p9\n\n'


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


def test_an_empty_position_file_ends_the_loop(tmp_path: Path) -> None:
    from ariftly import FilePositionStore

    (tmp_path / "position").write_text("\n")
    with playing() as (client, _):
        with pytest.raises(AriftlyError) as raised:
            list(client.events.stream(position_store=FilePositionStore(tmp_path / "position")))
        assert raised.value.code == "position_lost"
