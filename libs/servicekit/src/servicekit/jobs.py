"""Long work: a row per job, run inside the service process, with progress, cancel, and another try after a crash.

    @job("report.print")
    async def print_all(job: JobContext) -> str: ...      # app: Service(…, jobs=[print_all])
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
from opentelemetry.trace import SpanKind
from psycopg.rows import dict_row

from servicekit.auth import Actor
from servicekit.db import Database, Transaction
from servicekit.errors import KomuError, Unavailable, Unseen
from servicekit.ids import uuid7
from servicekit.json import dumps_text, to_json
from servicekit.telemetry import JOBS_FINISHED, current_traceparent, span

log = logging.getLogger(__name__)

LEASE_S = 30
_BEAT_S = 1.0
_LOOK_EVERY_S = 2.0
_MOST_ATTEMPTS = 5
_AT_ONCE = 2


class JobCancelled(Exception):
    """Raised by `JobContext.check_cancelled`; the job ends as cancelled."""


@dataclass(frozen=True, slots=True)
class JobStatus:
    """A job as people see it; `state` is waiting, running, done, failed or cancelled."""

    id: UUID
    kind: str
    state: str
    done: int
    total: int
    label: str
    result_id: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    cancel_requested: bool


@dataclass(frozen=True, slots=True)
class JobKind:
    """A kind of job and the function that does it: `async def run(job: JobContext) -> str | None` (the result's id)."""

    name: str
    run: Callable[[JobContext], Awaitable[Any]]


def job(kind: str) -> Callable[[Callable[[JobContext], Awaitable[Any]]], JobKind]:
    """`@job("roster.apply")` over the runner function; give the value to `Service(jobs=[…])`.

    A runner may be started again after a crash: it looks at `job.checkpoint` or writes so that twice is once."""
    return lambda function: JobKind(kind, function)


class JobContext:
    """What a runner works with."""

    def __init__(self, database: Database, row: dict[str, Any]) -> None:
        self.database = database
        self.id: UUID = row["id"]
        self.kind: str = row["kind"]
        self.tenant: str = row["tenant_id"]
        self.args: Any = row["args"]
        self.attempt: int = row["attempts"]
        self.checkpoint: Any = row["checkpoint"]
        """What `save_checkpoint` kept last; None at the first try."""
        actor = row["actor"]
        self.actor: Actor | None = (
            Actor(self.tenant, UUID(actor["person_id"]), frozenset(actor["roles"]), session_id=actor["session_id"])
            if actor
            else None
        )
        self._done, self._total, self._label = row["done"], row["total"], row["label"]
        self._cancelled = bool(row["cancel_requested"])
        self._news = asyncio.Event()

    def progress(self, done: int, total: int, label: str = "") -> None:
        """What the bar shows; `label` is a Japanese sentence about the step under way. Written at most once a beat."""
        self._done, self._total = done, total
        self._label = label or self._label
        self._news.set()

    def cancelled(self) -> bool:
        """Whether someone asked to stop; known within a second."""
        return self._cancelled

    def check_cancelled(self) -> None:
        """Raises JobCancelled when someone asked to stop."""
        if self._cancelled:
            raise JobCancelled

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """A transaction of the job's tenant, in the name of whoever started it."""
        async with self.database.transaction(self.tenant, self.actor) as tx:
            yield tx

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        """A read-only transaction of the job's tenant."""
        async with self.database.reading(self.tenant, self.actor) as tx:
            yield tx

    async def save_checkpoint(self, tx: Transaction, value: Any) -> None:
        """Keeps `value` (JSON) with the work of `tx`, for the next try."""
        await tx.execute(
            "UPDATE jobs SET checkpoint = CAST(:value AS jsonb) WHERE tenant_id = :tenant AND id = :id",
            {"value": dumps_text(value), "tenant": self.tenant, "id": self.id},
        )
        self.checkpoint = to_json(value)


async def start(tx: Transaction, kind: str, args: Any, *, job_id: UUID | None = None) -> UUID:
    """Puts a job into the queue with this transaction: it starts after the commit. Returns its id.

    With `job_id` (an idempotency key) a second start is the first one."""
    new_id = job_id or uuid7()
    actor = tx.actor
    await tx.execute(
        "INSERT INTO jobs (tenant_id, id, kind, args, actor, created_at, traceparent)"
        " VALUES (:tenant, :id, :kind, CAST(:args AS jsonb), CAST(:actor AS jsonb), :now, :traceparent)"
        " ON CONFLICT (tenant_id, id) DO NOTHING",
        {
            "tenant": tx.tenant,
            "id": new_id,
            "kind": kind,
            "args": dumps_text(args),
            "actor": dumps_text(
                {"person_id": actor.person_id, "roles": sorted(actor.roles), "session_id": actor.session_id}
            )
            if actor
            else None,
            "now": tx.now,
            "traceparent": current_traceparent(),
        },
    )
    tx.after_commit(tx.database.wake_jobs)
    return new_id


_COLUMNS = (
    "id, kind, state, done, total, label, result_id, created_at, started_at, finished_at, cancel_requested"
)


async def get(tx: Transaction, job_id: UUID) -> JobStatus:
    """Raises Unseen."""
    result = await tx.execute(
        f"SELECT {_COLUMNS} FROM jobs WHERE tenant_id = :tenant AND id = :id",  # noqa: S608 - constant columns
        {"tenant": tx.tenant, "id": job_id},
    )
    row = result.mappings().first()
    if row is None:
        raise Unseen
    return JobStatus(**row)


async def cancel(tx: Transaction, job_id: UUID) -> JobStatus:
    """Asks a job to stop: a waiting one ends at once, a running one at its next look. Raises Unseen."""
    await tx.execute(
        "UPDATE jobs SET cancel_requested = true,"
        " finished_at = CASE WHEN state = 'waiting' THEN CAST(:now AS timestamptz) ELSE finished_at END,"
        " state = CASE WHEN state = 'waiting' THEN 'cancelled' ELSE state END"
        " WHERE tenant_id = :tenant AND id = :id AND state IN ('waiting', 'running')",
        {"tenant": tx.tenant, "id": job_id, "now": tx.now},
    )
    return await get(tx, job_id)


_CLAIM = """
UPDATE jobs SET state = 'running', lease_owner = %(owner)s, attempts = attempts + 1,
       lease_until = clock_timestamp() + %(lease)s * interval '1 second',
       started_at = coalesce(started_at, clock_timestamp())
WHERE (tenant_id, id) = (
  SELECT tenant_id, id FROM jobs
  WHERE kind = ANY(%(kinds)s)
    AND (state = 'waiting' OR (state = 'running' AND lease_until < clock_timestamp()))
  ORDER BY created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING *
"""

_BEAT = """
UPDATE jobs SET lease_until = clock_timestamp() + %(lease)s * interval '1 second',
       done = %(done)s, total = %(total)s, label = %(label)s
WHERE tenant_id = %(tenant)s AND id = %(id)s AND lease_owner = %(owner)s AND state = 'running'
RETURNING cancel_requested
"""

_END = """
UPDATE jobs SET state = %(state)s, done = %(done)s, total = %(total)s, label = %(label)s, result_id = %(result)s,
       finished_at = CASE WHEN %(state)s = 'waiting' THEN NULL ELSE clock_timestamp() END,
       lease_owner = NULL, lease_until = NULL
WHERE tenant_id = %(tenant)s AND id = %(id)s AND lease_owner = %(owner)s AND state = 'running'
"""


class JobRunner:
    """Takes jobs of the known kinds, two at a time, and keeps their lease while they run."""

    def __init__(self, database: Database, kinds: Sequence[JobKind]) -> None:
        self._database = database
        self._kinds = {kind.name: kind for kind in kinds}
        self._owner = uuid7()
        self._wake = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        database.on_jobs(self._wake.set)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._wake.clear()
            try:
                while len(self._running) < _AT_ONCE and await self._take():
                    pass
            except (psycopg.Error, Unavailable) as error:
                log.warning("jobs wait for the database: %s", type(error).__name__)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY_S):
                    await self._wake.wait()

    async def stop(self) -> None:
        """Puts running jobs back into the queue for the next process."""
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _take(self) -> bool:
        async with self._database.plumbing() as raw:
            cursor = raw.cursor(row_factory=dict_row)
            await cursor.execute(_CLAIM, {"owner": self._owner, "lease": LEASE_S, "kinds": list(self._kinds)})
            row = await cursor.fetchone()
        if row is None:
            return False
        task = asyncio.create_task(self._work(row))
        self._running.add(task)
        task.add_done_callback(self._ended)
        return True

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._wake.set()
        if not task.cancelled() and task.exception() is not None:
            log.error("a job could not be written back", exc_info=task.exception())

    async def _work(self, row: dict[str, Any]) -> None:
        context = JobContext(self._database, row)
        kind = self._kinds[context.kind]
        if context._cancelled:
            await self._end(context, "cancelled", "中止しました。")
            return
        if context.attempt > _MOST_ATTEMPTS:
            await self._end(context, "failed", "何度か試みましたが完了できませんでした。")
            return
        with span(f"job {context.kind}", SpanKind.CONSUMER, parent=row["traceparent"]):
            work = asyncio.ensure_future(kind.run(context))
            beat = asyncio.create_task(self._beat(context, work))
            try:
                result = await work
            except JobCancelled:
                await self._end(context, "cancelled", "中止しました。")
            except asyncio.CancelledError:
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)
                await self._end(context, "waiting", context._label)
                raise
            except (Unavailable, psycopg.OperationalError) as error:
                log.warning("job %s (%s) is put back: %s", context.id, context.kind, type(error).__name__)
                await self._end(context, "waiting", context._label)
            except KomuError as error:
                await self._end(context, "failed", error.message)
            except Exception as error:
                log.error("job %s (%s) failed", context.id, context.kind, exc_info=error)
                await self._end(context, "failed", "内部の問題で中断しました。もう一度やり直してください。")
            else:
                await self._end(context, "done", context._label, str(result) if result is not None else "")
            finally:
                beat.cancel()

    async def _beat(self, context: JobContext, work: asyncio.Future[Any]) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_BEAT_S):
                    await context._news.wait()
            context._news.clear()
            try:
                async with self._database.plumbing() as raw:
                    cursor = await raw.execute(_BEAT, self._values(context) | {"lease": LEASE_S})
                    row = await cursor.fetchone()
            except (psycopg.Error, Unavailable):
                await asyncio.sleep(_BEAT_S)
                continue
            if row is None:  # the lease went to another process while this one slept
                work.cancel()
                return
            context._cancelled = bool(row[0])
            await asyncio.sleep(_BEAT_S / 4)

    def _values(self, context: JobContext) -> dict[str, Any]:
        return {
            "tenant": context.tenant, "id": context.id, "owner": self._owner,
            "done": context._done, "total": context._total, "label": context._label,
        }

    async def _end(self, context: JobContext, state: str, label: str, result: str = "") -> None:
        values = self._values(context) | {"state": state, "label": label, "result": result}
        for wait_s in (0.2, 1, 5, 15, 0):
            try:
                async with self._database.plumbing() as raw:
                    await raw.execute(_END, values)
                break
            except (psycopg.Error, Unavailable):
                if not wait_s:
                    raise
                await asyncio.sleep(wait_s)
        if state != "waiting":
            JOBS_FINISHED.labels(context.kind, state).inc()


def to_proto(status: JobStatus) -> Any:
    """`komu.common.v1.Job` of a status."""
    from komu.common.v1 import common_pb2

    message = common_pb2.Job(
        id=str(status.id), kind=status.kind, state=common_pb2.JobState.Value(f"JOB_STATE_{status.state.upper()}"),
        done=status.done, total=status.total, label=status.label, result_id=status.result_id,
    )
    if status.started_at is not None:
        message.started_at.FromDatetime(status.started_at.astimezone(UTC))
    if status.finished_at is not None:
        message.finished_at.FromDatetime(status.finished_at.astimezone(UTC))
    return message

