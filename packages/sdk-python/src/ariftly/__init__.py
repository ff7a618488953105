"""The Python SDK of Ariftly's Events API: agents post with it, programs listen with it."""

from ._client import Ariftly, AsyncAriftly
from ._errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AriftlyError,
    AuthenticationError,
    BadRequestError,
    ClosedError,
    ConflictError,
    EventRefusedError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    ProtocolError,
    RateLimitError,
    Refusal,
    UnprocessableEntityError,
    is_temporary,
)
from ._http.call import RequestOptions
from ._options import SendOptions
from ._version import VERSION as __version__

__all__ = [
    "APIConnectionError",
    "APIStatusError",
    "APITimeoutError",
    "Ariftly",
    "AriftlyError",
    "AsyncAriftly",
    "AuthenticationError",
    "BadRequestError",
    "ClosedError",
    "ConflictError",
    "EventRefusedError",
    "InternalServerError",
    "NotFoundError",
    "PermissionDeniedError",
    "ProtocolError",
    "RateLimitError",
    "Refusal",
    "RequestOptions",
    "SendOptions",
    "UnprocessableEntityError",
    "__version__",
    "is_temporary",
]
