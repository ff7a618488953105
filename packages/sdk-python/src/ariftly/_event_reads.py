"""Reading events: lists, single events and streams."""

from __future__ import annotations

from ._base_client import AsyncAPIClient, SyncAPIClient


class EventReads:
    """The reading half of `client.events`."""

    def __init__(self, api: SyncAPIClient) -> None:
        self._api = api


class AsyncEventReads:
    """The reading half of `client.events` of AsyncAriftly."""

    def __init__(self, api: AsyncAPIClient) -> None:
        self._api = api
