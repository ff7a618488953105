"""One caller at a time at a spool, without a wait of the sender for a caller."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence

from .._errors import ClosedError
from .._log import log
from .spool import Spool, SpooledEvent, SpoolEntry

#: Longest wait for a caller that is in the spool: it may have been interrupted by the signal handler that waits for the sender.
_WAIT_S = 1.0


class SpoolGate:
    """Callers append under a lock; what the sender settles is done by whoever has the lock next. Without a spool nothing is kept."""

    def __init__(self, open_spool: Callable[[], Spool] | None, *, is_lazy: bool = False) -> None:
        self._open = open_spool
        self._spool: Spool | None = None
        self._lock = threading.Lock()
        self._settled: deque[int] = deque()
        self._is_closing = False
        self._is_closed = False
        if not is_lazy:
            self._spool = self._opened()

    @property
    def is_kept(self) -> bool:
        """Whether there is a spool."""
        return self._open is not None

    def recover(self) -> Sequence[SpooledEvent]:
        """Events that an earlier process left."""
        spool = self._spool
        return [] if spool is None else spool.recover(log.warning)

    def append(self, entries: Callable[[], Sequence[SpoolEntry]]) -> Sequence[int] | None:
        """Keeps events, all or none of them; None without a spool. Raises what the spool does, and ClosedError."""
        if self._open is None:
            return None
        try:
            with self._lock:
                if self._is_closed or self._is_closing:
                    raise ClosedError("The client is closed.")
                self._settle_all()
                self._spool = spool = self._spool or self._opened()
                return None if spool is None else spool.append(entries())
        finally:
            self._catch_up()

    def settle(self, ticket: int) -> None:
        """The event of this ticket need not be kept any more."""
        self._settled.append(ticket)
        self._catch_up()

    def replace_id(self, ticket: int, fresh: str) -> bool:
        """Keeps another id; False when it could not be kept."""
        if not self._lock.acquire(timeout=_WAIT_S):
            return False
        try:
            if self._spool is not None:
                self._spool.replace_id(ticket, fresh)
            return True
        except Exception:
            log.exception("The spool failed.")
            return False
        finally:
            self._lock.release()

    def close(self) -> None:
        """Lets another client have the spool, at the latest when the caller that is in it leaves it."""
        self._is_closing = True
        if self._lock.acquire(timeout=_WAIT_S):
            try:
                self._close()
            finally:
                self._lock.release()

    def for_child(self) -> SpoolGate:
        """In the child of a fork: a gate whose spool is made when there is something to keep."""
        parent, opener = self._spool, self._open
        if opener is None:
            return SpoolGate(None)
        return SpoolGate((parent or opener()).for_child, is_lazy=True)

    def _opened(self) -> Spool | None:
        return None if self._open is None else self._open()

    def _catch_up(self) -> None:
        """Does what was left to whoever has the lock, unless somebody has it."""
        while (self._settled or (self._is_closing and not self._is_closed)) and self._lock.acquire(blocking=False):
            try:
                self._settle_all()
                if self._is_closing:
                    self._close()
            finally:
                self._lock.release()

    def _settle_all(self) -> None:
        while self._settled:
            ticket = self._settled.popleft()
            if self._spool is None or self._is_closed:
                continue
            try:
                self._spool.settle(ticket)
            except Exception:
                log.exception("The spool failed.")

    def _close(self) -> None:
        if self._is_closed:
            return
        self._settle_all()
        self._is_closed = True
        if self._spool is None:
            return
        try:
            self._spool.close()
        except Exception:
            log.exception("The spool failed.")
