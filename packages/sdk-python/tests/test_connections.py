"""Proxies, timeouts and lists, beyond the contract's cases."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Mapping
from itertools import islice
from typing import Any

import pytest

from ariftly import APIConnectionError, APITimeoutError, Ariftly, AsyncAriftly
from contract_server import serve
from stream_cases import events, stream_answer


def _page(ids: list[str], cursor: str | None) -> Mapping[str, Any]:
    data = [{"id": id} for id in ids]
    page = {"object": "list", "data": data, "has_more": cursor is not None, "next_cursor": cursor}
    return {"request": {}, "answer": {"body": page}}


@pytest.mark.parametrize("shell", ["sync", "async"])
def test_a_proxy_of_the_environment_is_used(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"request": {}, "answer": {"body": {"id": "evt_1"}}}
    with serve([found, stream_answer(events(2, 2))]) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "")

        async def read_async() -> list[str]:
            async with AsyncAriftly(base_url="http://api.invalid", api_key="key") as client:
                ids = [(await client.events.get("evt_1"))["id"]]
                stream = client.events.stream()
                async for event in stream:
                    ids.append(event["id"])
                    stream.close()
                return ids

        def read() -> list[str]:
            with Ariftly(base_url="http://api.invalid", api_key="key") as client:
                ids = [client.events.get("evt_1")["id"]]
                stream = client.events.stream()
                for event in stream:
                    ids.append(event["id"])
                    stream.close()
                return ids

        assert (read() if shell == "sync" else asyncio.run(read_async())) == ["evt_1", "evt_2"]
        assert [proxy.request(at).headers["host"] for at in range(2)] == ["api.invalid"] * 2


def test_a_proxy_may_be_given() -> None:
    with (
        serve([{"request": {}, "answer": {"body": {"id": "evt_1"}}}]) as proxy,
        Ariftly(base_url="http://api.invalid", api_key="key", proxy=proxy.url) as client,
    ):
        assert client.events.get("evt_1")["id"] == "evt_1"


def test_an_attempt_and_a_call_end_in_time() -> None:
    silent = {"request": {}, "answer": {"then": "hang"}}
    with serve([silent] * 5) as server, Ariftly(base_url=server.url, api_key="key", attempt_timeout=0.1) as client:
        began = time.monotonic()
        with pytest.raises(APITimeoutError):
            client.events.get("evt_1", options={"max_retries": 0})
        with pytest.raises(APITimeoutError):
            client.events.get("evt_1", options={"total_timeout": 0.3})
        assert time.monotonic() - began < 5


def test_a_refused_connection_is_an_error_of_ours() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with Ariftly(base_url=url, api_key="key", max_retries=0) as client, pytest.raises(APIConnectionError) as raised:
        client.events.get("evt_1")
    assert raised.value.code == "connection_failed"


def test_the_key_is_in_no_message(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    busy = {"request": {}, "answer": {"status": 503, "headers": {"retry-after": "0"}}}
    found = {"request": {}, "answer": {"body": {"id": "evt_1"}}}
    with serve([busy, found]) as server, Ariftly(base_url=server.url, api_key="a-secret-key") as client:
        client.events.get("evt_1")
    assert "GET /v1/events/evt_1 again in" in caplog.text
    assert "a-secret-key" not in caplog.text


def test_a_list_is_read_page_by_page_and_continues_at_its_cursor() -> None:
    with (
        serve([_page(["evt_4"], "c1"), _page([], "c2"), _page(["evt_3"], "c3")]) as server,
        Ariftly(base_url=server.url, api_key="key") as client,
    ):
        found = client.events.list(task_id="t", limit=1)
        assert [len(page.data) for page in islice(found.pages(), 2)] == [1, 0]
        assert found.cursor == "c1"
        assert client.events.list(task_id="t", cursor="c2").to_list(limit=1)[0]["id"] == "evt_3"
        assert server.request(2).query == {"task_id": "t", "cursor": "c2"}
        assert client.events.list().to_list(limit=0) == []


def test_lists_are_read_by_threads_that_share_a_client() -> None:
    pages = [_page(["evt_1"], None)] * 8
    with serve(pages) as server, Ariftly(base_url=server.url, api_key="key") as client:
        found: list[str] = []
        threads = [
            threading.Thread(target=lambda: found.extend(event["id"] for event in client.events.list()))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == ["evt_1"] * 8
