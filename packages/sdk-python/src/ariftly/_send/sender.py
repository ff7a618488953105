"""The sending half of a client, as far as both shells share it: takes events, and says what became of them."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from .._base_client import BaseClient
from .._errors import ClosedError, EventRefusedError, Refusal
from .._lifecycle import never_mind, on_exit
from .._log import log
from .._options import SendOptions
from .core import CoreSettings, SendCore
from .encode_event import EncodedEvent, encode_event, read_encoded
from .event_id import EventIdMinter
from .file_spool import open_spool
from .pending_event import BatchLimit, NewEvent, PendingEvent, SendCall, SendStats
from .send_call import UnawaitedCall
from .spool import Spool, SpoolEntry
from .spool_gate import SpoolGate

#: A clock that is set back less than this is waited for, so that the times of events do not fall.
_STEP_BACK_MS = 1000
_NEVER = float("inf")

Events = NewEvent | Sequence[NewEvent]


class Sender:
    """Callers of any thread put events into `inbox`; one thread or event loop takes them out and runs the core."""

    def __init__(self, options: SendOptions, api: BaseClient) -> None:
        self._options = options
        self._api = api
        self._unawaited = UnawaitedCall(options.on_failed)
        self._begin(SpoolGate(_spool_of(options)))
        self._recover()

    def _begin(self, gate: SpoolGate) -> None:
        """Everything that a process does not share with its parent."""
        options = self._options
        self._gate = gate
        self._admission = threading.Lock()
        self._minter = EventIdMinter()
        self._called_ms = 0
        self._seq = 0
        self._size = 0
        self._is_closing = False
        self._is_hooked = False
        #: Lists of events, and what else the core's thread is to do, in order.
        self.inbox: deque[list[PendingEvent] | Callable[[], None]] = deque()
        #: The core's thread sleeps until so many events are in the inbox; infinity while it is awake.
        self.wake_at = _NEVER
        settings = CoreSettings(
            linger=options.linger,
            batch=BatchLimit(options.batch_events_max, options.batch_bytes_max),
            requests_max=options.requests_max,
            back_off=self._api.back_off,
            correct=self._api.clock.correct,
        )
        self.core = SendCore(settings, gate)

    @property
    def is_empty(self) -> bool:
        """Whether all events are settled."""
        return self._seq == self.core.settled_events

    @property
    def inbox_events(self) -> int:
        """Events that the core has not taken yet."""
        return self._seq - self.core.taken_seq

    def try_send(self, events: Events, /, *, traceparent: str | None = None) -> bool:
        """Takes all events if there is room for all of them now; otherwise returns False and takes none.

        `traceparent` is the trace context of their request.
        """
        self._refuse_when_closed()
        if not self._has_room(1, 1):
            return False
        return self._add(self._unawaited, self._encode(events), if_room=True, traceparent=traceparent) is not None

    def stats(self) -> SendStats:
        """Counts of events; their sum holds at any time."""
        core = self.core
        counts = dict(core.counts)
        sent = self._seq
        held = sent - sum(counts.values())
        in_flight = min(core.in_flight, held)
        waiting = max(0, held - max(in_flight, self._options.queue_events_max))
        queued = held - in_flight - waiting
        return SendStats(
            sent=sent,
            **counts,
            waiting=waiting,
            queued=queued,
            in_flight=in_flight,
            requests=core.requests,
            retries=core.retries,
        )

    def drain(self) -> None:
        """Gives what callers have put into the inbox to the core; in the core's thread."""
        while self.inbox:
            item = self.inbox.popleft()
            if isinstance(item, list):
                self.core.add(item)
            else:
                item()

    def return_late(self) -> None:
        """Gives back what was put into the inbox while the core ended."""
        while self.inbox:
            try:
                item = self.inbox.popleft()
            except IndexError:
                return
            if isinstance(item, list):
                self.core.give_back(item)
            else:
                item()

    def at_exit(self) -> None:
        """The interpreter ends."""
        raise NotImplementedError

    def after_fork(self) -> None:
        """The parent keeps queue, spool and connections; the child begins with none."""
        self._begin(self._gate.for_child())

    def _wake(self) -> None:
        """Wakes the core's thread."""
        raise NotImplementedError

    def _start(self) -> None:
        """Makes sure that the core is driven."""
        raise NotImplementedError

    def _command(self, act: Callable[[], None]) -> None:
        """Has the core's thread do something."""
        self.inbox.append(act)
        self._wake()
        if self.core.is_ended:
            self.return_late()

    def _add(
        self,
        call: SendCall,
        events: Sequence[EncodedEvent],
        *,
        tickets: Sequence[int] | None = None,
        if_room: bool = False,
        traceparent: str | None = None,
    ) -> list[PendingEvent] | None:
        """Takes all events or, when the spool raises, none. None when there is no room. `tickets` are of events that the spool has."""
        size = sum(event.size for event in events)
        with self._admission:
            self._refuse_when_closed()
            if if_room and not self._has_room(len(events), size):
                return None
            self._start()
            if not self._is_hooked:
                self._is_hooked = True
                on_exit(self)
            ids = [event.id or self._mint(event) for event in events]
            kept = tickets
            if kept is None:
                kept = self._gate.append(lambda: [_entry_of(event, id) for event, id in zip(events, ids, strict=True)])
            since = time.monotonic()
            seq = self._seq
            pending = [
                PendingEvent(
                    event, call, at, seq + at + 1, since, None if kept is None else kept[at], ids[at], traceparent
                )
                for at, event in enumerate(events)
            ]
            self._size += size
            self._seq = seq + len(pending)
            self.inbox.append(pending)
        if self.inbox_events >= self.wake_at:
            self._wake()
        # A signal handler may have closed the client meanwhile.
        if self.core.is_ended:
            self.return_late()
        return pending

    def _has_room(self, events: int, size: int) -> bool:
        """Whether the queue has room for this many events and bytes; an empty queue has room for a single event of any size."""
        held = self._seq - self.core.settled_events
        if held + events > self._options.queue_events_max:
            return False
        held_size = self._size - self.core.settled_size
        return held_size + size <= self._options.queue_bytes_max or (events == 1 and held == 0)

    def _encode(self, events: Events) -> list[EncodedEvent]:
        now_ms = time.time_ns() // 1_000_000
        if now_ms > self._called_ms or self._called_ms - now_ms > _STEP_BACK_MS:
            self._called_ms = now_ms
        encoded = []
        for at, event in enumerate(_list_of(events)):
            try:
                encoded.append(encode_event(event, self._called_ms))
            except EventRefusedError as error:
                refusals = [Refusal(at, each.id, each.code, each.pointer, each.message) for each in error.refusals]
                raise EventRefusedError(refusals) from error.__cause__
        return encoded

    def _mint(self, event: EncodedEvent) -> str | None:
        """The id, from the call's time by the server's clock, as far as it is known; None where the server derives it."""
        if event.minted_of is None:
            return None
        return self._minter.mint(self._api.clock.correct(event.at_ms) if event.minted_of == "call" else event.at_ms)

    def _recover(self) -> None:
        for spooled in self._gate.recover():
            entry = spooled.entry
            try:
                encoded = read_encoded(entry.json, entry.at_ms)
            except (ValueError, EventRefusedError) as error:
                log.warning("An event of the spool is left out. %s", error)
                self._gate.settle(spooled.ticket)
                continue
            if entry.id is not None:
                encoded.id = entry.id
            self._add(self._unawaited, [encoded], tickets=[spooled.ticket])

    def _refuse_when_closed(self) -> None:
        if self._is_closing or self.core.is_ended:
            raise ClosedError("The client is closed.")

    def _say_lost(self, unsent: Sequence[PendingEvent]) -> None:
        """What a spool keeps is not lost."""
        lost = sum(1 for event in unsent if event.ticket is None)
        if lost > 0:
            log.warning("The program ends before %d events are accepted: they are lost.", lost)

    def _unhook(self) -> None:
        never_mind(self)


def is_one(events: Events) -> bool:
    """Whether a call has one event, and not a list of them."""
    return isinstance(events, Mapping)


def _list_of(events: Events) -> Sequence[Mapping[str, Any]]:
    return [events] if isinstance(events, Mapping) else events


def _entry_of(event: EncodedEvent, event_id: str | None) -> SpoolEntry:
    return SpoolEntry(b"{" + event.text, event.at_ms, None if event.minted_of is None else event_id)


def _spool_of(options: SendOptions) -> Callable[[], Spool] | None:
    spool = options.spool
    if spool is None:
        return None
    if isinstance(spool, (str, os.PathLike)):
        return partial(open_spool, spool)
    return partial(_given, spool)


def _given(spool: Spool) -> Spool:
    return spool
