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
    StreamResetError,
    UnprocessableEntityError,
    is_temporary,
)
from ._http.call import RequestOptions
from ._lists import AsyncList, List, Page
from ._options import SendOptions
from ._own_events import is_own_event
from ._send.file_spool import FileSpool, open_spool
from ._send.pending_event import SendStats, SentEvent
from ._send.send_call import SendFuture
from ._send.spool import Spool, SpooledEvent, SpoolEntry
from ._stream.async_stream import AsyncEventStream
from ._stream.core import StreamItem, StreamReset
from ._stream.positions import AsyncPositionStore, FilePositionStore, PositionStore
from ._stream.state import StreamState
from ._stream.sync_stream import EventStream
from ._tool_call import ToolCall
from ._version import VERSION as __version__

__all__ = [
    "APIConnectionError",
    "APIStatusError",
    "APITimeoutError",
    "Ariftly",
    "AriftlyError",
    "AsyncAriftly",
    "AsyncEventStream",
    "AsyncList",
    "AsyncPositionStore",
    "AuthenticationError",
    "BadRequestError",
    "ClosedError",
    "ConflictError",
    "EventRefusedError",
    "EventStream",
    "FilePositionStore",
    "FileSpool",
    "InternalServerError",
    "List",
    "NotFoundError",
    "Page",
    "PermissionDeniedError",
    "PositionStore",
    "ProtocolError",
    "RateLimitError",
    "Refusal",
    "RequestOptions",
    "SendFuture",
    "SendOptions",
    "SendStats",
    "SentEvent",
    "Spool",
    "SpoolEntry",
    "SpooledEvent",
    "StreamItem",
    "StreamReset",
    "StreamResetError",
    "StreamState",
    "ToolCall",
    "UnprocessableEntityError",
    "__version__",
    "is_own_event",
    "is_temporary",
    "open_spool",
]
