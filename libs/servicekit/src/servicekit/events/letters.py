"""Dead letters: events a consumer failed on, looked at, taken in again after the repair, or given up with a reason.

python -m <service> dead-letters list [--tenant T]
python -m <service> dead-letters redeliver --tenant T (ID … | --all)
python -m <service> dead-letters discard --tenant T --reason "…" ID …
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import logging
import sys
from collections.abc import Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import nats.errors
from nats.js.errors import NotFoundError

from servicekit.db import Database, Transaction
from servicekit.errors import Unavailable, Unseen
from servicekit.events.bus import Bus
from servicekit.events.consumer import Consumer
from servicekit.events.intake import describe, take_in
from servicekit.tls import TlsFiles

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from servicekit.grpc import Service

_REACHED_WITHIN_S = 10
_NOT_THERE = "この教育委員会に、その届かなかった通知はありません。"


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter: where the event lies, who failed on it, how. It holds nothing of the event's content."""

    tenant: str
    id: UUID
    consumer: str
    event_id: UUID | None
    subject: str
    stream: str
    stream_sequence: int
    error: str
    failures: int
    died_at: datetime


class Gone(Exception):
    """The event cannot be had any more: the stream keeps events for 14 days; or nobody here takes it in."""


async def letters(database: Database, tenant: str | None = None) -> list[Letter]:
    """Oldest first; of one board, or of all."""
    async with database.plumbing() as raw:
        found = await raw.execute(
            "SELECT tenant_id, id, consumer, event_id, subject, stream, stream_sequence, error, failures, died_at"
            " FROM dead_letters WHERE %s::text IS NULL OR tenant_id = %s ORDER BY died_at, id",
            (tenant, tenant),
        )
        return [Letter(*row) for row in await found.fetchall()]


async def _letter(database: Database, tenant: str, letter_id: UUID) -> Letter:
    found = next((one for one in await letters(database, tenant) if one.id == letter_id), None)
    if found is None:
        raise Unseen(_NOT_THERE)
    return found


async def _take_out(tx: Transaction, letter: Letter) -> None:
    """Removes the letter in this transaction. Raises: Unseen, where somebody else was quicker."""
    removed = await tx.execute("DELETE FROM dead_letters WHERE id = :id RETURNING id", {"id": letter.id})
    if removed.first() is None:
        raise Unseen(_NOT_THERE)


def _note(letter: Letter, by: str, **more: Any) -> dict[str, Any]:
    return {"consumer": letter.consumer, "subject": letter.subject, "event_id": letter.event_id, "by": by} | more


async def discard(database: Database, tenant: str, letter_id: UUID, reason: str, by: str) -> None:
    """Gives the event up; the reason stays in the audit log. Raises: Unseen, ValueError without a reason."""
    if not reason.strip():
        raise ValueError("a letter is not discarded without a reason")
    letter = await _letter(database, tenant, letter_id)
    async with database.transaction(tenant) as tx:
        await _take_out(tx, letter)
        tx.audit("dead_letter.discarded", letter.id, after=_note(letter, by, reason=reason.strip(), error=letter.error))


async def redeliver(
    database: Database, bus: Bus, consumers: Sequence[Consumer], tenant: str, letter_id: UUID, by: str
) -> bool:
    """Fetches the event from its stream and takes it in: effect, inbox row, audit entry, and the letter is gone, all in
    one transaction. False when the event had had its effect before.

    A consumer that fails again leaves the letter, with the new error.
    Raises: Unseen, Gone, and what the consumer raised.
    """
    letter = await _letter(database, tenant, letter_id)
    consumer = next((one for one in consumers if one.name == letter.consumer), None)
    if consumer is None:
        raise Gone(f"nothing here is called {letter.consumer} any more")
    try:
        message = await (await bus.jetstream()).get_msg(letter.stream, letter.stream_sequence)
    except NotFoundError:
        raise Gone(f"stream {letter.stream} does not keep the event any more") from None
    try:
        if message.subject != letter.subject:
            raise ValueError("another event lies at that place of the stream")
        event: Any = consumer.message.FromString(message.data or b"")
        async with database.transaction(tenant) as tx:
            await _take_out(tx, letter)
            new = await take_in(tx, consumer, event, letter.subject)
            tx.audit("dead_letter.redelivered", letter.id, after=_note(letter, by, taken_in=new))
    except Exception as error:
        await _failed_again(database, letter, error)
        raise
    return new


async def _failed_again(database: Database, letter: Letter, error: BaseException) -> None:
    async with database.plumbing() as raw:
        await raw.execute(
            "UPDATE dead_letters SET failures = failures + 1, error = %s WHERE tenant_id = %s AND id = %s",
            (describe(error), letter.tenant, letter.id),
        )


# -- the command --


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `dead-letters`."""
    acts = parser.add_subparsers(dest="act", required=True)
    listed = acts.add_parser("list", help="what was not taken in, with the error")
    listed.add_argument("--tenant", help="one board; all without it")
    again = acts.add_parser("redeliver", help="take events in again, after the repair")
    given_up = acts.add_parser("discard", help="give events up, with a reason")
    given_up.add_argument("--reason", required=True, help="stays in the audit log")
    again.add_argument("--all", action="store_true", help="every letter of the board, oldest first")
    for act in (again, given_up):
        act.add_argument("ids", nargs="*", type=UUID, metavar="ID", help="as `list` tells them")
        act.add_argument("--tenant", required=True, help="the board")
        act.add_argument("--by", default=getpass.getuser(), help="who does it, for the audit log")


def run(service: Service, asked: argparse.Namespace) -> int:
    """0 when everything asked for is done, 1 when something is left."""
    for name in ("asyncio", "servicekit.events.bus"):
        logging.getLogger(name).setLevel(logging.ERROR)  # that the connection ends with the command is no news
    try:
        return asyncio.run(_run(service, asked))
    except (Unavailable, TimeoutError) as error:
        print(f"the database or the stream does not answer: {type(error).__name__}", file=sys.stderr)
        return 2


async def _run(service: Service, asked: argparse.Namespace) -> int:
    try:
        if asked.act == "list":
            found = await letters(service.database, asked.tenant)
            for one in found:
                print(f"{one.tenant} {one.id} {one.died_at:%Y-%m-%d %H:%M} {one.subject} {one.consumer}: {one.error}")
            print(f"{len(found)} dead letters")
            return 0
        if asked.act == "discard":
            return await _each(
                asked.ids, lambda one: discard(service.database, asked.tenant, one, asked.reason, asked.by)
            )
        ids = [one.id for one in await letters(service.database, asked.tenant)] if asked.all else asked.ids
        async with _reached(service) as bus:
            return await _each(
                ids, lambda one: redeliver(service.database, bus, service.consumers, asked.tenant, one, asked.by)
            )
    finally:
        await service.stop()


async def _each(ids: Sequence[UUID], act: Any) -> int:
    left = 0
    for one in ids:
        try:
            new = await act(one)
            print(f"{one}: {'had had its effect before' if new is False else 'done'}")
        except Exception as error:
            left += 1
            print(f"{one}: {error if isinstance(error, Unseen | Gone) else describe(error)}")
    if not ids:
        print("nothing to do")
    return 1 if left else 0


@asynccontextmanager
async def _reached(service: Service) -> AsyncIterator[Bus]:
    settings = service.settings
    tls = TlsFiles.of(settings) if (settings.nats_url or "").startswith("tls://") else None
    bus = Bus(settings.service, settings.nats_url or "", tls)
    running = asyncio.create_task(bus.run())
    try:
        async with asyncio.timeout(_REACHED_WITHIN_S):
            await bus.client()
        yield bus
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError, nats.errors.Error):
            await running
        await bus.close()
