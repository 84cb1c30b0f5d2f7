"""Outbox → JetStream: one relay per service, in the order of the rows, nothing skipped.

It reads what is unpublished, never "ids greater than the last one": a transaction that commits late with a smaller id
is found by the next look. Woken by this process's commits and by NOTIFY of others; a slow poll stands behind both.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from typing import Any

import psycopg
from nats.errors import Error as NatsError
from nats.js.api import StreamConfig
from nats.js.errors import APIError, NotFoundError
from opentelemetry.trace import SpanKind

from servicekit.clock import now
from servicekit.db import Database
from servicekit.errors import Unavailable
from servicekit.events.bus import Bus
from servicekit.events.envelope import OutgoingEvent, headers_of
from servicekit.telemetry import EVENTS_PUBLISHED, OUTBOX_AGE, OUTBOX_WAITING, current_traceparent, span

log = logging.getLogger(__name__)

CHANNEL = "komu_outbox"
_BATCH = 256
_LOOK_EVERY_S = 1.0
_ASK_FOR_LEAD_S = 3.0
_ACK_S = 10.0
_KEEP_PUBLISHED = "7 days"
_SWEEP_EVERY_S = 600.0

_WAITING = """
SELECT id, event_id, subject, type, payload, traceparent, created_at FROM outbox
WHERE published_at IS NULL ORDER BY id LIMIT %s
"""


class Relay:
    """The loop of one process. Only the process that holds the advisory lock publishes."""

    def __init__(self, service: str, database: Database, bus: Bus) -> None:
        self._service = service
        self._database = database
        self._bus = bus
        self._wake = asyncio.Event()
        self._leading = False
        self._notify = asyncio.Event()
        database.on_events(self._told)

    def _told(self) -> None:
        if self._leading:
            self._wake.set()
        else:
            self._notify.set()

    async def run(self) -> None:
        """Until cancelled. Whatever is away (database, NATS, stream) is waited for."""
        teller = asyncio.create_task(self._tell_leader())
        try:
            while True:
                try:
                    await self._lead()
                except (psycopg.Error, OSError, Unavailable) as error:
                    log.warning("the relay waits for the database: %s", type(error).__name__)
                except (NatsError, TimeoutError) as error:
                    log.warning("the relay waits for NATS: %s", type(error).__name__)
                self._leading = False
                await asyncio.sleep(0.5)
        finally:
            teller.cancel()

    async def _connect(self) -> psycopg.AsyncConnection[Any]:
        return await psycopg.AsyncConnection.connect(
            self._database.libpq_url, autocommit=True, application_name=f"komu-{self._service}-relay",
            connect_timeout=5, keepalives_idle=10, keepalives_interval=5, keepalives_count=3,
        )

    async def _lead(self) -> None:
        async with await self._connect() as connection:
            await connection.execute("SET komu.plumbing = 'on'")
            while not await self._won(connection):  # noqa: ASYNC110 - a lock of the database has no event here
                await asyncio.sleep(_ASK_FOR_LEAD_S)
            self._leading = True
            listener = asyncio.create_task(self._listen())
            try:
                await self._verify_stream()
                log.info("the relay of %s leads", self._service)
                await self._publish_for_ever(connection)
            finally:
                self._leading = False
                listener.cancel()

    async def _won(self, connection: psycopg.AsyncConnection[Any]) -> bool:
        cursor = await connection.execute("SELECT pg_try_advisory_lock(hashtextextended('komu.relay', 0))")
        row = await cursor.fetchone()
        return bool(row and row[0])

    async def _verify_stream(self) -> None:
        """The stream exists, or may be made; otherwise a clear line in the log until someone makes it."""
        said = False
        while True:
            jetstream = await self._bus.jetstream()
            try:
                await jetstream.stream_info(self._service)
                return
            except NotFoundError:
                with contextlib.suppress(NatsError, APIError, TimeoutError):
                    await jetstream.add_stream(
                        StreamConfig(name=self._service, subjects=[f"{self._service}.v1.>"], duplicate_window=120)
                    )
                    log.info("stream %s made", self._service)
                    return
            if not said:
                log.warning("stream %s is missing and may not be made here: events wait in the outbox", self._service)
                said = True
            await asyncio.sleep(2)

    async def _publish_for_ever(self, connection: psycopg.AsyncConnection[Any]) -> None:
        loop = asyncio.get_running_loop()
        swept_at = -_SWEEP_EVERY_S
        while True:
            self._wake.clear()
            published = await self.publish_waiting(connection)
            if published < _BATCH:
                if loop.time() - swept_at > _SWEEP_EVERY_S:
                    swept_at = loop.time()
                    await self._sweep(connection)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_EVERY_S):
                        await self._wake.wait()

    async def publish_waiting(self, connection: psycopg.AsyncConnection[Any]) -> int:
        """Publishes up to 256 waiting events in their order and marks them. Returns how many the stream stored."""
        cursor = await connection.execute(_WAITING, (_BATCH,))
        rows = await cursor.fetchall()
        if not rows:
            OUTBOX_WAITING.set(0)
            OUTBOX_AGE.set(0)
            return 0
        OUTBOX_AGE.set(max(0.0, (now() - rows[0][6]).total_seconds()))
        OUTBOX_WAITING.set(len(rows))
        jetstream = await self._bus.jetstream()
        acks = []
        for _, event_id, subject, kind, payload, traceparent, created_at in rows:
            with span(f"publish {kind}", SpanKind.PRODUCER, parent=traceparent):
                # Who hears it goes on from the publishing, not from the transaction before it.
                event = OutgoingEvent(event_id, subject, kind, bytes(payload), current_traceparent() or traceparent)
                acks.append(
                    asyncio.ensure_future(
                        jetstream.publish(
                            subject, event.payload, timeout=_ACK_S, headers=headers_of(event, self._service, created_at)
                        )
                    )
                )
                await asyncio.sleep(0)  # lets the publish write before the next one: the stream keeps this order
        results = await self._acknowledged(acks)
        stored = []
        failure: BaseException | None = None
        for row, result in zip(rows, results, strict=True):
            if isinstance(result, BaseException):
                # What follows is published again, so that the stream has it after the one that failed.
                failure = result
                break
            stored.append(row[0])
            EVENTS_PUBLISHED.labels(row[3]).inc()
        if stored:
            await connection.execute(
                "UPDATE outbox SET published_at = clock_timestamp() WHERE id = ANY(%s)", (stored,)
            )
        if isinstance(failure, asyncio.CancelledError):
            return len(stored)
        if failure is not None:
            raise failure
        return len(stored)

    async def _acknowledged(self, acks: Sequence[asyncio.Future[Any]]) -> list[Any]:
        """The stream's answers; when the connection was cut there will be none, and all is sent again (once counts)."""

        def give_up() -> None:
            for ack in acks:
                ack.cancel()

        end = self._bus.on_back(give_up)
        try:
            return await asyncio.gather(*acks, return_exceptions=True)
        finally:
            end()

    async def _sweep(self, connection: psycopg.AsyncConnection[Any]) -> None:
        await connection.execute(f"DELETE FROM outbox WHERE published_at < now() - interval '{_KEEP_PUBLISHED}'")  # noqa: S608
        await connection.execute("DELETE FROM inbox WHERE received_at < now() - interval '30 days'")

    async def _listen(self) -> None:
        """Wakes the leader when another process of this service committed events."""
        while True:
            try:
                async with await self._connect() as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    async for _ in connection.notifies():
                        self._wake.set()
            except (psycopg.Error, OSError):
                await asyncio.sleep(1)

    async def _tell_leader(self) -> None:
        """NOTIFY after commits of a process that does not lead; many commits, one notice."""
        while True:
            await self._notify.wait()
            self._notify.clear()
            with contextlib.suppress(psycopg.Error, Unavailable):
                async with self._database.plumbing() as raw:
                    await raw.execute(f"NOTIFY {CHANNEL}")
            await asyncio.sleep(0.02)
