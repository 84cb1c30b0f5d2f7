"""JetStream → consumers: once per event, in order per aggregate, acknowledged after the commit.

A message that fails five times goes to `dead_letters` (its place in the stream and the error, not its content) and the
line goes on. Trouble of the surroundings (database or NATS away) is no failure: it is waited out.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import zlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import nats.errors
import psycopg
import sqlalchemy as sa
from google.protobuf.message import DecodeError
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError
from opentelemetry.trace import SpanKind

from servicekit.clock import now
from servicekit.db import TENANT, Database, Transaction
from servicekit.errors import KomuError, Unavailable
from servicekit.events.bus import Bus
from servicekit.events.consumer import Consumer
from servicekit.events.pull import pull
from servicekit.ids import uuid7
from servicekit.telemetry import EVENT_LAG, EVENTS_CONSUMED, span

log = logging.getLogger(__name__)

_LANES = 4
_LANE_DEPTH = 64
_ACK_WAIT_S = 30.0
_MOST_FAILURES = 5
_RETRY_S = (0.05, 0.2, 0.5, 1.0)


class Intake:
    """The consumers of one service, one durable per producer's stream."""

    def __init__(self, service: str, database: Database, bus: Bus, consumers: Sequence[Consumer]) -> None:
        self._service = service
        self._database = database
        self._bus = bus
        self._streams: dict[str, list[Consumer]] = {}
        for consumer in consumers:
            self._streams.setdefault(consumer.stream, []).append(consumer)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            for stream, consumers in self._streams.items():
                group.create_task(self._follow(stream, consumers))

    async def _follow(self, stream: str, consumers: Sequence[Consumer]) -> None:
        said = ""
        while True:
            try:
                await self._follow_once(stream, consumers)
            except NotFoundError:
                trouble = f"stream {stream} or the durable of {self._service} on it is missing"
            except (nats.errors.Error, OSError, TimeoutError) as error:
                trouble = f"the stream {stream} is not reached: {type(error).__name__}"
            else:
                trouble = ""
            if trouble and trouble != said:
                log.warning("%s; waiting", trouble)
            said = trouble
            await asyncio.sleep(1)

    async def _ensure_durable(self, jetstream: Any, stream: str, subjects: list[str]) -> None:
        wanted = ConsumerConfig(
            durable_name=self._service,
            filter_subjects=subjects,
            deliver_policy=DeliverPolicy.ALL,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=_ACK_WAIT_S,
            max_ack_pending=1024,
            max_deliver=-1,
        )
        with contextlib.suppress(NotFoundError):
            found = await jetstream.consumer_info(stream, self._service)
            has = found.config.filter_subjects or [found.config.filter_subject]
            if sorted(name for name in has if name) == sorted(subjects):
                return
        await jetstream.add_consumer(stream, wanted)
        log.info("durable %s on stream %s is set", self._service, stream)

    async def _follow_once(self, stream: str, consumers: Sequence[Consumer]) -> None:
        jetstream = await self._bus.jetstream()
        by_subject = {consumer.subject.removesuffix(".*"): consumer for consumer in consumers}
        await self._ensure_durable(jetstream, stream, sorted(consumer.subject for consumer in consumers))
        lanes = [asyncio.Queue[tuple[Consumer, Msg, Any]](maxsize=_LANE_DEPTH) for _ in range(_LANES)]
        try:
            async with asyncio.TaskGroup() as group:
                for lane in lanes:
                    group.create_task(self._work(lane))
                group.create_task(self._fetch(stream, by_subject, lanes))
        except* (nats.errors.Error, OSError) as trouble:
            raise trouble.exceptions[0] from None

    async def _fetch(
        self, stream: str, by_subject: dict[str, Consumer],
        lanes: Sequence[asyncio.Queue[tuple[Consumer, Msg, Any]]],
    ) -> None:
        async for message in pull(self._bus, stream, self._service):
            consumer = by_subject.get(message.subject.rsplit(".", 1)[0])
            if consumer is None:
                await message.ack()
                continue
            try:
                event = consumer.message.FromString(message.data)
                UUID(event.meta.id)  # type: ignore[attr-defined]
            except (DecodeError, ValueError) as error:
                await self._bury(consumer, message, None, error, 1)
                continue
            key = event.meta.aggregate_id.encode()  # type: ignore[attr-defined]
            await lanes[zlib.crc32(key) % _LANES].put((consumer, message, event))

    async def _work(self, lane: asyncio.Queue[tuple[Consumer, Msg, Any]]) -> None:
        while True:
            consumer, message, event = await lane.get()
            await self._take_in(consumer, message, event)

    async def _take_in(self, consumer: Consumer, message: Msg, event: Any) -> None:
        headers = message.headers or {}
        failures = 0
        with span(f"consume {consumer.subject}", SpanKind.CONSUMER, parent=headers.get("traceparent")):
            while True:
                try:
                    new = await self.take_in_once(consumer, event, message.subject)
                except (Unavailable, psycopg.OperationalError, OSError) as error:
                    await self._wait_out(message, error)
                except sa.exc.OperationalError as error:
                    await self._wait_out(message, error)
                except Exception as error:
                    failures += 1
                    log.warning(
                        "%s failed on event %s (%d of %d)", consumer.name, event.meta.id, failures, _MOST_FAILURES,
                        exc_info=error,
                    )
                    if failures >= _MOST_FAILURES:
                        await self._bury(consumer, message, event, error, failures)
                        return
                    await asyncio.sleep(_RETRY_S[failures - 1])
                else:
                    await message.ack()
                    EVENTS_CONSUMED.labels(consumer.name, "taken" if new else "seen").inc()
                    if new:
                        lag = now().timestamp() - event.meta.occurred_at.ToNanoseconds() / 1e9
                        EVENT_LAG.labels(consumer.name).observe(max(0.0, lag))
                    return

    async def take_in_once(self, consumer: Consumer, event: Any, subject: str) -> bool:
        """Inbox row and effect in one transaction. False when the event had its effect before."""
        tenant = event.meta.tenant
        if TENANT.match(tenant) is None:
            raise ValueError("the event names no tenant")
        async with self._database.transaction(tenant) as tx:
            return await take_in(tx, consumer, event, subject)

    async def _wait_out(self, message: Msg, error: BaseException) -> None:
        log.warning("consumers wait for the database: %s", type(error).__name__)
        with contextlib.suppress(nats.errors.Error):
            await message.in_progress()
        await asyncio.sleep(1)

    async def _bury(self, consumer: Consumer, message: Msg, event: Any, error: BaseException, failures: int) -> None:
        tenant = message.subject.rsplit(".", 1)[1]
        metadata = message.metadata
        text = describe(error)
        while True:
            try:
                async with self._database.plumbing() as raw:
                    await raw.execute(
                        "INSERT INTO dead_letters (tenant_id, id, consumer, event_id, subject, stream,"
                        " stream_sequence, error, failures) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                        (
                            tenant, uuid7(), consumer.name, UUID(event.meta.id) if event is not None else None,
                            message.subject, metadata.stream, metadata.sequence.stream, text, failures,
                        ),
                    )
                break
            except (psycopg.OperationalError, Unavailable) as trouble:
                await self._wait_out(message, trouble)
        await message.ack()
        EVENTS_CONSUMED.labels(consumer.name, "dead").inc()
        log.error("event %s of %s is a dead letter", event.meta.id if event is not None else "?", message.subject)


async def take_in(tx: Transaction, consumer: Consumer, event: Any, subject: str) -> bool:
    """Inbox row and effect in this transaction of the event's tenant. False when the event had its effect before.

    Raises: ValueError, when subject, event and transaction are not of one tenant; what the consumer raises."""
    if not subject.rsplit(".", 1)[1] == event.meta.tenant == tx.tenant:
        raise ValueError("the tenant of the event is not the one of its subject")
    cursor = await tx.raw.execute(
        "INSERT INTO inbox (tenant_id, consumer, event_id) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        (tx.tenant, consumer.name, UUID(event.meta.id)),
    )
    if cursor.rowcount == 0:
        return False
    await consumer.run(tx, event)
    return True


def describe(error: BaseException) -> str:
    """Type, contract message or SQL state, and the place: what helps to repair it and quotes no data."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f" at {place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place is not None else ""
    origin = getattr(error, "orig", None) or error
    state = getattr(origin, "sqlstate", None)
    if isinstance(error, KomuError):
        return f"{type(error).__name__} {error.reason}: {error.message}{where}"
    return f"{type(origin).__name__}{f' {state}' if state else ''}{where}"


