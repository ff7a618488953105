"""What operators read: audit log, dead letters, system."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._http.call import RequestOptions
from .._lists import AsyncList, List
from ..types import (
    AuditEntry,
    DeadLetter,
    ListAuditEntriesQuery,
    ListDeadLettersQuery,
    System,
)
from .resource import AsyncResource, Resource

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Audit(Resource):
    """Who changed keys, tenants and webhooks (scope `admin`)."""

    def list(
        self, *, options: RequestOptions | None = None, **query: Unpack[ListAuditEntriesQuery]
    ) -> List[AuditEntry]:
        """Newest first."""
        return List(self._api, "/v1/audit", query, options)


class DeadLetters(Resource):
    """Records of the log that are no events (scope `platform`)."""

    def list(self, *, options: RequestOptions | None = None, **query: Unpack[ListDeadLettersQuery]) -> List[DeadLetter]:
        """Newest first. A page may be empty and yet not be the last one."""
        return List(self._api, "/v1/dead-letters", query, options)


class SystemStatus(Resource):
    """How the installation is (scope `platform`)."""

    def get(self, *, options: RequestOptions | None = None) -> System:
        """As far as the database knows it. Counts have limits: `deliveries.complete` says whether one was reached."""
        answer: System = self._read("/v1/system", {}, options)
        return answer


class AsyncAudit(AsyncResource):
    """Who changed keys, tenants and webhooks (scope `admin`), for asyncio."""

    def list(
        self, *, options: RequestOptions | None = None, **query: Unpack[ListAuditEntriesQuery]
    ) -> AsyncList[AuditEntry]:
        """Newest first."""
        return AsyncList(self._api, "/v1/audit", query, options)


class AsyncDeadLetters(AsyncResource):
    """Records of the log that are no events (scope `platform`), for asyncio."""

    def list(
        self, *, options: RequestOptions | None = None, **query: Unpack[ListDeadLettersQuery]
    ) -> AsyncList[DeadLetter]:
        """Newest first. A page may be empty and yet not be the last one."""
        return AsyncList(self._api, "/v1/dead-letters", query, options)


class AsyncSystemStatus(AsyncResource):
    """How the installation is (scope `platform`), for asyncio."""

    async def get(self, *, options: RequestOptions | None = None) -> System:
        """As far as the database knows it. Counts have limits: `deliveries.complete` says whether one was reached."""
        answer: System = await self._read("/v1/system", {}, options)
        return answer
