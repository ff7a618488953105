"""Reading events: lists, single events and streams."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, cast, overload

from ._base_client import AsyncAPIClient, SyncAPIClient
from ._http.call import Call, RequestOptions, path
from ._lists import AsyncList, List
from ._stream.async_stream import AsyncEventStream
from ._stream.core import STALL_TIMEOUT, OnReset, StreamOptions, StreamReset
from ._stream.positions import AsyncPositionStore, PositionStore
from ._stream.state import StreamState
from ._stream.sync_stream import EventStream
from .types import Event, GetEventQuery, ListEventsQuery

if TYPE_CHECKING:
    from typing_extensions import Unpack


class EventReads:
    """The reading half of `client.events`."""

    def __init__(self, api: SyncAPIClient) -> None:
        self._api = api

    def list(self, *, options: RequestOptions | None = None, **query: Unpack[ListEventsQuery]) -> List[Event]:
        """Newest first, unless `order` is `asc`. `after` and `before` are exclusive, and compared with `created_at`."""
        return List(self._api, "/v1/events", query, options)

    def get(self, id: str, *, options: RequestOptions | None = None, **query: Unpack[GetEventQuery]) -> Event:
        """`include` adds how the event went through the log, or its deliveries."""
        call = Call("GET", path("/v1/events", id), query)
        return cast(Event, self._api.request(call, **(options or {})))

    @overload
    def stream(
        self,
        *,
        task_id: str | None = ...,
        session_id: str | None = ...,
        agent: str | None = ...,
        types: Sequence[str] | None = ...,
        after: str | datetime | None = ...,
        position: str | None = ...,
        position_store: PositionStore | None = ...,
        save_every: float = ...,
        stall_timeout: float = ...,
        on_state: Callable[[StreamState], object] | None = ...,
        on_reset: Literal["raise"] = ...,
    ) -> EventStream[Event]: ...
    @overload
    def stream(
        self,
        *,
        task_id: str | None = ...,
        session_id: str | None = ...,
        agent: str | None = ...,
        types: Sequence[str] | None = ...,
        after: str | datetime | None = ...,
        position: str | None = ...,
        position_store: PositionStore | None = ...,
        save_every: float = ...,
        stall_timeout: float = ...,
        on_state: Callable[[StreamState], object] | None = ...,
        on_reset: Literal["yield"],
    ) -> EventStream[Event | StreamReset]: ...
    def stream(
        self,
        *,
        task_id: str | None = None,
        session_id: str | None = None,
        agent: str | None = None,
        types: Sequence[str] | None = None,
        after: str | datetime | None = None,
        position: str | None = None,
        position_store: PositionStore | None = None,
        save_every: float = 1.0,
        stall_timeout: float = STALL_TIMEOUT,
        on_state: Callable[[StreamState], object] | None = None,
        on_reset: OnReset = "raise",
    ) -> EventStream[Any]:
        """Events as they happen, to loop over: from now on, from `after`, or from a position.

        `task_id`, `session_id`, `agent` and `types` narrow it down; all conditions must hold. `after` (a datetime or ISO 8601) starts
        with the events appended since, inclusive; a position wins over it: `position`, as `stream.position` gave it, else the one in
        `position_store`. The position is saved at most once in `save_every` seconds, by the thread of the loop, and at its end; with 0
        each event is saved before the next one is given out. A connection without a byte for `stall_timeout` seconds is given up.
        `on_state` is called at each change of `stream.state`.

        When a position could not be kept, a StreamResetError ends the loop; with `on_reset="yield"` the loop gets a StreamReset and goes
        on.
        """
        given = StreamOptions(
            task_id=task_id,
            session_id=session_id,
            agent=agent,
            types=types,
            after=after,
            position=position,
            save_every=save_every,
            stall_timeout=stall_timeout,
            on_state=on_state,
            on_reset=on_reset,
        )
        return EventStream(self._api, given, position_store)


class AsyncEventReads:
    """The reading half of `client.events` of AsyncAriftly."""

    def __init__(self, api: AsyncAPIClient) -> None:
        self._api = api

    def list(self, *, options: RequestOptions | None = None, **query: Unpack[ListEventsQuery]) -> AsyncList[Event]:
        """As `Ariftly.events.list`."""
        return AsyncList(self._api, "/v1/events", query, options)

    async def get(self, id: str, *, options: RequestOptions | None = None, **query: Unpack[GetEventQuery]) -> Event:
        """As `Ariftly.events.get`."""
        call = Call("GET", path("/v1/events", id), query)
        return cast(Event, await self._api.request(call, **(options or {})))

    @overload
    def stream(
        self,
        *,
        task_id: str | None = ...,
        session_id: str | None = ...,
        agent: str | None = ...,
        types: Sequence[str] | None = ...,
        after: str | datetime | None = ...,
        position: str | None = ...,
        position_store: PositionStore | AsyncPositionStore | None = ...,
        save_every: float = ...,
        stall_timeout: float = ...,
        on_state: Callable[[StreamState], object] | None = ...,
        on_reset: Literal["raise"] = ...,
    ) -> AsyncEventStream[Event]: ...
    @overload
    def stream(
        self,
        *,
        task_id: str | None = ...,
        session_id: str | None = ...,
        agent: str | None = ...,
        types: Sequence[str] | None = ...,
        after: str | datetime | None = ...,
        position: str | None = ...,
        position_store: PositionStore | AsyncPositionStore | None = ...,
        save_every: float = ...,
        stall_timeout: float = ...,
        on_state: Callable[[StreamState], object] | None = ...,
        on_reset: Literal["yield"],
    ) -> AsyncEventStream[Event | StreamReset]: ...
    def stream(
        self,
        *,
        task_id: str | None = None,
        session_id: str | None = None,
        agent: str | None = None,
        types: Sequence[str] | None = None,
        after: str | datetime | None = None,
        position: str | None = None,
        position_store: PositionStore | AsyncPositionStore | None = None,
        save_every: float = 1.0,
        stall_timeout: float = STALL_TIMEOUT,
        on_state: Callable[[StreamState], object] | None = None,
        on_reset: OnReset = "raise",
    ) -> AsyncEventStream[Any]:
        """As `Ariftly.events.stream`. Methods of the store may be coroutine functions."""
        given = StreamOptions(
            task_id=task_id,
            session_id=session_id,
            agent=agent,
            types=types,
            after=after,
            position=position,
            save_every=save_every,
            stall_timeout=stall_timeout,
            on_state=on_state,
            on_reset=on_reset,
        )
        return AsyncEventStream(self._api, given, position_store)
