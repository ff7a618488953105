"""When requests may leave, and how large they may be: learned from the answers."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

from .._errors import may_be_of_address
from .._http.call import Answer
from .._log import log
from .pending_event import BatchLimit, BatchResult, PendingEvent

#: Failures in a row after which the caller is warned.
_FAILURES_TO_WARN = 3
#: A lowered limit grows by this factor with each success, as its cause may have ended.
_GROWTH = 1.25
_INFINITY = float("inf")


class Pace:
    """State of the way to the server, common to all requests."""

    def __init__(self, back_off: Callable[[int, float], float], most: BatchLimit) -> None:
        self._back_off = back_off
        self._most = most
        #: Lowered when a request is too large for the server, or for a proxy before it.
        self._limit = most
        self._quota: BatchLimit | None = None
        #: Rounds of failed requests since the last success.
        self._failures = 0
        self._has_succeeded = False
        #: No request leaves before, monotonic seconds.
        self.gate = 0.0

    @property
    def limit(self) -> BatchLimit:
        """What one request may hold."""
        quota = self._quota
        if quota is None:
            return self._limit
        return BatchLimit(min(quota.events, self._limit.events), min(quota.size, self._limit.size))

    def learn(self, result: BatchResult, batch: Sequence[PendingEvent], now: float) -> None:
        """Takes the answer to a request."""
        answer = result.answer
        if answer is not None and (answer.status == 429 or self._quota is not None):
            self._quota = quota_of(answer)
        if result.type == "again":
            self._delay(result, len(batch), now)
        elif result.type == "too_large":
            size = sum(event.encoded.size for event in batch)
            self._limit = BatchLimit(math.ceil(len(batch) / 2), math.ceil(size / 2))
        elif answer is not None:
            self._failures = 0
            self._has_succeeded = True
            if self._limit is not self._most:
                events = min(self._most.events, math.ceil(self._limit.events * _GROWTH))
                self._limit = BatchLimit(events, min(self._most.size, self._limit.size * _GROWTH))

    def _delay(self, result: BatchResult, events: int, now: float) -> None:
        """Closes the gate for all requests. Requests that fail while it is closed belong to the same round."""
        if now >= self.gate:
            self._failures += 1
        asked = (result.answer.retry_after if result.answer is not None else None) or 0.0
        wait = self._back_off(self._failures, asked)
        self.gate = max(self.gate, now + wait)
        is_wrong = result.error is not None and may_be_of_address(result.error) and not self._has_succeeded
        is_warning = self._failures == _FAILURES_TO_WARN or (self._failures == 1 and is_wrong)
        say = log.warning if is_warning else log.debug
        say("%d events are posted again in %d ms. %s", events, wait * 1000, result.error)


def quota_of(answer: Answer) -> BatchLimit | None:
    """What fits into one window of the quotas of `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10); None without any."""
    text = answer.headers.get("ratelimit-policy", "")
    policies = re.findall(r'"(events|bytes)"[^,]*?;\s*q=(\d+)', text, re.ASCII)
    if not policies:
        return None
    quota = {name: max(1, int(q)) for name, q in policies}
    return BatchLimit(quota.get("events", _INFINITY), quota.get("bytes", _INFINITY))
