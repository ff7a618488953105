"""Types of events, and tokens for streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._http.call import RequestOptions
from .._lists import AsyncList, List
from ..types import (
    EventTypeDescription,
    ListTasksQuery,
    StreamToken,
    StreamTokenRequest,
    Task,
)
from .resource import AsyncResource, Resource

if TYPE_CHECKING:
    from typing_extensions import Unpack


class EventTypes(Resource):
    """The types of events, with the schemas of their data (any key)."""

    def list(self, *, options: RequestOptions | None = None) -> List[EventTypeDescription]:
        return List(self._api, "/v1/event-types", {}, options)


class Tasks(Resource):
    """Tasks, by their `task.created` (scope `events:read`)."""

    def list(self, *, options: RequestOptions | None = None, **query: Unpack[ListTasksQuery]) -> List[Task]:
        """Newest first, each with its newest event; `limit` is at most 100."""
        return List(self._api, "/v1/tasks", query, options)


class StreamTokens(Resource):
    """Tokens that open one stream, for browsers, where an API key must not be (scope `events:read`)."""

    def create(self, *, options: RequestOptions | None = None, **request: Unpack[StreamTokenRequest]) -> StreamToken:
        """The token is bound to this filter and to the key that asks; `ttl_s` is 10 to 86,400, default 3,600."""
        answer: StreamToken = self._write("POST", "/v1/stream-tokens", request, options)
        return answer


class AsyncEventTypes(AsyncResource):
    """The types of events, with the schemas of their data (any key), for asyncio."""

    def list(self, *, options: RequestOptions | None = None) -> AsyncList[EventTypeDescription]:
        return AsyncList(self._api, "/v1/event-types", {}, options)


class AsyncTasks(AsyncResource):
    """Tasks, by their `task.created` (scope `events:read`), for asyncio."""

    def list(self, *, options: RequestOptions | None = None, **query: Unpack[ListTasksQuery]) -> AsyncList[Task]:
        """Newest first, each with its newest event; `limit` is at most 100."""
        return AsyncList(self._api, "/v1/tasks", query, options)


class AsyncStreamTokens(AsyncResource):
    """Tokens that open one stream, for browsers, where an API key must not be (scope `events:read`), for asyncio."""

    async def create(
        self, *, options: RequestOptions | None = None, **request: Unpack[StreamTokenRequest]
    ) -> StreamToken:
        """The token is bound to this filter and to the key that asks; `ttl_s` is 10 to 86,400, default 3,600."""
        answer: StreamToken = await self._write("POST", "/v1/stream-tokens", request, options)
        return answer
