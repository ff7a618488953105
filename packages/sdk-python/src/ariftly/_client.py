"""The two clients."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from types import TracebackType
from typing import Any

import httpx2

from ._base_client import AsyncAPIClient, SyncAPIClient
from ._events import AsyncEvents, Events
from ._http.call import CallSettings
from ._lifecycle import on_fork
from ._options import AsyncGivenKey, GivenKey, SendOptions, read_base_url, read_given_key
from ._resources.groups import AsyncGroups, Groups
from ._send.async_sender import AsyncSender
from ._send.sync_sender import SyncSender
from ._tool_call import ToolCall


class Ariftly(Groups):
    """A client of the Events API. Make one a process and share it among threads. `close` it, or use `with`, so that all events are sent."""

    events: Events

    def __init__(
        self,
        *,
        api_key: GivenKey | None = None,
        base_url: str | None = None,
        attempt_timeout: float = 20.0,
        total_timeout: float = 120.0,
        max_retries: int = 5,
        max_retry_after: float = 60.0,
        send: SendOptions | None = None,
        proxy: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        http_client: httpx2.Client | Callable[[], httpx2.Client] | None = None,
        async_http_client: Callable[[], httpx2.AsyncClient] | None = None,
    ) -> None:
        self._api = SyncAPIClient(
            **_shared(
                api_key, base_url, attempt_timeout, total_timeout, max_retries, max_retry_after, proxy, ssl_context
            ),
            http_client=http_client,
        )
        self._sender = SyncSender(send or SendOptions(), self._api, lambda: self._api.for_sender(async_http_client))
        super().__init__(self._api)
        self.events = Events(self._api, self._sender)
        on_fork(self)

    def tool_call(
        self,
        *,
        task_id: str | Callable[..., str],
        tool: str | None = None,
        tool_call_id: str | None = None,
        session_id: str | None = None,
        agent: str | None = None,
        include_arguments: bool = False,
        include_result: bool = False,
    ) -> ToolCall:
        """Reports a call of a tool by one event `tool_call.executed` when it ends: a decorator, or a context manager.

        `task_id` may be a function of the arguments of the decorated function; `tool` is its name by default. The event has the id of
        the call, its status, duration and error; arguments and result only when they are asked for. Reporting never raises: an event
        for which there is no room is a warning. The current span of OpenTelemetry, if it is in use, is the trace of the event.
        """
        return ToolCall(
            self._sender.try_send,
            task_id=task_id,
            tool=tool,
            tool_call_id=tool_call_id,
            session_id=session_id,
            agent=agent,
            include_arguments=include_arguments,
            include_result=include_result,
        )

    def close(self, timeout: float = 30.0) -> list[dict[str, Any]]:
        """Ends all streams, takes no more events, waits at most `timeout` seconds until the queued ones are sent.

        Returns the ones that could not be sent: their futures fail with a ClosedError, and a spool keeps them. They have ids,
        so sending them again makes no duplicates.
        """
        self._api.close_streams()
        unsent = self._sender.close(timeout)
        self._api.close_http()
        return unsent

    def after_fork(self) -> None:
        """In the child of a fork: the parent keeps queue, spool and connections."""
        self._api.forget_http()
        self._sender.after_fork()

    def __enter__(self) -> Ariftly:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncAriftly(AsyncGroups):
    """A client of the Events API for asyncio. Make one a process. `close` it, or use `async with`, so that all events are sent."""

    events: AsyncEvents

    def __init__(
        self,
        *,
        api_key: AsyncGivenKey | None = None,
        base_url: str | None = None,
        attempt_timeout: float = 20.0,
        total_timeout: float = 120.0,
        max_retries: int = 5,
        max_retry_after: float = 60.0,
        send: SendOptions | None = None,
        proxy: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        http_client: httpx2.AsyncClient | Callable[[], httpx2.AsyncClient] | None = None,
    ) -> None:
        self._api = AsyncAPIClient(
            **_shared(
                api_key, base_url, attempt_timeout, total_timeout, max_retries, max_retry_after, proxy, ssl_context
            ),
            http_client=http_client,
        )
        self._sender = AsyncSender(send or SendOptions(), self._api)
        super().__init__(self._api)
        self.events = AsyncEvents(self._api, self._sender)
        on_fork(self)

    def tool_call(
        self,
        *,
        task_id: str | Callable[..., str],
        tool: str | None = None,
        tool_call_id: str | None = None,
        session_id: str | None = None,
        agent: str | None = None,
        include_arguments: bool = False,
        include_result: bool = False,
    ) -> ToolCall:
        """Reports a call of a tool by one event `tool_call.executed` when it ends: a decorator, or a context manager.

        `task_id` may be a function of the arguments of the decorated function; `tool` is its name by default. The event has the id of
        the call, its status, duration and error; arguments and result only when they are asked for. Reporting never raises: an event
        for which there is no room is a warning. The current span of OpenTelemetry, if it is in use, is the trace of the event.
        """
        return ToolCall(
            self._sender.try_send,
            task_id=task_id,
            tool=tool,
            tool_call_id=tool_call_id,
            session_id=session_id,
            agent=agent,
            include_arguments=include_arguments,
            include_result=include_result,
        )

    async def close(self, timeout: float = 30.0) -> list[dict[str, Any]]:
        """As `Ariftly.close`."""
        self._api.close_streams()
        unsent = await self._sender.close(timeout)
        await self._api.close_http()
        return unsent

    def after_fork(self) -> None:
        """In the child of a fork: the parent keeps queue, spool and connections."""
        self._api.forget_http()
        self._sender.after_fork()

    async def __aenter__(self) -> AsyncAriftly:
        self._sender.resume()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _shared(
    api_key: Any,
    base_url: str | None,
    attempt_timeout: float,
    total_timeout: float,
    max_retries: int,
    max_retry_after: float,
    proxy: str | None,
    ssl_context: ssl.SSLContext | None,
) -> dict[str, Any]:
    """What both clients give to their half of `_base_client`."""
    return {
        "base_url": read_base_url(base_url),
        "api_key": read_given_key(api_key),
        "settings": CallSettings(attempt_timeout, total_timeout, max_retries, max_retry_after),
        "proxy": proxy,
        "ssl_context": ssl_context,
    }
