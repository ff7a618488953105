"""Lists of the API, read page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ._base_client import AsyncAPIClient, SyncAPIClient
from ._http.call import Call, RequestOptions

Item = TypeVar("Item")


@dataclass(frozen=True)
class Page(Generic[Item]):
    """One page of a list. It may be empty although more follow."""

    data: list[Item]
    has_more: bool
    #: Cursor of the next page; None on the last one.
    next_cursor: str | None


class _Pages(Generic[Item]):
    """The requests of a list. Each iteration begins at the first page, or at the `cursor` that was given."""

    #: Cursor after the last completely read page; None before the first page, and after the last.
    cursor: str | None

    def __init__(self, path: str, query: Mapping[str, Any], options: RequestOptions | None) -> None:
        self._path = path
        self._query = query
        self._options: RequestOptions = options or {}
        self.cursor = None

    def _call(self, cursor: str | None) -> Call:
        query = dict(self._query) if cursor is None else {**self._query, "cursor": cursor}
        return Call("GET", self._path, query)


def _page_of(answer: Any) -> Page[Any]:
    return Page(answer["data"], answer["has_more"], answer["next_cursor"])


class List(_Pages[Item]):
    """A list of the API: `for` reads all of it, page by page."""

    def __init__(
        self, api: SyncAPIClient, path: str, query: Mapping[str, Any], options: RequestOptions | None = None
    ) -> None:
        super().__init__(path, query, options)
        self._api = api

    def pages(self) -> Iterator[Page[Item]]:
        """All pages. A page may be empty although more follow."""
        cursor: str | None = None
        while True:
            page: Page[Item] = _page_of(self._api.request(self._call(cursor), **self._options))
            yield page
            self.cursor = cursor = page.next_cursor
            if not page.has_more or cursor is None:
                return

    def __iter__(self) -> Iterator[Item]:
        for page in self.pages():
            yield from page.data

    def to_list(self, *, limit: int) -> list[Item]:
        """At most `limit` items in one list."""
        items: list[Item] = []
        if limit <= 0:
            return items
        for item in self:
            items.append(item)
            if len(items) >= limit:
                break
        return items


class AsyncList(_Pages[Item]):
    """A list of the API: `async for` reads all of it, page by page."""

    def __init__(
        self, api: AsyncAPIClient, path: str, query: Mapping[str, Any], options: RequestOptions | None = None
    ) -> None:
        super().__init__(path, query, options)
        self._api = api

    async def pages(self) -> AsyncIterator[Page[Item]]:
        """All pages. A page may be empty although more follow."""
        cursor: str | None = None
        while True:
            page: Page[Item] = _page_of(await self._api.request(self._call(cursor), **self._options))
            yield page
            self.cursor = cursor = page.next_cursor
            if not page.has_more or cursor is None:
                return

    async def __aiter__(self) -> AsyncIterator[Item]:
        async for page in self.pages():
            for item in page.data:
                yield item

    async def to_list(self, *, limit: int) -> list[Item]:
        """At most `limit` items in one list."""
        items: list[Item] = []
        if limit <= 0:
            return items
        async for item in self:
            items.append(item)
            if len(items) >= limit:
                break
        return items
