"""Where the position of a stream is kept beyond the life of the program."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable
from typing import Protocol

from .._errors import AriftlyError


class PositionStore(Protocol):
    """Keeps a position. It is called by the thread that iterates over the stream."""

    def load(self) -> str | None:
        """The position that was saved last; None without one."""

    def save(self, position: str) -> None: ...


class AsyncPositionStore(Protocol):
    """Keeps a position, with coroutines. A PositionStore fits AsyncAriftly too, if it does not block for long."""

    def load(self) -> Awaitable[str | None]:
        """The position that was saved last; None without one."""

    def save(self, position: str) -> Awaitable[None]: ...


class FilePositionStore:
    """Keeps a position in a file, which is replaced as a whole: a killed process leaves the old one or the new one.

    `load` raises AriftlyError `position_lost` for an empty file: to start without a position would miss all events since the
    lost one. The TypeScript SDK reads and writes the same file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = os.fspath(path)

    def load(self) -> str | None:
        try:
            with open(self._path, encoding="utf-8") as file:
                text = file.read().strip()
        except FileNotFoundError:
            return None
        if text == "":
            raise AriftlyError(
                "position_lost",
                f"{self._path} is empty. Give a position, or remove it to start at a time (after).",
            )
        return text

    def save(self, position: str) -> None:
        folder = os.path.dirname(self._path)
        if folder:
            os.makedirs(folder, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        with os.fdopen(os.open(f"{self._path}.new", flags, 0o600), "w", encoding="utf-8") as file:
            file.write(position)
        os.replace(f"{self._path}.new", self._path)


class PendingPosition:
    """Which position is to be saved, and when: at most one in `every` seconds, the newest always last. No I/O."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._newest: str | None = None
        self._saved: str | None = None
        self._saved_at = time.monotonic()

    def loaded(self, position: str | None) -> None:
        self._saved = position

    def note(self, position: str) -> None:
        self._newest = position

    def saved(self, position: str) -> None:
        self._saved = position
        self._saved_at = time.monotonic()

    def tried(self) -> None:
        """A save has failed: the next one is not before its time."""
        self._saved_at = time.monotonic()

    def unsaved(self) -> str | None:
        """The newest position, if it is not saved."""
        return None if self._newest == self._saved else self._newest

    def due_in(self) -> float | None:
        """Seconds until the newest position is to be saved; None when it is saved."""
        if self.unsaved() is None:
            return None
        return max(0.0, self._saved_at + self._every - time.monotonic())
