"""What a stream asks for, takes, remembers and waits for: no I/O, and the same under both shells."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Literal, TypedDict, cast

import httpx2

from .._base_client import BaseClient
from .._errors import APITimeoutError, AriftlyError, ProtocolError, StreamResetError, is_temporary, may_be_of_address
from .._http.call import Answer, Call, error_of
from .._log import log
from ..types import Event
from .positions import PendingPosition
from .seen_ids import SeenIds
from .sse import Frame
from .state import StateKeeper, StreamState

HEARTBEAT = 15.0
#: A connection without a byte for this long is dead, seconds: two and a half heartbeats.
STALL_TIMEOUT = 2.5 * HEARTBEAT
#: Upper limit of what `retry:` can ask for, seconds.
RETRY_MAX = 60.0
#: Ids remembered to drop duplicates.
SEEN_MAX = 10_000

OnReset = Literal["raise", "yield"]


class StreamReset(TypedDict):
    """The position of a stream could not be kept: some events may be lost, others may be sent again."""

    type: Literal["stream.reset"]
    #: Why: `history_expired`, `log_changed` or `position_beyond_log`; others may be added.
    reason: str
    #: The position that was asked for.
    requested: str | None
    #: Where the stream continues.
    earliest: str | None


@dataclass(frozen=True)
class StreamItem:
    """The item that the loop has in hand."""

    #: The event, or the reset.
    event: Event | StreamReset
    #: The position after this item: store it once the item is finished, and give it as `position`.
    position: str | None
    #: Its JSON text as it was received.
    raw_event: str

    @property
    def raw_data(self) -> str:
        """The posted `data` as JSON text: numbers are not rounded."""
        # `data` is the last member of an event, and none before it can hold a quote.
        return self.raw_event.partition(',"data":')[2][:-1]


@dataclass(frozen=True, kw_only=True)
class StreamOptions:
    """The parameters of `events.stream`; times are seconds."""

    task_id: str | None = None
    session_id: str | None = None
    agent: str | None = None
    types: Sequence[str] | None = None
    after: str | datetime | None = None
    position: str | None = None
    save_every: float = 1.0
    stall_timeout: float = STALL_TIMEOUT
    on_state: Callable[[StreamState], object] | None = None
    on_reset: OnReset = "raise"


class StreamCore:
    """One stream over all its connections."""

    def __init__(self, api: BaseClient, options: StreamOptions) -> None:
        self._api = api
        self.options = options
        self.state = StateKeeper(options.on_state)
        self.pending = PendingPosition(options.save_every)
        self.item: StreamItem | None = None
        #: After the last item that the loop has finished, that is: after which it has asked for the next one.
        self.position: str | None = None
        self._seen = SeenIds(SEEN_MAX)
        #: The id of the last frame that was taken from a connection: the next connection resumes from it.
        self._received: str | None = None
        self._has_connected = False
        self._failures = 0
        self._retry = 0.0

    def start(self, position: str | None) -> None:
        """Begins at a position, or without one at `after`, or now."""
        self._received = position
        self.position = position

    def call(self) -> Call:
        """The request of the next connection."""
        given = self.options
        query = {
            "task_id": given.task_id,
            "session_id": given.session_id,
            "agent": given.agent,
            "types": None if given.types is None else list(given.types),
            "envelope": True,
            "after": _time_text(given.after),
        }
        # Compressed, an event could wait in a buffer for the next ones.
        headers = {"Accept": "text/event-stream", "Accept-Encoding": "identity"}
        if self._received is not None:
            headers["Last-Event-ID"] = self._received
        return Call("GET", "/v1/events/stream", query, headers)

    def connecting(self) -> None:
        self.state.set(StreamState("connecting"))

    def opened(self) -> None:
        """A connection is open."""
        self._has_connected = True
        self.state.set(StreamState("catching_up"))

    def take(self, frame: Frame) -> StreamItem | None:
        """Notes what a frame says about the stream, and gives what the loop is to see of it. Raises ProtocolError, StreamResetError."""
        # A comment says nothing: it is also sent to a stream that waits for its history.
        if frame.event is None:
            return None
        self._failures = 0
        if frame.id is not None:
            self._received = frame.id
        if frame.event.startswith("stream."):
            return self._take_of_stream(frame)
        event = _read_json(frame.data)
        if not self._seen.add(str(event.get("id"))):
            return None
        self.item = StreamItem(cast(Event, event), self._received, frame.data)
        return self.item

    def _take_of_stream(self, frame: Frame) -> StreamItem | None:
        """A frame of the stream itself."""
        if frame.event == "stream.checkpoint" and _read_json(frame.data).get("live") is True:
            self.state.set(StreamState("live"))
        if frame.event != "stream.reset":
            return None
        self.state.set(StreamState("catching_up"))
        said = _read_json(frame.data)
        reset = cast(StreamReset, {"type": "stream.reset", "requested": None, "earliest": None, **said})
        if self.options.on_reset == "raise":
            raise StreamResetError(str(reset.get("reason")), reset["requested"], reset["earliest"], self._received)
        self.item = StreamItem(reset, self._received, frame.data)
        return self.item

    def finish(self, position: str | None) -> None:
        """The loop has finished a frame."""
        if position is not None:
            self.position = position
            self.pending.note(position)

    def disconnected(self, retry_ms: int | None) -> None:
        """A connection has ended; `retry_ms` is what the server said."""
        if retry_ms is not None:
            self._retry = min(RETRY_MAX, retry_ms / 1000)

    def wait_after_failure(self, error: Exception) -> float:
        """How long to wait, seconds, after a connection could not be opened. Raises the error if no retry corrects it."""
        # A page in place of a stream is a gateway's once there was a stream; before, it shows a wrong address. What a function of
        # the caller raises, such as one that gives keys, passes.
        is_final = not self._has_connected if isinstance(error, ProtocolError) else not is_temporary(error)
        if is_final and isinstance(error, AriftlyError):
            raise error
        is_wrong = self._failures == 0 and not self._has_connected and may_be_of_address(error)
        (log.warning if self._failures == 2 or is_wrong else log.debug)("The stream could not be opened. %s", error)
        return self.wait(getattr(error, "retry_after", None) or 0.0, error)

    def wait(self, floor: float, error: Exception | None) -> float:
        """How long to wait before the next connection, seconds: full jitter on top of what the server asked for.

        It asks by `retry:` or `Retry-After`. Only a frame makes the waits short again.
        """
        self._failures += 1
        wait = self._api.back_off(self._failures, max(floor, self._retry))
        retry_at = datetime.now(timezone.utc) + timedelta(seconds=wait)
        self.state.set(StreamState("waiting", error, retry_at))
        return wait

    def closed(self) -> None:
        self.state.set(StreamState("closed"))

    def silent(self) -> APITimeoutError:
        """The error of a connection that was silent for too long."""
        return APITimeoutError(f"The stream was silent for {self.options.stall_timeout:g} s.")


def is_event_stream(status: int, headers: httpx2.Headers) -> bool:
    """Whether an answer is the stream. Its body must be read for `error_of_opening` otherwise, if the status is an error."""
    return status == 200 and "text/event-stream" in headers.get("content-type", "")


def error_of_opening(answer: Answer) -> AriftlyError:
    """The error of an answer that is no event stream."""
    if answer.status >= 400:
        return error_of(answer)
    type = answer.headers.get("content-type", "")
    return ProtocolError(f"The answer ({answer.status}, {type}) is no event stream. Is the base URL the API's?")


def warn_of_save(error: Exception) -> None:
    """A position could not be saved; the next save tries again."""
    log.warning("The position of a stream could not be saved. %s", error)


def _read_json(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ProtocolError("A frame of the stream is no JSON object.")
    return value


def _time_text(time: str | datetime | None) -> str | None:
    if not isinstance(time, datetime):
        return time
    # One without a zone is local, as everywhere in Python.
    return time.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
