"""Boards, schools, classes and what a member of staff is today."""

# Statements are put together from constants of this module; values are always parameters.
# ruff: noqa: S608
from __future__ import annotations

from collections.abc import Collection
from datetime import date
from uuid import UUID

from servicekit.db import Transaction
from sqlalchemy import text

from roster.domain.people import ClassSummary, School, SchoolClass, StaffName
from roster.domain.standing import Standing
from roster.store import rows
from roster.store.rows import CLASS, NAMES

_STANDING = text("""
    SELECT school_id, post, NULL::uuid AS class_id FROM appointments
    WHERE staff_id = :person AND starts_on <= :on AND (ends_on IS NULL OR ends_on >= :on)
    UNION ALL
    SELECT school_id, kind, class_id FROM duties
    WHERE staff_id = :person AND kind IN ('homeroom', 'assistant_homeroom')
      AND starts_on <= :on AND (ends_on IS NULL OR ends_on >= :on)""")


async def standing(tx: Transaction, person_id: UUID, on: date) -> Standing:
    """What the person is on that day: posts per school and classes led."""
    posts: dict[UUID, frozenset[str]] = {}
    led = []
    of_board = False
    for row in await tx.execute(_STANDING, {"person": person_id, "on": on}):
        if row.class_id is not None:
            led.append(row.class_id)
        elif row.school_id is None:
            of_board = True
        else:
            posts[row.school_id] = posts.get(row.school_id, frozenset()) | {row.post}
    return Standing(person_id, posts, frozenset(led), of_board)


async def schools(tx: Transaction, ids: Collection[UUID] | None = None, *, closed: bool = False) -> list[School]:
    """Schools by 学校コード; of the whole board when no ids are given."""
    where = "WHERE true" + ("" if ids is None else " AND id = ANY(:ids)") + ("" if closed else " AND closed_on IS NULL")
    query = f"SELECT id, code, name, kind, address, version FROM schools {where} ORDER BY code"
    return [rows.school(row) for row in await tx.execute(text(query), {} if ids is None else {"ids": list(ids)})]


async def get_class(tx: Transaction, class_id: UUID, *, lock: bool = False) -> SchoolClass | None:
    """The class, or None."""
    query = f"SELECT {CLASS} FROM classes c WHERE c.id = :id AND c.withdrawn_on IS NULL" + (
        " FOR UPDATE" if lock else ""
    )
    row = (await tx.execute(text(query), {"id": class_id})).one_or_none()
    return rows.school_class(row) if row else None


_SUMMARIES = f"""
    WITH page AS MATERIALIZED (
        SELECT c.* FROM classes c
        WHERE c.school_year = :year AND c.withdrawn_on IS NULL AND {{scope}}
          AND (CAST(:after AS uuid) IS NULL OR (c.school_id, c.kind = 'course', c.school_grade, c.name, c.id) >
               (SELECT a.school_id, a.kind = 'course', a.school_grade, a.name, a.id FROM classes a WHERE a.id = :after))
        ORDER BY c.school_id, c.kind = 'course', c.school_grade, c.name, c.id LIMIT :limit),
    sizes AS (
        SELECT m.class_id, count(*) AS size FROM class_members m WHERE m.class_id IN (SELECT id FROM page)
          AND m.starts_on <= :on AND (m.ends_on IS NULL OR m.ends_on >= :on) GROUP BY m.class_id)
    SELECT {CLASS}, coalesce(s.size, 0) AS size FROM page c LEFT JOIN sizes s ON s.class_id = c.id
    ORDER BY c.school_id, c.kind = 'course', c.school_grade, c.name, c.id"""


async def class_summaries(
    tx: Transaction, school_ids: Collection[UUID] | None, school_year: int, on: date, after: UUID | None, limit: int
) -> list[ClassSummary]:
    """Classes in printed order with today's size and 担任; courses after homerooms."""
    scope = "true" if school_ids is None else "c.school_id = ANY(:schools)"
    parameters = {"year": school_year, "on": on, "after": after, "limit": limit}
    if school_ids is not None:
        parameters["schools"] = list(school_ids)
    found = (await tx.execute(text(_SUMMARIES.format(scope=scope)), parameters)).all()
    teachers = await homeroom_teachers(tx, [row.id for row in found], on)
    return [ClassSummary(rows.school_class(row), row.size, tuple(teachers.get(row.id, ()))) for row in found]


async def homeroom_teachers(tx: Transaction, class_ids: Collection[UUID], on: date) -> dict[UUID, list[StaffName]]:
    """担任 of each class on a day."""
    query = f"""SELECT d.class_id, p.id, {NAMES}, 'teacher' AS post FROM duties d JOIN persons p ON p.id = d.staff_id
        WHERE d.class_id = ANY(:ids) AND d.kind = 'homeroom' AND d.starts_on <= :on
          AND (d.ends_on IS NULL OR d.ends_on >= :on) ORDER BY d.starts_on, p.sort_key"""
    teachers: dict[UUID, list[StaffName]] = {}
    for row in await tx.execute(text(query), {"ids": list(class_ids), "on": on}):
        teachers.setdefault(row.class_id, []).append(rows.staff_name(row))
    return teachers


async def bump_class(tx: Transaction, class_id: UUID, *, expected: int | None = None) -> int | None:
    """Count the version of the class on; None when someone was faster than `expected`."""
    query = "UPDATE classes SET version = version + 1 WHERE id = :id"
    parameters: dict[str, object] = {"id": class_id}
    if expected is not None:
        query += " AND version = :expected"
        parameters["expected"] = expected
    version: int | None = (await tx.execute(text(query + " RETURNING version"), parameters)).scalar_one_or_none()
    return version
