"""Events in queues by task."""

from __future__ import annotations

from .pending_event import BatchLimit, PendingEvent, TaskQueue

_NEVER = float("inf")


class TaskQueues:
    """A batch takes whole queues, so that concurrent batches hold different tasks."""

    def __init__(self) -> None:
        self._queues: dict[str, TaskQueue] = {}
        # Dicts keep their order: sets of Python do not.
        self._ready: dict[TaskQueue, None] = {}
        self._held: dict[TaskQueue, None] = {}
        self.ready_events = 0
        self.ready_size = 0
        #: When the first ready event was queued, monotonic seconds; meaningful while there are some.
        self.ready_since = 0.0

    def add(self, event: PendingEvent) -> None:
        """Adds an event behind those of its task."""
        key = event.encoded.key
        queue = self._queues.get(key)
        is_new = queue is None
        if queue is None:
            queue = self._queues[key] = TaskQueue(key)
        event.queue = queue
        queue.events.append(event)
        queue.size += event.encoded.size
        if is_new:
            self._make_ready(queue)
        elif queue.state == "ready":
            self.ready_events += 1
            self.ready_size += event.encoded.size

    def take(self, limit: BatchLimit) -> list[PendingEvent]:
        """Takes events out for one request, one at least, in order of arrival by task; their queues are busy until `release`.

        All have the trace context of the first one.
        """
        batch: list[PendingEvent] = []
        size = 2
        is_full = False
        for queue in list(self._ready):
            count = 0
            queue_size = 0
            for event in queue.events:
                held = len(batch) + count
                is_over = held >= limit.events or size + queue_size + event.encoded.size > limit.size
                if is_over and held > 0:
                    is_full = True
                    break
                if held > 0 and event.traceparent != (batch or queue.events)[0].traceparent:
                    break
                queue_size += event.encoded.size
                count += 1
            if count == 0:
                if is_full:
                    break
                continue
            self._unready(queue, "busy")
            batch += queue.events[:count]
            del queue.events[:count]
            queue.size -= queue_size
            size += queue_size
        return batch

    def release(self, queue: TaskQueue, kept: list[PendingEvent], held_until: float) -> None:
        """Ends a request that held events of this queue.

        `kept` of them, in order, are posted again before all others, not earlier than `held_until` (0: immediately).
        """
        if kept:
            queue.events[:0] = kept
            queue.size += sum(event.encoded.size for event in kept)
        if not queue.events:
            del self._queues[queue.key]
        elif held_until > 0:
            queue.state = "held"
            queue.held_until = held_until
            self._held[queue] = None
        else:
            self._make_ready(queue)

    def release_held(self, now: float) -> float:
        """Makes queues ready whose time is due; returns when the next one is due, infinity without any."""
        following = _NEVER
        for queue in list(self._held):
            if queue.held_until > now:
                following = min(following, queue.held_until)
            else:
                self._make_ready(queue)
        return following

    def remove(self, event: PendingEvent) -> bool:
        """Takes one event out that is in no request; False if it is."""
        queue = event.queue
        if queue is None or event not in queue.events:
            return False
        if queue.state == "ready":
            self._unready(queue, "ready")
        queue.events.remove(event)
        queue.size -= event.encoded.size
        if queue.state == "busy":
            return True
        if not queue.events:
            self._held.pop(queue, None)
            del self._queues[queue.key]
        elif queue.state == "ready":
            self._make_ready(queue)
        return True

    def all(self) -> list[PendingEvent]:
        """All events that are in no request."""
        return [event for queue in self._queues.values() for event in queue.events]

    def _make_ready(self, queue: TaskQueue) -> None:
        since = queue.events[0].since
        self.ready_since = since if self.ready_events == 0 else min(self.ready_since, since)
        queue.state = "ready"
        self.ready_events += len(queue.events)
        self.ready_size += queue.size
        self._held.pop(queue, None)
        self._ready[queue] = None

    def _unready(self, queue: TaskQueue, state: str) -> None:
        queue.state = "busy" if state == "busy" else "ready"
        self.ready_events -= len(queue.events)
        self.ready_size -= queue.size
        self._ready.pop(queue, None)
