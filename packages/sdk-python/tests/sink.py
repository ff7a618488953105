"""An API that accepts events, for tests of the sender: it keeps what it was posted, and can be told to fail."""

from __future__ import annotations

import contextlib
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

#: What a request is answered with: a status and headers; None cuts the connection.
Answer = tuple[int, dict[str, str]] | None
ACCEPTED: Answer = (202, {})


class Sink:
    """Events are kept once accepted, in order of the requests' ends."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.requests = 0
        #: Events and `traceparent` of each request.
        self.bodies: list[list[dict[str, Any]]] = []
        self.traces: list[str | None] = []
        self.body = b'{"object":"list","data":[]}'
        self.under_way = 0
        self.under_way_max = 0
        self.answer: Callable[[list[dict[str, Any]]], Answer] = lambda events: ACCEPTED
        #: Set by the first request.
        self.asked = threading.Event()
        self.lock = threading.Lock()
        self.url = ""

    def numbers(self) -> dict[str, list[int]]:
        """`data.n` of the accepted events, by task."""
        by_task: dict[str, list[int]] = {}
        for event in self.events:
            by_task.setdefault(event["task_id"], []).append(event["data"]["n"])
        return by_task

    def assert_complete(self, expected: int) -> None:
        """All events are there, once, in order by task."""
        ids = Counter(event["id"] for event in self.events)
        assert [id for id, count in ids.items() if count > 1] == []
        assert len(self.events) == expected
        for task, numbers in self.numbers().items():
            assert numbers == sorted(numbers), task


@contextlib.contextmanager
def start_sink() -> Iterator[Sink]:
    """A server on this machine."""
    sink = Sink()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            events = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with sink.lock:
                sink.requests += 1
                sink.bodies.append(events)
                sink.traces.append(self.headers["traceparent"])
                sink.under_way += 1
                sink.under_way_max = max(sink.under_way_max, sink.under_way)
            sink.asked.set()
            answer = sink.answer(events)
            with sink.lock:
                sink.under_way -= 1
                if answer is not None and answer[0] == 202:
                    sink.events += events
            if answer is None:
                self.close_connection = True
                return
            body = sink.body
            self.send_response(answer[0])
            for name, value in answer[1].items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Says nothing."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 64

        def handle_error(self, *args: Any) -> None:
            """A client that has ended is no error here."""

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    sink.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    try:
        yield sink
    finally:
        server.shutdown()
        server.server_close()


def event_of(n: int, task: str = "a", **members: Any) -> dict[str, Any]:
    """An event whose number is `n`."""
    return {"type": "task.progress", "task_id": task, "data": {"message": "m", "n": n}, **members}
