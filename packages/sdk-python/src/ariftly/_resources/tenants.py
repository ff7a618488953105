"""Tenants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._http.call import RequestOptions, path
from .._lists import AsyncList, List
from ..types import (
    ListTenantsQuery,
    Tenant,
    TenantRequest,
)
from .resource import AsyncResource, Resource

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Tenants(Resource):
    """Tenants (scope `platform`)."""

    def put(self, id: str, *, options: RequestOptions | None = None, **tenant: Unpack[TenantRequest]) -> Tenant:
        """Creates a tenant, or changes it."""
        answer: Tenant = self._write("PUT", path("/v1/tenants", id), tenant, options)
        return answer

    def get(self, id: str, *, options: RequestOptions | None = None) -> Tenant:
        answer: Tenant = self._read(path("/v1/tenants", id), {}, options)
        return answer

    def list(self, *, options: RequestOptions | None = None, **query: Unpack[ListTenantsQuery]) -> List[Tenant]:
        return List(self._api, "/v1/tenants", query, options)

    def delete(self, id: str, *, options: RequestOptions | None = None) -> Tenant:
        """Deletes the tenant and all its data. The id is never given again.

        `get` shows the progress, and raises NotFoundError when it is done.
        """
        answer: Tenant = self._write("DELETE", path("/v1/tenants", id), None, options)
        return answer


class AsyncTenants(AsyncResource):
    """Tenants (scope `platform`), for asyncio."""

    async def put(self, id: str, *, options: RequestOptions | None = None, **tenant: Unpack[TenantRequest]) -> Tenant:
        """Creates a tenant, or changes it."""
        answer: Tenant = await self._write("PUT", path("/v1/tenants", id), tenant, options)
        return answer

    async def get(self, id: str, *, options: RequestOptions | None = None) -> Tenant:
        answer: Tenant = await self._read(path("/v1/tenants", id), {}, options)
        return answer

    def list(self, *, options: RequestOptions | None = None, **query: Unpack[ListTenantsQuery]) -> AsyncList[Tenant]:
        return AsyncList(self._api, "/v1/tenants", query, options)

    async def delete(self, id: str, *, options: RequestOptions | None = None) -> Tenant:
        """Deletes the tenant and all its data. The id is never given again.

        `get` shows the progress, and raises NotFoundError when it is done.
        """
        answer: Tenant = await self._write("DELETE", path("/v1/tenants", id), None, options)
        return answer
