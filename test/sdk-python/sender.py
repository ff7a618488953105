"""Sends numbered events as `test/sdk/sender-process.ts` does: its first line of input is an order, more `upTo` follow; the report is its last line."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ariftly import Ariftly, AsyncAriftly, SendOptions, open_spool

#: Events in one `send`.
CHUNK = 100
LOOPS = 16
CLOSE_S = 60.0


class Leave:
    """The first number that waits until it is raised."""

    def __init__(self, up_to: int) -> None:
        self._up_to = up_to
        self._raised = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def wait_above(self, number: int) -> None:
        """Waits until the number may be sent."""
        with self._raised:
            self._raised.wait_for(lambda: number < self._up_to)

    def _read(self) -> None:
        for line in sys.stdin:
            with self._raised:
                self._up_to = int(line)
                self._raised.notify_all()


def event_of(order: dict[str, Any], number: int) -> dict[str, Any]:
    task = f"{order['prefix']}{number % order['tasks']}"
    return {"type": "task.progress", "task_id": task, "data": {"message": "Analyzing document", "n": number}}


def chunks(order: dict[str, Any], loop: int) -> Iterator[tuple[list[dict[str, Any]], int | None]]:
    """The events of a loop, whose tasks are its own, so that the order of its sends is the order of their events.

    With each chunk the number that has to be allowed before the next one.
    """
    own: list[dict[str, Any]] = []
    limit = order["upTo"]
    for number in range(order["from"], order["to"]):
        if number % order["tasks"] % LOOPS != loop:
            continue
        if number >= limit:
            yield own, number
            own = []
        own.append(event_of(order, number))
        if len(own) == CHUNK:
            yield own, None
            own = []
    yield own, None


def rss_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20


class Memory:
    """How far memory grows above what the process had once it had sent its first events."""

    def __init__(self, client: Ariftly | AsyncAriftly) -> None:
        self._client = client
        self._base = 0.0
        self._peak = 0.0
        threading.Thread(target=self._watch, daemon=True).start()

    @property
    def grown_mb(self) -> float:
        return max(0.0, self._peak - self._base)

    def _watch(self) -> None:
        while True:
            if self._base == 0 and self._client.events.stats().accepted >= 500:
                self._base = rss_mb()
            if self._base > 0:
                self._peak = max(self._peak, rss_mb())
            time.sleep(0.05)


def report(client: Ariftly | AsyncAriftly, unsent: int, grown_mb: float) -> None:
    print(json.dumps({"stats": asdict(client.events.stats()), "unsent": unsent, "grownMb": grown_mb}), flush=True)


def send_in_threads(order: dict[str, Any]) -> None:
    client = Ariftly(base_url=order["url"], api_key=order["apiKey"], attempt_timeout=order["attemptMs"] / 1000)
    leave, memory = Leave(order["upTo"]), Memory(client)

    def send(loop: int) -> None:
        for events, number in chunks(order, loop):
            client.events.send(events)
            if number is not None:
                leave.wait_above(number)

    threads = [threading.Thread(target=send, args=[loop]) for loop in range(LOOPS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report(client, len(client.close(timeout=CLOSE_S)), memory.grown_mb)


async def send_in_tasks(order: dict[str, Any]) -> None:
    client = AsyncAriftly(base_url=order["url"], api_key=order["apiKey"], attempt_timeout=order["attemptMs"] / 1000)
    leave, memory = Leave(order["upTo"]), Memory(client)

    async def send(loop: int) -> None:
        for events, number in chunks(order, loop):
            await client.events.send(events)
            if number is not None:
                await asyncio.to_thread(leave.wait_above, number)

    await asyncio.gather(*(send(loop) for loop in range(LOOPS)))
    report(client, len(await client.close(timeout=CLOSE_S)), memory.grown_mb)


def take_all(order: dict[str, Any]) -> None:
    """With a spool: numbers are written to a file once `try_send` has taken them."""
    spool = order["spool"]
    options = SendOptions(spool=open_spool(spool["folder"], file_bytes_max=64 * 1024))
    client = Ariftly(
        base_url=order["url"], api_key=order["apiKey"], attempt_timeout=order["attemptMs"] / 1000, send=options
    )
    with open(spool["taken"], "a", buffering=1) as taken:
        for number in range(order["from"], order["to"]):
            event = {**event_of(order, number), "id": spool["ids"][number]}
            while not client.events.try_send(event):
                client.events.flush()
            taken.write(f"{number}\n")
    report(client, len(client.close(timeout=CLOSE_S)), 0)


ORDER = json.loads(sys.stdin.readline())
if "spool" in ORDER:
    take_all(ORDER)
elif ORDER["shell"] == "async":
    asyncio.run(send_in_tasks(ORDER))
else:
    send_in_threads(ORDER)
