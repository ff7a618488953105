"""Streams in an event loop."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from types import TracebackType
from typing import Any, Generic, TypeVar, cast

import httpx2

from .._base_client import AsyncAPIClient
from .._errors import APIConnectionError, APITimeoutError, ProtocolError
from .._http.call import Answer
from .._http.http_slot import failures
from .core import StreamCore, StreamItem, StreamOptions, error_of_opening, is_event_stream, warn_of_save
from .positions import AsyncPositionStore, PositionStore
from .sse import SseParser
from .state import StreamState

Item = TypeVar("Item")
Result = TypeVar("Result")


class AsyncEventStream(Generic[Item]):
    """Events as they happen: `async for event in stream`.

    It opens a connection when the loop begins and another one whenever that ends, however it ends, with the position of the last
    frame, so that nothing is missed and nothing repeated. It ends by `close`, by the `close` of its client, by leaving the loop, or
    with an error that is not retried. It can be iterated once.
    """

    def __init__(
        self, api: AsyncAPIClient, options: StreamOptions, store: PositionStore | AsyncPositionStore | None
    ) -> None:
        self._api = api
        self._core = StreamCore(api, options)
        self._store = store
        self._is_started = False
        self._is_closed = False
        #: The connection was ended here, to open another one.
        self._is_renewed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        #: Done when what is waited for is to end: the next bytes, a connection, or the time of the next attempt.
        self._ended: asyncio.Future[None] | None = None
        self._pid = os.getpid()
        self._is_entered = False
        #: What runs the loop, while this is a context manager: it is ended where its block ends.
        self._items: AsyncGenerator[Item, None] | None = None

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
        """Ends the loop once the event in hand is finished, also from another thread.

        Call it inside the loop where `break` would leave that event unfinished.
        """
        self._is_closed = True
        self._end_current()
        if not self._is_started:
            self._core.closed()

    def reconnect(self) -> None:
        """Opens a new connection now, in place of the current one, of a running attempt, or of the wait for one."""
        self._is_renewed = True
        self._end_current()

    async def __aenter__(self) -> AsyncEventStream[Item]:
        self._is_entered = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if self._items is not None:
            await self._items.aclose()

    def __aiter__(self) -> AsyncIterator[Item]:
        if self._is_started:
            raise ProtocolError("A stream can be iterated once: make another one.")
        self._is_started = True
        items = self._run()
        if self._is_entered:
            self._items = items
        return items

    async def _run(self) -> AsyncGenerator[Item, None]:
        core = self._core
        self._loop = asyncio.get_running_loop()
        self._api.streams.add(self)
        try:
            position = core.options.position
            if position is None and self._store is not None:
                position = await _result_of(self._store.load())
                core.pending.loaded(position)
            core.start(position)
            while not self._is_over():
                async with contextlib.aclosing(self._read_connection()) as items:
                    async for item in items:
                        yield item
        finally:
            self._is_closed = True
            self._api.streams.discard(self)
            core.closed()
            await self._save()

    def _is_over(self) -> bool:
        # A client that was closed before the stream was known to it does not end it by `close`.
        return self._is_closed or self._api.is_closed

    async def _read_connection(self) -> AsyncGenerator[Item, None]:
        """Opens one connection and gives out what it holds; returns when it is time to open another one."""
        core = self._core
        self._is_renewed = False
        self._ended = asyncio.get_running_loop().create_future()
        core.connecting()
        wait: float | None = None
        async with contextlib.AsyncExitStack() as stack:
            try:
                response = await self._unless_ended(self._connect(stack))
            # A function of the caller, such as one that gives keys, may raise anything.
            except Exception as error:
                if not self._is_ended_here():
                    wait = core.wait_after_failure(error)
            else:
                if response is None:
                    return
                end = _End()
                async with contextlib.aclosing(self._read(response, end)) as items:
                    async for item in items:
                        yield item
                if not self._is_ended_here():
                    wait = core.wait(0.0, end.failure)
        if wait is not None:
            # Ended by `close` and `reconnect`.
            await asyncio.wait([self._ended], timeout=wait)

    def _is_ended_here(self) -> bool:
        """A connection that was ended to renew it is opened again without a wait."""
        return self._is_renewed or self._is_over()

    async def _connect(self, stack: contextlib.AsyncExitStack) -> httpx2.Response:
        timeout = self._api.settings.attempt_timeout
        opening = self._api.open(self._core.call(), httpx2.Timeout(timeout))
        response = await stack.enter_async_context(opening)
        if not is_event_stream(response.status_code, response.headers):
            content = b""
            if response.status_code >= 400:
                with failures(timeout):
                    content = await response.aread()
            raise error_of_opening(Answer(response.status_code, response.headers, content))
        # The transport reads its limits when it begins to read the body.
        response.request.extensions["timeout"]["read"] = self._core.options.stall_timeout
        return response

    async def _read(self, response: httpx2.Response, end: _End) -> AsyncGenerator[Item, None]:
        """Gives out what a connection holds. `end` is then why it ended."""
        core = self._core
        parser = SseParser()
        core.opened()
        chunks = response.aiter_bytes()
        try:
            while True:
                chunk = await self._next_chunk(chunks)
                if not chunk:
                    return
                for frame in parser.push(chunk):
                    item = core.take(frame)
                    if item is not None:
                        yield cast(Item, item.event)
                    core.finish(frame.id)
                    if core.options.save_every == 0:
                        await self._save()
                    if self._is_over():
                        return
        except APITimeoutError:
            end.failure = core.silent()
        except APIConnectionError as error:
            end.failure = error
        finally:
            core.disconnected(parser.retry_ms)

    async def _next_chunk(self, chunks: AsyncIterator[bytes]) -> bytes | None:
        """The next bytes; nothing at the end. What is to be saved meanwhile is saved."""
        await self._save_if_due()
        with failures(self._core.options.stall_timeout):
            return await self._unless_ended(_next(chunks), self._core.pending.due_in())

    async def _unless_ended(self, work: Awaitable[Result], save_in: float | None = None) -> Result | None:
        """The result, or None once the connection is to end. Cancelling the caller cancels the work."""
        assert self._ended is not None
        task: asyncio.Future[Result] = asyncio.ensure_future(work)
        try:
            waited: set[asyncio.Future[Any]] = {task, self._ended}
            done, _ = await asyncio.wait(waited, timeout=save_in, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                await self._save_if_due()
                await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if task.done() and not self._ended.done():
                return task.result()
            return None
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
            if not task.cancelled():
                # What nobody asks for is no error that nobody handled.
                task.exception()

    async def _save_if_due(self) -> None:
        if self._core.pending.due_in() != 0:
            return
        try:
            await self._save()
        # So may a store.
        except Exception as error:
            self._core.pending.tried()
            warn_of_save(error)

    async def _save(self) -> None:
        """Saves the last unsaved position. The child of a fork leaves that to its parent."""
        position = self._core.pending.unsaved()
        if self._store is None or position is None or self._pid != os.getpid():
            return
        await _result_of(self._store.save(position))
        self._core.pending.saved(position)

    def _end_current(self) -> None:
        """Ends what is under way. A loop that is closed has nothing under way."""
        loop = self._loop
        if loop is None or loop.is_closed() or self._pid != os.getpid():
            return
        if _is_running(loop):
            self._end()
        else:
            # It may be closed at this moment.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)


class _End:
    """Why a connection ended: None when the server ended it in good order."""

    failure: Exception | None = None


def _is_running(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether this is code of the loop."""
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


async def _next(chunks: AsyncIterator[bytes]) -> bytes:
    async for chunk in chunks:
        if chunk:
            return chunk
    return b""


async def _result_of(given: Any) -> Any:
    """What a store gives, which may be awaitable."""
    return await given if inspect.isawaitable(given) else given
