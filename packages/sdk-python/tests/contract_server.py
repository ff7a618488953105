"""A server that plays the exchanges of a contract case, and keeps what it was asked. `packages/sdk/contract/README.md` has the form."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: str
    at: float


class ContractServer:
    """Answers a request with the next exchange, or the next one of its key; any further one with 404. `asked` is in the order of exchanges."""

    def __init__(self, exchanges: Sequence[Mapping[str, Any]]) -> None:
        self._exchanges = exchanges
        self.asked: list[Asked | None] = []
        self._free = list(range(len(exchanges)))
        self._arrived = 0
        self._arrivals = threading.Condition()
        self._connections: list[socket.socket] = []
        self.open_connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def request(self, at: int) -> Asked:
        """The request that got answer number `at`."""
        asked = self.asked[at]
        assert asked is not None
        return asked

    def close(self) -> None:
        self._listener.close()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._connections.append(connection)
                threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as file, self._counted():
            while (asked := _read_request(file)) is not None:
                answer = self._take(asked)
                if not self._answer(connection, file, asked, answer):
                    return

    def _take(self, asked: Asked) -> Mapping[str, Any]:
        """The answer, once so many requests have arrived as it waits for."""
        key = _key_of(asked)
        with self._arrivals:
            for at in self._free:
                if self._exchanges[at].get("key") in (None, key):
                    break
            else:
                self.asked.append(asked)
                return {"status": 404}
            self._free.remove(at)
            self.asked += [None] * (at + 1 - len(self.asked))
            self.asked[at] = asked
            self._arrived += 1
            self._arrivals.notify_all()
            answer: Mapping[str, Any] = self._exchanges[at]["answer"]
            self._arrivals.wait_for(lambda: self._arrived >= answer.get("when_arrived", 0), 10)
            return answer

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        with self._arrivals:
            self.open_connections += 1
        try:
            yield
        finally:
            with self._arrivals:
                self.open_connections -= 1

    def _answer(self, connection: socket.socket, file: Any, asked: Asked, answer: Mapping[str, Any]) -> bool:
        """Whether the connection goes on."""
        then = answer.get("then")
        if then == "reset_at_once":
            connection.shutdown(socket.SHUT_RDWR)
            return False
        text = answer.get("text")
        headers = dict(answer.get("headers", {}))
        if "body" in answer:
            text = _with_ids(json.dumps(answer["body"]), asked.body)
            headers = {"content-type": "application/json", **headers}
        if then != "hang" or text is not None:
            head = [f"HTTP/1.1 {answer.get('status', 200)} X", *(f"{name}: {value}" for name, value in headers.items())]
            connection.sendall("\r\n".join([*head, "transfer-encoding: chunked", "", ""]).encode())
            content = (text or "").encode()
            connection.sendall(b"%x\r\n%s\r\n" % (len(content), content) if content else b"")
        if then is None:
            connection.sendall(b"0\r\n\r\n")
            return True
        if then == "hang":
            file.read(1)
        connection.shutdown(socket.SHUT_RDWR)
        return False


@contextlib.contextmanager
def serve(exchanges: Sequence[Mapping[str, Any]]) -> Iterator[ContractServer]:
    server = ContractServer(exchanges)
    try:
        yield server
    finally:
        server.close()


def _read_request(file: Any) -> Asked | None:
    first = file.readline().decode()
    if not first:
        return None
    method, target, _ = first.split(" ", 2)
    headers: dict[str, str] = {}
    while (line := file.readline().decode("latin-1").strip()) != "":
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    body = file.read(int(headers.get("content-length", 0))).decode()
    parts = urlsplit(target)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    return Asked(method, parts.path, query, headers, body, time.monotonic())


def _key_of(asked: Asked) -> str | None:
    """The task of the first event of a post."""
    if not asked.body.startswith("["):
        return None
    key: str | None = json.loads(asked.body)[0].get("task_id")
    return key


def _with_ids(text: str, body: str) -> str:
    return re.sub(r"\$id\[(\d+)\]", lambda found: str(json.loads(body)[int(found[1])]["id"]), text)


def check(request: Mapping[str, Any], asked: Sequence[Any], at: int) -> None:
    """Whether request number `at` is what the exchange says."""
    got = asked[at]
    assert (got.method, got.path) == (request["method"], request["path"])
    if "query" in request:
        assert got.query == request["query"]
    assert_matches(got.headers, request.get("headers", {}))
    if "body" in request:
        assert_matches(json.loads(got.body), request["body"])
    assert request.get("contains", "") in got.body
    if "same_body_as" in request:
        assert got.body == asked[request["same_body_as"]].body
    if "same_header_as" in request:
        name, other = request["same_header_as"]
        assert got.headers[name]
        assert got.headers[name] == asked[other].headers[name]
    if "other_id_than" in request:
        assert json.loads(got.body)[0]["id"] != json.loads(asked[request["other_id_than"]].body)[0]["id"]
    if "after_ms" in request:
        assert (got.at - asked[at - 1].at) * 1000 >= request["after_ms"]


def assert_matches(got: Any, expected: Any, place: str = "") -> None:
    """The members given must be equal; lists are as long as expected. None of a member says nothing."""
    if isinstance(expected, dict):
        for name, value in expected.items():
            assert name in got, f"{place}/{name} is missing in {got}"
            assert_matches(got[name], value, f"{place}/{name}")
    elif isinstance(expected, list):
        assert len(got) == len(expected), f"{place}: {got} has not the length of {expected}"
        for at, value in enumerate(expected):
            assert_matches(got[at], value, f"{place}/{at}")
    else:
        assert got == expected, f"{place}: {got!r} is not {expected!r}"
