"""What keeps events beyond the life of the process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class SpoolEntry:
    """An event as a spool keeps it."""

    #: The event as JSON, without an id that this client mints.
    json: bytes
    #: Time of the call, Unix milliseconds.
    at_ms: int
    #: The minted id; None when `json` has one, or the server derives it.
    id: str | None


@dataclass(frozen=True)
class SpooledEvent:
    """An event that an earlier process left."""

    entry: SpoolEntry
    ticket: int


class Spool(Protocol):
    """Keeps events until they are settled. All calls are synchronous: when `send_nowait` returns, its events are kept with their ids.

    The sender calls one method at a time.
    """

    def recover(self, warn: Callable[[str], None]) -> Sequence[SpooledEvent]:
        """Events that an earlier process left, oldest first. They are sent before all others. `warn` gets what cannot be read."""
        ...

    def append(self, events: Sequence[SpoolEntry]) -> Sequence[int]:
        """Keeps events, all or none of them; returns a ticket for each. An error fails the `send`."""
        ...

    def replace_id(self, ticket: int, id: str) -> None:
        """Keeps another id in place of one that the server refused because of a clock. What it raises delays the event."""
        ...

    def settle(self, ticket: int) -> None:
        """The event of this ticket need not be kept any more."""
        ...

    def for_child(self) -> Spool:
        """In the child of a fork: a spool of its own. The parent keeps this one."""
        ...

    def close(self) -> None:
        """Lets another client have it."""
        ...
