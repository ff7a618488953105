"""Settings of a client, and what it takes from the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ._errors import AriftlyError

if TYPE_CHECKING:
    from ._send.spool import Spool

#: An API key, or a function that gives one for each request, and another one after a 401.
GivenKey = str | Callable[[], str]
#: The same for AsyncAriftly, whose function may be a coroutine function.
AsyncGivenKey = str | Callable[[], str | Awaitable[str]]


@dataclass(frozen=True, kw_only=True)
class SendOptions:
    """How events are sent. Times are seconds."""

    #: How long an event waits for others to share a request.
    linger: float = 0.005
    #: Events in a request, 1 to 1,000.
    batch_events_max: int = 1000
    #: Encoded bytes in a request, of the 5 MiB that the server takes.
    batch_bytes_max: int = 4_718_592
    #: Requests under way at a time.
    requests_max: int = 4
    #: Events held at a time. When they are reached, `send` waits and `try_send` returns False.
    queue_events_max: int = 10_000
    #: Encoded bytes held at a time.
    queue_bytes_max: int = 16 * 1024 * 1024
    #: Keeps events beyond the life of the process: a folder, or what `open_spool` returned.
    spool: str | os.PathLike[str] | Spool | None = None
    #: Called for each event of `try_send`, and of an earlier process' spool, that is given up: there is no future to fail.
    #: Default: a warning. What it raises is a warning too. The sync client calls it in its background thread.
    on_failed: Callable[[AriftlyError, Mapping[str, Any]], None] | None = None
    #: How long the end of the interpreter waits for events that nobody waits for.
    exit_timeout: float = 30.0


def read_base_url(given: str | None) -> str:
    """The address of the API. Raises AriftlyError."""
    text = given or os.environ.get("ARIFTLY_URL")
    if not text:
        raise AriftlyError("missing_base_url", "Set base_url or ARIFTLY_URL.")
    base_url = text.rstrip("/")
    if not re.fullmatch(r"https?://[^/?#@\s]+(/[^?#\s]*)?", base_url, re.IGNORECASE):
        raise AriftlyError("invalid_base_url", f"The base URL is not a plain http(s) URL: {base_url.split('@')[-1]}")
    return base_url


def read_given_key(given: Any) -> Any:
    """The key, or the function that gives one. Raises AriftlyError."""
    key = given if given is not None else os.environ.get("ARIFTLY_API_KEY") or None
    if key is None:
        raise AriftlyError("missing_api_key", "Set api_key or ARIFTLY_API_KEY.")
    return key if callable(key) else check_key(key)


def check_key(key: object) -> str:
    """The key without the white space around it.

    Raises AriftlyError `invalid_api_key` unless it is visible ASCII. The message must not contain the key.
    """
    text = key.strip() if isinstance(key, str) else ""
    if re.fullmatch(r"[\x21-\x7e]+", text):
        return text
    raise AriftlyError("invalid_api_key", "The API key is empty or has a character that no key has.")
