"""Classes as tools see them: who works with them, and which ones a person works with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from servicekit.db import Transaction
from sqlalchemy import text

from learning.domain.register import ClassKind, SchoolClass


async def classes_of_schools(tx: Transaction, school_ids: Sequence[UUID], school_year: int) -> list[SchoolClass]:
    """Every 学級 and 講座 of those schools in that year, by 学年 and name."""
    rows = await tx.execute(
        text("""
            SELECT class_id, school_id, school_year, school_grade, name, kind FROM classes
             WHERE tenant_id = :tenant AND school_id = ANY(:schools) AND school_year = :school_year
             ORDER BY kind = 'course', school_grade = '', school_grade, name COLLATE "C", class_id"""),
        {"tenant": tx.tenant, "schools": list(school_ids), "school_year": school_year},
    )
    return [
        SchoolClass(row.class_id, row.school_id, row.school_year, row.school_grade, row.name, ClassKind(row.kind))
        for row in rows
    ]


async def teachers_of_class(tx: Transaction, class_id: UUID, day: date) -> list[UUID]:
    """担任, 副担任 and 教科担任 of the class on that day, each once."""
    rows = await tx.execute(
        text("""
            SELECT DISTINCT staff_id FROM duties
             WHERE tenant_id = :tenant AND class_id = :class_id
               AND starts_on <= :day AND (ends_on IS NULL OR ends_on >= :day) ORDER BY staff_id"""),
        {"tenant": tx.tenant, "class_id": class_id, "day": day},
    )
    return [row.staff_id for row in rows]
