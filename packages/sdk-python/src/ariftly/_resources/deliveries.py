"""Deliveries of all webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._http.call import RequestOptions, path
from .._lists import AsyncList, List
from ..types import (
    Delivery,
    DeliveryWithAttempts,
    FindDeliveriesQuery,
    ListedDelivery,
)
from .resource import AsyncResource, Resource

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Deliveries(Resource):
    """What was delivered, or was not, over all webhooks (scope `webhooks`)."""

    def list(
        self, *, options: RequestOptions | None = None, **query: Unpack[FindDeliveriesQuery]
    ) -> List[ListedDelivery]:
        """Newest first; `include=["attempts"]` shows the newest attempts of each.

        Needs a `webhook_id`, `event_id`, `task_id`, `status="failed"` or `after`.
        """
        return List(self._api, "/v1/deliveries", query, options)

    def get(self, id: str, *, options: RequestOptions | None = None) -> DeliveryWithAttempts:
        """With its attempts."""
        answer: DeliveryWithAttempts = self._read(path("/v1/deliveries", id), {}, options)
        return answer

    def redeliver(
        self, id: str, *, idempotency_key: str | None = None, options: RequestOptions | None = None
    ) -> Delivery:
        """Sends it again, or now if it is pending. A ConflictError when its webhook is deleted."""
        answer: Delivery = self._make(path("/v1/deliveries", id, "redeliver"), None, idempotency_key, options)
        return answer


class AsyncDeliveries(AsyncResource):
    """What was delivered, or was not, over all webhooks (scope `webhooks`), for asyncio."""

    def list(
        self, *, options: RequestOptions | None = None, **query: Unpack[FindDeliveriesQuery]
    ) -> AsyncList[ListedDelivery]:
        """Newest first; `include=["attempts"]` shows the newest attempts of each.

        Needs a `webhook_id`, `event_id`, `task_id`, `status="failed"` or `after`.
        """
        return AsyncList(self._api, "/v1/deliveries", query, options)

    async def get(self, id: str, *, options: RequestOptions | None = None) -> DeliveryWithAttempts:
        """With its attempts."""
        answer: DeliveryWithAttempts = await self._read(path("/v1/deliveries", id), {}, options)
        return answer

    async def redeliver(
        self, id: str, *, idempotency_key: str | None = None, options: RequestOptions | None = None
    ) -> Delivery:
        """Sends it again, or now if it is pending. A ConflictError when its webhook is deleted."""
        answer: Delivery = await self._make(path("/v1/deliveries", id, "redeliver"), None, idempotency_key, options)
        return answer
