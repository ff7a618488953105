"""A posted event, encoded once for all its attempts."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Literal, NoReturn

from .._errors import EventRefusedError, Refusal

#: Largest event that fits a request of 5 MiB with room to spare.
EVENT_BYTES_MAX = 4_718_592
#: Bytes of `{`, `"id":"evt_…",` and the comma between events.
_BYTES_AROUND = 40
_DATA = b'"data":'
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?\s*([Zz]|[+-]\d\d:?\d\d)?", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(slots=True)
class EncodedEvent:
    """An event as JSON."""

    #: JSON after the opening brace, without an id that this client mints; `data` is its last member.
    text: bytes
    #: Bytes in a batch, with its id and a comma.
    size: int
    #: Order holds among events of one key.
    key: str
    #: The caller's id.
    id: str | None
    #: The time from which this client mints the id: the call, or `created_at`; None when it mints none.
    minted_of: Literal["call", "created_at"] | None
    #: That time, Unix milliseconds.
    at_ms: int
    #: Whether `data` was given as JSON text.
    is_raw: bool


def encode_event(event: Mapping[str, Any], now_ms: int) -> EncodedEvent:
    """Encodes an event of a call at `now_ms`.

    Its id will be minted from `created_at`, otherwise from the call's time; with an `idempotency_key` the server derives it. Raises
    EventRefusedError for what is not JSON, NaN and half a surrogate pair included, and for an event that is too large.
    """
    event_id = event.get("id")
    if event_id is not None and not (isinstance(event_id, str) and re.fullmatch(r"[\w-]{1,64}", event_id, re.ASCII)):
        _refuse("invalid_id", "/id", "is no event id")
    members = {name: value for name, value in event.items() if name != "data" and (name != "id" or value is not None)}
    created_at = members.get("created_at")
    if isinstance(created_at, datetime):
        created_at = members["created_at"] = _iso(created_at)
    is_minted = event_id is None and not isinstance(members.get("idempotency_key"), str)
    is_dated = is_minted and isinstance(created_at, str)
    at_ms = _parse_time(str(created_at)) if is_dated else now_ms
    data = event.get("data")
    if isinstance(data, (str, bytes, bytearray, memoryview)):
        is_raw = True
        head = _encode(members)[1:-1]
        text = head + (b"," if head else b"") + _DATA + _raw_data(data) + b"}"
    else:
        is_raw = False
        members["data"] = data
        text = _encode(members)[1:]
    size = len(text) + _BYTES_AROUND
    if size > EVENT_BYTES_MAX:
        _refuse("too_long", "", f"has {size} bytes, more than fit into a request")
    minted_of: Literal["call", "created_at"] | None = ("created_at" if is_dated else "call") if is_minted else None
    return EncodedEvent(text, size, _key_of(members), event_id, minted_of, at_ms, is_raw)


def read_encoded(content: bytes, at_ms: int) -> EncodedEvent:
    """Reads an event back from a spool, as `encode_event` took it. Raises ValueError for a truncated one."""
    event = json.loads(content, parse_constant=_no_constant)
    return encode_event({**event, "data": content[content.index(_DATA) + len(_DATA) : -1]}, at_ms)


def json_of(encoded: EncodedEvent, event_id: str | None) -> bytes:
    """JSON of an event under its id."""
    if event_id is None or encoded.minted_of is None:
        return b"{" + encoded.text
    return b'{"id":"%b",%b' % (event_id.encode(), encoded.text)


def decode_event(encoded: EncodedEvent, event_id: str | None) -> dict[str, Any]:
    """Decodes an event so that it can be sent again unchanged: `data` that was given as text is text."""
    at = encoded.text.index(_DATA)
    head = json.loads(b"{" + encoded.text[:at] + b'"data":null}')
    data = encoded.text[at + len(_DATA) : -1]
    own = {} if event_id is None else {"id": event_id}
    return {**own, **head, "data": data.decode() if encoded.is_raw else json.loads(data)}


def _encode(members: dict[str, Any]) -> bytes:
    try:
        return _ENCODER.encode(members).encode()
    except UnicodeEncodeError:
        _refuse("malformed_json", _pointer_to_fault(members, ""), "holds half a surrogate pair")
    except (ValueError, TypeError, RecursionError) as error:
        _refuse("malformed_json", _pointer_to_fault(members, ""), f"is not JSON: {error}")


def _raw_data(data: str | bytes | bytearray | memoryview) -> bytes:
    """Raw text is parsed only to check it: one broken text would break the whole batch."""
    try:
        content = data.encode() if isinstance(data, str) else bytes(data)
        value = json.loads(content.decode(), parse_constant=_no_constant, parse_int=_no_number, parse_float=_no_number)
    except UnicodeEncodeError:
        _refuse("malformed_json", "/data", "holds half a surrogate pair")
    except (ValueError, RecursionError) as error:
        _refuse("malformed_json", "/data", f"is not JSON: {error}")
    if not isinstance(value, dict):
        _refuse("invalid_type", "/data", "must be an object")
    return content


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _no_number(_text: str) -> None:
    """Numbers are not read: a long one would be refused by Python, or rounded."""


def _key_of(members: Mapping[str, Any]) -> str:
    task_id = members.get("task_id")
    return f"\0{members.get('session_id') or ''}" if task_id is None else str(task_id)


def _iso(time: datetime) -> str:
    """A time without an offset is one in UTC, as the server reads it."""
    aware = time.replace(tzinfo=timezone.utc) if time.tzinfo is None else time.astimezone(timezone.utc)
    return aware.strftime("%Y-%m-%dT%H:%M:%S.") + f"{aware.microsecond // 1000:03d}Z"


def _parse_time(text: str) -> int:
    """Unix milliseconds; without an offset it is a time in UTC, as the server reads it."""
    match = _TIME.fullmatch(text)
    try:
        if match is None:
            raise ValueError(text)
        year, month, day, hour, minute, second, fraction, offset = match.groups()
        at = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), 0, timezone.utc
        )
        if offset not in (None, "Z", "z"):
            sign = -1 if offset[0] == "-" else 1
            at -= sign * timedelta(hours=int(offset[1:3]), minutes=int(offset[-2:]))
        ms = (at - _EPOCH) // timedelta(milliseconds=1) + int((fraction or "0")[:3].ljust(3, "0"))
    except (ValueError, OverflowError):
        ms = -1
    if ms < 0:
        _refuse("invalid_timestamp", "/created_at", "is no ISO 8601 time")
    return ms


def _pointer_to_fault(value: Any, pointer: str, depth: int = 0) -> str:
    """JSON pointer to the first value that JSON cannot hold, as far as it is found."""
    if depth > 200:
        return pointer
    if isinstance(value, dict):
        children = [(str(name), each, name) for name, each in value.items()]
    elif isinstance(value, (list, tuple)):
        children = [(str(at), each, "") for at, each in enumerate(value)]
    else:
        return pointer
    for name, each, key in children:
        here = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
        if _is_fault(key) or _is_fault(each):
            return here.encode("utf-8", "replace").decode()
        deeper = _pointer_to_fault(each, here, depth + 1)
        if deeper != here:
            return deeper
    return pointer


def _is_fault(value: Any) -> bool:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return True
        return False
    if isinstance(value, float):
        return not math.isfinite(value)
    return not (value is None or isinstance(value, (bool, int, dict, list, tuple)))


def _refuse(code: str, pointer: str, message: str) -> NoReturn:
    raise EventRefusedError([Refusal(0, None, code, pointer, message)])
