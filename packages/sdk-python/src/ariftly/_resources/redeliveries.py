"""Redeliveries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._http.call import RequestOptions, path
from .._lists import AsyncList, List
from ..types import (
    ListRedeliveriesQuery,
    Redelivery,
    RedeliveryRequest,
)
from .resource import AsyncResource, Resource

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Redeliveries(Resource):
    """Many deliveries made again by a filter (scope `webhooks`)."""

    def create(
        self,
        *,
        idempotency_key: str | None = None,
        options: RequestOptions | None = None,
        **request: Unpack[RedeliveryRequest],
    ) -> Redelivery:
        """The filter needs a `webhook_id`, or an `after` at most 35 days ago; its `status` is `failed` by default."""
        answer: Redelivery = self._make("/v1/deliveries/redeliver", request, idempotency_key, options)
        return answer

    def list(
        self, *, options: RequestOptions | None = None, **query: Unpack[ListRedeliveriesQuery]
    ) -> List[Redelivery]:
        """Newest first, dry runs too."""
        return List(self._api, "/v1/redeliveries", query, options)

    def get(self, id: str, *, options: RequestOptions | None = None) -> Redelivery:
        answer: Redelivery = self._read(path("/v1/redeliveries", id), {}, options)
        return answer

    def cancel(self, id: str, *, options: RequestOptions | None = None) -> Redelivery:
        """Deliveries that were made pending already are still sent."""
        answer: Redelivery = self._write("DELETE", path("/v1/redeliveries", id), None, options)
        return answer


class AsyncRedeliveries(AsyncResource):
    """Many deliveries made again by a filter (scope `webhooks`), for asyncio."""

    async def create(
        self,
        *,
        idempotency_key: str | None = None,
        options: RequestOptions | None = None,
        **request: Unpack[RedeliveryRequest],
    ) -> Redelivery:
        """The filter needs a `webhook_id`, or an `after` at most 35 days ago; its `status` is `failed` by default."""
        answer: Redelivery = await self._make("/v1/deliveries/redeliver", request, idempotency_key, options)
        return answer

    def list(
        self, *, options: RequestOptions | None = None, **query: Unpack[ListRedeliveriesQuery]
    ) -> AsyncList[Redelivery]:
        """Newest first, dry runs too."""
        return AsyncList(self._api, "/v1/redeliveries", query, options)

    async def get(self, id: str, *, options: RequestOptions | None = None) -> Redelivery:
        answer: Redelivery = await self._read(path("/v1/redeliveries", id), {}, options)
        return answer

    async def cancel(self, id: str, *, options: RequestOptions | None = None) -> Redelivery:
        """Deliveries that were made pending already are still sent."""
        answer: Redelivery = await self._write("DELETE", path("/v1/redeliveries", id), None, options)
        return answer
