"""Day sheets, marks and their history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from jpschool.school_year import first_day, last_day
from servicekit.db import Transaction
from servicekit.ids import uuid7
from sqlalchemy import select

from attendance.domain.marks import DEFAULT_SYMBOLS, Category, Mark, MarkChange, Symbol
from attendance.store.tables import day_sheets, mark_changes, marks, symbols


@dataclass(frozen=True, slots=True)
class DaySheet:
    """That the roll of a class was taken on a day, by whom and when."""

    on: date
    version: int
    taken_by: UUID
    taken_at: datetime
    class_id: UUID


@dataclass(frozen=True, slots=True)
class PastChange:
    """One correction as it was recorded."""

    at: datetime
    actor_id: UUID
    before: Mark
    after: Mark
    why: str


async def symbols_of(tx: Transaction, school_years: Sequence[int]) -> dict[int, dict[str, Symbol]]:
    """出欠記号 of the board by year and key; a year nothing was decided for has the default ones."""
    query = select(symbols).where(symbols.c.school_year.in_(school_years)).order_by(symbols.c.position)
    found: dict[int, dict[str, Symbol]] = {year: {} for year in school_years}
    for row in await tx.execute(query):
        found[row.school_year][row.key] = Symbol(
            row.key, row.sign, row.label, Category(row.category), row.shortcut, row.late, row.early, row.retired
        )
    return {year: own or {symbol.key: symbol for symbol in DEFAULT_SYMBOLS} for year, own in found.items()}


async def hold_symbols(tx: Transaction, *, for_change: bool) -> None:
    """Keep the board's symbols still until the transaction ends: saves share, a change of symbols waits for them all.

    Without it a mark could be saved with a symbol that is being removed or given another category at that moment.
    """
    lock = "pg_advisory_xact_lock" if for_change else "pg_advisory_xact_lock_shared"
    board = "hashtextextended('attendance.symbols.' || CAST(:tenant AS text), 0)"
    await tx.execute(f"SELECT {lock}({board})", {"tenant": tx.tenant})


async def symbols_in_use(tx: Transaction, school_year: int, keys: Sequence[str]) -> frozenset[str]:
    """Which of `keys` a mark of the year has, or had before a correction (its history is read with their names).

    What a correction led to is the mark itself or stood before the next one. One look into an index per key: teachers'
    saves wait for this while symbols change.
    """
    rows = await tx.execute(
        """SELECT k.key FROM unnest(CAST(:keys AS text[])) AS k (key), LATERAL (
             SELECT FROM marks WHERE tenant_id = :tenant AND symbol = k.key AND on_day BETWEEN :first AND :last
              LIMIT 1) AS m
           UNION SELECT k.key FROM unnest(CAST(:keys AS text[])) AS k (key), LATERAL (
             SELECT FROM mark_changes
              WHERE tenant_id = :tenant AND before_symbol = k.key AND on_day BETWEEN :first AND :last LIMIT 1) AS c""",
        {"tenant": tx.tenant, "keys": list(keys), "first": first_day(school_year), "last": last_day(school_year)},
    )
    return frozenset(row.key for row in rows)


async def sheets(tx: Transaction, class_ids: Sequence[UUID], from_on: date, to_on: date) -> list[DaySheet]:
    """Roll calls taken in the range."""
    query = select(day_sheets).where(
        day_sheets.c.class_id.in_(class_ids), day_sheets.c.on_day.between(from_on, to_on)
    )
    return [
        DaySheet(row.on_day, row.version, row.taken_by, row.taken_at, row.class_id) for row in await tx.execute(query)
    ]


async def marks_of(
    tx: Transaction, pupil_ids: Sequence[UUID], from_on: date, to_on: date
) -> dict[UUID, dict[date, Mark]]:
    """Marks by child and day; a child without a row was present."""
    query = select(marks).where(marks.c.pupil_id.in_(pupil_ids), marks.c.on_day.between(from_on, to_on))
    found: dict[UUID, dict[date, Mark]] = {}
    for row in await tx.execute(query):
        found.setdefault(row.pupil_id, {})[row.on_day] = Mark(row.pupil_id, row.symbol, row.reason, row.version)
    return found


_TAKE = """
    INSERT INTO day_sheets (tenant_id, class_id, on_day, taken_by, taken_at, version)
    VALUES (:tenant, :class, :on, :actor, :now, 1) ON CONFLICT DO NOTHING RETURNING version"""
_TAKE_AGAIN = """
    UPDATE day_sheets SET taken_by = :actor, taken_at = :now, version = version + 1
    WHERE class_id = :class AND on_day = :on AND version = :version RETURNING version"""


async def take(tx: Transaction, class_id: UUID, on: date, version: int, actor_id: UUID) -> DaySheet | None:
    """Close the roll call of a day; None when somebody saved it since `version` (0 = not taken yet)."""
    values = {"class": class_id, "on": on, "actor": actor_id, "now": tx.now}
    if version == 0:
        taken = await tx.scalar(_TAKE, {**values, "tenant": tx.tenant})
    else:
        taken = await tx.scalar(_TAKE_AGAIN, {**values, "version": version})
    return None if taken is None else DaySheet(on, taken, actor_id, tx.now, class_id)


_KEEP = """
    INSERT INTO mark_changes (tenant_id, id, pupil_id, on_day, class_id, at, actor_id, before_symbol, before_reason,
                              after_symbol, after_reason, why)
    VALUES (%(tenant)s, %(id)s, %(pupil)s, %(on)s, %(class)s, %(at)s, %(actor)s, %(before_symbol)s, %(before_reason)s,
            %(symbol)s, %(reason)s, %(why)s)"""
_SAVE = """
    INSERT INTO marks (tenant_id, pupil_id, on_day, class_id, symbol, reason, version)
    VALUES (%(tenant)s, %(pupil)s, %(on)s, %(class)s, %(symbol)s, %(reason)s, %(version)s)
    ON CONFLICT (tenant_id, pupil_id, on_day) DO UPDATE
    SET class_id = excluded.class_id, symbol = excluded.symbol, reason = excluded.reason, version = excluded.version"""


def save(
    tx: Transaction, class_id: UUID, on: date, changes: Sequence[MarkChange], actor_id: UUID, why: str, *, keep: bool
) -> None:
    """Write the marks of a day as the transaction ends; with `keep`, what was there goes to the history."""
    day = {"tenant": tx.tenant, "on": on, "class": class_id}
    rows = [
        {**day, "pupil": change.pupil_id, "symbol": change.after.symbol, "reason": change.after.reason}
        for change in changes
    ]
    tx.execute_last(
        _SAVE,
        [{**row, "version": change.before.version + 1} for row, change in zip(rows, changes, strict=True)],
    )
    if not keep:
        return
    told = {"at": tx.now, "actor": actor_id, "why": why}
    tx.execute_last(
        _KEEP,
        [
            {**row, **told, "id": uuid7(), "before_symbol": was.symbol, "before_reason": was.reason}
            for row, was in zip(rows, (change.before for change in changes), strict=True)
        ],
    )


async def history(tx: Transaction, pupil_id: UUID, on: date) -> list[PastChange]:
    """Corrections of one child's day, newest first."""
    query = (
        select(mark_changes)
        .where(mark_changes.c.pupil_id == pupil_id, mark_changes.c.on_day == on)
        .order_by(mark_changes.c.at.desc(), mark_changes.c.id.desc())
    )
    return [
        PastChange(
            row.at,
            row.actor_id,
            Mark(pupil_id, row.before_symbol, row.before_reason),
            Mark(pupil_id, row.after_symbol, row.after_reason),
            row.why,
        )
        for row in await tx.execute(query)
    ]


async def corrected(tx: Transaction, pupil_ids: Sequence[UUID], from_on: date, to_on: date) -> set[tuple[UUID, date]]:
    """Which days of which children were corrected (they are shown so on the month sheet)."""
    query = (
        select(mark_changes.c.pupil_id, mark_changes.c.on_day)
        .where(mark_changes.c.pupil_id.in_(pupil_ids), mark_changes.c.on_day.between(from_on, to_on))
        .distinct()
    )
    return {(row.pupil_id, row.on_day) for row in await tx.execute(query)}
