"""`client.tool_call`: reports each call of a tool as one event."""

from __future__ import annotations

import functools
import inspect
import json
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, ParamSpec, Protocol, TypeVar

from ._log import log

P = ParamSpec("P")
R = TypeVar("R")


class Report(Protocol):
    """Takes an event if there is room for it."""

    def __call__(self, events: Mapping[str, Any], /, *, traceparent: str | None) -> bool: ...


class ToolCall:
    """One call of a tool, as a context manager; as a decorator, each call of a function, which may be a coroutine function.

    The event is queued when the call ends. Nothing here raises: what cannot be sent is a warning.
    """

    #: What the event says as the result; set it in the block.
    result: Any
    #: What the event says as the arguments; set it in the block.
    arguments: Any

    def __init__(
        self,
        report: Report,
        *,
        task_id: str | Callable[..., str],
        tool: str | None,
        tool_call_id: str | None,
        session_id: str | None,
        agent: str | None,
        include_arguments: bool,
        include_result: bool,
    ) -> None:
        self._report = report
        self._task_id = task_id
        self._tool = tool
        self.tool_call_id = tool_call_id
        self._members = {
            name: value for name, value in (("session_id", session_id), ("agent", agent)) if value is not None
        }
        self._include_arguments = include_arguments
        self._include_result = include_result
        self._started = 0.0
        self._traceparent: str | None = None
        self.result = self.arguments = _NOTHING

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Decorates a function; its name is the tool's unless there is one."""
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def call_async(*args: P.args, **kwargs: P.kwargs) -> Any:
                with self._call_of(function, args, kwargs) as call:
                    result = await function(*args, **kwargs)
                    call._take(result)
                    return result

            # The coroutine function has the parameters and the result of the one that it wraps.
            return call_async  # type: ignore[return-value]

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            with self._call_of(function, args, kwargs) as call:
                result = function(*args, **kwargs)
                call._take(result)
                return result

        return call

    def __enter__(self) -> ToolCall:
        self._started = time.monotonic()
        self._traceparent = _traceparent()
        self.tool_call_id = self.tool_call_id or f"call_{uuid.uuid4().hex}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._send(error)
        except Exception as failure:
            log.warning("A call of the tool %s is not reported. %s", self._tool, failure)

    async def __aenter__(self) -> ToolCall:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def _call_of(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> ToolCall:
        """The call of a decorated function: several may be under way."""
        call = ToolCall(
            self._report,
            task_id=self._task_id,
            tool=self._tool or getattr(function, "__name__", "tool"),
            tool_call_id=self.tool_call_id,
            session_id=None,
            agent=None,
            include_arguments=self._include_arguments,
            include_result=self._include_result,
        )
        call._members = self._members
        try:
            if callable(self._task_id):
                call._task_id = self._task_id(*args, **kwargs)
            if self._include_arguments:
                call.arguments = dict(inspect.signature(function).bind(*args, **kwargs).arguments)
        except Exception as error:
            log.warning("The arguments of the tool %s cannot be read. %s", call._tool, error)
        return call

    def _take(self, result: Any) -> None:
        if self._include_result:
            self.result = result

    def _send(self, error: BaseException | None) -> None:
        data: dict[str, Any] = {
            "tool": self._tool or "tool",
            "tool_call_id": self.tool_call_id,
            "status": "ok" if error is None else "error",
            "duration_ms": round((time.monotonic() - self._started) * 1000),
        }
        if self.arguments is not _NOTHING:
            data["arguments"] = _plain(self.arguments)
        if self.result is not _NOTHING:
            data["result"] = _plain(self.result)
        if error is not None:
            data["error"] = {"type": type(error).__name__, "message": _plain(str(error))}
        event = {"type": "tool_call.executed", "task_id": self._task_id, **self._members, "data": data}
        if not self._report(event, traceparent=self._traceparent):
            log.warning("A call of the tool %s is not reported: the queue is full.", self._tool)


class _Nothing:
    """Nothing was given: None is a result."""


_NOTHING: Any = _Nothing()


def _plain(value: Any) -> Any:
    """The value, or a text where JSON cannot hold it."""
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, TypeError, RecursionError):
        return repr(value).encode("utf-8", "backslashreplace").decode()
    return value


def _traceparent() -> str | None:
    """The current span of OpenTelemetry (W3C trace context); None without any."""
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return None
    try:
        context = trace.get_current_span().get_span_context()
        if not context.is_valid:
            return None
        return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"
    except Exception as error:
        log.debug("The current span cannot be read. %s", error)
        return None
