"""The httpx2 client of a client, and its errors."""

from __future__ import annotations

import contextlib
import functools
import ssl
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import httpx2

from .._errors import AriftlyError
from .._lifecycle import keep_for_parent
from .call import as_failure

HttpClient = TypeVar("HttpClient", httpx2.Client, httpx2.AsyncClient)
#: No limit but ours: each stream and each request under way has a connection.
LIMITS = httpx2.Limits(max_connections=None, max_keepalive_connections=20, keepalive_expiry=30)


class HttpSlot(Generic[HttpClient]):
    """The HTTP client of a client: its own, made when it is needed, or the caller's; another one after a fork."""

    def __init__(
        self,
        given: HttpClient | Callable[[], HttpClient] | None,
        make: Callable[[], HttpClient],
    ) -> None:
        self._client: HttpClient | None = None
        self._is_foreign = False
        self.is_own = given is None
        self._make: Callable[[], HttpClient] = make
        if isinstance(given, (httpx2.Client, httpx2.AsyncClient)):
            self._client = given
            self._is_foreign = True
        elif given is not None:
            self._make = given
            self.is_own = True

    def get(self) -> HttpClient:
        """The client, made at the first call of this process."""
        if self._client is None:
            if self._is_foreign:
                raise AriftlyError(
                    "forked_http_client", "The http_client of the parent process cannot be used: give a function."
                )
            self._client = self._make()
        return self._client

    def take(self) -> HttpClient | None:
        """The client to close, if it is this one's to close."""
        if self._is_foreign:
            return None
        client, self._client = self._client, None
        return client

    def forget(self) -> None:
        """Leaves the client to the parent process."""
        keep_for_parent(self._client)
        self._client = None


def make_client(proxy: str | None, ssl_context: ssl.SSLContext | None) -> httpx2.Client:
    """A new one, without time limits of its own."""
    verify = ssl_context or _default_ssl_context()
    return httpx2.Client(proxy=proxy, verify=verify, limits=LIMITS, timeout=None)


def make_async_client(proxy: str | None, ssl_context: ssl.SSLContext | None) -> httpx2.AsyncClient:
    """The same for asyncio."""
    verify = ssl_context or _default_ssl_context()
    return httpx2.AsyncClient(proxy=proxy, verify=verify, limits=LIMITS, timeout=None)


@contextlib.contextmanager
def failures(timeout: float) -> Iterator[None]:
    """Turns errors of httpx2 into errors of this SDK."""
    try:
        yield
    except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError) as error:
        raise as_failure(error, timeout) from error


@functools.cache
def _default_ssl_context() -> ssl.SSLContext:
    """One for all clients: reading the certificates takes some 50 ms."""
    return httpx2.create_ssl_context()
