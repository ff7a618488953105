"""Plays the cases of `packages/sdk/contract`, whose README says what their members mean, in both shells."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import contract_reading
import contract_sending
from ariftly import APIStatusError, Ariftly, AriftlyError, AsyncAriftly, EventRefusedError, SendOptions
from contract_server import assert_matches, check, serve

FOLDER = Path(__file__).parents[2] / "sdk" / "contract"
CASES = [
    pytest.param(case, id=f"{file.stem}: {case['name']}")
    for file in sorted(FOLDER.glob("*.json"))
    for case in json.loads(file.read_text())
]
SYNC_CALLS = {**contract_reading.SYNC_CALLS, **contract_sending.SYNC_CALLS}
ASYNC_CALLS = {**contract_reading.ASYNC_CALLS, **contract_sending.ASYNC_CALLS}

Case = Mapping[str, Any]


@pytest.mark.parametrize("case", CASES)
def test_sync(case: Case) -> None:
    with serve(case["exchanges"]) as server, ThreadPoolExecutor() as threads:
        client = Ariftly(base_url=server.url, **_options_of(case))
        try:
            outcomes: list[Future[Any]] = []
            for call in case["calls"]:
                act: Callable[[], Any]
                begin = contract_sending.SYNC_BEGINS.get(call["call"])
                if call.get("wait", True) or begin is None:
                    act = partial(SYNC_CALLS[call["call"]], client, call)
                else:
                    act = begin(client, call)
                outcome = threads.submit(_outcome, act)
                outcomes.append(outcome)
                if call.get("wait", True):
                    outcome.result()
            _assert_outcome(case, [outcome.result() for outcome in outcomes], client, server.asked)
        finally:
            client.close(timeout=0.001)


@pytest.mark.parametrize("case", CASES)
def test_async(case: Case) -> None:
    async def play() -> None:
        with serve(case["exchanges"]) as server:
            client = AsyncAriftly(base_url=server.url, **_options_of(case))
            try:
                outcomes: list[asyncio.Task[Any]] = []
                for call in case["calls"]:
                    outcome = asyncio.create_task(_async_outcome(client, call))
                    outcomes.append(outcome)
                    if call.get("wait", True):
                        await outcome
                _assert_outcome(case, await asyncio.gather(*outcomes), client, server.asked)
            finally:
                await client.close(timeout=0.001)

    asyncio.run(play())


def _options_of(case: Case) -> dict[str, Any]:
    given = case.get("options", {})
    options: dict[str, Any] = {"api_key": "key"}
    if "attempt_timeout_ms" in given:
        options["attempt_timeout"] = given["attempt_timeout_ms"] / 1000
    if "max_retries" in given:
        options["max_retries"] = given["max_retries"]
    if "max_retry_after_ms" in given:
        options["max_retry_after"] = given["max_retry_after_ms"] / 1000
    sending = {name: given[name] for name in ("queue_events_max", "batch_events_max") if name in given}
    options["send"] = SendOptions(**sending)
    return options


def _outcome(act: Callable[[], Any]) -> Any:
    try:
        return act()
    except AriftlyError as error:
        return _describe(error)


async def _async_outcome(client: AsyncAriftly, call: Mapping[str, Any]) -> Any:
    try:
        return await ASYNC_CALLS[call["call"]](client, call)
    except AriftlyError as error:
        return _describe(error)


def _describe(error: AriftlyError) -> Any:
    if isinstance(error, APIStatusError):
        problem = error.problem or {}
        return {"error": {"code": error.code, "status": error.status_code, "request_id": problem.get("request_id")}}
    if isinstance(error, EventRefusedError):
        return {"error": {"code": error.code, "pointer": error.pointer}}
    return {"error": {"code": error.code}}


def _assert_outcome(case: Case, outcomes: list[Any], client: Any, asked: list[Any]) -> None:
    for at, expected in enumerate(case["results"]):
        if expected is not None:
            assert_matches(outcomes[at], expected, f"/results/{at}")
    if "stats" in case:
        assert_matches(contract_sending.stats_of(client), case["stats"], "/stats")
    assert [at for at, each in enumerate(asked) if each is None] == []
    assert len(asked) == len(case["exchanges"])
    for at, exchange in enumerate(case["exchanges"]):
        check(exchange["request"], asked, at)
