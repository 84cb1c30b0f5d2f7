"""Fewer round trips: what opens a transaction travels with its first statement, what closes it with the last ones.

A writing transaction is `[BEGIN, SET LOCAL, first statement]` … `[audit, outbox, COMMIT]`. A reading one has no BEGIN
at all: each statement is sent behind a `set_config(…, true)` in one pipeline, which PostgreSQL runs as one implicit
transaction. Under READ COMMITTED every statement has its own snapshot anyway; who wants one moment for several
statements says `SET TRANSACTION ISOLATION LEVEL REPEATABLE READ` first and gets a real transaction.

This rests on psycopg's generators; its version is locked, and the tests of transactions walk every path.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar, cast

import psycopg
from psycopg import errors, pq, waiting
from psycopg._preparing import Prepare, PrepareManager
from psycopg._queries import PostgresQuery
from psycopg.abc import Params, Query
from psycopg.adapt import Transformer

from servicekit.watch import Watch

T = TypeVar("T")
Send = Callable[[], None]
Exchange = Generator[Any, Any, list[Any]]

_READING = b"SELECT set_config('komu.tenant', $1, true), set_config('transaction_read_only', 'on', true)"
_READING_NAME = b"komu_reading"
_LASTS = (b"SET ", b"DECLARE", b"LOCK ")
"""Statements that mean the rest of their transaction, so a reading one needs a real one for them."""
_BREAKING_OFF_S = 5.0
_FINE = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)


def _exchange(pgconn: Any, sends: Sequence[Send]) -> Exchange:
    """Sends everything, then waits once for all the answers (one per send)."""
    results = []
    whole = False
    pgconn.enter_pipeline_mode()
    try:
        for send in sends:
            send()
        pgconn.pipeline_sync()
        while pgconn.flush():
            if ((yield waiting.WAIT_RW) or 0) & waiting.READY_R:
                pgconn.consume_input()
        while True:
            while pgconn.is_busy():
                if (yield waiting.WAIT_R):
                    pgconn.consume_input()
            result = pgconn.get_result()
            if result is None:
                if pgconn.status != pq.ConnStatus.OK:
                    raise errors.OperationalError("the connection is lost")
                continue
            if result.status == pq.ExecStatus.PIPELINE_SYNC:
                break
            results.append(result)
        whole = True
    finally:
        if whole:
            pgconn.exit_pipeline_mode()
        else:
            pgconn.finish()  # half a conversation: nobody can use this connection any more
    return results


@dataclass(slots=True)
class Answer:
    """`codes`: the types of the columns (empty when the statement gives no rows)."""

    result: Any
    codes: tuple[int, ...]
    rows: Sequence[tuple[Any, ...]]


def _answer(result: Any, transformer: Any) -> Answer:
    if result.status == pq.ExecStatus.COMMAND_OK:
        return Answer(result, (), ())
    codes = tuple([result.ftype(index) for index in range(result.nfields)])
    transformer.set_pgresult(result)
    return Answer(result, codes, transformer.load_rows(0, result.ntuples, tuple))


class Cursor(psycopg.AsyncCursor[Any]):
    """Sends what the connection has to say first together with its own statement."""

    _conn: Connection

    def _maybe_prepare_gen(
        self, pgq: PostgresQuery, *, prepare: bool | None = None, binary: bool | None = None
    ) -> Generator[Any, Any, None]:
        connection = self._conn
        if connection._pipeline is not None or not connection.has_something_first:
            yield from super()._maybe_prepare_gen(pgq, prepare=prepare, binary=binary)
            return
        if pgq.params is None and b";" in pgq.query.rstrip(b"; \n"):
            yield from connection.open_gen()
            yield from super()._maybe_prepare_gen(pgq, prepare=prepare, binary=binary)
            return
        results = yield from connection.send_gen([pgq], prepare, binary)
        self._check_results(results)
        self._set_results(results)

    async def executemany(self, query: Query, params_seq: Iterable[Params], *, returning: bool = False) -> None:
        """As psycopg's; the transaction is begun before."""
        await self._conn.begin_now()
        await super().executemany(query, params_seq, returning=returning)

    def _start_copy_gen(self, *args: Any, **kwargs: Any) -> Generator[Any, Any, None]:
        yield from self._conn.open_gen()
        yield from super()._start_copy_gen(*args, **kwargs)

    def _stream_send_gen(self, *args: Any, **kwargs: Any) -> Generator[Any, Any, None]:
        yield from self._conn.open_gen()
        yield from super()._stream_send_gen(*args, **kwargs)


class _Prepared(PrepareManager):
    """psycopg's book of prepared statements, which also tells when it threw all of them away."""

    emptied = True

    def clear(self) -> bool:
        self.emptied = True
        return super().clear()


class Connection(psycopg.AsyncConnection[Any]):
    """A connection that knows which tenant the next statement is for."""

    _prepared: _Prepared

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cursor_factory = Cursor
        self._prepared = _Prepared()
        self.prepare_threshold = 2
        self._watch = Watch()
        self._opening: list[bytes] | None = None
        self._reading_for: list[bytes] | None = None
        self.open = False
        """Whether BEGIN has been sent."""

    def write_for(self, tenant: str, *more: str) -> None:
        """The next statement begins a transaction of `tenant` (a checked name). Nothing is sent yet."""
        self._opening = [b"BEGIN", f"SET LOCAL komu.tenant = '{tenant}'".encode(), *(line.encode() for line in more)]
        self._reading_for = None
        self.open = False

    def read_for(self, tenant: str) -> None:
        """Every statement from now on is a read-only transaction of `tenant`."""
        self._reading_for = [tenant.encode()]
        self._opening = None
        self.open = False

    def read_in_one(self) -> None:
        """What is read from now on is read in one transaction (`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ` …)."""
        if self._reading_for is not None:
            self.write_for(self._reading_for[0].decode())
            assert self._opening is not None
            self._opening[0] = b"BEGIN READ ONLY"

    def forget(self) -> None:
        """No tenant any more."""
        self._opening = self._reading_for = None
        self.open = False

    @property
    def has_something_first(self) -> bool:
        return self._opening is not None or self._reading_for is not None

    def take_first(self) -> list[Send]:
        """What goes before the next statement."""
        pgconn: Any = self.pgconn
        if self._reading_for is not None:
            prepared = self._prepared
            if prepared._to_flush:  # a DEALLOCATE ALL is still to be sent
                return [partial(pgconn.send_query_params, _READING, self._reading_for)]
            again = partial(pgconn.send_query_prepared, _READING_NAME, self._reading_for)
            if not prepared.emptied:
                return [again]
            prepared.emptied = False
            return [partial(pgconn.send_prepare, _READING_NAME, _READING), again]
        opening, self._opening = self._opening or [], None
        self.open = self.open or bool(opening)
        return [partial(pgconn.send_query_params, line, None) for line in opening]

    async def ask(self, *asked: tuple[str, Mapping[str, Any]]) -> list[Answer]:
        """Statements that do not need each other, and their whole answers, in one go and without a cursor's ceremony.

        In a reading transaction they share one. Raises psycopg.Error, the first."""
        async with self.lock:
            return await self.converse(self._ask_gen(asked))

    async def converse(self, gen: Generator[Any, Any, T]) -> T:
        """As `wait`, with the socket watched on: who is cancelled has the server stop first. Raises psycopg.Error."""
        try:
            wanted = next(gen)
        except StopIteration as ended:
            value: T = ended.value
            return value
        answer = self._watch.run(gen, self.pgconn.socket, wanted)
        try:
            return cast("T", await answer)
        except asyncio.CancelledError:
            self._watch.away()
            await self._break_off(gen)
            raise

    async def wait(self, *args: Any, **kwargs: Any) -> Any:
        """As psycopg's, which watches the socket itself."""
        self._watch.away()
        return await super().wait(*args, **kwargs)

    async def close(self) -> None:
        """As psycopg's."""
        self._watch.away()
        await super().close()

    async def _break_off(self, gen: Generator[Any, Any, Any]) -> None:
        if self.pgconn.transaction_status != pq.TransactionStatus.ACTIVE:
            return
        try:
            await self._try_cancel(timeout=_BREAKING_OFF_S)
            await waiting.wait_async(gen, self.pgconn.socket, _BREAKING_OFF_S, timeout=_BREAKING_OFF_S)
        except errors.QueryCanceled:
            return
        except BaseException as error:
            self.pgconn.finish()
            if not isinstance(error, Exception):
                raise

    def _ask_gen(self, asked: Sequence[tuple[str, Mapping[str, Any]]]) -> Generator[Any, Any, list[Answer]]:
        transformers = [Transformer(self) for _ in asked]
        queries = [PostgresQuery(transformer) for transformer in transformers]
        for pgq, (query, values) in zip(queries, asked, strict=True):
            pgq.convert(query, values)
        results = yield from self.send_gen(queries)
        if self._prepared._to_flush:
            yield from self._prepared.maintain_gen(self)
        return [_answer(result, transformer) for result, transformer in zip(results, transformers, strict=True)]

    def send_gen(
        self, queries: Sequence[PostgresQuery], prepare: bool | None = None, binary: bool | None = None
    ) -> Generator[Any, Any, list[Any]]:
        """What comes first and the statements in one go; their results. Raises psycopg.Error, the first."""
        if self._reading_for is not None and queries[0].query.lstrip()[:7].upper().startswith(_LASTS):
            self.read_in_one()
        result_format = pq.Format.BINARY if binary else pq.Format.TEXT
        sends = self.take_first()
        sent = []
        for pgq in queries:
            more, key, prep, name = self.sends_of(pgq, prepare, result_format)
            sends.extend(more)
            sent.append((pgq, key, prep, name, len(sends) - 1))
        results = yield from _exchange(self.pgconn, sends)
        for pgq, key, prep, name, position in sent:
            if prep is Prepare.SHOULD and results[position - 1].status not in _FINE:
                self._prepared._names.pop(self._prepared.key(pgq), None)
            elif key is not None:
                self._prepared.validate(key, prep, name, results[position : position + 1])
        for result in results:
            if result.status not in _FINE:
                raise errors.error_from_result(result, encoding=self.pgconn._encoding)
        return [results[position] for *_, position in sent]

    def sends_of(
        self, pgq: PostgresQuery, prepare: bool | None, result_format: pq.Format = pq.Format.TEXT
    ) -> tuple[list[Send], Any, Prepare, bytes]:
        """How to send one statement, prepared where psycopg's own counting says so."""
        pgconn: Any = self.pgconn
        prep, name = self._prepared.get(pgq, prepare)
        sends: list[Send] = []
        if prep is Prepare.NO:
            sends.append(
                partial(
                    pgconn.send_query_params, pgq.query, pgq.params, param_types=pgq.types,
                    param_formats=pgq.formats, result_format=result_format,
                )
            )
        else:
            if prep is Prepare.SHOULD:
                sends.append(partial(pgconn.send_prepare, name, pgq.query, param_types=pgq.types))
            sends.append(
                partial(
                    pgconn.send_query_prepared, name, pgq.params, param_formats=pgq.formats,
                    result_format=result_format,
                )
            )
        return sends, self._prepared.maybe_add_to_cache(pgq, prep, name), prep, name

    def open_gen(self) -> Generator[Any, Any, None]:
        """Sends what comes first on its own. Raises RuntimeError in a reading transaction."""
        if self._reading_for is not None:
            raise RuntimeError("a reading transaction takes single statements only")
        first = self.take_first()
        if first:
            for result in (yield from _exchange(self.pgconn, first)):
                if result.status not in _FINE:
                    raise errors.error_from_result(result, encoding=self.pgconn._encoding)

    async def begin_now(self) -> None:
        """For COPY and the like, which cannot travel with others."""
        async with self.lock:
            await self.converse(self.open_gen())

    async def together(self, statements: Sequence[tuple[Query, Params | None]], *, commit: bool) -> None:
        """Runs `statements` (and COMMIT) with one wait. The first error is raised."""
        async with self.lock:
            await self.converse(self._together_gen(statements, commit))

    def _together_gen(
        self, statements: Sequence[tuple[Query, Params | None]], commit: bool
    ) -> Generator[Any, Any, None]:
        sends = self.take_first()
        added = []
        for query, params in statements:
            pgq = PostgresQuery(Transformer(self))
            pgq.convert(query, params)
            more, key, prep, name = self.sends_of(pgq, True)
            added.append((key, prep, name, len(sends) + len(more) - 1))
            sends.extend(more)
        if commit:
            sends.append(partial(self.pgconn.send_query_params, b"COMMIT", None))
        results = yield from _exchange(self.pgconn, sends)
        for key, prep, name, position in added:
            if key is not None:
                self._prepared.validate(key, prep, name, results[position : position + 1])
        for result in results:
            if result.status not in _FINE:
                raise errors.error_from_result(result, encoding=self.pgconn._encoding)
        if commit:
            self.open = False
            if results[-1].command_status != b"COMMIT":
                raise errors.InFailedSqlTransaction("an earlier error was passed over: nothing is saved")

    def is_silent(self) -> bool:
        """Whether nothing arrived while nobody listened; an idle connection that speaks was closed by the server."""
        return not waiting._ready(self.pgconn.socket, waiting.WAIT_R)
