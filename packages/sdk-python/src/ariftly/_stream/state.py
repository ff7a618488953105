"""State of a stream."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from .._log import log


@dataclass(frozen=True)
class StreamState:
    """State of a stream.

    `connecting`: it opens a connection. `catching_up`: it receives events from before it connected. `live`: it receives events as
    they happen. `waiting`: it will connect again at `retry_at`; `error` says why it is not connected, None when the server ended the
    connection in good order. `closed`: its loop has ended.
    """

    type: Literal["connecting", "catching_up", "live", "waiting", "closed"]
    error: Exception | None = None
    retry_at: datetime | None = None


class StateKeeper:
    """Holds the state of a stream and reports its changes."""

    def __init__(self, report: Callable[[StreamState], object] | None) -> None:
        self._report = report
        self._is_reported = False
        self.current = StreamState("connecting")

    def set(self, state: StreamState) -> None:
        """Takes the state, and reports it if it is another one."""
        if self._is_reported and state.type == self.current.type and state.type != "waiting":
            return
        self._is_reported = True
        self.current = state
        if self._report is None:
            return
        try:
            self._report(state)
        except Exception:
            log.warning("The on_state of a stream failed.", exc_info=True)
