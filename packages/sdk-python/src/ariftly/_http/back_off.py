"""Waits before a retry, seconds."""

from __future__ import annotations

import random as _random
import re
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime

#: Upper bound of the first random wait; it doubles with each failure.
FIRST_S = 0.25
#: Upper bound of every random wait.
MAX_S = 30.0


def back_off(failures: int, floor: float, floor_max: float, random: Callable[[], float] = _random.random) -> float:
    """The server's wait (`floor`) plus full jitter.

    The jitter is a random time up to the bound of this failure (1 for the first), so that clients that were refused
    together do not retry together.
    """
    bound = min(MAX_S, FIRST_S * 2 ** min(30, failures - 1))
    return float(min(floor, floor_max) + random() * bound)


def retry_after_of(header: str | None) -> float | None:
    """`Retry-After` (RFC 9110, 10.2.3) in seconds, from seconds or a date; None when it is absent or unreadable."""
    if header is None:
        return None
    if re.fullmatch(r"\s*\d+(\.\d+)?\s*", header, re.ASCII):
        return float(header)
    at = date_of(header)
    return None if at is None else max(0.0, at - time.time())


def date_of(header: str | None) -> float | None:
    """An HTTP date as Unix seconds; None when it is absent or unreadable."""
    if header is None:
        return None
    try:
        return parsedate_to_datetime(header).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
