"""What collects the outcomes of one `send`."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, InvalidStateError
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any

from .._errors import APITimeoutError, AriftlyError, ClosedError, EventRefusedError, Refusal
from .._log import log
from .encode_event import decode_event
from .pending_event import Outcome, PendingEvent, SentEvent


class Latch:
    """Opens once. Who waits holds nothing that who opens it needs, so a signal handler may wait for a thread that opens it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def wait(self, timeout: float | None = None) -> bool:
        """Whether it opened in time, seconds."""
        if not self._lock.acquire(timeout=-1 if timeout is None else max(0.0, min(timeout, threading.TIMEOUT_MAX))):
            return False
        self.open()
        return True

    def open(self) -> None:
        """Opens it, if it is closed."""
        try:
            self._lock.release()
        except RuntimeError:
            return


class SendFuture(Future["list[SentEvent]"]):
    """What `send_nowait` returns: the ids once all events are accepted.

    Cancelling it, or the caller that waits for it, ends the wait alone: the events are sent.
    """

    def __init__(self) -> None:
        super().__init__()
        self._pid = os.getpid()
        self._latch = Latch()

    def result(self, timeout: float | None = None) -> list[SentEvent]:
        """Waits, at most `timeout` seconds. Raises EventRefusedError, APIStatusError, ClosedError."""
        self._await(timeout)
        return super().result(0)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """The error; None when all events are accepted."""
        self._await(timeout)
        return super().exception(0)

    def cancel(self) -> bool:
        """Ends the wait. The events are sent."""
        is_cancelled = super().cancel()
        if is_cancelled:
            self._latch.open()
        return is_cancelled

    def resolve(self, sent: list[SentEvent]) -> None:
        """For the sender."""
        try:
            self.set_result(sent)
        except InvalidStateError:
            return
        self._latch.open()

    def fail(self, error: Exception) -> None:
        """For the sender."""
        try:
            self.set_exception(error)
        except InvalidStateError:
            return
        self._latch.open()

    def _await(self, timeout: float | None) -> None:
        if self._pid != os.getpid() and not self.done():
            raise ClosedError("The event belongs to the parent process, which sends it.")
        if not self._latch.wait(timeout):
            raise FutureTimeoutError


class AwaitedCall:
    """Resolves when all events of the call are settled, or fails: then events that the error does not name were accepted."""

    is_awaited = True

    def __init__(
        self, count: int, resolve: Callable[[list[SentEvent]], None], fail: Callable[[Exception], None]
    ) -> None:
        self._outcomes: list[Outcome | None] = [None] * count
        self._left = count
        self._resolve = resolve
        self._fail = fail

    def settle(self, event: PendingEvent, outcome: Outcome) -> None:
        """Called by the core."""
        self._outcomes[event.index] = outcome
        self._left -= 1
        if self._left > 0:
            return
        outcomes = [each for each in self._outcomes if each is not None]
        errors = [each.error for each in outcomes if each.error is not None]
        if not errors:
            self._resolve([SentEvent(each.id) for each in outcomes])
            return
        refused = [error for error in errors if isinstance(error, EventRefusedError)]
        if len(refused) < len(errors):
            self._fail(next(error for error in errors if not isinstance(error, EventRefusedError)))
        else:
            refusals: list[Refusal] = [refusal for error in refused for refusal in error.refusals]
            self._fail(EventRefusedError(refusals, refused[0].request_id))


class UnawaitedCall:
    """Reports what is given up."""

    is_awaited = False

    def __init__(self, on_failed: Callable[[AriftlyError, Mapping[str, Any]], None] | None) -> None:
        self._on_failed = on_failed

    def settle(self, event: PendingEvent, outcome: Outcome) -> None:
        """Called by the core."""
        if outcome.type not in ("refused", "failed") or outcome.error is None:
            return
        if self._on_failed is None:
            log.warning("The event %s is given up. %s", event.id or "", outcome.error)
        else:
            self._on_failed(outcome.error, decode_event(event.encoded, event.id))


def timeout_of(pending: Sequence[PendingEvent], timeout: float) -> APITimeoutError:
    """The error of a `send` whose time is over. Asked where the core runs, before the events are withdrawn."""
    ids = [event.id for event in pending if event.is_posted and not event.is_settled and event.id is not None]
    rest = f"; {len(ids)} events may still be" if ids else ", and no event is under way"
    return APITimeoutError(f"Not accepted within {timeout:g} s{rest}.", ids)
