"""Webhooks, their replays and their deliveries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .._http.call import RequestOptions, path
from .._lists import AsyncList, List
from ..types import (
    GetWebhookStatsQuery,
    ListDeliveriesQuery,
    ListedDelivery,
    ListReplaysQuery,
    ListWebhooksQuery,
    NewWebhook,
    Replay,
    ReplayRequest,
    RotateSecret,
    TestAttempt,
    TestWebhook,
    Webhook,
    WebhookChanges,
    WebhookStats,
    WebhookWithSecret,
)
from ..webhooks import unwrap
from .resource import AsyncResource, Resource

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Webhooks(Resource):
    """Webhooks: events sent to an address of yours (scope `webhooks`)."""

    #: Verifies a delivery that was received and returns its event: `unwrap` of `ariftly.webhooks`.
    unwrap = staticmethod(unwrap)

    def create(
        self,
        *,
        idempotency_key: str | None = None,
        options: RequestOptions | None = None,
        **webhook: Unpack[NewWebhook],
    ) -> WebhookWithSecret:
        """The answer holds the secret, this once."""
        answer: WebhookWithSecret = self._make("/v1/webhooks", webhook, idempotency_key, options)
        return answer

    def list(self, *, options: RequestOptions | None = None, **query: Unpack[ListWebhooksQuery]) -> List[Webhook]:
        """Newest first."""
        return List(self._api, "/v1/webhooks", query, options)

    def get(self, id: str, *, options: RequestOptions | None = None) -> Webhook:
        answer: Webhook = self._read(path("/v1/webhooks", id), {}, options)
        return answer

    def update(self, id: str, *, options: RequestOptions | None = None, **changes: Unpack[WebhookChanges]) -> Webhook:
        answer: Webhook = self._write("PATCH", path("/v1/webhooks", id), changes, options)
        return answer

    def delete(self, id: str, *, options: RequestOptions | None = None) -> None:
        """Its pending deliveries are cancelled."""
        self._write("DELETE", path("/v1/webhooks", id), None, options)

    def rotate_secret(
        self,
        id: str,
        *,
        idempotency_key: str | None = None,
        options: RequestOptions | None = None,
        **rotation: Unpack[RotateSecret],
    ) -> WebhookWithSecret:
        """The answer holds the new secret, this once; the old one stays valid for `overlap_hours`."""
        answer: WebhookWithSecret = self._make(
            path("/v1/webhooks", id, "rotate-secret"), rotation, idempotency_key, options
        )
        return answer

    def test(self, id: str, *, options: RequestOptions | None = None, **test: Unpack[TestWebhook]) -> TestAttempt:
        """Sends an example now and returns the attempt."""
        answer: TestAttempt = self._write("POST", path("/v1/webhooks", id, "test"), test, options)
        return answer

    def stats(
        self, id: str, *, options: RequestOptions | None = None, **query: Unpack[GetWebhookStatsQuery]
    ) -> WebhookStats:
        answer: WebhookStats = self._read(path("/v1/webhooks", id, "stats"), query, options)
        return answer

    def replay(
        self,
        id: str,
        *,
        idempotency_key: str | None = None,
        options: RequestOptions | None = None,
        position: str | None = None,
        **request: Unpack[ReplayRequest],
    ) -> Replay:
        """Delivers past events again; the work continues after the answer.

        It takes exactly one of `after` (exclusive) and `position`, that of a stream.
        """
        answer: Replay = self._make(
            path("/v1/webhooks", id, "replay"), _replay_request(position, request), idempotency_key, options
        )
        return answer

    def list_replays(
        self, id: str, *, options: RequestOptions | None = None, **query: Unpack[ListReplaysQuery]
    ) -> List[Replay]:
        """Newest first."""
        return List(self._api, path("/v1/webhooks", id, "replays"), query, options)

    def get_replay(self, id: str, replay: str, *, options: RequestOptions | None = None) -> Replay:
        answer: Replay = self._read(path("/v1/webhooks", id, "replays", replay), {}, options)
        return answer

    def cancel_replay(self, id: str, replay: str, *, options: RequestOptions | None = None) -> None:
        self._write("DELETE", path("/v1/webhooks", id, "replays", replay), None, options)

    def list_deliveries(
        self, id: str, *, options: RequestOptions | None = None, **query: Unpack[ListDeliveriesQuery]
    ) -> List[ListedDelivery]:
        """Deliveries of one webhook, newest first: `deliveries.list` with its `webhook_id`, but a NotFoundError for an unknown one."""
        return List(self._api, path("/v1/webhooks", id, "deliveries"), query, options)


class AsyncWebhooks(AsyncResource):
    """Webhooks: events sent to an address of yours (scope `webhooks`), for asyncio."""

    #: Verifies a delivery that was received and returns its event: `unwrap` of `ariftly.webhooks`.
    unwrap = staticmethod(unwrap)

    async def create(
        self,
        *,
        idempotency_key: str | None = None,
        options: RequestOptions | None = None,
        **webhook: Unpack[NewWebhook],
    ) -> WebhookWithSecret:
        """The answer holds the secret, this once."""
        answer: WebhookWithSecret = await self._make("/v1/webhooks", webhook, idempotency_key, options)
        return answer

    def list(self, *, options: RequestOptions | None = None, **query: Unpack[ListWebhooksQuery]) -> AsyncList[Webhook]:
        """Newest first."""
        return AsyncList(self._api, "/v1/webhooks", query, options)

    async def get(self, id: str, *, options: RequestOptions | None = None) -> Webhook:
        answer: Webhook = await self._read(path("/v1/webhooks", id), {}, options)
        return answer

    async def update(
        self, id: str, *, options: RequestOptions | None = None, **changes: Unpack[WebhookChanges]
    ) -> Webhook:
        answer: Webhook = await self._write("PATCH", path("/v1/webhooks", id), changes, options)
        return answer

    async def delete(self, id: str, *, options: RequestOptions | None = None) -> None:
        """Its pending deliveries are cancelled."""
        await self._write("DELETE", path("/v1/webhooks", id), None, options)

    async def rotate_secret(
        self,
        id: str,
        *,
        idempotency_key: str | None = None,
        options: RequestOptions | None = None,
        **rotation: Unpack[RotateSecret],
    ) -> WebhookWithSecret:
        """The answer holds the new secret, this once; the old one stays valid for `overlap_hours`."""
        answer: WebhookWithSecret = await self._make(
            path("/v1/webhooks", id, "rotate-secret"), rotation, idempotency_key, options
        )
        return answer

    async def test(self, id: str, *, options: RequestOptions | None = None, **test: Unpack[TestWebhook]) -> TestAttempt:
        """Sends an example now and returns the attempt."""
        answer: TestAttempt = await self._write("POST", path("/v1/webhooks", id, "test"), test, options)
        return answer

    async def stats(
        self, id: str, *, options: RequestOptions | None = None, **query: Unpack[GetWebhookStatsQuery]
    ) -> WebhookStats:
        answer: WebhookStats = await self._read(path("/v1/webhooks", id, "stats"), query, options)
        return answer

    async def replay(
        self,
        id: str,
        *,
        idempotency_key: str | None = None,
        options: RequestOptions | None = None,
        position: str | None = None,
        **request: Unpack[ReplayRequest],
    ) -> Replay:
        """Delivers past events again; the work continues after the answer.

        It takes exactly one of `after` (exclusive) and `position`, that of a stream.
        """
        answer: Replay = await self._make(
            path("/v1/webhooks", id, "replay"), _replay_request(position, request), idempotency_key, options
        )
        return answer

    def list_replays(
        self, id: str, *, options: RequestOptions | None = None, **query: Unpack[ListReplaysQuery]
    ) -> AsyncList[Replay]:
        """Newest first."""
        return AsyncList(self._api, path("/v1/webhooks", id, "replays"), query, options)

    async def get_replay(self, id: str, replay: str, *, options: RequestOptions | None = None) -> Replay:
        answer: Replay = await self._read(path("/v1/webhooks", id, "replays", replay), {}, options)
        return answer

    async def cancel_replay(self, id: str, replay: str, *, options: RequestOptions | None = None) -> None:
        await self._write("DELETE", path("/v1/webhooks", id, "replays", replay), None, options)

    def list_deliveries(
        self, id: str, *, options: RequestOptions | None = None, **query: Unpack[ListDeliveriesQuery]
    ) -> AsyncList[ListedDelivery]:
        """Deliveries of one webhook, newest first: `deliveries.list` with its `webhook_id`, but a NotFoundError for an unknown one."""
        return AsyncList(self._api, path("/v1/webhooks", id, "deliveries"), query, options)


def _replay_request(position: str | None, request: ReplayRequest) -> Mapping[str, Any]:
    """The API's name of a position is no name of a parameter in Python."""
    return {**request} if position is None else {**request, "from": position}
