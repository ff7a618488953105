"""What the parts of sending hand to each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from .._errors import AriftlyError
from .._http.call import Answer
from .encode_event import EncodedEvent


@dataclass(frozen=True)
class SentEvent:
    """What the server answered about an event that it accepted."""

    id: str


@dataclass(slots=True)
class Outcome:
    """What became of an event. All but `accepted` and `retry` have an error."""

    type: Literal["accepted", "refused", "failed", "returned", "aborted", "retry"]
    id: str = ""
    error: AriftlyError | None = None


#: The event is to be posted again.
RETRY = Outcome("retry")


class SendCall(Protocol):
    """Collects the outcomes of one call."""

    #: Whether somebody waits for the outcome.
    is_awaited: bool

    def settle(self, event: PendingEvent, outcome: Outcome) -> None:
        """Called once for each event, by the core."""
        ...


@dataclass(slots=True, eq=False)
class PendingEvent:
    """One event between `send` and its outcome. It is written by the core alone."""

    encoded: EncodedEvent
    call: SendCall
    #: Place in the call.
    index: int
    #: Rises with each event; a flush waits for those up to its own.
    seq: int
    #: When it was queued, monotonic seconds.
    since: float
    #: Its entry in the spool, if there is one.
    ticket: int | None
    #: Of the caller, or minted; None when the server derives it.
    id: str | None
    #: W3C trace context of its request: events with different ones do not share one.
    traceparent: str | None = None
    queue: TaskQueue | None = None
    #: Whether it was in a request.
    is_posted: bool = False
    #: Its call has ended: it is not posted again.
    is_withdrawn: bool = False
    #: Its first minted id was refused because of a clock.
    is_reminted: bool = False
    is_settled: bool = False


@dataclass(slots=True, eq=False)
class TaskQueue:
    """The events of one task (or session) that are not in a request, in order."""

    key: str
    events: list[PendingEvent] = field(default_factory=list)
    size: int = 0
    #: `busy`: some of its events are in a request, and the rest waits, so that order holds under retry. `held`: until `held_until`.
    state: Literal["ready", "busy", "held"] = "ready"
    #: Monotonic seconds.
    held_until: float = 0.0
    failures: int = 0


@dataclass(frozen=True)
class BatchResult:
    """What became of a request with events.

    `results`: one outcome an event. `again`: nothing is known of any event: all are to be posted again, after a wait. `too_large`: the
    request is too large for the server or for a proxy before it.
    """

    type: Literal["results", "again", "too_large"]
    results: Sequence[Outcome] = ()
    error: AriftlyError | None = None
    answer: Answer | None = None


@dataclass(frozen=True)
class BatchLimit:
    """A limit of one request, or of the queue."""

    events: float
    size: float


@dataclass(frozen=True)
class SendStats:
    """Counts of events. `sent` is the sum of the members from `accepted` to `in_flight`."""

    sent: int
    accepted: int
    refused: int
    #: Given up with an error that is about no single event, such as a revoked key.
    failed: int
    #: Taken back by the `timeout` of a `send` before they were posted.
    aborted: int
    #: Given back by `close`.
    returned: int
    #: Above what the queue holds.
    waiting: int
    #: In the queue.
    queued: int
    #: In requests that are under way.
    in_flight: int
    #: Requests made so far.
    requests: int
    #: How often a request failed as a whole, or a task was delayed.
    retries: int


NewEvent = Mapping[str, Any]
