"""The errors of the SDK, as classes. `code` is stable and in snake_case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class AriftlyError(Exception):
    """Every error of this SDK."""

    code: str
    #: JSON pointer (RFC 6901) to what is wrong, or None.
    pointer: str | None
    #: `X-Request-Id` of the answer, if there was one. Name it when you ask for help.
    request_id: str | None
    #: How long the server asked to wait, seconds.
    retry_after: float | None

    def __init__(
        self,
        code: str,
        message: str,
        *,
        pointer: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.pointer = pointer
        self.request_id = request_id
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors cross process boundaries in Celery and multiprocessing: their constructors differ, their members do not.
        return _restore, (type(self), self.args, self.__dict__)


def _restore(kind: type[AriftlyError], args: tuple[Any, ...], members: dict[str, Any]) -> AriftlyError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(members)
    return error


class APIConnectionError(AriftlyError):
    """There was no answer of the API: the address is unreachable or another server's, or the connection broke."""

    #: Whether the address itself is at fault, as far as can be known: an unknown host, a certificate, a redirect.
    is_of_address: bool

    def __init__(self, reason: str, *, is_of_address: bool = False) -> None:
        super().__init__("connection_failed", f"The API cannot be reached: {reason}")
        self.is_of_address = is_of_address


class APITimeoutError(AriftlyError):
    """The time of an attempt, of a whole call or of a `send` is over."""

    #: For a `send`: events that were posted and may still be accepted.
    ids: Sequence[str]

    def __init__(self, message: str, ids: Sequence[str] = ()) -> None:
        super().__init__("timeout", message)
        self.ids = ids


class ClosedError(AriftlyError):
    """The client, or the stream, is closed."""

    def __init__(self, message: str) -> None:
        super().__init__("closed", message)


class ProtocolError(AriftlyError):
    """An answer that breaks the protocol: no event stream, a frame over 1 MiB, no JSON where JSON is promised."""

    def __init__(self, message: str, request_id: str | None = None) -> None:
        super().__init__("protocol_error", message, request_id=request_id)


class APIStatusError(AriftlyError):
    """The API answered with an error status. Each subclass is one status."""

    status_code: int
    #: The problem (RFC 9457); None when the body is none, as from a proxy.
    problem: Mapping[str, Any] | None
    #: The body as text.
    body: str
    #: What is wrong, each with a JSON pointer into the body or the name of a parameter.
    errors: Sequence[Mapping[str, Any]]

    def __init__(
        self,
        status_code: int,
        *,
        problem: Mapping[str, Any] | None,
        body: str,
        request_id: str | None,
        retry_after: float | None,
    ) -> None:
        known = problem or {}
        errors = [entry for entry in known.get("errors") or () if isinstance(entry, dict)]
        named = [f"{_place_of(entry)} {entry.get('message', '')}".strip() for entry in errors[:3]]
        said = [known.get("detail") or known.get("title") or body[:200], *named]
        super().__init__(
            str(known.get("code") or f"http_{status_code}"),
            f"{status_code}: {' '.join(str(part) for part in said if part)}".strip(),
            pointer=next((str(entry["pointer"]) for entry in errors if entry.get("pointer") is not None), None),
            request_id=request_id,
            retry_after=retry_after,
        )
        self.status_code = status_code
        self.problem = problem
        self.body = body
        self.errors = errors


def _place_of(entry: Mapping[str, Any]) -> str:
    return str(entry.get("pointer") or entry.get("parameter") or "")


class BadRequestError(APIStatusError):
    """400: what cannot be read, such as an unknown parameter."""


class AuthenticationError(APIStatusError):
    """401: the key or token is missing, unknown, expired or revoked."""


class PermissionDeniedError(APIStatusError):
    """403: the key does not have the scope, or its tenant is suspended (`tenant_suspended`)."""


class NotFoundError(APIStatusError):
    """404: there is no such thing for this tenant."""


class ConflictError(APIStatusError):
    """409: the state does not allow it."""


class UnprocessableEntityError(APIStatusError):
    """422: a member of the body is wrong; `errors` point to it."""


class RateLimitError(APIStatusError):
    """429: a quota is used up; `retry_after` says for how long."""


class InternalServerError(APIStatusError):
    """5xx: the server failed, after all retries."""


_CLASSES: Mapping[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: UnprocessableEntityError,
    429: RateLimitError,
}


def status_error_class(status_code: int) -> type[APIStatusError]:
    """The class of a status."""
    return _CLASSES.get(status_code, InternalServerError if status_code >= 500 else APIStatusError)


@dataclass(frozen=True)
class Refusal:
    """Why one event was refused."""

    #: Place in the list that was sent; 0 of a single event.
    index: int
    id: str | None
    code: str
    #: JSON pointer (RFC 6901) into the event.
    pointer: str
    message: str


class EventRefusedError(AriftlyError):
    """Events were refused: they will never be accepted unchanged. Events of the same call that are not named were accepted."""

    refusals: Sequence[Refusal]

    def __init__(self, refusals: Sequence[Refusal], request_id: str | None = None) -> None:
        first = refusals[0]
        message = f"The event was refused: {first.pointer} {first.message}".strip()
        super().__init__(first.code, message, pointer=first.pointer, request_id=request_id)
        self.refusals = refusals


class StreamResetError(AriftlyError):
    """The position of a stream could not be kept: some events may be lost, others may be sent again.

    `position` is where the stream would go on: give it as `position` to accept the gap.
    """

    #: Why: `history_expired`, `log_changed` or `position_beyond_log`; others may be added.
    reason: str
    #: The position that was asked for.
    requested: str | None
    earliest: str | None
    position: str | None

    def __init__(self, reason: str, requested: str | None, earliest: str | None, position: str | None) -> None:
        super().__init__(
            "stream_reset", f"The position of the stream could not be kept ({reason}): events may be missing."
        )
        self.reason = reason
        self.requested = requested
        self.earliest = earliest
        self.position = position


def is_temporary(error: BaseException | None) -> bool:
    """Whether the same request may succeed later: there was no answer, or it was 408, 425, 429, 5xx, or the 404 or 405 of a gateway.

    Sending and streams wait after such errors; a call that asks for one thing takes a gateway's 404 for an answer.
    """
    if isinstance(error, APIStatusError):
        return is_retryable_status(error.status_code) or _is_of_gateway(error)
    return isinstance(error, (APIConnectionError, APITimeoutError))


def may_be_of_address(error: BaseException) -> bool:
    """Whether the address may be at fault: worth a warning at once while no request to it has succeeded."""
    if isinstance(error, APIConnectionError):
        return error.is_of_address
    return isinstance(error, APIStatusError) and _is_of_gateway(error)


def is_retryable_status(status: int) -> bool:
    """Statuses after which the same request may succeed."""
    return status in (408, 425, 429) or status >= 500


def _is_of_gateway(error: APIStatusError) -> bool:
    """Whether a gateway answered for the API, as while something is deployed: the API's own errors are problems."""
    return error.status_code in (404, 405) and error.problem is None
