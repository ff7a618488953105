"""A received delivery, and what it is verified with."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

#: Headers as a framework gives them, or pairs of names and values, of text or bytes as in ASGI; names in any case.
ReceivedHeaders = Mapping[str, str] | Iterable[tuple[str | bytes, str | bytes]]
#: A secret, or all that are valid while one is rotated.
Secrets = str | Sequence[str]


@dataclass(frozen=True)
class Received:
    """A received delivery, and what it is verified with."""

    body: bytes
    #: With names in lower case.
    headers: Mapping[str, str]
    secrets: Sequence[str]
    tolerance: float
    now: float


def read_received(
    raw_body: bytes | bytearray | memoryview | str,
    headers: ReceivedHeaders,
    secrets: Secrets,
    *,
    tolerance: float,
    now: float | None,
) -> Received:
    """Raises TypeError for a body that was parsed, and for a missing or empty secret."""
    given = [secrets] if isinstance(secrets, str) else secrets
    # An unset variable is None.
    if not isinstance(given, (list, tuple)) or not given or not all(isinstance(each, str) and each for each in given):
        raise TypeError("A secret is needed to verify a delivery.")
    return Received(
        body=_bytes_of(raw_body),
        headers=_headers_of(headers),
        secrets=given,
        tolerance=tolerance,
        now=time.time() // 1 if now is None else now,
    )


def _bytes_of(body: object) -> bytes:
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body)
    raise TypeError(
        "The body was parsed before it was verified, and the signed bytes are lost. Give the raw body: "
        "await request.body() of FastAPI, request.get_data() of Flask, request.body of Django."
    )


def _headers_of(headers: ReceivedHeaders) -> Mapping[str, str]:
    # Headers of werkzeug and of http.server are no Mapping, and iterate as they like.
    pairs: Iterable[tuple[str | bytes, str | bytes]] = headers.items() if hasattr(headers, "items") else headers
    read: dict[str, str] = {}
    for name, value in pairs:
        read.setdefault(_latin1(name).lower(), _latin1(value))
    return read


def _latin1(text: str | bytes) -> str:
    return text.decode("latin-1") if isinstance(text, bytes) else text
