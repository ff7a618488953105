"""Sending from threads: one thread in the background has the event loop of all requests."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any

from .._base_client import AsyncAPIClient, SyncAPIClient
from .._errors import APITimeoutError
from .._lifecycle import keep_for_parent
from .._log import log
from .._options import SendOptions
from .core import Flush
from .driver import Driver
from .encode_event import decode_event
from .pending_event import PendingEvent, SentEvent
from .send_call import AwaitedCall, Latch, SendFuture, timeout_of
from .sender import Events, Sender

#: How long the thread may take beyond the time that a caller gave it.
_GRACE_S = 10.0


class SyncSender(Sender):
    """No lock is held while something is waited for, and the thread takes none that a caller may hold."""

    def __init__(self, options: SendOptions, api: SyncAPIClient, make_api: Callable[[], AsyncAPIClient]) -> None:
        self._make_api = make_api
        self._driver: Driver | None = None
        self._thread: threading.Thread | None = None
        super().__init__(options, api)

    def send_nowait(self, events: Events) -> SendFuture:
        """Takes the events, also when the queue is full."""
        return self._send(events)[0]

    def send(self, events: Events, timeout: float | None) -> list[SentEvent]:
        """Waits until the events are accepted. After `timeout` seconds those that were not posted are taken back."""
        future, pending = self._send(events)
        try:
            return future.result(timeout)
        except FutureTimeoutError:
            self._command(lambda: self._expire(future, pending, timeout or 0.0))
        try:
            return future.result(_GRACE_S)
        except FutureTimeoutError:
            raise APITimeoutError(f"Not accepted within {timeout:g} s; the sender does not answer.") from None

    def flush(self, timeout: float | None) -> bool:
        """Sends immediately; True when all that was sent before is settled in time."""
        if self.is_empty:
            return True
        latch = Latch()
        flushes: list[Flush | None] = []
        self._command(lambda: flushes.append(self.core.flush(latch.open)))
        if latch.wait(timeout):
            return True
        self._command(lambda: self.core.forget(flushes[0]))
        return False

    def close(self, timeout: float) -> list[dict[str, Any]]:
        """Waits at most `timeout` seconds for the queued events; returns the ones that were not sent."""
        return [decode_event(event.encoded, event.id) for event in self._close(timeout)]

    def at_exit(self) -> None:
        """Sends what is queued, for a while, and says what is lost."""
        self._say_lost(self._close(0 if self.is_empty else self._options.exit_timeout))

    def after_fork(self) -> None:
        keep_for_parent(self._thread, self._driver, self.core, self._gate)
        self._driver = self._thread = None
        self.__dict__.pop("_closing", None)
        super().after_fork()

    def _send(self, events: Events) -> tuple[SendFuture, list[PendingEvent]]:
        self._refuse_when_closed()
        encoded = self._encode(events)
        future = SendFuture()
        if not encoded:
            future.resolve([])
            return future, []
        return future, self._add(AwaitedCall(len(encoded), future.resolve, future.fail), encoded) or []

    def _expire(self, future: SendFuture, pending: list[PendingEvent], timeout: float) -> None:
        error = timeout_of(pending, timeout)
        future.fail(error)
        self.core.withdraw(pending, error)

    def _close(self, timeout: float) -> list[PendingEvent]:
        """Takes no lock: it may run in a signal handler."""
        self._is_closing = True
        closing = _Closing()
        first = self.__dict__.setdefault("_closing", closing)
        if first is closing:
            if self._thread is None:
                closing.end(self.core.end())
            else:
                self._command(lambda: self._begin_close(closing, timeout))
            self._unhook()
        if threading.current_thread() is self._thread:
            return []
        if not first.latch.wait(timeout + _GRACE_S):
            log.warning("The sender does not end: a function of the caller may block it.")
        return first.unsent if first is closing else []

    def _begin_close(self, closing: _Closing, timeout: float) -> None:
        def end() -> None:
            if not self.core.is_ended:
                closing.end(self.core.end())
                self._wake()

        if self.core.is_ended:
            closing.latch.open()
            return
        self.core.flush(end)
        if not self.core.is_ended and self._driver is not None:
            self._driver.loop.call_later(timeout, end)

    def _wake(self) -> None:
        driver = self._driver
        if driver is not None:
            driver.wake_from_thread()

    def _start(self) -> None:
        if self._thread is not None:
            return
        loop = _new_loop()
        thread = threading.Thread(target=self._run, args=(loop,), name="ariftly-sender", daemon=True)
        api = self._make_api()
        self._driver = Driver(self, api, loop)
        self._thread = thread
        try:
            thread.start()
        except RuntimeError:
            self._driver = self._thread = None
            loop.close()
            raise

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        driver = self._driver
        assert driver is not None
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(driver.run())
            self.return_late()
            loop.run_until_complete(driver.close())
            loop.run_until_complete(loop.shutdown_asyncgens())
        except BaseException:
            log.exception("The sender ended.")
            raise
        finally:
            loop.close()


def _new_loop() -> asyncio.AbstractEventLoop:
    """A loop that also resolves names while the interpreter ends: Python 3.12 starts no thread for it then."""
    loop = asyncio.new_event_loop()
    resolve = loop.getaddrinfo

    async def getaddrinfo(*args: Any, **options: Any) -> Any:
        try:
            return await resolve(*args, **options)
        except RuntimeError:
            return socket.getaddrinfo(*args, **options)

    loop.getaddrinfo = getaddrinfo  # type: ignore[method-assign]
    return loop


class _Closing:
    """What the first `close` waits for."""

    def __init__(self) -> None:
        self.latch = Latch()
        self.unsent: list[PendingEvent] = []

    def end(self, unsent: list[PendingEvent]) -> None:
        self.unsent = unsent
        self.latch.open()
