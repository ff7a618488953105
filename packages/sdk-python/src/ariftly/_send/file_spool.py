"""A spool in files of a folder; `packages/sdk/contract/spool.md` has its format, which the TypeScript SDK shares."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from .._log import log
from .folder_lock import LockHeldError, take_lock
from .spool import SpooledEvent, SpoolEntry

_LOCK = "lock"
_DAMAGED = ".damaged"
#: In place of an id that this client does not mint.
_NO_ID = b"-"
_LINE = re.compile(rb"(evt_[0-9A-Za-z_]{26}|-) ([0-9]{1,15}) (\{.*\})", re.DOTALL)
_FILE = re.compile(r"[0-9]{12}\.ndjson(\.damaged)?", re.ASCII)
_CHILD = re.compile(r"child-[0-9]+-[0-9a-f]{8}", re.ASCII)


@dataclass(eq=False)
class _File:
    path: str
    #: Events that are not settled.
    left: int = 0
    #: Lines that cannot be read: the file is kept.
    damaged_lines: int = 0


def open_spool(path: str | os.PathLike[str], *, file_bytes_max: int = 4 * 1024 * 1024) -> FileSpool:
    """Keeps events in files of a folder until they are accepted or refused, so that they survive a killed process.

    The next one that opens the folder sends them, under the same ids, before all others. They survive the process, not the machine:
    nothing is flushed to the disk. A folder belongs to one client at a time; raises OSError while another one has it, and for a folder
    that is a link or that other users may write. Processes of one host only: do not share the folder between machines.
    `file_bytes_max`: a file is closed at this size, and removed when all its events are settled.
    """
    # Without the slash at the end that would lead through a link.
    return FileSpool(os.path.abspath(os.fspath(path)), file_bytes_max)


class FileSpool:
    """A file has a line for each event, `<id> <at_ms> <json>`.

    Nothing is written to it later, so that a full disk does not stop the sending that frees it; but for another id, which overwrites
    the first one.
    """

    def __init__(self, folder: str, file_bytes_max: int, *, root: str | None = None) -> None:
        self._folder = folder
        #: The folder below which children have theirs.
        self._root = root or folder
        self._file_bytes_max = file_bytes_max
        #: File, and where the line begins in it, by ticket, for events that are not settled.
        self._kept: dict[int, tuple[_File, int]] = {}
        self._earlier: list[SpooledEvent] = []
        self._damaged: list[_File] = []
        self._ticket = 0
        self._file_number = 0
        self._file: _File | None = None
        self._descriptor: int | None = None
        self._bytes = 0
        os.makedirs(folder, mode=0o700, exist_ok=True)
        _check_folder(folder)
        take_lock(os.path.join(folder, _LOCK))
        try:
            self._read_folder()
        except BaseException:
            os.unlink(os.path.join(folder, _LOCK))
            raise

    def recover(self, warn: Callable[[str], None]) -> Sequence[SpooledEvent]:
        """Events that an earlier process left, oldest first."""
        for file in self._damaged:
            warn(
                f"Lines of the spool that cannot be read: {file.damaged_lines}, in {file.path}. "
                f"The file is kept as {file.path}{_DAMAGED}."
            )
        self._damaged = []
        earlier, self._earlier = self._earlier, []
        return earlier

    def append(self, events: Sequence[SpoolEntry]) -> Sequence[int]:
        """Keeps events, all or none of them."""
        if not events:
            return []
        # JSON may hold line breaks between its tokens, and nowhere else.
        lines = [
            b"%b %d %b\n"
            % (
                _NO_ID if event.id is None else event.id.encode(),
                event.at_ms,
                event.json.replace(b"\n", b" ").replace(b"\r", b" "),
            )
            for event in events
        ]
        content = b"".join(lines)
        if self._file is None or self._bytes + len(content) > self._file_bytes_max:
            self._start_file()
        at = self._bytes
        self._write(content)
        tickets = []
        for line in lines:
            tickets.append(self._keep(self._file, at))
            at += len(line)
        return tickets

    def replace_id(self, ticket: int, id: str) -> None:
        """Keeps another id, in the place of the first one."""
        kept = self._kept.get(ticket)
        if kept is None:
            return
        file, at = kept
        descriptor = os.open(file.path, os.O_WRONLY)
        try:
            os.pwrite(descriptor, id.encode(), at)
        finally:
            os.close(descriptor)

    def settle(self, ticket: int) -> None:
        """Removes a file with its last event."""
        kept = self._kept.pop(ticket, None)
        if kept is None:
            return
        file = kept[0]
        file.left -= 1
        if file.left > 0:
            return
        if file is not self._file:
            _remove(file)
        elif self._bytes > 0 and self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            self._bytes = 0

    def for_child(self) -> FileSpool:
        """A folder below this one for the child of a fork: the parent's files and lock are the parent's."""
        name = f"child-{os.getpid()}-{secrets.token_hex(4)}"
        return FileSpool(os.path.join(self._root, name), self._file_bytes_max, root=self._root)

    def close(self) -> None:
        """Lets another client have the folder."""
        self._close_file()
        _unlink(os.path.join(self._folder, _LOCK))
        if self._folder != self._root:
            # Another opener takes what is left in it.
            try:
                os.rmdir(self._folder)
            except OSError as error:
                log.debug("The folder of the spool stays: %s", error)

    def _read_folder(self) -> None:
        self._adopt_children()
        for name in sorted(name for name in os.listdir(self._folder) if _FILE.fullmatch(name)):
            self._file_number = max(self._file_number, int(name[:12]))
            if not name.endswith(_DAMAGED):
                self._read_earlier(os.path.join(self._folder, name))

    def _adopt_children(self) -> None:
        """Moves the files of children that have ended into this folder, behind its own."""
        if self._folder != self._root:
            return
        names = os.listdir(self._folder)
        number = max((int(name[:12]) for name in names if _FILE.fullmatch(name)), default=0)
        for child in sorted(name for name in names if _CHILD.fullmatch(name)):
            folder = os.path.join(self._folder, child)
            try:
                _check_folder(folder)
                take_lock(os.path.join(folder, _LOCK))
            except LockHeldError:
                continue
            except OSError as error:
                log.warning("The folder of a child is left out: %s", error)
                continue
            for name in sorted(name for name in os.listdir(folder) if _FILE.fullmatch(name)):
                number += 1
                os.rename(os.path.join(folder, name), os.path.join(self._folder, f"{number:012d}{name[12:]}"))
            _unlink(os.path.join(folder, _LOCK))
            try:
                os.rmdir(folder)
            except OSError as error:
                log.debug("The folder of a child stays: %s", error)

    def _read_earlier(self, path: str) -> None:
        file = _File(path)
        with open(path, "rb") as source:
            content = source.read()
        at = 0
        while at < len(content):
            end = content.find(b"\n", at)
            line = content[at : len(content) if end == -1 else end]
            entry = _read_line(line)
            if entry is not None:
                self._earlier.append(SpooledEvent(entry, self._keep(file, at)))
            # The last line is cut by a kill: `send` did not take its event. A kill leaves no NUL.
            elif end != -1 or b"\0" in line:
                file.damaged_lines += 1
            at += len(line) + 1
        if file.damaged_lines > 0:
            self._damaged.append(file)
        if file.left == 0:
            _remove(file)

    def _write(self, content: bytes) -> None:
        """Writes to the file in hand, all or nothing: what a full disk leaves of it is cut off."""
        descriptor = self._descriptor
        assert descriptor is not None
        view = memoryview(content)
        at = 0
        try:
            while at < len(content):
                at += os.pwrite(descriptor, view[at:], self._bytes + at)
        except BaseException:
            os.ftruncate(descriptor, self._bytes)
            raise
        self._bytes += len(content)

    def _keep(self, file: _File | None, at: int) -> int:
        assert file is not None
        self._ticket += 1
        file.left += 1
        self._kept[self._ticket] = (file, at)
        return self._ticket

    def _start_file(self) -> None:
        self._close_file()
        self._file_number += 1
        path = os.path.join(self._folder, f"{self._file_number:012d}.ndjson")
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o600)
        self._file = _File(path)
        self._bytes = 0

    def _close_file(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
        if self._file is not None and self._file.left == 0:
            _remove(self._file)
        self._file = None
        self._descriptor = None


def _check_folder(folder: str) -> None:
    status = os.lstat(folder)
    # What a link leads to can be exchanged.
    if not stat.S_ISDIR(status.st_mode):
        raise NotADirectoryError(f"The spool must be a folder, not a link: {folder}")
    own = getattr(os, "getuid", lambda: None)()
    if own is not None and ((status.st_mode & 0o022) != 0 or status.st_uid not in (own, 0)):
        raise PermissionError(f"The spool can be written by other users: {folder}. Use chmod 700.")


def _remove(file: _File) -> None:
    if file.damaged_lines > 0:
        os.rename(file.path, file.path + _DAMAGED)
    else:
        _unlink(file.path)


def _unlink(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def _read_line(line: bytes) -> SpoolEntry | None:
    """None for a line that is not as it was written."""
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    event_id, at_ms, content = match.groups()
    try:
        json.loads(content.decode(), parse_constant=_no_constant, parse_int=len, parse_float=len)
    except (ValueError, RecursionError):
        return None
    return SpoolEntry(content, int(at_ms), None if event_id == _NO_ID else event_id.decode())


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
