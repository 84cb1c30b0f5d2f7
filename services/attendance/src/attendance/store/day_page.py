"""All that the entry page of one day shows, in one round trip: what is true of the day, and the marks of the roll.

A page asked table by table costs ten round trips; teachers open it all at once, at eight in the morning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from servicekit.db import Transaction
from sqlalchemy import text

from attendance.domain.calendar import CalendarDay, Closure
from attendance.domain.marks import DEFAULT_REASONS, DEFAULT_SYMBOLS, Category, Mark, Symbol
from attendance.domain.register import SchoolClass, Standing, TermLock
from attendance.store.marks import DaySheet
from attendance.store.register import standing_from


@dataclass(frozen=True, slots=True)
class DayFacts:
    """A class, what the asking person is at its school, and the month up to the day asked for."""

    homeroom: SchoolClass
    standing: Standing
    days: Mapping[date, CalendarDay]
    closures: Sequence[Closure]
    sheet: DaySheet | None
    taken_days: frozenset[date]
    lock: TermLock | None
    symbols: Mapping[str, Symbol]
    reasons: Sequence[str]
    marks: Sequence[Mark]
    """Everybody who is in the class that day, by 出席番号; a child without a row was present."""


_FACTS = text("""
    SELECT c.*, s.version AS sheet_version, s.taken_by, s.taken_at,
        t.term, t.starts_on AS term_starts_on, t.ends_on AS term_ends_on,
        (t.closed_at AT TIME ZONE 'Asia/Tokyo')::date AS term_closed_on,
        (SELECT jsonb_agg(jsonb_build_array(kind, class_id, school_grade)) FROM standing_copies
          WHERE staff_id = :person AND school_id = c.school_id
            AND starts_on <= :today AND (ends_on IS NULL OR ends_on >= :today)) AS standing,
        (SELECT jsonb_agg(jsonb_build_array(on_day, lesson, note, school_grades)) FROM calendar_days
          WHERE school_id = c.school_id AND on_day BETWEEN :first AND :on) AS days,
        (SELECT jsonb_agg(jsonb_build_array(id, starts_on, ends_on, reason, school_grade, class_id,
                                            cancelled_at IS NOT NULL) ORDER BY starts_on, id) FROM closures
          WHERE school_id = c.school_id AND starts_on <= :on AND ends_on >= :first) AS closures,
        ARRAY(SELECT on_day FROM day_sheets WHERE class_id = c.class_id AND on_day BETWEEN :first AND :on) AS taken,
        (SELECT jsonb_agg(jsonb_build_array(key, sign, label, category, shortcut, late, early, retired)
                          ORDER BY position)
           FROM symbols WHERE school_year = c.school_year) AS symbols,
        ARRAY(SELECT text FROM reasons WHERE school_year = c.school_year ORDER BY position) AS reasons
    FROM class_copies c
    LEFT JOIN day_sheets s ON s.class_id = c.class_id AND s.on_day = :on
    LEFT JOIN LATERAL (SELECT * FROM term_locks WHERE school_id = c.school_id AND starts_on <= :on AND ends_on >= :on
                       ORDER BY starts_on LIMIT 1) t ON true
    WHERE c.class_id = :class""")

_ROLL = text("""
    SELECT m.pupil_id, coalesce(k.symbol, '') AS symbol, coalesce(k.reason, '') AS reason,
        coalesce(k.version, 0) AS version
    FROM member_copies m LEFT JOIN marks k ON k.pupil_id = m.pupil_id AND k.on_day = :on
    WHERE m.class_id = :class AND m.starts_on <= :on AND (m.ends_on IS NULL OR m.ends_on >= :on)
    ORDER BY m.number, m.pupil_id""")


async def facts(tx: Transaction, class_id: UUID, person_id: UUID, on: date, today: date) -> DayFacts | None:
    """What is true of the day, or None when the board has no such class. `today`: the day the person's posts are of."""
    asked = {"class": class_id, "person": person_id, "on": on, "first": on.replace(day=1), "today": today}
    found, roll = await tx.execute_all((_FACTS, asked), (_ROLL, {"class": class_id, "on": on}))
    row = found.one_or_none()
    if row is None:
        return None
    return DayFacts(
        homeroom=SchoolClass(row.class_id, row.school_id, row.school_year, row.school_grade, row.name),
        standing=standing_from(
            (kind, UUID(place) if place else None, led) for kind, place, led in row.standing or ()
        ),
        days={day.on: day for day in map(_day, row.days or ())},
        closures=[_closure(row.school_id, closure) for closure in row.closures or ()],
        sheet=None if row.taken_at is None else DaySheet(on, row.sheet_version, row.taken_by, row.taken_at, class_id),
        taken_days=frozenset(row.taken),
        lock=None if row.term is None else TermLock(row.term, row.term_starts_on, row.term_ends_on, row.term_closed_on),
        symbols={symbol.key: symbol for symbol in map(_symbol, row.symbols or ())}
        or {symbol.key: symbol for symbol in DEFAULT_SYMBOLS},
        reasons=row.reasons or DEFAULT_REASONS,
        marks=[Mark(*values) for values in roll],
    )


def _day(values: list[Any]) -> CalendarDay:
    on, lesson, note, school_grades = values
    return CalendarDay(date.fromisoformat(on), lesson, note, tuple(school_grades))


def _closure(school_id: UUID, values: list[Any]) -> Closure:
    id_, starts_on, ends_on, reason, school_grade, class_id, cancelled = values
    return Closure(
        id=UUID(id_),
        school_id=school_id,
        starts_on=date.fromisoformat(starts_on),
        ends_on=date.fromisoformat(ends_on),
        reason=reason,
        school_grade=school_grade,
        class_id=UUID(class_id) if class_id else None,
        cancelled=cancelled,
    )


def _symbol(values: list[Any]) -> Symbol:
    key, sign, label, category, shortcut, late, early, retired = values
    return Symbol(key, sign, label, Category(category), shortcut, late, early, retired)
