"""Transactions: opened and committed here and nowhere else.

One use case is one transaction: the change, its audit entries and its events are saved together or not at all. The
tenant is set in the same round trip as BEGIN; forced row security does the rest.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
import sqlalchemy as sa
from google.protobuf.message import Message
from psycopg import sql
from psycopg.abc import Params
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from servicekit.auth import Actor
from servicekit.clock import JST, Clock, now
from servicekit.errors import Conflict, Unavailable, Unseen
from servicekit.events.envelope import OutgoingEvent, stamp
from servicekit.ids import uuid7
from servicekit.json import dumps_text, to_json
from servicekit.pool import Pool
from servicekit.statements import Asked, Statements
from servicekit.telemetry import sql_span
from servicekit.told import AuditNote, Told, changed_only, save_audit, save_events
from servicekit.wire import Connection

if TYPE_CHECKING:
    from sqlalchemy.engine import CursorResult

log = logging.getLogger(__name__)

TENANT = re.compile(r"[a-z0-9-]{1,40}\Z")

class Transaction:
    """One open database transaction of one tenant, with what it will tell: audit entries and events."""

    __slots__ = (
        "_after_commit", "_audit", "_connection", "_events", "_last", "_raw", "_read_only", "_statements",
        "actor", "database", "now", "tenant",
    )

    def __init__(
        self, database: Database, connection: AsyncConnection, raw: Connection, tenant: str,
        actor: Actor | None, now: datetime, read_only: bool,
    ) -> None:
        self.database = database
        self.tenant = tenant
        self.actor = actor
        self.now = now
        self._connection = connection
        self._raw = raw
        self._read_only = read_only
        self._audit: list[AuditNote] = []
        self._last: list[tuple[str, Mapping[str, Any]]] = []
        self._events: list[OutgoingEvent] = []
        self._after_commit: list[Callable[[], Awaitable[None] | None]] = []
        self._statements = 0

    @property
    def raw(self) -> Connection:
        """The driver's connection inside this transaction; for the kit's own loops."""
        return self._raw

    async def execute(
        self, statement: sa.Executable | str, params: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> CursorResult[Any]:
        """Runs one SQLAlchemy Core statement (or SQL text with `:name` parameters); a list of params is executemany."""
        self._statements += 1
        if not isinstance(params, Sequence):
            direct = await self.database.statements.run(self._raw, (statement, params))
            if direct is not None:
                return direct[0]
        if isinstance(statement, str):
            statement = sa.text(statement)
        return await self._connection.execute(statement, params)

    async def execute_all(self, *asked: Asked) -> list[CursorResult[Any]]:
        """Runs statements that do not need each other's results; SQL text and SELECTs in one round trip."""
        direct = await self.database.statements.run(self._raw, *asked)
        if direct is None:
            return [await self.execute(statement, params) for statement, params in asked]
        self._statements += len(asked)
        return direct

    def execute_last(self, statement: str, params: Sequence[Mapping[str, Any]]) -> None:
        """Keeps a change that nobody reads before for the end: it travels with COMMIT, once for each of `params`.

        `statement`: SQL as psycopg takes it, with `%(name)s`. Its errors come out of the end of the transaction."""
        if self._read_only:
            raise RuntimeError("a reading transaction changes nothing")
        self._last.extend((statement, each) for each in params)

    async def scalar(self, statement: sa.Executable | str, params: Mapping[str, Any] | None = None) -> Any:
        """The first column of the first row, or None."""
        return (await self.execute(statement, params)).scalar()

    async def copy_in(
        self, table: str, columns: Sequence[str],
        rows: Iterable[Sequence[Any]] | AsyncIterable[Sequence[Any]],
    ) -> int:
        """COPY of `rows` into `table` in this transaction. Returns the number of rows.

        PostgreSQL refuses COPY into a table under row security; such a table is filled through a temporary one, so that
        every row passes the tenant's policy.
        """
        self._statements += 1
        target = sql.Identifier(*table.split("."))
        listed = sql.SQL(", ").join(map(sql.Identifier, columns))
        if not await self.database.has_row_security(self._raw, table):
            return await self._copy(target, listed, rows)
        stage = sql.Identifier(f"komu_stage_{uuid7().hex}")
        await self._raw.execute(
            sql.SQL("CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
                stage, listed, target
            )
        )
        count = await self._copy(stage, listed, rows)
        await self._raw.execute(sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {}").format(target, listed, listed, stage))
        await self._raw.execute(sql.SQL("DROP TABLE {}").format(stage))
        return count

    async def copy_text(self, table: str, columns: Sequence[str], content: str) -> None:
        """COPY of `content`, which is already in COPY's text format, into a table without row security."""
        self._statements += 1
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        async with self._raw.cursor() as cursor, cursor.copy(statement) as copy:
            await copy.write(content.encode())

    async def copy_out(
        self, query: str, params: Mapping[str, Any], types: Sequence[str]
    ) -> AsyncIterator[Sequence[Any]]:
        """The rows of `query` (SQL as psycopg takes it, with `%(name)s`) as they come, however many; `types`: of its
        columns, by PostgreSQL's names. In a reading transaction after `SET TRANSACTION …`: it must have begun."""
        if not self._raw.open:
            raise RuntimeError("rows are copied out of a transaction that has begun")
        self._statements += 1
        statement = f"COPY ({query}) TO STDOUT (FORMAT binary)"
        async with self._raw.cursor() as cursor, cursor.copy(statement, params) as copy:
            copy.set_types(types)
            async for row in copy.rows():
                yield row

    async def _copy(
        self, target: sql.Composable, listed: sql.Composable,
        rows: Iterable[Sequence[Any]] | AsyncIterable[Sequence[Any]],
    ) -> int:
        count = 0
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(target, listed)
        async with self._raw.cursor() as cursor, cursor.copy(statement) as copy:
            if isinstance(rows, AsyncIterable):
                async for row in rows:
                    await copy.write_row(row)
                    count += 1
            else:
                for row in rows:
                    await copy.write_row(row)
                    count += 1
        return count

    def audit(
        self, action: str, object_id: UUID | str, *, before: Any = None, after: Any = None,
        information_class: int = 3, subject_id: UUID | None = None,
    ) -> None:
        """Notes who did (or read) what, to be saved with this transaction.

        `action`: stable verb such as `mark.corrected` or `guidance_record.read`; `subject_id`: whose record it is;
        `before`/`after`: dataclasses, mappings or plain values; of two objects only the differing fields are kept.
        """
        plain_before, plain_after = changed_only(to_json(before), to_json(after))
        self._audit.append(
            AuditNote(
                uuid7(), action, str(object_id), subject_id, information_class,
                None if plain_before is None else dumps_text(plain_before),
                None if plain_after is None else dumps_text(plain_after),
            )
        )

    def emit(self, message: Message) -> None:
        """Puts an event into the outbox of this transaction; its `meta` is completed here.

        The caller sets `meta.aggregate_id` and `meta.aggregate_version`. Raises ValueError without an aggregate id.
        """
        if self._read_only:
            raise RuntimeError("a reading transaction has nothing to tell")
        actor_id = str(self.actor.person_id) if self.actor is not None else ""
        self._events.append(stamp(message, self.tenant, self.now, actor_id))

    def after_commit(self, callback: Callable[[], Awaitable[None] | None]) -> None:
        """Runs `callback` once this transaction is saved; not at all if it is not. A failure there is only logged."""
        self._after_commit.append(callback)

    @property
    def told(self) -> Told:
        """What this transaction will tell so far; for tests of use cases."""
        return Told(tuple(self._events), tuple(self._audit))

    def last_statements(self) -> list[tuple[str, Params]]:
        """What was kept for the end and what saves the audit entries and events; the kit sends it with COMMIT."""
        audit = [save_audit(self.now, self.actor, self._audit)] if self._audit else []
        return [*self._last, *audit, *([save_events(self._events)] if self._events else [])]


class Database:
    """The service's database under its app role. One per process; `close()` at the end."""

    def __init__(
        self, url: str, *, pool_size: int = 8, clock: Clock = now, application_name: str = "komu"
    ) -> None:
        self.url = sa.make_url(url)
        if self.url.drivername == "postgresql":
            self.url = self.url.set(drivername="postgresql+psycopg")
        self.clock = clock
        self.application_name = application_name
        self._engine = create_async_engine(
            self.url,
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,
            poolclass=sa.NullPool,
            connect_args={
                "application_name": application_name, "connect_timeout": 5, "async_creator_fn": Connection.connect,
            },
        )
        self._pool = Pool(self._engine, pool_size)
        self.statements = Statements(self._engine.dialect)
        self.libpq_url = self.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._row_security: dict[str, bool] = {}
        self._on_events: list[Callable[[], None]] = []
        self._on_audit: list[Callable[[], None]] = []
        self._on_jobs: list[Callable[[], None]] = []

    def on_events(self, callback: Callable[[], None]) -> None:
        """`callback` is called after each commit that put something into the outbox; the relay wakes by it."""
        self._on_events.append(callback)

    def on_audit(self, callback: Callable[[], None]) -> None:
        """`callback` is called after each commit that wrote audit entries; the sealer wakes by it."""
        self._on_audit.append(callback)

    def on_jobs(self, callback: Callable[[], None]) -> None:
        """`callback` is called after each commit that started a job."""
        self._on_jobs.append(callback)

    def wake_jobs(self) -> None:
        """Tells the job runner of this process that there is work."""
        for wake in self._on_jobs:
            wake()

    def transaction(self, tenant: str, actor: Actor | None = None) -> AbstractAsyncContextManager[Transaction]:
        """A read-write transaction; commits at the end of the block, rolls back if it raises."""
        return self._open(tenant, actor, read_only=False)

    def reading(self, tenant: str, actor: Actor | None = None) -> AbstractAsyncContextManager[Transaction]:
        """A read-only transaction. Its audit entries (class I–II reads) are saved before the block ends."""
        return self._open(tenant, actor, read_only=True)

    @asynccontextmanager
    async def _open(self, tenant: str, actor: Actor | None, *, read_only: bool) -> AsyncIterator[Transaction]:
        if TENANT.match(tenant) is None:
            raise ValueError("a tenant is 1 to 40 of a-z, 0-9 and -")
        if actor is not None and actor.tenant != tenant:
            raise ValueError("the actor belongs to another tenant")
        async with self._session() as (connection, raw):
            raw.read_for(tenant) if read_only else raw.write_for(tenant)
            tx = Transaction(self, connection, raw, tenant, actor, self.clock(), read_only)
            with sql_span(read_only) as count:
                try:
                    yield tx
                    await self._finish(tx, raw)
                finally:
                    count(tx._statements)
        if tx._events:
            for wake in self._on_events:
                wake()
        if tx._audit:
            for wake in self._on_audit:
                wake()
        for callback in tx._after_commit:
            try:
                result = callback()
                if result is not None:
                    await result
            except Exception as error:
                log.error("after commit: %s", type(error).__name__)

    async def _finish(self, tx: Transaction, raw: Connection) -> None:
        if tx._read_only:
            if raw.open:
                await raw.execute(b"COMMIT")
            raw.forget()
            if tx._audit:
                raw.write_for(tx.tenant)
        if tx._last or tx._audit or tx._events or raw.open:
            await raw.together(tx.last_statements(), commit=True)

    @asynccontextmanager
    async def plumbing(self, tenant: str = "") -> AsyncIterator[Connection]:
        """For the kit's own loops: a transaction that sees every tenant's plumbing tables and no tenant's records."""
        async with self._session() as (_, raw):
            raw.write_for(tenant, "SET LOCAL komu.plumbing = 'on'")
            yield raw
            if raw.open:
                await raw.together((), commit=True)

    async def alone(self, statement: sa.Executable | str, params: Mapping[str, Any] | None = None) -> CursorResult[Any]:
        """One statement in a transaction and round trip of its own, for no tenant: tables with row security are shut.

        Raises: Unavailable; sqlalchemy.exc.DBAPIError; TypeError for what is neither SQL text nor a SELECT."""
        async with self._session() as (_, raw):
            results = await self.statements.run(raw, (statement, params))
            if results is None:
                raise TypeError("alone takes SQL text or a SELECT with plain parameters")
            return results[0]

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[tuple[AsyncConnection, Connection]]:
        try:
            connection, raw = await self._pool.take()
        except (sa.exc.OperationalError, psycopg.OperationalError, OSError) as error:
            raise Unavailable(reason="DATABASE_UNAVAILABLE") from error
        usable = False
        try:
            yield connection, raw
            usable = True
        except BaseException:
            usable = await self._roll_back(connection, raw)
            raise
        finally:
            raw.forget()
            await self._pool.give_back(connection, raw, usable=usable)

    async def _roll_back(self, connection: AsyncConnection, raw: Connection) -> bool:
        if raw.closed or connection.invalidated:
            return False
        if not raw.open:
            return True
        raw.forget()
        try:
            await asyncio.shield(asyncio.wait_for(raw.execute(b"ROLLBACK"), 5))
        except (Exception, asyncio.CancelledError):
            return False
        return True

    async def has_row_security(self, raw: Connection, table: str) -> bool:
        """Whether rows of `table` pass a policy; asked once per table."""
        known = self._row_security.get(table)
        if known is None:
            cursor = await raw.execute("SELECT relrowsecurity FROM pg_class WHERE oid = %s::regclass", (table,))
            row = await cursor.fetchone()
            known = bool(row and row[0])
            if not table.startswith("pg_temp"):
                self._row_security[table] = known
        return known

    async def answers(self) -> bool:
        """Whether the database can be asked right now."""
        try:
            async with asyncio.timeout(2), self.plumbing() as raw:
                await raw.execute("SELECT 1")
                return True
        except Exception:
            return False

    async def close(self) -> None:
        """Closes every connection."""
        await self._pool.close()
        await self._engine.dispose()


async def update_versioned(
    tx: Transaction, table: sa.Table, key: Mapping[str, Any], expected_version: int, values: Mapping[str, Any]
) -> int:
    """Writes `values` only if the row is still at `expected_version`. Returns the new version.

    The table has `version`, `updated_at`, `updated_by` (`servicekit.migrate.version_columns`).
    Raises: Unseen for no such row; Conflict with `version`, `changed_at`, `changed_by` when someone was faster.
    """
    where = [table.c[name] == value for name, value in key.items()]
    actor_id = tx.actor.person_id if tx.actor else None
    written = await tx.execute(
        sa.update(table)
        .where(*where, table.c.version == expected_version)
        .values(**values, version=table.c.version + 1, updated_at=tx.now, updated_by=actor_id)
        .returning(table.c.version)
    )
    version = written.scalar()
    if version is not None:
        return int(version)
    found = await tx.execute(sa.select(table.c.version, table.c.updated_at, table.c.updated_by).where(*where))
    row = found.first()
    if row is None:
        raise Unseen
    raise lost_race(row.version, row.updated_at, row.updated_by)


def lost_race(version: int, changed_at: datetime, changed_by: UUID | None) -> Conflict:
    """Someone saved first: says when (Japanese time) and carries who, so that the page can show the difference."""
    at = changed_at.astimezone(JST)
    return Conflict(
        f"{at.hour}時{at.minute:02d}分にほかの人が保存しました。内容を確かめてから、もう一度保存してください。",
        {
            "version": str(version),
            "changed_at": changed_at.astimezone(UTC).isoformat(),
            "changed_by": str(changed_by) if changed_by else "",
        },
        reason="CHANGED_MEANWHILE",
    )
