"""The ends of a process: a fork, and the end of the interpreter."""

from __future__ import annotations

import atexit

# Registers its end before `_hook` does, so that it ends later: a host name is resolved by an executor.
import concurrent.futures.thread  # noqa: F401
import os
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any, Protocol

from ._log import log


class HasChild(Protocol):
    """What has to start afresh in the child of a fork."""

    def after_fork(self) -> None:
        """Called in the child, in its only thread. Must not take a lock from before."""
        ...


class HasEnd(Protocol):
    """What has something to do before the interpreter ends."""

    def at_exit(self) -> None:
        """Called once; may wait."""
        ...


class Closable(Protocol):
    """What a client ends when it is closed."""

    def close(self) -> None: ...


_forked: weakref.WeakSet[Any] = weakref.WeakSet()
_ending: weakref.WeakSet[Any] = weakref.WeakSet()
#: The process whose end is known to call `_end_all`: a child registers anew, as what runs at its end depends on how it was made.
_hooked_pid = 0
_of_parent: list[object] = []


def on_fork(each: HasChild) -> None:
    """Calls `after_fork` in each child, as long as the object lives."""
    _forked.add(each)


def on_exit(each: HasEnd) -> None:
    """Calls `at_exit` before the interpreter ends, as long as the object lives."""
    global _hooked_pid
    _ending.add(each)
    if _hooked_pid != os.getpid():
        _hooked_pid = os.getpid()
        _hook()


def keep_for_parent(*things: object) -> None:
    """In a child: keeps what belongs to the parent from being collected, which would close its sockets and wake its loop."""
    _of_parent.extend(things)


def never_mind(each: HasEnd) -> None:
    """Ends `on_exit`."""
    _ending.discard(each)


def _hook() -> None:
    """Asks all that may end this process to call `_end_all`; the first call does the work."""
    # Before threads and executors end. Private, so `atexit` is the second best.
    register: Callable[[Callable[[], None]], object] | None = getattr(threading, "_register_atexit", None)
    try:
        if register is not None:
            register(_end_all)
    except RuntimeError:
        log.debug("The interpreter is ending already.")
    atexit.unregister(_end_all)
    atexit.register(_end_all)
    # Children of multiprocessing (before Python 3.13) and of Celery run neither: they end by `os._exit`.
    for name in ("multiprocessing.util", "billiard.util"):
        util = sys.modules.get(name)
        if util is not None:
            util.Finalize(None, _end_all, exitpriority=10)


def _end_all() -> None:
    for each in list(_ending):
        _ending.discard(each)
        try:
            each.at_exit()
        except Exception:
            log.exception("The end of the program failed.")


def _after_fork() -> None:
    for each in list(_forked):
        each.after_fork()
    _ending.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
