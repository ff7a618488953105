"""Reads a stream until so many events are taken, prints their numbers, and ends in good order.

Run as `python stream_reader.py sync|async <url> <after> <file of the position> <events>`; the API key is in ARIFTLY_API_KEY.
"""

import asyncio
import sys

from ariftly import Ariftly, AsyncAriftly, FilePositionStore

shell, url, after, position, count = sys.argv[1:]
taken = 0


def take(event) -> bool:
    """Whether it was the last one."""
    global taken
    print(event["data"]["n"], flush=True)
    taken += 1
    return taken == int(count)


def read() -> None:
    with Ariftly(base_url=url) as client:
        stream = client.events.stream(task_id="streamed", after=after, position_store=FilePositionStore(position))
        for event in stream:
            if take(event):
                stream.close()


async def read_async() -> None:
    async with AsyncAriftly(base_url=url) as client:
        stream = client.events.stream(task_id="streamed", after=after, position_store=FilePositionStore(position))
        async for event in stream:
            if take(event):
                stream.close()


if shell == "sync":
    read()
else:
    asyncio.run(read_async())
