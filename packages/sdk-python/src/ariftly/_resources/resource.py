"""What all groups of methods share."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from .._base_client import AsyncAPIClient, SyncAPIClient
from .._http.call import Call, RequestOptions, json_body


class Resource:
    """Calls of one kind of object."""

    def __init__(self, api: SyncAPIClient) -> None:
        self._api = api

    def _read(self, at: str, query: Mapping[str, Any], options: RequestOptions | None) -> Any:
        return self._api.request(Call("GET", at, query), **(options or {}))

    def _write(self, method: str, at: str, body: Any, options: RequestOptions | None) -> Any:
        return self._api.request(Call(method, at, body=json_body(body)), **(options or {}))

    def _make(self, at: str, body: Any, idempotency_key: str | None, options: RequestOptions | None) -> Any:
        return self._api.request(creation(at, body, idempotency_key), **(options or {}))


class AsyncResource:
    """Calls of one kind of object, for asyncio."""

    def __init__(self, api: AsyncAPIClient) -> None:
        self._api = api

    async def _read(self, at: str, query: Mapping[str, Any], options: RequestOptions | None) -> Any:
        return await self._api.request(Call("GET", at, query), **(options or {}))

    async def _write(self, method: str, at: str, body: Any, options: RequestOptions | None) -> Any:
        return await self._api.request(Call(method, at, body=json_body(body)), **(options or {}))

    async def _make(self, at: str, body: Any, idempotency_key: str | None, options: RequestOptions | None) -> Any:
        return await self._api.request(creation(at, body, idempotency_key), **(options or {}))


def creation(at: str, body: Any, idempotency_key: str | None) -> Call:
    """A POST that takes effect once: its retries carry the same key.

    A key of the caller's makes a repeated call harmless for 24 hours, beyond the retries of this one: 1 to 255 visible ASCII
    characters.
    """
    headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
    return Call("POST", at, headers=headers, body=json_body(body))
