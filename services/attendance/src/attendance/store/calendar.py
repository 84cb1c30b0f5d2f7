"""Lesson days, closures and term locks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from servicekit.db import Transaction
from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from attendance.domain.calendar import CalendarDay, Closure
from attendance.domain.register import TermLock
from attendance.store.tables import calendar_days, calendars, closures, term_locks


@dataclass(frozen=True, slots=True)
class SchoolCalendar:
    """A school's year, day by day, with the version a change must name."""

    school_id: UUID
    school_year: int
    days: tuple[CalendarDay, ...]
    version: int


async def days(tx: Transaction, school_id: UUID, from_on: date, to_on: date) -> dict[date, CalendarDay]:
    """The school's days of a range by date."""
    query = select(calendar_days).where(
        calendar_days.c.school_id == school_id, calendar_days.c.on_day.between(from_on, to_on)
    )
    return {
        row.on_day: CalendarDay(row.on_day, row.lesson, row.note, tuple(row.school_grades))
        for row in await tx.execute(query)
    }


async def version_of(tx: Transaction, school_id: UUID, school_year: int) -> int:
    """0 = the school has no calendar of that year yet."""
    query = select(calendars.c.version).where(
        calendars.c.school_id == school_id, calendars.c.school_year == school_year
    )
    return (await tx.execute(query)).scalar_one_or_none() or 0


async def start(tx: Transaction, school_id: UUID, school_year: int, year: Sequence[CalendarDay]) -> None:
    """Enter a year's first calendar; does nothing when there is one."""
    statement = (
        upsert(calendars)
        .values(tenant_id=tx.tenant, school_id=school_id, school_year=school_year, version=1)
        .on_conflict_do_nothing()
        .returning(calendars.c.version)
    )
    if (await tx.execute(statement)).one_or_none() is not None:
        await _put(tx, school_id, school_year, year)


async def change(
    tx: Transaction, school_id: UUID, school_year: int, changed: Sequence[CalendarDay], version: int
) -> bool:
    """Replace some days; False when somebody changed the calendar since `version`."""
    statement = (
        update(calendars)
        .where(
            calendars.c.school_id == school_id,
            calendars.c.school_year == school_year,
            calendars.c.version == version,
        )
        .values(version=version + 1)
    )
    if (await tx.execute(statement)).rowcount == 0:
        return False
    on_days = [day.on for day in changed]
    await tx.execute(
        delete(calendar_days).where(calendar_days.c.school_id == school_id, calendar_days.c.on_day.in_(on_days))
    )
    await _put(tx, school_id, school_year, changed)
    return True


async def _put(tx: Transaction, school_id: UUID, school_year: int, year: Sequence[CalendarDay]) -> None:
    rows = [
        {
            "tenant_id": tx.tenant,
            "school_id": school_id,
            "on_day": day.on,
            "school_year": school_year,
            "lesson": day.lesson,
            "note": day.note,
            "school_grades": list(day.school_grades),
        }
        for day in year
    ]
    if rows:
        await tx.execute(insert(calendar_days), rows)


async def closures_between(tx: Transaction, school_id: UUID, from_on: date, to_on: date) -> list[Closure]:
    """Closures that touch the range, cancelled ones included (they stay readable)."""
    query = (
        select(closures)
        .where(closures.c.school_id == school_id, closures.c.starts_on <= to_on, closures.c.ends_on >= from_on)
        .order_by(closures.c.starts_on, closures.c.id)
    )
    return [_closure(row) for row in await tx.execute(query)]


async def get_closure(tx: Transaction, closure_id: UUID) -> Closure | None:
    """One closure."""
    row = (await tx.execute(select(closures).where(closures.c.id == closure_id))).one_or_none()
    return None if row is None else _closure(row)


def _closure(row: Row[Any]) -> Closure:
    return Closure(
        id=row.id,
        school_id=row.school_id,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        reason=row.reason,
        school_grade=row.school_grade,
        class_id=row.class_id,
        cancelled=row.cancelled_at is not None,
    )


async def add_closure(tx: Transaction, closure: Closure) -> None:
    """Enter a closure."""
    await tx.execute(
        insert(closures).values(
            tenant_id=tx.tenant,
            id=closure.id,
            school_id=closure.school_id,
            school_grade=closure.school_grade,
            class_id=closure.class_id,
            starts_on=closure.starts_on,
            ends_on=closure.ends_on,
            reason=closure.reason,
        )
    )


async def cancel_closure(tx: Transaction, closure_id: UUID, at: datetime) -> None:
    """Mark a closure as cancelled; the entry stays."""
    await tx.execute(update(closures).where(closures.c.id == closure_id).values(cancelled_at=at))


async def lock_term(tx: Transaction, school_id: UUID, school_year: int, lock: TermLock, closed_at: datetime) -> None:
    """Copy that a term was closed."""
    values = {
        "tenant_id": tx.tenant,
        "school_id": school_id,
        "school_year": school_year,
        "term": lock.term,
        "starts_on": lock.starts_on,
        "ends_on": lock.ends_on,
        "closed_at": closed_at,
    }
    statement = upsert(term_locks).values(values)
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "school_id", "school_year", "term"], set_={"closed_at": closed_at}
        )
    )


async def unlock_term(tx: Transaction, school_id: UUID, school_year: int, term: str) -> None:
    """Copy that a term was reopened."""
    await tx.execute(
        delete(term_locks).where(
            term_locks.c.school_id == school_id, term_locks.c.school_year == school_year, term_locks.c.term == term
        )
    )
