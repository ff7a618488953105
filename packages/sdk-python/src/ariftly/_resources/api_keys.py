"""API keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._http.call import RequestOptions, path
from .._lists import AsyncList, List
from ..types import (
    ApiKey,
    ApiKeyChanges,
    CurrentApiKey,
    ListApiKeysQuery,
    NewApiKey,
    NewApiKeyRequest,
    RotateApiKey,
)
from .resource import AsyncResource, Resource

if TYPE_CHECKING:
    from typing_extensions import Unpack


class ApiKeys(Resource):
    """API keys (scope `admin` for the own tenant's, `platform` for any)."""

    def current(self, *, options: RequestOptions | None = None) -> CurrentApiKey:
        """The key that calls; any key may."""
        answer: CurrentApiKey = self._read("/v1/api-keys/current", {}, options)
        return answer

    def create(
        self,
        *,
        idempotency_key: str | None = None,
        options: RequestOptions | None = None,
        **request: Unpack[NewApiKeyRequest],
    ) -> NewApiKey:
        """The answer holds the key, this once."""
        answer: NewApiKey = self._make("/v1/api-keys", request, idempotency_key, options)
        return answer

    def list(self, *, options: RequestOptions | None = None, **query: Unpack[ListApiKeysQuery]) -> List[ApiKey]:
        return List(self._api, "/v1/api-keys", query, options)

    def update(self, id: str, *, options: RequestOptions | None = None, **changes: Unpack[ApiKeyChanges]) -> ApiKey:
        answer: ApiKey = self._write("PATCH", path("/v1/api-keys", id), changes, options)
        return answer

    def rotate(
        self,
        id: str,
        *,
        idempotency_key: str | None = None,
        options: RequestOptions | None = None,
        **rotation: Unpack[RotateApiKey],
    ) -> NewApiKey:
        """The answer holds the new secret, this once; the old one stays valid for `overlap_hours`."""
        answer: NewApiKey = self._make(path("/v1/api-keys", id, "rotate"), rotation, idempotency_key, options)
        return answer

    def revoke(self, id: str, *, options: RequestOptions | None = None) -> None:
        """It stops within a second, open streams included."""
        self._write("DELETE", path("/v1/api-keys", id), None, options)


class AsyncApiKeys(AsyncResource):
    """API keys (scope `admin` for the own tenant's, `platform` for any), for asyncio."""

    async def current(self, *, options: RequestOptions | None = None) -> CurrentApiKey:
        """The key that calls; any key may."""
        answer: CurrentApiKey = await self._read("/v1/api-keys/current", {}, options)
        return answer

    async def create(
        self,
        *,
        idempotency_key: str | None = None,
        options: RequestOptions | None = None,
        **request: Unpack[NewApiKeyRequest],
    ) -> NewApiKey:
        """The answer holds the key, this once."""
        answer: NewApiKey = await self._make("/v1/api-keys", request, idempotency_key, options)
        return answer

    def list(self, *, options: RequestOptions | None = None, **query: Unpack[ListApiKeysQuery]) -> AsyncList[ApiKey]:
        return AsyncList(self._api, "/v1/api-keys", query, options)

    async def update(
        self, id: str, *, options: RequestOptions | None = None, **changes: Unpack[ApiKeyChanges]
    ) -> ApiKey:
        answer: ApiKey = await self._write("PATCH", path("/v1/api-keys", id), changes, options)
        return answer

    async def rotate(
        self,
        id: str,
        *,
        idempotency_key: str | None = None,
        options: RequestOptions | None = None,
        **rotation: Unpack[RotateApiKey],
    ) -> NewApiKey:
        """The answer holds the new secret, this once; the old one stays valid for `overlap_hours`."""
        answer: NewApiKey = await self._make(path("/v1/api-keys", id, "rotate"), rotation, idempotency_key, options)
        return answer

    async def revoke(self, id: str, *, options: RequestOptions | None = None) -> None:
        """It stops within a second, open streams included."""
        await self._write("DELETE", path("/v1/api-keys", id), None, options)
