"""Sending from an event loop, by tasks of that loop."""

from __future__ import annotations

import asyncio
from typing import Any

from .._base_client import AsyncAPIClient
from .._errors import AriftlyError
from .._lifecycle import keep_for_parent
from .._options import SendOptions
from .driver import Driver
from .encode_event import decode_event
from .pending_event import PendingEvent, SentEvent
from .send_call import AwaitedCall, timeout_of
from .sender import Events, Sender


class AsyncSender(Sender):
    """The core runs in the loop of its callers; one that is closed is replaced by the next one, with the same queue."""

    def __init__(self, options: SendOptions, api: AsyncAPIClient) -> None:
        self._own_api = api
        self._driver: Driver | None = None
        self._task: asyncio.Task[None] | None = None
        super().__init__(options, api)

    def send_nowait(self, events: Events) -> asyncio.Future[list[SentEvent]]:
        """Takes the events, also when the queue is full."""
        return self._send(events)[0]

    async def send(self, events: Events, timeout: float | None) -> list[SentEvent]:
        """Waits until the events are accepted. After `timeout` seconds those that were not posted are taken back."""
        future, pending = self._send(events)
        if timeout is not None:
            await asyncio.wait({future}, timeout=timeout)
            if not future.done():
                error = timeout_of(pending, timeout)
                future.cancel()
                self.core.withdraw(pending, error)
                self._wake()
                raise error
        return await future

    async def flush(self, timeout: float | None) -> bool:
        """Sends immediately; True when all that was sent before is settled in time."""
        self._start()
        self.drain()
        done = asyncio.Event()
        flush = self.core.flush(done.set)
        if flush is None:
            return True
        self._wake()
        try:
            await asyncio.wait_for(done.wait(), timeout)
        except asyncio.TimeoutError:
            return False
        finally:
            self.core.forget(flush)
        return True

    async def close(self, timeout: float) -> list[dict[str, Any]]:
        """Waits at most `timeout` seconds for the queued events; returns the ones that were not sent."""
        is_first = not self._is_closing
        self._is_closing = True
        if not self.core.is_ended:
            await self.flush(timeout)
        unsent = self.core.end() if is_first and not self.core.is_ended else []
        self._wake()
        if self._task is not None:
            await asyncio.wait({self._task})
        self.return_late()
        self._unhook()
        return [decode_event(event.encoded, event.id) for event in unsent]

    def at_exit(self) -> None:
        """The loops have ended: says what is lost."""
        self.drain()
        self._say_lost(self.core.end())

    def after_fork(self) -> None:
        keep_for_parent(self._driver, self._task, self.core, self._gate)
        self._driver = self._task = None
        super().after_fork()

    def resume(self) -> None:
        """Drives what an earlier loop, or an earlier process, left."""
        if not self.is_empty:
            self._start()

    def _send(self, events: Events) -> tuple[asyncio.Future[list[SentEvent]], list[PendingEvent]]:
        self._refuse_when_closed()
        encoded = self._encode(events)
        future: asyncio.Future[list[SentEvent]] = asyncio.get_running_loop().create_future()
        if not encoded:
            future.set_result([])
            return future, []

        def resolve(sent: list[SentEvent]) -> None:
            if not future.done() and not future.get_loop().is_closed():
                future.set_result(sent)

        def fail(error: Exception) -> None:
            if not future.done() and not future.get_loop().is_closed():
                future.set_exception(error)

        return future, self._add(AwaitedCall(len(encoded), resolve, fail), encoded) or []

    def _wake(self) -> None:
        if self._driver is not None and not self._driver.loop.is_closed():
            self._driver.wake()

    def _start(self) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            # An earlier process' events wait for the first loop.
            return
        if self._driver is not None:
            if self._driver.loop is loop and self._task is not None and not self._task.done():
                return
            if self._driver.loop is not loop and self._driver.loop.is_running():
                raise AriftlyError("other_event_loop", "An AsyncAriftly belongs to one event loop at a time.")
            self._driver.retire()
        self._driver = Driver(self, self._own_api, loop)
        self._task = loop.create_task(self._driver.run())
