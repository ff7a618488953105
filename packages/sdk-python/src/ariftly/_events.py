"""`client.events`: sending here, reading in `_event_reads`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, overload

from ._base_client import AsyncAPIClient, SyncAPIClient
from ._event_reads import AsyncEventReads, EventReads
from ._send.async_sender import AsyncSender
from ._send.pending_event import SendStats, SentEvent
from ._send.send_call import SendFuture
from ._send.sync_sender import SyncSender

#: An event to send. `data` may be a dict, or JSON as text or bytes, which is sent untouched.
NewEvent = Mapping[str, Any]


class Events(EventReads):
    """Events: sending, reading, and listening to them."""

    def __init__(self, api: SyncAPIClient, sender: SyncSender) -> None:
        super().__init__(api)
        self._sender = sender

    @overload
    def send(self, events: NewEvent, /, *, timeout: float | None = None) -> SentEvent: ...
    @overload
    def send(self, events: Sequence[NewEvent], /, *, timeout: float | None = None) -> list[SentEvent]: ...
    def send(
        self, events: NewEvent | Sequence[NewEvent], /, *, timeout: float | None = None
    ) -> SentEvent | list[SentEvent]:
        """Waits until the server has accepted the event, or all of a list; returns the id, or the ids in order.

        Events of calls at about the same time share requests. While the server is unavailable they are posted again with the same ids,
        so without duplicates, until the client is closed; events of one task keep their order.

        Raises EventRefusedError (its `pointer` names the fault), APIStatusError when the key is refused, ClosedError when `close` gives
        the event back, the error of a spool that cannot keep it, or APITimeoutError after `timeout` seconds: then an event that was not
        posted is withdrawn, and a posted one may still be accepted, `ids` of the error names it.
        """
        sent = self._sender.send(events, timeout)
        return sent[0] if isinstance(events, Mapping) else sent

    def send_nowait(self, events: NewEvent | Sequence[NewEvent], /) -> SendFuture:
        """Takes the event, or the list of events, and returns a future of the list of ids. Its `result()` raises what `send` does.

        Takes the events also when the queue is full: wait for futures, and memory stays bounded. Raises EventRefusedError for events
        that can never be sent, the error of a spool that cannot keep them, and ClosedError after `close`.
        """
        return self._sender.send_nowait(events)

    def try_send(self, events: NewEvent | Sequence[NewEvent], /) -> bool:
        """Takes all events if there is room for all of them now; otherwise returns False and takes none.

        More than `queue_events_max` never have room. Their outcome is reported by `stats` and, when they are given up, by `on_failed`.
        Raises as `send_nowait`.
        """
        return self._sender.try_send(events)

    def flush(self, timeout: float | None = None) -> bool:
        """Sends immediately; True when all earlier events are accepted or given up, False after `timeout` seconds."""
        return self._sender.flush(timeout)

    def stats(self) -> SendStats:
        """Counts of events."""
        return self._sender.stats()


class AsyncEvents(AsyncEventReads):
    """Events: sending, reading, and listening to them."""

    def __init__(self, api: AsyncAPIClient, sender: AsyncSender) -> None:
        super().__init__(api)
        self._sender = sender

    @overload
    async def send(self, events: NewEvent, /, *, timeout: float | None = None) -> SentEvent: ...
    @overload
    async def send(self, events: Sequence[NewEvent], /, *, timeout: float | None = None) -> list[SentEvent]: ...
    async def send(
        self, events: NewEvent | Sequence[NewEvent], /, *, timeout: float | None = None
    ) -> SentEvent | list[SentEvent]:
        """As `Ariftly.events.send`. Cancelling the caller ends its wait: the events are sent."""
        sent = await self._sender.send(events, timeout)
        return sent[0] if isinstance(events, Mapping) else sent

    def send_nowait(self, events: NewEvent | Sequence[NewEvent], /) -> asyncio.Future[list[SentEvent]]:
        """As `Ariftly.events.send_nowait`; needs a running event loop."""
        return self._sender.send_nowait(events)

    def try_send(self, events: NewEvent | Sequence[NewEvent], /) -> bool:
        """As `Ariftly.events.try_send`; needs a running event loop."""
        return self._sender.try_send(events)

    async def flush(self, timeout: float | None = None) -> bool:
        """As `Ariftly.events.flush`."""
        return await self._sender.flush(timeout)

    def stats(self) -> SendStats:
        """Counts of events."""
        return self._sender.stats()
