"""`client.events`: sending here, reading in `_event_reads`."""

from __future__ import annotations

from ._event_reads import AsyncEventReads, EventReads


class Events(EventReads):
    """Events: sending, reading, and listening to them."""


class AsyncEvents(AsyncEventReads):
    """Events: sending, reading, and listening to them."""
