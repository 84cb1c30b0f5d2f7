"""Messages of a durable JetStream consumer, asked for again whenever the asking may have been lost.

nats-py's `fetch` waits out its whole timeout after a reconnect; here a cut connection, a silent server (no heartbeat)
or an ended request is answered by a new request at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

from nats.aio.msg import Msg
from nats.js.errors import NotFoundError

from servicekit.events.bus import Bus

BATCH = 128
_EXPIRES_S = 30.0
_HEARTBEAT_S = 5.0
_HEARTBEAT = "100"
_NOBODY_THERE = "503"
_ENDED = {"404", "408", "409"}
_GONE = ("consumer deleted", "stream deleted", "consumer is push based")


async def pull(bus: Bus, stream: str, durable: str) -> AsyncIterator[Msg]:
    """Messages as they come. Raises NotFoundError when the consumer or the stream goes away, nats errors otherwise."""
    client = await bus.client()
    arrived: asyncio.Queue[Msg | None] = asyncio.Queue()
    reply = client.new_inbox()

    async def take(message: Msg) -> None:
        arrived.put_nowait(message)

    subscription = await client.subscribe(reply, cb=take)
    end = bus.on_back(lambda: arrived.put_nowait(None))
    request = json.dumps(
        {"batch": BATCH, "expires": int(_EXPIRES_S * 1e9), "idle_heartbeat": int(_HEARTBEAT_S * 1e9)}
    ).encode()
    credit = 0
    try:
        while True:
            if credit <= 0:
                await client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}", request, reply)
                credit = BATCH
            try:
                async with asyncio.timeout(2 * _HEARTBEAT_S + 1):
                    message = await arrived.get()
            except TimeoutError:
                message = None
            if message is None:
                credit = 0
                continue
            status = (message.headers or {}).get("Status") if not message.data else None
            if status is None:
                credit -= 1
                yield message
            elif status == _NOBODY_THERE:
                await asyncio.sleep(0.5)
                credit = 0
            elif status in _ENDED:
                if (message.headers or {}).get("Description", "").lower().startswith(_GONE):
                    raise NotFoundError(code=404, description="the consumer is gone")
                credit = 0
            elif status != _HEARTBEAT:
                await asyncio.sleep(0.5)
                credit = 0
    finally:
        end()
        with contextlib.suppress(Exception):
            await subscription.unsubscribe()
