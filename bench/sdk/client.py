"""Sends as `client.ts` does, in Python: each line of input is an order, each line of output what it took."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import httpx2

from ariftly import Ariftly

#: Events in a request: what all of them are asked for.
BATCH = 1000
TASKS = 100
TEXT = "Analyzing document: the third chapter is about what the second one left out. " * 2


def data_of(n: int) -> dict[str, Any]:
    return {"message": TEXT, "progress": n % 100 / 100, "n": n}


def event_of(n: int) -> dict[str, Any]:
    return {"type": "task.progress", "task_id": f"task-{n % TASKS}", "agent": "analyzer", "data": data_of(n)}


def send_by_sdk(url: str, api_key: str, events: int) -> None:
    with Ariftly(base_url=url, api_key=api_key) as client:
        under_way: list[Any] = []
        for start in range(0, events, BATCH):
            under_way.append(client.events.send_nowait([event_of(n) for n in range(start, min(events, start + BATCH))]))
            # As many as the queue holds.
            if len(under_way) > 8:
                under_way.pop(0).result()
        for future in under_way:
            future.result()
        accepted = client.events.stats().accepted
    assert accepted == events, accepted


def send_by_loop(url: str, api_key: str, events: int) -> None:
    """What a program does without an SDK."""
    headers = {"authorization": f"Bearer {api_key}", "content-type": "application/json"}
    with httpx2.Client(headers=headers) as client:
        for start in range(0, events, BATCH):
            batch = [event_of(n) for n in range(start, min(events, start + BATCH))]
            answer = client.post(f"{url}/v1/events", content=json.dumps(batch))
            assert answer.status_code == 202, answer.status_code


def send_by_posthog(url: str, api_key: str, events: int) -> None:
    """As fast as its settings allow: large batches, no compression, one thread."""
    from posthog import Posthog

    client = Posthog(api_key, host=url, flush_at=BATCH, flush_interval=0.5, max_queue_size=10 * BATCH, gzip=False)
    for n in range(events):
        client.capture("task.progress", distinct_id=f"task-{n % TASKS}", properties=data_of(n))
        # It drops what does not fit into its queue.
        if n % BATCH == BATCH - 1:
            client.flush()
    client.shutdown()


SENDERS = {"sdk": send_by_sdk, "loop": send_by_loop, "posthog": send_by_posthog}


def rss_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


print("ready", flush=True)
for line in sys.stdin:
    order = json.loads(line)
    before = resource.getrusage(resource.RUSAGE_SELF)
    rss_before, started = rss_mb(), time.perf_counter()
    SENDERS[order["client"]](order["url"], order["apiKey"], order["events"])
    seconds = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"seconds": seconds, "cpuSeconds": cpu, "grownMb": rss_mb() - rss_before}), flush=True)
