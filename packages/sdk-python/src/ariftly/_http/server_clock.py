"""How far the server's clock is from this machine's."""

from __future__ import annotations

from .back_off import date_of

#: Smaller changes are ignored: `Date` has whole seconds, and answers take time. So corrected times of later events do not fall.
TOLERANCE_MS = 2000
#: An answer that was longer under way says little.
ANSWER_MS_MAX = 10_000


class ServerClock:
    """Learned from the `Date` header of the server's answers; nothing until the first answer."""

    def __init__(self) -> None:
        self._offset_ms = 0

    def correct(self, ms: int) -> int:
        """The server's time at a time of this machine, Unix milliseconds."""
        return max(0, ms + self._offset_ms)

    def learn(self, date: str | None, sent_ms: float, received_ms: float) -> None:
        """Takes the `Date` header of an answer to a request that was sent and answered at these local times."""
        at = date_of(date)
        if at is None or received_ms - sent_ms > ANSWER_MS_MAX:
            return
        offset_ms = round(at * 1000 + 500 - (sent_ms + received_ms) / 2)
        if abs(offset_ms - self._offset_ms) > TOLERANCE_MS:
            self._offset_ms = offset_ms
