"""What the register of roster says, as this service keeps it: schools, classes, who sits where, who holds what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from servicekit.db import Transaction
from sqlalchemy import Row, text

from learning.domain.register import ClassKind, Duty, DutyKind, Member, Place, Post, School, SchoolClass, Standing

_CLASS = "c.class_id, c.school_id, c.school_year, c.school_grade, c.name, c.kind"
_ON_DAY = "m.starts_on <= :day AND (m.ends_on IS NULL OR m.ends_on >= :day)"


async def schools(tx: Transaction, school_ids: Sequence[UUID] | None = None) -> list[School]:
    """Schools of the board by 学校コード and name; all of them without ids."""
    statement = text("""
        SELECT school_id, code, name, kind FROM schools
         WHERE tenant_id = :tenant AND (CAST(:ids AS uuid[]) IS NULL OR school_id = ANY(:ids))
         ORDER BY kind, code, name, school_id""")
    ids = None if school_ids is None else list(school_ids)
    rows = await tx.execute(statement, {"tenant": tx.tenant, "ids": ids})
    return [School(row.school_id, row.code, row.name, row.kind) for row in rows]


async def class_of(tx: Transaction, class_id: UUID) -> SchoolClass | None:
    """学級 or 講座; None where this board has none with that id."""
    statement = text(f"SELECT {_CLASS} FROM classes c WHERE c.tenant_id = :tenant AND c.class_id = :class_id")  # noqa: S608
    row = (await tx.execute(statement, {"tenant": tx.tenant, "class_id": class_id})).one_or_none()
    return _class(row) if row else None


async def classes_of_school(tx: Transaction, school_id: UUID, school_year: int) -> list[SchoolClass]:
    """学級 and 講座 of that year by 学年 and name."""
    statement = text(f"""
        SELECT {_CLASS} FROM classes c
         WHERE c.tenant_id = :tenant AND c.school_id = :school_id AND c.school_year = :school_year
         ORDER BY c.kind = 'course', c.school_grade = '', c.school_grade, c.name COLLATE "C", c.class_id""")  # noqa: S608
    params = {"tenant": tx.tenant, "school_id": school_id, "school_year": school_year}
    return [_class(row) for row in await tx.execute(statement, params)]


async def members(tx: Transaction, class_id: UUID, day: date) -> list[Member]:
    """Who is in the class on that day, by 出席番号."""
    statement = text(f"""
        SELECT m.pupil_id, m.number, m.starts_on, m.ends_on, coalesce(nullif(m.school_grade, ''), c.school_grade) AS own
          FROM class_members m JOIN classes c ON c.tenant_id = m.tenant_id AND c.class_id = m.class_id
         WHERE m.tenant_id = :tenant AND m.class_id = :class_id AND {_ON_DAY}
         ORDER BY m.number, m.pupil_id""")  # noqa: S608
    rows = await tx.execute(statement, {"tenant": tx.tenant, "class_id": class_id, "day": day})
    return [Member(row.pupil_id, row.number, row.starts_on, row.ends_on, row.own) for row in rows]


async def places(tx: Transaction, pupil_ids: Sequence[UUID], day: date) -> dict[UUID, list[Place]]:
    """Where each child sits on that day: 学級 first, then 講座. A child the register does not know is missing."""
    statement = text(f"""
        SELECT {_CLASS}, m.pupil_id, m.number, coalesce(nullif(m.school_grade, ''), c.school_grade) AS own
          FROM class_members m JOIN classes c ON c.tenant_id = m.tenant_id AND c.class_id = m.class_id
         WHERE m.tenant_id = :tenant AND m.pupil_id = ANY(:pupil_ids) AND {_ON_DAY}
         ORDER BY m.pupil_id, c.kind = 'course', c.school_year DESC, c.class_id""")  # noqa: S608
    found: dict[UUID, list[Place]] = {}
    for row in await tx.execute(statement, {"tenant": tx.tenant, "pupil_ids": list(pupil_ids), "day": day}):
        found.setdefault(row.pupil_id, []).append(Place(row.pupil_id, _class(row), row.number, row.own))
    return found


async def subjects_of_school(tx: Transaction, school_id: UUID) -> list[UUID]:
    """Whom and what the school's log entries are about: the school, its classes and its children of all years."""
    statement = text("""
        SELECT class_id AS subject FROM classes WHERE tenant_id = :tenant AND school_id = :school_id
        UNION
        SELECT m.pupil_id FROM class_members m JOIN classes c ON c.tenant_id = m.tenant_id AND c.class_id = m.class_id
         WHERE m.tenant_id = :tenant AND c.school_id = :school_id""")
    rows = await tx.execute(statement, {"tenant": tx.tenant, "school_id": school_id})
    return [school_id, *(row.subject for row in rows)]


_STANDING = text("""
    SELECT school_id, post, NULL AS kind, NULL::uuid AS class_id, '' AS subject, '' AS school_grade
      FROM appointments
     WHERE tenant_id = :tenant AND staff_id = :staff_id AND school_id IS NOT NULL
       AND starts_on <= :day AND (ends_on IS NULL OR ends_on >= :day)
    UNION ALL
    SELECT school_id, NULL, kind, class_id, subject, school_grade
      FROM duties
     WHERE tenant_id = :tenant AND staff_id = :staff_id
       AND starts_on <= :day AND (ends_on IS NULL OR ends_on >= :day)""")


async def standing(tx: Transaction, staff_id: UUID, day: date) -> Standing:
    """Posts and duties that hold on `day`; empty for somebody the register does not know."""
    rows = (await tx.execute(_STANDING, {"tenant": tx.tenant, "staff_id": staff_id, "day": day})).all()
    return Standing(
        posts=frozenset((row.school_id, Post(row.post)) for row in rows if row.post),
        duties=frozenset(
            Duty(DutyKind(row.kind), row.school_id, row.class_id, row.subject, row.school_grade)
            for row in rows
            if row.kind
        ),
    )


def _class(row: Row[tuple[object, ...]]) -> SchoolClass:
    return SchoolClass(row.class_id, row.school_id, row.school_year, row.school_grade, row.name, ClassKind(row.kind))
