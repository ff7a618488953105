"""Receives webhooks with FastAPI.

WEBHOOK_SECRET=whsec_… uvicorn receiver_fastapi:app --port 3000
"""

import os

from ariftly.fastapi import webhook_endpoint
from ariftly.webhooks import Delivered
from fastapi import FastAPI

secrets = os.environ["WEBHOOK_SECRET"].split(",")
seen: set[str] = set()  # In production: a table with a unique key.
app = FastAPI()


async def handle(delivered: Delivered) -> None:
    if delivered.id in seen:
        return
    seen.add(delivered.id)
    print(delivered.event["type"], delivered.event["id"], flush=True)


app.add_route("/ariftly-webhook", webhook_endpoint(secrets, handle), methods=["POST"])
