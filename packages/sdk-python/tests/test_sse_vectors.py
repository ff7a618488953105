"""`packages/sdk/contract/vectors/sse.json`: event streams as bytes, cut anywhere."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from ariftly import ProtocolError
from ariftly._stream.sse import SseParser

FILE = Path(__file__).parents[2] / "sdk" / "contract" / "vectors" / "sse.json"


@pytest.mark.parametrize("vector", [pytest.param(each, id=each["name"]) for each in json.loads(FILE.read_text())])
def test_however_it_is_cut(vector: Mapping[str, Any]) -> None:
    whole = _bytes_of(vector)
    expected = {"frames": vector.get("frames"), "retry_ms": vector.get("retry_ms"), "error": vector.get("error")}
    for chunks in _ways_to_cut(whole):
        assert _parse(chunks) == expected


def test_a_frame_is_given_out_at_a_carriage_return_that_ends_its_blank_line() -> None:
    parser = SseParser()
    assert [frame.data for frame in parser.push(b"data: 1\r\r")] == ["1"]
    assert [frame.data for frame in parser.push(b"\ndata: 2\n\n")] == ["2"]


def _bytes_of(vector: Mapping[str, Any]) -> bytes:
    head = base64.b64decode(vector["base64"]) if "base64" in vector else vector["text"].encode()
    repeat = vector.get("repeat", {"text": "", "times": 0})
    return bytes(head + repeat["text"].encode() * repeat["times"])


def _ways_to_cut(whole: bytes) -> Iterator[Sequence[bytes]]:
    yield [whole]
    size = 65_536 if len(whole) > 65_536 else 1
    yield [whole[at : at + size] for at in range(0, len(whole), size)]
    if size == 1:
        for at in range(len(whole)):
            yield [whole[:at], whole[at:]]


def _parse(chunks: Sequence[bytes]) -> Mapping[str, Any]:
    parser = SseParser()
    try:
        frames = [frame._asdict() for chunk in chunks for frame in parser.push(chunk)]
    except ProtocolError as error:
        return {"frames": None, "retry_ms": None, "error": error.code}
    return {"frames": frames, "retry_ms": parser.retry_ms, "error": None}
