"""What is filled and what is missing: curriculum × members against what stands there, counted in the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from servicekit.db import Transaction
from sqlalchemy import text

from grades.domain.standing import SchoolClass


@dataclass(frozen=True, slots=True)
class Expected:
    """A column some 学年 has in some term."""

    school_grade: str
    term: str
    subject: str
    column: str
    required: bool


@dataclass(frozen=True, slots=True)
class TermDay:
    """The day on which a term's members are counted."""

    term: str
    day: date


@dataclass(frozen=True, slots=True)
class Missing:
    """Empty required cells of one class and subject."""

    class_id: UUID
    subject: str
    columns: tuple[str, ...]
    pupil_ids: tuple[UUID, ...]
    cells: int


_EXPECTED = """
    expected AS (
        SELECT * FROM unnest(
            CAST(:grades AS text[]), CAST(:terms AS text[]), CAST(:subjects AS text[]),
            CAST(:columns AS text[]), CAST(:required AS boolean[])
        ) AS e (school_grade, term, subject, column_key, required)
    )"""


def _columns(expected: Sequence[Expected]) -> dict[str, object]:
    return {
        "grades": [column.school_grade for column in expected],
        "terms": [column.term for column in expected],
        "subjects": [column.subject for column in expected],
        "columns": [column.column for column in expected],
        "required": [column.required for column in expected],
    }


_MISSING = text(f"""
    WITH {_EXPECTED}, member AS (
        SELECT DISTINCT c.class_id, coalesce(nullif(m.school_grade, ''), c.school_grade) AS school_grade, m.pupil_id
          FROM classes c JOIN class_members m ON m.tenant_id = c.tenant_id AND m.class_id = c.class_id
         WHERE c.tenant_id = :tenant AND c.school_id = :school_id AND c.school_year = :school_year
           AND c.kind <> 'course'
           AND m.starts_on <= :day AND (m.ends_on IS NULL OR m.ends_on >= :day)
    )
    SELECT m.class_id, e.subject, count(*) AS cells,
           array_agg(DISTINCT e.column_key) AS columns, array_agg(DISTINCT m.pupil_id) AS pupil_ids
      FROM member m JOIN expected e USING (school_grade)
      LEFT JOIN cells f ON f.tenant_id = :tenant AND f.school_id = :school_id AND f.school_year = :school_year
           AND f.pupil_id = m.pupil_id AND f.term = e.term AND f.subject = e.subject AND f.column_key = e.column_key
     WHERE coalesce(f.value, '') = ''
     GROUP BY m.class_id, e.subject
""")  # noqa: S608


async def missing(
    tx: Transaction, school_id: UUID, school_year: int, day: date, expected: Sequence[Expected]
) -> Sequence[Missing]:
    """Empty cells of a whole school in one term, by class and subject, in no order."""
    params = _columns(expected) | {
        "tenant": tx.tenant, "school_id": school_id, "school_year": school_year, "day": day
    }  # fmt: skip
    return [
        Missing(row.class_id, row.subject, tuple(row.columns), tuple(row.pupil_ids), row.cells)
        for row in await tx.execute(_MISSING, params)
    ]


_FILLED = text("""
    WITH day AS (
        SELECT * FROM unnest(CAST(:terms AS text[]), CAST(:days AS date[])) AS d (term, day)
    ), member AS (
        SELECT DISTINCT d.term, m.pupil_id,
               coalesce(nullif(m.school_grade, ''), CAST(:school_grade AS text)) AS school_grade
          FROM day d JOIN class_members m ON m.tenant_id = :tenant AND m.class_id = :class_id
               AND m.starts_on <= d.day AND (m.ends_on IS NULL OR m.ends_on >= d.day)
    )
    SELECT term, school_grade, NULL AS subject, NULL AS column_key, count(*) AS cells
      FROM member GROUP BY term, school_grade
    UNION ALL
    SELECT m.term, m.school_grade, f.subject, f.column_key, count(*)
      FROM member m JOIN cells f ON f.tenant_id = :tenant AND f.school_id = :school_id AND f.school_year = :school_year
           AND f.pupil_id = m.pupil_id AND f.term = m.term
     WHERE f.value <> ''
     GROUP BY m.term, m.school_grade, f.subject, f.column_key
""")


@dataclass(frozen=True, slots=True)
class Filled:
    """How many pupils a class has of each 学年 in each term, and for how many of them each column is filled."""

    members: Mapping[tuple[str, str], int]
    """(term, school_grade) → pupils."""
    cells: Mapping[tuple[str, str, str, str], int]
    """(term, school_grade, subject, column) → pupils."""


async def filled(tx: Transaction, school_class: SchoolClass, days: Sequence[TermDay]) -> Filled:
    """One pass over what stands there; what is expected is the curriculum's affair."""
    params = {
        "tenant": tx.tenant,
        "class_id": school_class.id,
        "school_id": school_class.school_id,
        "school_year": school_class.school_year,
        "school_grade": school_class.school_grade or "",
        "terms": [day.term for day in days],
        "days": [day.day for day in days],
    }
    rows = (await tx.execute(_FILLED, params)).all()
    return Filled(
        {(row.term, row.school_grade): row.cells for row in rows if row.subject is None},
        {
            (row.term, row.school_grade, row.subject, row.column_key): row.cells
            for row in rows
            if row.subject is not None
        },
    )
