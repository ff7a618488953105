"""Events of types of one's own."""

from __future__ import annotations

from typing import TypeGuard, cast

from .types import Event, EventOther


def is_own_event(event: Event, type: str) -> TypeGuard[EventOther]:
    """Whether an event is of this type, one of your own (`x.…`) or one that this version of the SDK does not know.

    At run time it is `event["type"] == type`, of which a type checker says that it is never true.
    """
    return cast(str, event["type"]) == type
