"""What is sent when, and what becomes of it: no I/O, no clock, and no locks, as one thread or event loop calls it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .._errors import AriftlyError, ClosedError
from .._log import log
from .batch_answer import is_clock_refusal, stays_in_spool
from .event_id import EventIdMinter
from .pace import Pace
from .pending_event import RETRY, BatchLimit, BatchResult, Outcome, PendingEvent, TaskQueue
from .spool_gate import SpoolGate
from .task_queues import TaskQueues

_NEVER = float("inf")


@dataclass(frozen=True)
class CoreSettings:
    """How the core works; see `SendOptions` for units and defaults."""

    linger: float
    batch: BatchLimit
    requests_max: int
    #: How long to wait after so many failures when the server asked for so many seconds.
    back_off: Callable[[int, float], float]
    #: The server's time at a time of this machine, Unix milliseconds.
    correct: Callable[[int], int]


@dataclass(eq=False)
class Flush:
    """Waits until all events up to `seq` are settled."""

    seq: int
    left: int
    done: Callable[[], None]


class SendCore:
    """Sends events in batches: several requests at a time, each task in one of them at most, so that order per task holds under retry.

    Nothing is dropped: an event is accepted, refused, or given back by `end`. Times are monotonic seconds, so a step of the clock
    changes no wait.
    """

    def __init__(self, settings: CoreSettings, gate: SpoolGate) -> None:
        self._settings = settings
        self._gate = gate
        self._queues = TaskQueues()
        self._pace = Pace(settings.back_off, settings.batch)
        #: Its own: the other one belongs to the callers.
        self._minter = EventIdMinter()
        self._batches: dict[int, list[PendingEvent]] = {}
        self._flushes: list[Flush] = []
        self.is_ended = False
        #: Events and bytes that are settled: only this core writes them, any thread may read them.
        self.settled_events = 0
        self.settled_size = 0
        self.counts = {"accepted": 0, "refused": 0, "failed": 0, "aborted": 0, "returned": 0}
        self.taken_seq = 0
        self.in_flight = 0
        self.requests = 0
        self.retries = 0

    @property
    def held(self) -> int:
        """Events that this core has and that are not settled."""
        return self.taken_seq - self.settled_events

    def add(self, events: Sequence[PendingEvent]) -> None:
        """Takes events, whose `seq` follow those of all earlier ones."""
        for event in events:
            self._queues.add(event)
        self.taken_seq += len(events)

    def withdraw(self, events: Sequence[PendingEvent], error: AriftlyError) -> None:
        """Takes events back. Those in a request may still be accepted, and are not posted again."""
        for event in events:
            event.is_withdrawn = True
            if not event.is_settled and self._queues.remove(event):
                self._settle(event, Outcome("aborted", error=error))
        self._end_flushes()

    def flush(self, done: Callable[[], None]) -> Flush | None:
        """Sends immediately; `done` is called when all earlier events are settled, at once without any."""
        if self.held == 0:
            done()
            return None
        flush = Flush(self.taken_seq, self.held, done)
        self._flushes.append(flush)
        return flush

    def forget(self, flush: Flush | None) -> None:
        """Ends the haste of a flush that nobody waits for any more."""
        self._flushes = [each for each in self._flushes if each is not flush]

    def due(self, now: float) -> float:
        """When the next batch is to be taken: not later than `now` means now; infinity while nothing is to be done."""
        held_until = self._queues.release_held(now)
        if len(self._batches) >= self._settings.requests_max:
            return _NEVER
        return min(self._ready_at(), max(held_until, self._pace.gate))

    def room_in_batch(self) -> float:
        """How many more events make a batch full, so that it is due at once; infinity while none may leave."""
        if len(self._batches) >= self._settings.requests_max:
            return _NEVER
        return max(1, self._pace.limit.events - self._queues.ready_events) if self._queues.ready_events else 1

    def take(self) -> list[PendingEvent]:
        """The next batch, to be posted; then `finish` it."""
        batch = self._queues.take(self._pace.limit)
        for event in batch:
            event.is_posted = True
        self._batches[id(batch)] = batch
        self.in_flight += len(batch)
        self.requests += 1
        return batch

    def finish(self, batch: list[PendingEvent], result: BatchResult, now: float) -> None:
        """Settles the decided events; the others are kept, in order, and are first in their task."""
        # `end` has settled all.
        if self._batches.pop(id(batch), None) is None:
            return
        self.in_flight -= len(batch)
        self._pace.learn(result, batch, now)
        if result.type == "again":
            self.retries += 1
        self._settle_batch(batch, result, now)

    def put_back(self, batch: list[PendingEvent]) -> None:
        """Ends a request that was cancelled with its event loop: its events are posted again by the next one."""
        if self._batches.pop(id(batch), None) is None:
            return
        self.in_flight -= len(batch)
        self._settle_batch(batch, BatchResult("again"), 0.0)

    def put_all_back(self) -> None:
        """Ends all requests: their event loop has ended without a word."""
        for batch in list(self._batches.values()):
            self.put_back(batch)

    def give_back(self, events: Sequence[PendingEvent]) -> None:
        """Settles events that came too late for `end`."""
        self.taken_seq += len(events)
        for event in events:
            self._settle(event, Outcome("returned", error=ClosedError("The client is closed.")))

    def end(self) -> list[PendingEvent]:
        """Stops, and returns the unsettled events, in order. All have ids, except where the server derives them."""
        error = ClosedError("The client was closed before the event was accepted.")
        self.is_ended = True
        events = [event for batch in self._batches.values() for event in batch] + self._queues.all()
        events.sort(key=lambda event: event.seq)
        self._batches.clear()
        self._queues = TaskQueues()
        self.in_flight = 0
        for event in events:
            self._settle(event, Outcome("aborted" if event.is_withdrawn else "returned", error=error))
        self._gate.close()
        self._end_flushes()
        return [event for event in events if not event.is_withdrawn]

    def _ready_at(self) -> float:
        """When to post the ready events: a full batch immediately, and all during a flush, but nothing before the gate opens."""
        queues, limit = self._queues, self._settings.batch
        if queues.ready_events == 0:
            return _NEVER
        is_full = queues.ready_events >= limit.events or queues.ready_size >= limit.size
        due = 0.0 if is_full or self._flushes else queues.ready_since + self._settings.linger
        return max(due, self._pace.gate)

    def _settle_batch(self, batch: list[PendingEvent], result: BatchResult, now: float) -> None:
        kept: dict[TaskQueue, list[PendingEvent]] = {}
        for at, event in enumerate(batch):
            queue = event.queue
            if queue is None:
                continue
            events = kept.setdefault(queue, [])
            outcome = result.results[at] if result.type == "results" else RETRY
            if is_clock_refusal(outcome, event):
                self._remint(event)
                outcome = RETRY
            if outcome.type != "retry":
                self._settle(event, outcome)
            elif event.is_withdrawn:
                self._settle(event, Outcome("aborted", error=ClosedError("The event was taken back.")))
            else:
                events.append(event)
        # A task of which an entry was not written waits alone; after a request that failed all wait, at the gate.
        asked = None if result.type != "results" else (result.answer.retry_after or 0.0) if result.answer else 0.0
        for queue, events in kept.items():
            self._release(queue, events, asked, now)
        self._end_flushes()

    def _release(self, queue: TaskQueue, kept: list[PendingEvent], asked: float | None, now: float) -> None:
        held_until = 0.0
        if not kept:
            queue.failures = 0
        elif asked is not None:
            queue.failures += 1
            self.retries += 1
            held_until = now + self._settings.back_off(queue.failures, asked)
        self._queues.release(queue, kept, held_until)

    def _remint(self, event: PendingEvent) -> None:
        """Gives an event another id.

        It was not written under the one that was refused, so this makes no second event. A spool has it before the request.
        """
        fresh = self._minter.mint(self._settings.correct(event.encoded.at_ms))
        if event.ticket is None or self._gate.replace_id(event.ticket, fresh):
            event.id = fresh
            event.is_reminted = True

    def _settle(self, event: PendingEvent, outcome: Outcome) -> None:
        event.is_settled = True
        self.counts[outcome.type] += 1
        self.settled_size += event.encoded.size
        self.settled_events += 1
        if event.ticket is not None and not stays_in_spool(outcome):
            self._gate.settle(event.ticket)
        try:
            event.call.settle(event, outcome)
        except Exception:
            log.exception("A function of the caller failed.")
        for flush in self._flushes:
            if event.seq <= flush.seq:
                flush.left -= 1

    def _end_flushes(self) -> None:
        """Last of all: who waited may end the core."""
        ended = [flush for flush in self._flushes if flush.left <= 0]
        if ended:
            self._flushes = [flush for flush in self._flushes if flush.left > 0]
            for flush in ended:
                flush.done()
