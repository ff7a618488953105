"""Event ids: TypeIDs (0.3) of UUIDv7 (RFC 9562)."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]

#: Gives three random numbers of 32 bits.
Random = Callable[[], tuple[int, int, int]]


def _random() -> tuple[int, int, int]:
    a, b, c = struct.unpack("<3I", os.urandom(12))
    return a, b, c


class EventIdMinter:
    """Mints ids with a given millisecond.

    Ids of one minter rise strictly while milliseconds do not fall: 39 random bits are the minter's, and a counter that starts at a
    random place fills the low 35.
    """

    def __init__(self, random: Random = _random) -> None:
        self._random = random
        #: Units of 1,024 ms.
        self._seconds = -1
        self._seconds_chars = ""
        self._own_chars = ""
        # Low 35 bits as seven characters: five of `_high`, then one of the pairs.
        self._high = 0
        self._high_chars = ""
        self._low = 0
        self._renew()

    def mint(self, ms: int) -> str:
        """A fresh id; `ms` is Unix milliseconds, 0 to 2^48 - 1."""
        seconds = ms >> 10
        if seconds != self._seconds:
            self._seconds = seconds
            self._seconds_chars = _base32(seconds, 8)
        if self._low == 1024:
            self._carry()
        low = self._low
        self._low = low + 1
        return f"evt_{self._seconds_chars}{_PAIRS[ms & 1023]}{self._own_chars}{self._high_chars}{_PAIRS[low]}"

    def _carry(self) -> None:
        self._low = 0
        self._high += 1
        if self._high == 1 << 25:
            self._renew()
        else:
            self._high_chars = _base32(self._high, 5)

    def _renew(self) -> None:
        a, b, c = self._random()
        # 45 bits: version 7, 12 random, variant 2, 27 random.
        version_and_rand_a = 0x7000 + (a & 0xFFF)
        variant_and_rand_b = (2 << 27) + (b & 0x7FF_FFFF)
        self._own_chars = _base32((version_and_rand_a << 29) + variant_and_rand_b, 9)
        self._high = c & 0xFF_FFFF
        self._high_chars = _base32(self._high, 5)
        self._low = (a >> 12) & 0x3FF


def _base32(value: int, chars: int) -> str:
    """`value` in so many characters of five bits."""
    return "".join(_ALPHABET[(value >> 5 * left) & 31] for left in range(chars - 1, -1, -1))
