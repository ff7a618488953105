"""Streams in the caller's thread."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Generator, Iterator, Mapping
from types import TracebackType
from typing import Any, Generic, TypeVar, cast

import httpx2

from .._base_client import SyncAPIClient
from .._errors import APIConnectionError, APITimeoutError, ProtocolError
from .._http.call import Answer
from .._http.http_slot import failures
from .core import StreamCore, StreamItem, StreamOptions, error_of_opening, is_event_stream, warn_of_save
from .positions import PositionStore
from .sse import SseParser
from .state import StreamState

Item = TypeVar("Item")


class EventStream(Generic[Item]):
    """Events as they happen: `for event in stream`.

    It opens a connection when the loop begins and another one whenever that ends, however it ends, with the position of the last
    frame, so that nothing is missed and nothing repeated. It ends by `close`, by the `close` of its client, by leaving the loop, or
    with an error that is not retried. It can be iterated once.
    """

    def __init__(self, api: SyncAPIClient, options: StreamOptions, store: PositionStore | None) -> None:
        self._api = api
        self._core = StreamCore(api, options)
        self._store = store
        self._is_started = False
        self._is_closed = False
        #: The connection was ended here, to open another one.
        self._is_renewed = False
        self._socket: socket.socket | None = None
        #: Held but while a wait is to end: releasing it takes no lock, so a signal handler may.
        self._wake = threading.Lock()
        self._wake.acquire()
        self._pid = os.getpid()
        self._is_entered = False
        #: What runs the loop, while this is a context manager: it is ended where its block ends.
        self._items: Generator[Item, None, None] | None = None

    @property
    def position(self) -> str | None:
        """The position after the last event that the loop has finished, that is: after which it has asked for the next one.

        Always safe to store; pass it as `position`. None before the first frame.
        """
        return self._core.position

    @property
    def item(self) -> StreamItem | None:
        """The item in hand, with the position after it and its JSON text as it was received."""
        return self._core.item

    @property
    def state(self) -> StreamState:
        """Where the stream is; `on_state` is called when it changes."""
        return self._core.state.current

    def close(self) -> None:
        """Ends the loop once the event in hand is finished, also from another thread or a signal handler.

        Call it inside the loop where `break` would leave that event unfinished.
        """
        self._is_closed = True
        self._end_current()
        if not self._is_started:
            self._core.closed()

    def reconnect(self) -> None:
        """Opens a new connection now, in place of the current one or of the wait for one."""
        self._is_renewed = True
        self._end_current()

    def __enter__(self) -> EventStream[Item]:
        self._is_entered = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if self._items is not None:
            self._items.close()

    def __iter__(self) -> Iterator[Item]:
        if self._is_started:
            raise ProtocolError("A stream can be iterated once: make another one.")
        self._is_started = True
        items = self._run()
        if self._is_entered:
            self._items = items
        return items

    def _run(self) -> Generator[Item, None, None]:
        core = self._core
        self._api.streams.add(self)
        try:
            position = core.options.position
            if position is None and self._store is not None:
                position = self._store.load()
                core.pending.loaded(position)
            core.start(position)
            while not self._is_over():
                yield from self._read_connection()
        finally:
            self._is_closed = True
            self._api.streams.discard(self)
            core.closed()
            self._save()

    def _is_over(self) -> bool:
        # A client that was closed before the stream was known to it does not end it by `close`.
        return self._is_closed or self._api.is_closed

    def _read_connection(self) -> Generator[Item, None, None]:
        """Opens one connection and gives out what it holds; returns when it is time to open another one."""
        core = self._core
        self._is_renewed = False
        core.connecting()
        wait: float | None = None
        with contextlib.ExitStack() as stack:
            try:
                response = self._connect(stack)
            # A function of the caller, such as one that gives keys, may raise anything.
            except Exception as error:
                if not self._is_ended_here():
                    wait = core.wait_after_failure(error)
            else:
                failure = yield from self._read(response)
                if not self._is_ended_here():
                    wait = core.wait(0.0, failure)
        self._socket = None
        if wait is not None:
            self._pause(wait)

    def _is_ended_here(self) -> bool:
        """A connection that was ended to renew it is opened again without a wait."""
        return self._is_renewed or self._is_over()

    def _connect(self, stack: contextlib.ExitStack) -> httpx2.Response:
        timeout = self._api.settings.attempt_timeout
        opening = self._api.open(self._core.call(), httpx2.Timeout(timeout), {"trace": self._trace})
        response = stack.enter_context(opening)
        self._watch(response.extensions.get("network_stream"))
        if not is_event_stream(response.status_code, response.headers):
            content = b""
            if response.status_code >= 400:
                with failures(timeout):
                    content = response.read()
            raise error_of_opening(Answer(response.status_code, response.headers, content))
        # The transport reads its limits when it begins to read the body.
        response.request.extensions["timeout"]["read"] = self._core.options.stall_timeout
        return response

    def _read(self, response: httpx2.Response) -> Generator[Item, None, Exception | None]:
        """Gives out what a connection holds, and returns why it ended: None when the server ended it in good order."""
        core = self._core
        parser = SseParser()
        core.opened()
        chunks = response.iter_bytes()
        try:
            while True:
                self._save_if_due()
                with failures(core.options.stall_timeout):
                    chunk = next(chunks, None)
                if chunk is None:
                    return None
                for frame in parser.push(chunk):
                    item = core.take(frame)
                    if item is not None:
                        yield cast(Item, item.event)
                    core.finish(frame.id)
                    if core.options.save_every == 0:
                        self._save()
                    if self._is_over():
                        return None
        except APITimeoutError:
            return core.silent()
        except APIConnectionError as error:
            return error
        finally:
            core.disconnected(parser.retry_ms)

    def _save_if_due(self) -> None:
        """The thread of the loop saves: a store may hold a connection to a database, which another thread must not use."""
        if self._core.pending.due_in() != 0:
            return
        try:
            self._save()
        # So may a store.
        except Exception as error:
            self._core.pending.tried()
            warn_of_save(error)

    def _save(self) -> None:
        """Saves the last unsaved position. The child of a fork leaves that to its parent."""
        position = self._core.pending.unsaved()
        if self._store is None or position is None or self._pid != os.getpid():
            return
        self._store.save(position)
        self._core.pending.saved(position)

    def _pause(self, seconds: float) -> None:
        """Waits, until `close` or `reconnect` at the latest."""
        self._wake.acquire(blocking=False)
        if not self._is_ended_here():
            self._wake.acquire(timeout=min(seconds, threading.TIMEOUT_MAX))

    def _trace(self, name: str, info: Mapping[str, Any]) -> None:
        """Learns the socket of a new connection before the server has answered."""
        if name.endswith(".complete"):
            self._watch(info.get("return_value"))

    def _watch(self, stream: Any) -> None:
        info = getattr(stream, "get_extra_info", None)
        if info is None:
            return
        tls = info("ssl_object")
        # A connection of HTTP/2, which a client of the caller's may have, is not the stream's alone.
        is_shared = tls is not None and tls.selected_alpn_protocol() == "h2"
        self._socket = None if is_shared else info("socket")
        if self._is_ended_here():
            self._end_current()

    def _end_current(self) -> None:
        """Ends the connection, the attempt to open one, or the wait for the next attempt: one of them is under way.

        Closing a socket does not wake the thread that reads from it; shutting it down does. That of a parent process is left alone.
        """
        current = self._socket
        if isinstance(current, socket.socket) and self._pid == os.getpid():
            with contextlib.suppress(OSError):
                # Not the method of an SSLSocket, which would take its TLS away under the reader.
                socket.socket.shutdown(current, socket.SHUT_RDWR)
        with contextlib.suppress(RuntimeError):
            self._wake.release()
