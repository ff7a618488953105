"""The groups of methods of a client, but `events`."""

from __future__ import annotations

from .._base_client import AsyncAPIClient, SyncAPIClient
from .api_keys import ApiKeys, AsyncApiKeys
from .catalogue import AsyncEventTypes, AsyncStreamTokens, AsyncTasks, EventTypes, StreamTokens, Tasks
from .deliveries import AsyncDeliveries, Deliveries
from .platform import AsyncAudit, AsyncDeadLetters, AsyncSystemStatus, Audit, DeadLetters, SystemStatus
from .redeliveries import AsyncRedeliveries, Redeliveries
from .tenants import AsyncTenants, Tenants
from .webhooks import AsyncWebhooks, Webhooks


class Groups:
    """What `Ariftly` has beside `events`."""

    def __init__(self, api: SyncAPIClient) -> None:
        self.webhooks = Webhooks(api)
        self.deliveries = Deliveries(api)
        self.redeliveries = Redeliveries(api)
        self.api_keys = ApiKeys(api)
        self.tenants = Tenants(api)
        self.audit = Audit(api)
        self.dead_letters = DeadLetters(api)
        self.system = SystemStatus(api)
        self.event_types = EventTypes(api)
        self.stream_tokens = StreamTokens(api)
        self.tasks = Tasks(api)


class AsyncGroups:
    """What `AsyncAriftly` has beside `events`."""

    def __init__(self, api: AsyncAPIClient) -> None:
        self.webhooks = AsyncWebhooks(api)
        self.deliveries = AsyncDeliveries(api)
        self.redeliveries = AsyncRedeliveries(api)
        self.api_keys = AsyncApiKeys(api)
        self.tenants = AsyncTenants(api)
        self.audit = AsyncAudit(api)
        self.dead_letters = AsyncDeadLetters(api)
        self.system = AsyncSystemStatus(api)
        self.event_types = AsyncEventTypes(api)
        self.stream_tokens = AsyncStreamTokens(api)
        self.tasks = AsyncTasks(api)
