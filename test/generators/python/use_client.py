"""Posts one event and a batch of two, lists them, and reads the first. Arguments: address, key, task."""

import datetime
import json
import sys

from generated import AuthenticatedClient
from generated.api.events import get_event, list_events, post_events
from generated.models import (
    DataSessionMessage,
    DataTaskComplete,
    DataTaskProgress,
    EventOther,
    EventTaskProgress,
    ListEventsOrder,
    NewEventSessionMessage,
    NewEventTaskComplete,
    NewEventTaskProgress,
)

url, key, task = sys.argv[1:]
client = AuthenticatedClient(base_url=url, token=key)

progress = DataTaskProgress(message="Analyzing document", progress=0.3)
progress["own"] = 1
single = NewEventTaskProgress(type_="task.progress", task_id=task, data=progress)
message = DataSessionMessage.from_dict({"role": "tool", "content": [{"text": "a"}]})
batch = [
    NewEventSessionMessage(type_="session.message", session_id="s", task_id=task, data=message),
    NewEventTaskComplete(type_="task.complete", task_id=task, data=DataTaskComplete(artifact_count=2)),
]
results = [result for body in (single, batch) for result in post_events.sync(client=client, body=body).data]

events = []
while len(events) < len(results):
    page = list_events.sync(
        client=client, task_id=task, order=ListEventsOrder.ASC, after=datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
    )
    events = page.data
event = get_event.sync(results[0].id, client=client)
later = events[-1]

print(
    json.dumps(
        {
            "statuses": [str(result.status) for result in results],
            "types": [event.type_ for event in events],
            "message": event.data.message if isinstance(event, EventTaskProgress) else None,
            "progress": event.data.progress,
            "own": event.data["own"],
            "isOther": isinstance(later, EventOther),
            "later": later.data["artifact_count"],
        }
    )
)
