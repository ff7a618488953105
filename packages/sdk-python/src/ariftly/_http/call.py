"""One call of the API, its answers, and when it is made again: no I/O."""

from __future__ import annotations

import json
import platform
import re
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict
from urllib.parse import quote

import httpx2

from .._errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AriftlyError,
    ProtocolError,
    is_retryable_status,
    status_error_class,
)
from .._log import log
from .._version import VERSION
from .back_off import back_off, retry_after_of

USER_AGENT = f"ariftly-python/{VERSION} python/{platform.python_version()}"
#: What a query may hold: None is left out, lists are joined by commas.
QueryValue = str | int | float | bool | Sequence[str] | None


class RequestOptions(TypedDict, total=False):
    """What may be set for one call; the defaults are the client's."""

    max_retries: int
    #: Time limit of each attempt, seconds.
    attempt_timeout: float
    #: Time limit of the call with its retries and waits, seconds.
    total_timeout: float


@dataclass(frozen=True)
class Call:
    """One call of the API."""

    method: str
    #: Below the base URL, `/v1/…`.
    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    #: JSON.
    body: bytes | None = None

    def url(self, base_url: str) -> str:
        """The address, with its query."""
        return base_url + self.path + query_text(self.query)


@dataclass(frozen=True)
class Answer:
    """An answer whose body was read."""

    status: int
    #: With names that compare without case.
    headers: httpx2.Headers
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")

    @property
    def request_id(self) -> str | None:
        return self.headers.get("x-request-id")

    @property
    def retry_after(self) -> float | None:
        """What the answer asks to wait, seconds."""
        return retry_after_of(self.headers.get("retry-after"))


@dataclass(frozen=True)
class CallSettings:
    """Limits of calls, seconds; see the options of the client for the defaults."""

    attempt_timeout: float
    total_timeout: float
    max_retries: int
    max_retry_after: float


class CallPlan:
    """The attempts of one call: when each ends, and whether and when another one follows."""

    def __init__(self, call: Call, settings: CallSettings, options: RequestOptions) -> None:
        self._call = call
        self._settings = settings
        self._max_retries = options.get("max_retries", settings.max_retries)
        self._attempt_timeout = options.get("attempt_timeout", settings.attempt_timeout)
        self._total = options.get("total_timeout", settings.total_timeout)
        self._ends_at = time.monotonic() + self._total if self._total > 0 else float("inf")
        self._failures = 0

    def attempt_timeout(self) -> float:
        """Time limit of the next attempt, seconds. Raises APITimeoutError when the time of the call is over."""
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise APITimeoutError(f"There was no answer within {self._total:g} s.")
        return min(self._attempt_timeout, left) if self._attempt_timeout > 0 else left

    def wait_after(self, error: AriftlyError) -> float:
        """How long to wait before the next attempt, seconds. Raises the error when it is final."""
        self._failures += 1
        asked = self._asked_wait(error)
        if asked is None or self._failures > self._max_retries:
            raise error
        wait = back_off(self._failures, asked, self._settings.max_retry_after)
        log.debug("%s %s again in %.3f s: %s", self._call.method, self._call.path, wait, error)
        left = self._ends_at - time.monotonic()
        if wait >= left:
            raise APITimeoutError(f"There was no answer within {self._total:g} s. The last error: {error}") from error
        return wait

    def _asked_wait(self, error: AriftlyError) -> float | None:
        """0 when the server asked for nothing, None when a retry is of no use."""
        if isinstance(error, (APIConnectionError, APITimeoutError)):
            return 0.0
        if not isinstance(error, APIStatusError):
            return None
        may_retry = is_retryable_status(error.status_code) or (
            error.status_code == 409 and error.code == "idempotency_key_in_use"
        )
        asked = error.retry_after or 0.0
        return asked if may_retry and asked <= self._settings.max_retry_after else None


def headers_of(call: Call, key: str | None) -> dict[str, str]:
    """All headers. Raises AriftlyError for a value that no header can have: a message of httpx2 would hold the value."""
    headers = {"User-Agent": USER_AGENT}
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    if call.body is not None:
        headers["Content-Type"] = "application/json"
    headers.update(call.headers)
    for name, value in headers.items():
        if re.search(r"[^\t -~]", value):
            raise AriftlyError("invalid_header", f"{name} has a character that no header has.")
    return headers


def query_text(query: Mapping[str, Any]) -> str:
    """`?a=1&b=2`, or nothing."""
    members = [f"{name}={quote(_query_value(value), safe='')}" for name, value in query.items() if value is not None]
    return "?" + "&".join(members) if members else ""


def _query_value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(str(each) for each in value)
    return str(value)


def path(*parts: str) -> str:
    """`path("/v1/events", id)`: the parts after the first are encoded."""
    return "/".join([parts[0], *(quote(part, safe="") for part in parts[1:])])


def json_body(body: Any) -> bytes | None:
    """A body as JSON. Raises AriftlyError `invalid_body` for what is not JSON, such as NaN or half a surrogate pair."""
    if body is None:
        return None
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (ValueError, TypeError) as error:
        raise AriftlyError("invalid_body", f"The body is not JSON: {error}") from error


def json_of(answer: Answer) -> Any:
    """The JSON of an answer, None without any. Raises ProtocolError."""
    if answer.content == b"":
        return None
    try:
        return json.loads(answer.content)
    except ValueError as error:
        raise ProtocolError("The answer is not JSON. Is the base URL the API's?", answer.request_id) from error


def error_of(answer: Answer) -> APIStatusError:
    """The error of an answer with an error status."""
    is_problem = "json" in answer.headers.get("content-type", "")
    return status_error_class(answer.status)(
        answer.status,
        problem=_read_problem(answer.content) if is_problem else None,
        body=answer.text,
        request_id=answer.request_id,
        retry_after=answer.retry_after,
    )


def _read_problem(content: bytes) -> Mapping[str, Any] | None:
    try:
        body = json.loads(content)
    except ValueError:
        return None
    return body if isinstance(body, dict) and isinstance(body.get("code"), str) else None


def check_redirect(status: int, headers: httpx2.Headers) -> None:
    """Raises APIConnectionError for a redirect.

    None is followed: it would send the key, and a POST may become a GET. The query is left out: a stream has its token in it.
    """
    if not 300 <= status < 400:
        return
    target = headers.get("location", "another address").split("?")[0]
    raise APIConnectionError(f"it redirects to {target}. Set base_url to where the API is.", is_of_address=True)


def as_failure(error: Exception, timeout: float) -> AriftlyError:
    """An error of httpx2 as one of ours. Messages of httpx2 hold no header values but of invalid headers, which `headers_of` finds."""
    if isinstance(error, httpx2.TimeoutException):
        return APITimeoutError(f"There was no answer within {timeout:g} s.")
    reason = str(error) or type(error).__name__
    cause: BaseException | None = error
    is_of_address = isinstance(error, (httpx2.UnsupportedProtocol, httpx2.InvalidURL))
    while cause is not None and not is_of_address:
        is_of_address = isinstance(cause, ssl.SSLError) or _is_unknown_host(cause)
        cause = cause.__cause__ or cause.__context__
    return APIConnectionError(reason, is_of_address=is_of_address)


def _is_unknown_host(error: BaseException) -> bool:
    import socket

    return isinstance(error, socket.gaierror)
