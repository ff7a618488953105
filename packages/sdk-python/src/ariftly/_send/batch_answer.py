"""What an answer says about each event of its request."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from .._errors import APIStatusError, EventRefusedError, ProtocolError, Refusal, is_temporary
from .._http.call import Answer, error_of
from .encode_event import json_of
from .pending_event import RETRY, BatchResult, Outcome, PendingEvent


def body_of(batch: Sequence[PendingEvent]) -> bytes:
    """Events as one JSON array."""
    return b"[" + b",".join([json_of(event.encoded, event.id) for event in batch]) + b"]"


def read_answer(answer: Answer, batch: Sequence[PendingEvent]) -> BatchResult:
    """Reads the answer to a post."""
    if answer.status == 202 and all(event.id is not None for event in batch):
        return BatchResult("results", [Outcome("accepted", event.id or "") for event in batch], answer=answer)
    if answer.status < 300:
        return _read_results(answer, batch)
    error = error_of(answer)
    if is_temporary(error):
        return BatchResult("again", error=error, answer=answer)
    if answer.status == 413 and len(batch) > 1:
        return BatchResult("too_large", answer=answer)
    by_index = {entry.get("index"): entry for entry in error.errors}
    if answer.status == 422 and all(at in by_index for at in range(len(batch))):
        outcomes = [_refused(event, by_index[at], error.request_id) for at, event in enumerate(batch)]
        return BatchResult("results", outcomes, answer=answer)
    return BatchResult("results", [Outcome("failed", error=error)] * len(batch), answer=answer)


def _read_results(answer: Answer, batch: Sequence[PendingEvent]) -> BatchResult:
    entries = _read_entries(answer.content)
    if entries is None:
        # The ids make the repetition harmless.
        return BatchResult("again", error=ProtocolError("The answer is cut, or not of the API."))
    by_index = {entry.get("index"): entry for entry in entries}
    outcomes = []
    for at, event in enumerate(batch):
        entry = by_index.get(at, {})
        if entry.get("status") == "accepted":
            outcomes.append(Outcome("accepted", str(entry.get("id") or event.id or "")))
        elif entry.get("status") == "refused":
            outcomes.append(_refused(event, entry.get("error") or {}, answer.request_id))
        else:
            outcomes.append(RETRY)
    return BatchResult("results", outcomes, answer=answer)


def _read_entries(content: bytes) -> list[Mapping[str, Any]] | None:
    try:
        data = json.loads(content)["data"]
    except (ValueError, KeyError, TypeError):
        return None
    return [entry for entry in data if isinstance(entry, dict)] if isinstance(data, list) else None


def _refused(event: PendingEvent, error: Mapping[str, Any], request_id: str | None) -> Outcome:
    """What the server says of an id that this client minted is about the time of the event."""
    pointer = str(error.get("pointer") or "")
    if pointer == "/id" and event.encoded.minted_of is not None:
        pointer = "/created_at"
    refusal = Refusal(
        event.index, event.id, str(error.get("code") or "refused"), pointer, str(error.get("message") or "")
    )
    return Outcome("refused", error=EventRefusedError([refusal], request_id))


def is_clock_refusal(outcome: Outcome, event: PendingEvent) -> bool:
    """Whether an id that was minted of the call's time was refused for it alone: another one is worth a try, once."""
    if outcome.type != "refused" or event.encoded.minted_of != "call" or event.is_reminted or outcome.error is None:
        return False
    return outcome.error.code == "out_of_range" and outcome.error.pointer == "/created_at"


def stays_in_spool(outcome: Outcome) -> bool:
    """Whether an event was given up for a reason that is not its own, so that the next process is to send it."""
    if outcome.type != "failed":
        return outcome.type == "returned"
    # Another error that is given up is about the key as well.
    return not isinstance(outcome.error, APIStatusError) or outcome.error.status_code in (401, 403, 404, 405)
