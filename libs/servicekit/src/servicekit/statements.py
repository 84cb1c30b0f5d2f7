"""SQL text and SELECTs straight to the driver: SQLAlchemy compiles once and names the rows, nothing in between.

Everything else (INSERT, UPDATE, DELETE of Core, lists of parameters, server-side expansions) goes SQLAlchemy's own way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import psycopg
import sqlalchemy as sa
from cachetools import LRUCache
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import TextClause
from sqlalchemy.sql.selectable import SelectBase

from servicekit.wire import Answer, Connection

Asked = tuple[sa.Executable | str, Mapping[str, Any] | None]
"""A statement with its parameters."""


class DirectResult(IteratorResult[Any]):
    """Rows as SQLAlchemy's results give them, with the two things that a cursor adds."""

    rowcount: int = -1
    returns_rows: bool = True


@dataclass(slots=True)
class _Plan:
    compiled: SQLCompiler
    sql: str
    binds: Mapping[str, Callable[[Any], Any]]
    metadata: SimpleResultMetaData | None = None
    codes: tuple[int, ...] = ()


class Statements:
    """Compiled statements of one database."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._texts: LRUCache[str, _Plan | None] = LRUCache(2048)
        self._selects: LRUCache[Any, _Plan | None] = LRUCache(2048)

    async def run(self, raw: Connection, *asked: Asked) -> list[sa.CursorResult[Any]] | None:
        """The results, in one round trip; None when one has to go SQLAlchemy's way. Raises sqlalchemy.exc like it."""
        prepared = []
        for statement, params in asked:
            found = self._prepared(statement, params)
            if found is None:
                return None
            prepared.append(found)
        try:
            answers = await raw.ask(*((plan.sql, values) for plan, values in prepared))
        except psycopg.Error as error:
            dbapi: Any = psycopg
            raise sa.exc.DBAPIError.instance(
                prepared[0][0].sql, None, error, dbapi.Error, hide_parameters=True, dialect=self._dialect
            ) from error
        return [self._result(plan, answer) for (plan, _), answer in zip(prepared, answers, strict=True)]

    def _prepared(
        self, statement: sa.Executable | str, params: Mapping[str, Any] | None
    ) -> tuple[_Plan, Mapping[str, Any]] | None:
        extracted: Any = None
        collected: Any = None
        if isinstance(statement, str):
            if statement not in self._texts:
                self._texts[statement] = self._plan(sa.text(statement), None)
            plan = self._texts[statement]
        elif isinstance(statement, SelectBase | TextClause):
            key = statement._generate_cache_key()
            if key is None:
                return None
            cache_key, extracted, collected = key
            if cache_key not in self._selects:
                self._selects[cache_key] = self._plan(statement, key)
            plan = self._selects[cache_key]
        else:
            return None
        if plan is None:
            return None
        values = plan.compiled.construct_params(
            dict(params) if params else None, extracted_parameters=extracted, escape_names=False,
            _collected_params=collected,
        )
        for name, convert in plan.binds.items():
            values[name] = convert(values[name])
        return plan, values

    def _result(self, plan: _Plan, answer: Answer) -> sa.CursorResult[Any]:
        if answer.codes and (plan.metadata is None or plan.codes != answer.codes):
            plan.metadata, plan.codes = self._metadata(plan.compiled, answer), answer.codes
        metadata = plan.metadata if answer.codes and plan.metadata is not None else SimpleResultMetaData(())
        result = DirectResult(metadata, iter(answer.rows))
        result.rowcount = answer.result.command_tuples if answer.result.command_tuples is not None else -1
        result.returns_rows = bool(answer.codes)
        return cast("sa.CursorResult[Any]", result)

    def _plan(self, statement: Any, key: Any) -> _Plan | None:
        compiled = statement._compiler(self._dialect, cache_key=key, column_keys=[], for_executemany=False)
        if compiled.literal_execute_params or compiled.post_compile_params or compiled.escaped_bind_names:
            return None
        binds = {name: convert for name, convert in compiled._bind_processors.items() if convert is not None}
        if not all(callable(convert) for convert in binds.values()):
            return None
        return _Plan(compiled, str(compiled), binds)

    def _metadata(self, compiled: SQLCompiler, answer: Answer) -> SimpleResultMetaData:
        columns = compiled._result_columns
        names = [answer.result.fname(position).decode() for position in range(len(answer.codes))]
        twice = frozenset(name for name, count in Counter(names).items() if count > 1)
        if len(columns) != len(names):  # text without declared columns
            return SimpleResultMetaData(names, _ambiguous_keys=twice or None)
        converts = [
            column.type._cached_result_processor(self._dialect, answer.codes[position])
            for position, column in enumerate(columns)
        ]
        extra = [tuple(obj for obj in column.objects if not isinstance(obj, str)) for column in columns]
        return SimpleResultMetaData(
            [column.keyname for column in columns], extra, converts if any(converts) else None,
            _ambiguous_keys=twice or None,
        )
