"""What type checkers know of events: mypy reads this file too, and `Unknown` members would be its errors."""

from __future__ import annotations

import sys
import typing
from typing import Any, cast

import ariftly.types
from ariftly import Ariftly, is_own_event
from ariftly.types import Event, NewEvent

if sys.version_info >= (3, 11):
    from typing import assert_type
else:
    from typing_extensions import assert_type


def message_of(event: Event) -> str | None:
    """Comparing the type narrows `data`; events of other types have any."""
    if event["type"] == "task.progress":
        assert_type(event["data"]["message"], str)
        return event["data"]["message"]
    if is_own_event(event, "x.invoice.paid"):
        return f"{event['data']['amount']} paid"
    return None


def test_a_type_narrows_the_data_of_an_event() -> None:
    event: dict[str, Any] = {
        "object": "event",
        "id": "evt_1",
        "type": "x.invoice.paid",
        "created_at": "2026-11-25T08:45:37.123Z",
        "task_id": None,
        "agent": None,
        "session_id": "s",
        "data": {"amount": 1},
    }
    assert message_of(cast(Event, event)) == "1 paid"
    assert message_of(cast(Event, {**event, "type": "x.other"})) is None
    assert message_of(cast(Event, {**event, "type": "task.progress", "data": {"message": "m"}})) == "m"


def test_new_events_are_known_or_own_ones() -> None:
    events: list[NewEvent] = [
        {"type": "task.progress", "task_id": "t", "data": {"message": "m", "progress": 0.3}},
        {"type": "task.progress", "task_id": "t", "data": {"message": "m", "fleet_step": "plan"}},
        {"type": "x.invoice.paid", "session_id": "s", "data": {"amount": 1}},
        {"type": "task.progress", "task_id": 1, "data": {}},  # type: ignore[list-item, misc]
    ]
    assert len(events) == 4


def test_an_unknown_parameter_is_an_error_of_the_checker() -> None:
    with Ariftly(base_url="http://127.0.0.1:1", api_key="key") as client:
        client.events.list(task_id="t", limit=1)
        client.events.list(taskid="t")  # type: ignore[call-arg]
        client.webhooks.list(limit="1")  # type: ignore[arg-type]


def test_all_types_can_be_read_at_run_time() -> None:
    for name in ariftly.types.__all__:
        kind = getattr(ariftly.types, name)
        if isinstance(kind, type):
            assert typing.get_type_hints(kind)
