"""Runs a core in one event loop."""

from __future__ import annotations

import asyncio
import time

from .._base_client import AsyncAPIClient
from .._errors import APIConnectionError, AriftlyError, is_temporary
from .._http.call import Call
from .batch_answer import body_of, read_answer
from .pending_event import BatchResult, Outcome, PendingEvent
from .sender import Sender

_NEVER = float("inf")


class Driver:
    """Waits for the earliest of linger, gate and held task; takes; posts. Requests belong to it: no caller cancels them."""

    def __init__(self, sender: Sender, api: AsyncAPIClient, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._sender = sender
        self._core = sender.core
        self._api = api
        self._event = asyncio.Event()
        self._posts: set[asyncio.Task[None]] = set()
        self._is_retired = False

    def wake(self) -> None:
        """In this loop."""
        self._event.set()

    def wake_from_thread(self) -> None:
        """From any thread, also in a signal handler."""
        try:
            self.loop.call_soon_threadsafe(self._event.set)
        except RuntimeError:
            # The loop is closed: whoever sends next has another one.
            return

    def retire(self) -> None:
        """Another driver runs the core: this one's loop has ended, or does not run any more."""
        self._is_retired = True
        self._core.put_all_back()

    async def run(self) -> None:
        """Until the core ends."""
        core, sender = self._core, self._sender
        while not self._is_retired:
            sender.wake_at = _NEVER
            sender.drain()
            if core.is_ended:
                break
            now = time.monotonic()
            due = core.due(now)
            if due <= now:
                self._post(core.take())
                continue
            self._event.clear()
            sender.wake_at = core.room_in_batch()
            # Whoever has put something into the inbox before that has woken nobody.
            if not sender.inbox or sender.inbox_events < sender.wake_at:
                await self._sleep(due - now)
        for post in self._posts:
            post.cancel()
        await asyncio.gather(*self._posts, return_exceptions=True)

    async def close(self) -> None:
        """Ends the connections, which are this driver's own."""
        await self._api.close_http()

    async def _sleep(self, seconds: float) -> None:
        timer = None if seconds == _NEVER else self.loop.call_later(seconds, self._event.set)
        try:
            await self._event.wait()
        finally:
            if timer is not None:
                timer.cancel()

    def _post(self, batch: list[PendingEvent]) -> None:
        task = self.loop.create_task(self._post_now(batch))
        self._posts.add(task)
        task.add_done_callback(self._posts.discard)

    async def _post_now(self, batch: list[PendingEvent]) -> None:
        try:
            result = await self._request(batch)
        except asyncio.CancelledError:
            self._core.put_back(batch)
            raise
        self._core.finish(batch, result, time.monotonic())
        self._event.set()

    async def _request(self, batch: list[PendingEvent]) -> BatchResult:
        """Any failure here, also of a caller's function, is retried, except one that is known to be final: a key that is none."""
        try:
            traceparent = batch[0].traceparent
            headers = {} if traceparent is None else {"traceparent": traceparent}
            call = Call("POST", "/v1/events", headers=headers, body=body_of(batch))
            return read_answer(await self._api.attempt(call, self._api.settings.attempt_timeout), batch)
        except AriftlyError as error:
            if is_temporary(error):
                return BatchResult("again", error=error)
            return BatchResult("results", [Outcome("failed", error=error)] * len(batch))
        except Exception as error:
            return BatchResult("again", error=APIConnectionError(f"{type(error).__name__}: {error}"))
