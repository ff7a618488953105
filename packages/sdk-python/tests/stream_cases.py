"""Exchanges of streams, for tests."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ariftly import Ariftly
from contract_server import ContractServer, serve

WAIT_S = 10.0


def event_frame(number: int) -> str:
    """The frame of event `evt_<number>`, after which the position is `p<number>`."""
    event = {"id": f"evt_{number}", "type": "task.failed", "data": {"n": number}}
    return f"event: task.failed\ndata: {json.dumps(event)}\nid: p{number}\n\n"


def stream_answer(text: str, then: str | None = "hang") -> Mapping[str, Any]:
    """An exchange whose answer is an event stream."""
    answer = {"headers": {"content-type": "text/event-stream"}, "text": text}
    return {
        "request": {"method": "GET", "path": "/v1/events/stream"},
        "answer": answer if then is None else {**answer, "then": then},
    }


def events(first: int, last: int) -> str:
    return "retry: 5\n\n" + "".join(event_frame(number) for number in range(first, last + 1))


def eventually(what: str, is_true: Callable[[], bool]) -> None:
    """Waits in a thread of a test."""
    ends_at = time.monotonic() + WAIT_S
    while not is_true():
        assert time.monotonic() < ends_at, f"not within {WAIT_S:g} s: {what}"
        threading.Event().wait(0.005)


class MemoryStore:
    """A position store that keeps what was saved."""

    def __init__(self, position: str | None = None) -> None:
        self.position = position
        self.saved: list[str] = []
        self.threads: set[int] = set()

    def load(self) -> str | None:
        return self.position

    def save(self, position: str) -> None:
        self.threads.add(threading.get_ident())
        self.position = position
        self.saved.append(position)


@contextlib.contextmanager
def playing(*exchanges: Mapping[str, Any], **options: Any) -> Iterator[tuple[Ariftly, ContractServer]]:
    """A client and a server that plays exchanges."""
    with serve(exchanges) as server:
        client = Ariftly(base_url=server.url, api_key="key", **options)
        try:
            yield client, server
        finally:
            client.close(timeout=0)
