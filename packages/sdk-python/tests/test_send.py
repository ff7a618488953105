"""What sending promises beyond the cases of the contract: threads, signals, cancellations, ends."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import pickle
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from typing import Any

import pytest

from ariftly import (
    APITimeoutError,
    Ariftly,
    AriftlyError,
    AsyncAriftly,
    ClosedError,
    EventRefusedError,
    SendFuture,
    SendOptions,
)
from sink import ACCEPTED, Answer, Sink, event_of


def test_fifty_threads_send_at_once(sink: Sink) -> None:
    with Ariftly(base_url=sink.url, api_key="k") as client:

        def send(thread: int) -> None:
            for n in range(0, 40, 2):
                client.events.send([event_of(n, f"task-{thread}"), event_of(n + 1, f"task-{thread}")])

        threads = [threading.Thread(target=send, args=[at]) for at in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        stats = client.events.stats()
        assert [thread.name for thread in threading.enumerate()].count("ariftly-sender") == 1
    sink.assert_complete(2000)
    assert (stats.sent, stats.accepted, stats.queued, stats.in_flight) == (2000, 2000, 0, 0)


def test_four_requests_are_under_way_and_order_holds_while_a_third_of_them_fails(sink: Sink) -> None:
    randomly = random.Random(7)

    def answer(events: list[dict[str, Any]]) -> Answer:
        time.sleep(randomly.random() / 100)
        kind = randomly.random()
        return None if kind < 0.15 else (503, {"retry-after": "0"}) if kind < 0.3 else ACCEPTED

    sink.answer = answer
    options = SendOptions(batch_events_max=20, linger=0.001)
    with Ariftly(base_url=sink.url, api_key="k", send=options) as client:
        futures = [client.events.send_nowait(event_of(n, f"task-{n % 40}")) for n in range(1000)]
        concurrent.futures.wait(futures, timeout=60)
        assert client.close(timeout=20) == []
    sink.assert_complete(1000)
    assert 2 <= sink.under_way_max <= 4


def test_a_hundred_tasks_are_cancelled_at_random_and_their_events_are_sent(sink: Sink) -> None:
    async def run() -> None:
        async with AsyncAriftly(base_url=sink.url, api_key="k") as client:
            randomly = random.Random(11)
            tasks = [asyncio.create_task(client.events.send(event_of(n, f"task-{n}"))) for n in range(100)]
            cancelled = 0
            for task in tasks:
                await asyncio.sleep(0)
                if randomly.random() < 0.5:
                    await asyncio.sleep(randomly.random() / 500)
                    cancelled += task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert await client.events.flush(10)
            assert sum(isinstance(each, asyncio.CancelledError) for each in results) == cancelled > 0
            assert client.events.stats().accepted == 100

    asyncio.run(run())
    sink.assert_complete(100)


def test_a_loop_that_is_closed_leaves_its_events_to_the_next_one(sink: Sink) -> None:
    sink.answer = lambda events: (503, {"retry-after": "0"})
    client = AsyncAriftly(base_url=sink.url, api_key="k")

    async def begin() -> None:
        client.events.send_nowait([event_of(0), event_of(1)])
        await asyncio.to_thread(sink.asked.wait, 10)

    async def end() -> None:
        assert (await client.events.send(event_of(2))).id
        assert await client.close() == []

    asyncio.run(begin())
    sink.answer = lambda events: ACCEPTED
    asyncio.run(end())
    sink.assert_complete(3)


def test_a_timeout_takes_back_what_was_not_posted_and_names_what_was(sink: Sink) -> None:
    waits = threading.Event()

    def answer(events: list[dict[str, Any]]) -> Answer:
        waits.wait(10)
        return ACCEPTED

    sink.answer = answer
    with Ariftly(base_url=sink.url, api_key="k") as client:
        with pytest.raises(APITimeoutError) as posted:
            client.events.send(event_of(0), timeout=0.2)
        with pytest.raises(APITimeoutError) as queued:
            client.events.send(event_of(1), timeout=0.05)
        waits.set()
        client.events.flush()
        stats = client.events.stats()
    assert len(posted.value.ids) == 1
    assert queued.value.ids == []
    assert [event["id"] for event in sink.events] == posted.value.ids
    assert (stats.accepted, stats.aborted) == (1, 1)


@pytest.mark.parametrize(
    ("event", "pointer"),
    [
        (event_of(0, data={"a": [1, {"b/~": float("nan")}]}), "/data/a/1/b~1~0"),
        (event_of(0, data={"a": "\ud800"}), "/data/a"),
        (event_of(0, data={"\udfff": 1}), "/data/?"),
        (event_of(0, session_id="\ud800"), "/session_id"),
        (event_of(0, data={"a": object()}), "/data/a"),
        (event_of(0, data='{"a":NaN}'), "/data"),
        (event_of(0, data='{"a":"\ud800"}'), "/data"),
        (event_of(0, data=b"[1]"), "/data"),
        (event_of(0, id="evt 1"), "/id"),
        (event_of(0, created_at="yesterday"), "/created_at"),
        (event_of(0, data={"a": "x" * 5_000_000}), ""),
    ],
)
def test_what_is_not_json_is_refused_before_the_queue(sink: Sink, event: dict[str, Any], pointer: str) -> None:
    with Ariftly(base_url=sink.url, api_key="k") as client:
        with pytest.raises(EventRefusedError) as refused:
            client.events.send_nowait([event_of(0), event])
        assert (refused.value.pointer, refused.value.refusals[0].index) == (pointer, 1)
        assert client.events.stats().sent == 0
        assert isinstance(pickle.loads(pickle.dumps(refused.value)), EventRefusedError)


def test_numbers_and_members_arrive_as_they_were_given(sink: Sink) -> None:
    with Ariftly(base_url=sink.url, api_key="k") as client:
        client.events.send([event_of(0, data={"n": 2**63, "f": 1.0, "ü": "\u2028"}), event_of(1, data='{"n":1.50}')])
    assert sink.events[0]["data"] == {"n": 2**63, "f": 1.0, "ü": "\u2028"}
    assert next(iter(sink.events[0])) == "id"


def test_close_returns_what_was_not_sent_and_it_can_be_sent_again_as_it_is(sink: Sink) -> None:
    sink.answer = lambda events: (503, {"retry-after": "60"})
    client = Ariftly(base_url=sink.url, api_key="k")
    future = client.events.send_nowait([event_of(0), event_of(1)])
    unsent = client.close(timeout=0.2)
    with pytest.raises(ClosedError):
        future.result(1)
    with pytest.raises(ClosedError):
        client.events.send(event_of(2))
    sink.answer = lambda events: ACCEPTED
    with Ariftly(base_url=sink.url, api_key="k") as another:
        sent = another.events.send(unsent)
    assert [each.id for each in sent] == [event["id"] for event in unsent]
    sink.assert_complete(2)
    assert client.close() == []


def test_try_send_has_bounds_and_what_it_took_is_reported_when_it_is_given_up(sink: Sink) -> None:
    failed: list[tuple[AriftlyError, Any]] = []
    sink.answer = lambda events: (401, {})
    options = SendOptions(queue_events_max=2, on_failed=lambda error, event: failed.append((error, event)))
    with Ariftly(base_url=sink.url, api_key="k", send=options) as client:
        assert client.events.try_send([event_of(0), event_of(1)])
        assert not client.events.try_send(event_of(2))
        client.events.flush()
    assert [(error.code, event["data"]) for error, event in failed] == [
        ("http_401", event_of(0)["data"]),
        ("http_401", event_of(1)["data"]),
    ]


def test_close_in_a_signal_handler_ends_whatever_the_main_thread_is_in(sink: Sink) -> None:
    program = """
        import os, signal, sys
        from ariftly import Ariftly
        client = Ariftly(base_url=sys.argv[1], api_key="k")
        def end(*_):
            unsent = client.close(timeout=10)
            print(len(unsent), client.events.stats().accepted, flush=True)
            os._exit(0)
        signal.signal(signal.SIGALRM, end)
        signal.setitimer(signal.ITIMER_REAL, float(sys.argv[2]))
        futures = []
        while True:
            futures.append(client.events.send_nowait({"type": "task.progress", "task_id": sys.argv[2], "data": {"n": len(futures)}}))
            if len(futures) % 50 == 0:
                futures[-1].result()
    """
    for at in range(4):
        ended = _run(program, sink.url, str(0.2 + at * 0.0137))
        assert ended.returncode == 0, ended.stderr
        assert ended.stdout.split()[0] == "0", ended.stderr
    sink.assert_complete(len(sink.events))


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs signals of POSIX")
def test_close_in_a_signal_handler_does_not_need_the_lock_of_the_interrupted_send(sink: Sink) -> None:
    client = Ariftly(base_url=sink.url, api_key="k")
    client.events.send(event_of(0))
    # The main thread holds the lock of admission, as an interrupted `send_nowait` does.
    with client._sender._admission:
        assert client.close(timeout=5) == []


def test_the_end_of_the_interpreter_sends_what_is_queued(sink: Sink) -> None:
    program = """
        import sys
        from ariftly import Ariftly
        client = Ariftly(base_url=sys.argv[1].replace("127.0.0.1", "localhost"), api_key="k")
        for n in range(300):
            client.events.try_send({"type": "task.progress", "task_id": "a", "data": {"n": n}})
    """
    ended = _run(program, sink.url)
    assert (ended.returncode, ended.stderr) == (0, "")
    sink.assert_complete(300)


def test_an_interpreter_that_ends_with_unsent_events_says_so(sink: Sink) -> None:
    sink.answer = lambda events: (503, {"retry-after": "60"})
    sync = """
        import sys
        from ariftly import Ariftly, SendOptions
        client = Ariftly(base_url=sys.argv[1], api_key="k", send=SendOptions(exit_timeout=0.1))
        client.events.try_send({"type": "task.progress", "task_id": "a", "data": {}})
    """
    in_loop = """
        import asyncio, sys
        from ariftly import AsyncAriftly
        client = AsyncAriftly(base_url=sys.argv[1], api_key="k")
        async def main():
            client.events.try_send({"type": "task.progress", "task_id": "a", "data": {}})
            await asyncio.sleep(0.05)
        asyncio.run(main())
    """
    for program in (sync, in_loop):
        ended = _run(program, sink.url)
        assert "The program ends before 1 events are accepted: they are lost." in ended.stderr


def test_a_future_of_the_parent_does_not_wait_in_a_child() -> None:
    future = SendFuture()
    future._pid = os.getpid() + 1
    with pytest.raises(ClosedError):
        future.result()


def _run(program: str, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program), *args],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
