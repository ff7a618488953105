"""The HTTP of both clients: what is decided without I/O is in `_http`, and the two shells here wait, send and read."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx2

from ._errors import AriftlyError, ClosedError
from ._http.back_off import back_off
from ._http.call import (
    Answer,
    Call,
    CallPlan,
    CallSettings,
    RequestOptions,
    check_redirect,
    error_of,
    headers_of,
    json_of,
)
from ._http.http_slot import HttpSlot, failures, make_async_client, make_client
from ._http.server_clock import ServerClock
from ._lifecycle import Closable
from ._options import check_key

if TYPE_CHECKING:
    from typing_extensions import Unpack


class BaseClient:
    """What both shells have: settings, and the key and the clock of the server."""

    def __init__(
        self,
        *,
        base_url: str,
        api_key: Any,
        settings: CallSettings,
        proxy: str | None,
        ssl_context: ssl.SSLContext | None,
    ) -> None:
        self.base_url = base_url
        self.settings = settings
        self.clock = ServerClock()
        #: Those that are iterated; adding and removing are atomic.
        self.streams: set[Closable] = set()
        self._is_closed = False
        self._key = api_key
        self._proxy = proxy
        self._ssl_context = ssl_context

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    def close_streams(self) -> None:
        """Ends all streams; a signal handler may call it."""
        for stream in list(self.streams):
            stream.close()

    def back_off(self, failures: int, asked: float) -> float:
        """How long to wait after `failures` failures when the server asked for `asked`, seconds."""
        return back_off(failures, asked, self.settings.max_retry_after)

    def _learn(self, response: httpx2.Response, sent: float) -> None:
        self.clock.learn(response.headers.get("date"), sent * 1000, time.time() * 1000)


class SyncAPIClient(BaseClient):
    """Makes requests in the caller's thread."""

    def __init__(self, *, http_client: httpx2.Client | Callable[[], httpx2.Client] | None, **settings: Any) -> None:
        super().__init__(**settings)
        self._http: HttpSlot[httpx2.Client] = HttpSlot(
            http_client, partial(make_client, self._proxy, self._ssl_context)
        )
        #: The calls under way, each by an object of its own: adding and removing are atomic.
        self._under_way: set[object] = set()

    def request(self, call: Call, **options: Unpack[RequestOptions]) -> Any:
        """A call with retries, and the JSON of its answer. Raises APIStatusError, APIConnectionError, APITimeoutError."""
        plan = CallPlan(call, self.settings, options)
        while True:
            timeout = plan.attempt_timeout()
            try:
                answer = self.attempt(call, timeout)
                if answer.status < 300:
                    return json_of(answer)
                raise error_of(answer)
            except AriftlyError as error:
                wait = plan.wait_after(error)
            time.sleep(wait)

    def attempt(self, call: Call, timeout: float) -> Answer:
        """One attempt; every status is an answer. The timeout is of each wait for the network, and of the whole body."""
        ends_at = time.monotonic() + timeout
        with self.open(call, httpx2.Timeout(timeout)) as response:
            content = bytearray()
            with failures(timeout):
                for chunk in response.iter_bytes():
                    content += chunk
                    if time.monotonic() > ends_at:
                        raise httpx2.ReadTimeout("")
        return Answer(response.status_code, response.headers, bytes(content))

    @contextlib.contextmanager
    def open(
        self, call: Call, timeout: httpx2.Timeout, extensions: Mapping[str, Any] | None = None
    ) -> Iterator[httpx2.Response]:
        """Begins an attempt; the body is not read yet.

        A function that gives keys is asked again after a 401, once: what it gave may have been replaced meanwhile.
        """
        if self._is_closed:
            raise ClosedError("The client is closed.")
        token = object()
        self._under_way.add(token)
        response: httpx2.Response | None = None
        try:
            key = self._read_key()
            response = self._send(call, key, timeout, extensions)
            if response.status_code == 401 and callable(self._key):
                time.sleep(self.back_off(1, 0))
                fresh = self._read_key()
                if fresh != key:
                    response.close()
                    response = self._send(call, fresh, timeout, extensions)
            yield response
        finally:
            if response is not None:
                response.close()
            self._under_way.discard(token)
            if self._is_closed:
                self._close_http()

    def _send(
        self, call: Call, key: str | None, timeout: httpx2.Timeout, extensions: Mapping[str, Any] | None
    ) -> httpx2.Response:
        headers = headers_of(call, key)
        http = self._http.get()
        sent = time.time()
        with failures(timeout.read or 0):
            request = http.build_request(
                call.method,
                call.url(self.base_url),
                headers=headers,
                content=call.body,
                timeout=timeout,
                extensions=dict(extensions or {}),
            )
            response = http.send(request, stream=True, follow_redirects=False)
        try:
            check_redirect(response.status_code, response.headers)
        except AriftlyError:
            response.close()
            raise
        self._learn(response, sent)
        return response

    def _read_key(self) -> str:
        return check_key(self._key()) if callable(self._key) else self._key

    def close_http(self) -> None:
        """Ends the connections, once no call is under way: a signal handler may call this, and an interrupted call holds locks."""
        self._is_closed = True
        self._close_http()

    def _close_http(self) -> None:
        if not self._under_way:
            client = self._http.take()
            if client is not None:
                client.close()

    def forget_http(self) -> None:
        """In the child of a fork."""
        self._http.forget()
        self.streams = set()
        self._under_way = set()

    def for_sender(self, make: Callable[[], httpx2.AsyncClient] | None) -> AsyncAPIClient:
        """What the background thread makes its requests with: the same key, limits and clock, and connections of its own."""
        api = AsyncAPIClient(
            base_url=self.base_url,
            api_key=self._key,
            settings=self.settings,
            proxy=self._proxy,
            ssl_context=self._ssl_context,
            http_client=make,
        )
        api.clock = self.clock
        return api


class AsyncAPIClient(BaseClient):
    """Makes requests in the running event loop."""

    def __init__(
        self, *, http_client: httpx2.AsyncClient | Callable[[], httpx2.AsyncClient] | None, **settings: Any
    ) -> None:
        super().__init__(**settings)
        self._http: HttpSlot[httpx2.AsyncClient] = HttpSlot(
            http_client, partial(make_async_client, self._proxy, self._ssl_context)
        )
        self._loop: asyncio.AbstractEventLoop | None = None

    async def request(self, call: Call, **options: Unpack[RequestOptions]) -> Any:
        """A call with retries, and the JSON of its answer. Raises APIStatusError, APIConnectionError, APITimeoutError."""
        plan = CallPlan(call, self.settings, options)
        while True:
            timeout = plan.attempt_timeout()
            try:
                answer = await self.attempt(call, timeout)
                if answer.status < 300:
                    return json_of(answer)
                raise error_of(answer)
            except AriftlyError as error:
                wait = plan.wait_after(error)
            await asyncio.sleep(wait)

    async def attempt(self, call: Call, timeout: float) -> Answer:
        """One attempt, of `timeout` seconds with its body; every status is an answer."""
        with failures(timeout):
            try:
                return await asyncio.wait_for(self._attempt(call), timeout)
            except asyncio.TimeoutError:
                raise httpx2.ReadTimeout("") from None

    async def _attempt(self, call: Call) -> Answer:
        async with self.open(call, httpx2.Timeout(None)) as response:
            return Answer(response.status_code, response.headers, await response.aread())

    @contextlib.asynccontextmanager
    async def open(
        self, call: Call, timeout: httpx2.Timeout, extensions: Mapping[str, Any] | None = None
    ) -> AsyncIterator[httpx2.Response]:
        """Begins an attempt; the body is not read yet. A function that gives keys is asked again after a 401, once."""
        if self._is_closed:
            raise ClosedError("The client is closed.")
        key = await self._read_key()
        response = await self._send(call, key, timeout, extensions)
        try:
            if response.status_code == 401 and callable(self._key):
                await asyncio.sleep(self.back_off(1, 0))
                fresh = await self._read_key()
                if fresh != key:
                    await response.aclose()
                    response = await self._send(call, fresh, timeout, extensions)
            yield response
        finally:
            await response.aclose()

    async def _send(
        self, call: Call, key: str | None, timeout: httpx2.Timeout, extensions: Mapping[str, Any] | None
    ) -> httpx2.Response:
        headers = headers_of(call, key)
        http = self._client_of_loop()
        sent = time.time()
        with failures(timeout.read or 0):
            request = http.build_request(
                call.method,
                call.url(self.base_url),
                headers=headers,
                content=call.body,
                timeout=timeout,
                extensions=dict(extensions or {}),
            )
            response = await http.send(request, stream=True, follow_redirects=False)
        try:
            check_redirect(response.status_code, response.headers)
        except AriftlyError:
            await response.aclose()
            raise
        self._learn(response, sent)
        return response

    def _client_of_loop(self) -> httpx2.AsyncClient:
        """Connections belong to a loop: a client that outlives it gets others."""
        loop = asyncio.get_running_loop()
        if self._loop is not None and self._loop is not loop:
            self._http.take()
        self._loop = loop
        return self._http.get()

    async def _read_key(self) -> str:
        if not callable(self._key):
            key: str = self._key
            return key
        given = self._key()
        return check_key(await given if isinstance(given, Awaitable) else given)

    async def close_http(self) -> None:
        """Ends the connections."""
        self._is_closed = True
        client = self._http.take()
        if client is not None and self._loop is asyncio.get_running_loop():
            await client.aclose()

    def forget_http(self) -> None:
        """In the child of a fork."""
        self._http.forget()
        self.streams = set()
        self._loop = None
