"""The lock of a spool's folder; `packages/sdk/contract/spool.md` has its format."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

#: What a system answers where there are no symbolic links, or not for every user.
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})


class LockHeldError(OSError):
    """Another process, or this one, has a lock."""

    #: The process that has it.
    pid: int

    def __init__(self, path: str, pid: int) -> None:
        who = "another client of this process" if pid == os.getpid() else f"process {pid}"
        super().__init__(f"{path} is in use by {who}.")
        self.pid = pid


def take_lock(path: str) -> None:
    """Makes a lock that names this process; remove it to release the lock.

    Raises LockHeldError while a process that lives has it, this one included: a client that was not closed. The lock of a process that
    ended without releasing it is taken over.
    """
    own = f"{os.getpid()} {_life_of(os.getpid())}"
    while not _create(path, own):
        held = _read_lock(path)
        # Released meanwhile.
        if held is None:
            continue
        if _is_held(held):
            raise LockHeldError(path, _pid_of(held))
        _remove_stale(path)


def _create(path: str, text: str) -> bool:
    """A symbolic link to nowhere: it has its text from the first moment, and a full disk has room for it. False when there is a lock."""
    try:
        os.symlink(text, path)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return _create_in_place(path, text)
    return True


def _create_in_place(path: str, text: str) -> bool:
    """A file, where there are no links: it is empty for some microseconds."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    return True


def _read_lock(path: str) -> str | None:
    try:
        return os.readlink(path)
    except FileNotFoundError:
        return None
    except OSError:
        pass
    try:
        return Path(path).read_text("utf-8", "replace")
    except FileNotFoundError:
        return None


def _remove_stale(path: str) -> None:
    """Removes the lock of a process that has ended.

    That takes a lock of its own: no other process removes a stale lock meanwhile, and while there is one no process creates another, so
    the file that is removed is the one that was read.
    """
    take_over = f"{path}.take-over"
    try:
        take_lock(take_over)
    except LockHeldError as error:
        raise LockHeldError(path, error.pid) from error
    try:
        held = _read_lock(path)
        if held is not None and not _is_held(held):
            os.unlink(path)
    finally:
        os.unlink(take_over)


def _pid_of(text: str) -> int:
    first = text.split(" ", maxsplit=1)[0]
    return int(first) if re.fullmatch(r"[0-9]{1,10}", first) else 0


def _is_held(text: str) -> bool:
    pid = _pid_of(text)
    parts = text.split(" ")
    life = parts[1] if len(parts) > 1 else ""
    if pid <= 0 or not _is_alive(pid):
        return False
    current = _life_of(pid)
    return True if "" in (current, life) else current == life


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _life_of(pid: int) -> str:
    """Distinguishes a process from an earlier one with the same number (in containers all are process 1).

    Its start since the boot, and the boot id. Empty without /proc.
    """
    stat = _read_proc(f"{pid}/stat")
    # Field 22; the second one is in parentheses and may hold spaces.
    fields = stat[stat.rfind(")") + 2 :].split(" ")
    if len(fields) < 20:
        return ""
    return f"{_read_proc('sys/kernel/random/boot_id').strip()}/{fields[19]}"


def _read_proc(path: str) -> str:
    try:
        return Path("/proc", path).read_text("utf-8", "replace")
    except OSError:
        return ""
