"""Follows a task from its start to its end, and continues where it was when it is started again.

ARIFTLY_URL=http://localhost:8080 ARIFTLY_API_KEY=… python worker.py task_1
"""

import sys
from datetime import datetime, timedelta, timezone

from ariftly import Ariftly, FilePositionStore, StreamResetError

task_id = sys.argv[1] if len(sys.argv) > 1 else "task_1"

with Ariftly() as client:
    stream = client.events.stream(
        task_id=task_id,
        after=datetime.now(timezone.utc) - timedelta(hours=1),
        position_store=FilePositionStore(f".positions/{task_id}"),
    )
    try:
        for event in stream:
            if event["type"] == "task.progress":
                print(f"{event['data']['message']} ({event['data'].get('progress', 0):.0%})")
            elif event["type"] in ("task.complete", "task.failed"):
                print(event["type"])
                stream.close()  # The event counts as done; after `break` it would be repeated.
    except StreamResetError as reset:
        # To go on behind the gap, give `position=reset.position` once.
        sys.exit(f"Some events may be missing: {reset.reason}")
