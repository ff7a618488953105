"""Event streams (HTML standard, 9.2.6), parsed from bytes."""

from __future__ import annotations

from typing import NamedTuple

from .._errors import ProtocolError

#: Bytes of one frame: payloads have at most 256 KiB.
FRAME_BYTES_MAX = 1024 * 1024
#: Digits of a `retry:`; a longer one is no time that anybody waits for.
_DIGITS_MAX = 15
_BOM = b"\xef\xbb\xbf"


class Frame(NamedTuple):
    """One block of an event stream, or a comment."""

    #: `message` when the stream does not say; None for a comment.
    event: str | None
    data: str
    #: The position after this frame; None when the frame has none.
    id: str | None


class SseParser:
    """Parses chunks that may be cut anywhere.

    A frame is given out at its blank line, so that a cut one is none. Lines are split as bytes: a text would be split
    at U+2028 and other characters that end no line here.
    """

    #: What the last `retry:` said, milliseconds.
    retry_ms: int | None = None

    def __init__(self) -> None:
        self._rest = bytearray()
        self._is_at_start = True
        #: The last line ended with a carriage return: a line feed that follows belongs to it.
        self._skips_lf = False
        self._event = ""
        self._data: list[bytes] = []
        self._data_bytes = 0
        self._id: str | None = None

    def push(self, chunk: bytes) -> list[Frame]:
        """The frames and comments that this chunk completes. Raises ProtocolError for a frame over 1 MiB."""
        if self._is_at_start:
            chunk = self._without_bom(chunk)
        if chunk and self._skips_lf:
            self._skips_lf = False
            chunk = chunk[1:] if chunk.startswith(b"\n") else chunk
        if b"\r" in chunk:
            self._skips_lf = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        frames: list[Frame] = []
        lines = chunk.split(b"\n")
        if len(lines) > 1:
            lines[0] = bytes(self._rest) + lines[0]
            self._rest = bytearray(lines.pop())
            for line in lines:
                frame = self._take_line(line)
                if frame is not None:
                    frames.append(frame)
        else:
            self._rest += chunk
        if len(self._rest) + self._data_bytes > FRAME_BYTES_MAX:
            raise ProtocolError("A frame of the stream is over 1 MiB.")
        return frames

    def _without_bom(self, chunk: bytes) -> bytes:
        """Holds back what may be the beginning of a byte order mark."""
        start = bytes(self._rest) + chunk
        if len(start) < len(_BOM) and _BOM.startswith(start):
            self._rest = bytearray(start)
            return b""
        self._rest.clear()
        self._is_at_start = False
        return start[len(_BOM) :] if start.startswith(_BOM) else start

    def _take_line(self, line: bytes) -> Frame | None:
        if not line:
            return self._end_frame()
        name, _, value = line.partition(b":")
        if not name:
            return Frame(None, _text(value), None)
        if value.startswith(b" "):
            value = value[1:]
        if name == b"data":
            self._data.append(value)
            self._data_bytes += len(value)
        elif name == b"event":
            self._event = _text(value)
        elif name == b"id" and b"\0" not in value:
            self._id = _text(value)
        elif name == b"retry" and value.isdigit():
            self.retry_ms = int(value[:_DIGITS_MAX])
        return None

    def _end_frame(self) -> Frame | None:
        frame = Frame(self._event or "message", _text(b"\n".join(self._data)), self._id) if self._data else None
        self._event = ""
        self._data = []
        self._data_bytes = 0
        self._id = None
        return frame


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
