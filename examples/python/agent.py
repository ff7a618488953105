"""An agent that reports what it does, its calls of tools included. ARIFTLY_URL=http://localhost:8080 ARIFTLY_API_KEY=… python agent.py task_1"""

import sys
from typing import Any

from ariftly import Ariftly

task_id = sys.argv[1] if len(sys.argv) > 1 else "task_1"

with Ariftly() as client:

    @client.tool_call(task_id=task_id, agent="analyzer", include_arguments=True)
    def read_page(page: int) -> str:
        return f"The text of page {page}."

    def event(kind: str, data: dict[str, Any]) -> dict[str, Any]:
        return {"type": kind, "task_id": task_id, "agent": "analyzer", "data": data}

    client.events.send(event("task.created", {"title": "Read a document"}))
    for page in (1, 2, 3):
        read_page(page)
        # Not waited for: the event is sent with others, and retried while the server is unavailable.
        client.events.try_send(event("task.progress", {"message": f"Page {page} of 3", "progress": page / 3}))
    client.events.send(event("task.complete", {"artifact_count": 1}))
