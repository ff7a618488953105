"""Ids that were given out, to drop duplicates."""

from __future__ import annotations

from collections import deque


class SeenIds:
    """Remembers the last ids, over all connections of a stream."""

    def __init__(self, size: int) -> None:
        self._ids: set[str] = set()
        self._order: deque[str] = deque()
        self._size = size

    def add(self, id: str) -> bool:
        """Whether the id is new; it is remembered then, and the oldest one is dropped."""
        if id in self._ids:
            return False
        self._ids.add(id)
        self._order.append(id)
        if len(self._order) > self._size:
            self._ids.remove(self._order.popleft())
        return True
