"""What the register of roster says, as this service keeps it: schools, classes, members, appointments, duties."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from jpschool.school_grade import SchoolGrade
from servicekit.db import Transaction
from servicekit.errors import Unseen
from sqlalchemy import Row, text

from grades.domain.standing import ClassKind, Duty, DutyKind, Post, SchoolClass, Standing


@dataclass(frozen=True, slots=True)
class Member:
    """A pupil whose last class of the school within a period is the one asked for."""

    pupil_id: UUID
    number: int
    present: bool
    """Whether the pupil is in the class on the day asked for; who has left is shown and not counted as missing."""
    school_grade: SchoolGrade | None = None
    """The pupil's own, or the class's; None where the register tells none."""


@dataclass(frozen=True, slots=True)
class PupilClass:
    """A class a pupil was in, and the pupil's 学年 there."""

    school_class: SchoolClass
    school_grade: SchoolGrade | None


_CLASS_COLUMNS = "c.class_id, c.school_id, c.school_year, c.school_grade, c.name, c.kind, c.school_grades"


def _school_grade(value: str | None) -> SchoolGrade | None:
    return SchoolGrade(value) if value else None


def _school_class(row: Row[tuple[object, ...]]) -> SchoolClass:
    return SchoolClass(
        row.class_id,
        row.school_id,
        row.school_year,
        _school_grade(row.school_grade),
        row.name,
        ClassKind(row.kind),
        tuple(SchoolGrade(one) for one in row.school_grades),
    )


async def class_of(tx: Transaction, class_id: UUID) -> SchoolClass:
    """Raises: Unseen, where this board has no such class."""
    statement = text(f"SELECT {_CLASS_COLUMNS} FROM classes c WHERE c.tenant_id = :tenant AND c.class_id = :class_id")  # noqa: S608
    row = (await tx.execute(statement, {"tenant": tx.tenant, "class_id": class_id})).one_or_none()
    if row is None:
        raise Unseen("この学級は見つかりません。")
    return _school_class(row)


async def classes_of_school(tx: Transaction, school_id: UUID, school_year: int) -> Sequence[SchoolClass]:
    """学級 of that year in the order of 学年 and name, those of several 学年 last; 講座 are left out."""
    statement = text(
        f"SELECT {_CLASS_COLUMNS} FROM classes c"  # noqa: S608
        " WHERE c.tenant_id = :tenant AND c.school_id = :school_id AND c.school_year = :school_year"
        " AND c.kind <> 'course'"
        " ORDER BY cardinality(c.school_grades) > 1, c.school_grade"
        ', c.name COLLATE "C", c.class_id'
    )
    params = {"tenant": tx.tenant, "school_id": school_id, "school_year": school_year}
    return [_school_class(row) for row in await tx.execute(statement, params)]


async def school_exists(tx: Transaction, school_id: UUID) -> bool:
    statement = text(
        "SELECT EXISTS (SELECT FROM schools WHERE tenant_id = :tenant AND school_id = :school_id)"
        " OR EXISTS (SELECT FROM classes WHERE tenant_id = :tenant AND school_id = :school_id)"
    )
    return bool((await tx.execute(statement, {"tenant": tx.tenant, "school_id": school_id})).scalar_one())


_STANDING = text("""
    SELECT 'appointment' AS what, school_id, post AS kind, NULL::uuid AS class_id, '' AS subject, '' AS school_grade
      FROM appointments
     WHERE tenant_id = :tenant AND staff_id = :staff_id AND school_id IS NOT NULL
       AND starts_on <= :day AND (ends_on IS NULL OR ends_on >= :day)
    UNION ALL
    SELECT 'duty', school_id, kind, class_id, subject, school_grade
      FROM duties
     WHERE tenant_id = :tenant AND staff_id = :staff_id
       AND starts_on <= :day AND (ends_on IS NULL OR ends_on >= :day)
""")


async def standing_of(tx: Transaction, staff_id: UUID, day: date) -> Standing:
    """Appointments and duties that hold on `day`; empty for somebody the register does not know."""
    rows = (await tx.execute(_STANDING, {"tenant": tx.tenant, "staff_id": staff_id, "day": day})).all()
    return Standing(
        posts=frozenset((row.school_id, Post(row.kind)) for row in rows if row.what == "appointment"),
        duties=tuple(
            Duty(
                DutyKind(row.kind),
                row.school_id,
                row.class_id,
                row.subject,
                SchoolGrade(row.school_grade) if row.school_grade else None,
            )
            for row in rows
            if row.what == "duty"
        ),
    )


# The last class of the school within the period counts: who moved to another class is written there, who left the
# school stays where they were, because 指導要録 is completed for them too (転学・退学の児童生徒も記入を終える).
_MEMBERS = text("""
    SELECT m.pupil_id,
           (array_agg(m.number ORDER BY m.starts_on DESC))[1] AS number,
           (array_agg(m.school_grade ORDER BY m.starts_on DESC))[1] AS school_grade,
           bool_or(m.starts_on <= :day AND (m.ends_on IS NULL OR m.ends_on >= :day)) AS present
      FROM class_members m
     WHERE m.tenant_id = :tenant AND m.class_id = :class_id
       AND m.starts_on <= :ends_on AND (m.ends_on IS NULL OR m.ends_on >= :starts_on)
       AND (SELECT count(*) FROM class_members later
              JOIN classes c ON c.tenant_id = later.tenant_id AND c.class_id = later.class_id
             WHERE later.tenant_id = :tenant AND later.pupil_id = m.pupil_id AND later.class_id <> m.class_id
               AND later.starts_on > m.starts_on AND later.starts_on <= :ends_on
               AND c.school_id = :school_id AND c.school_year = :school_year AND c.kind <> 'course') = 0
     GROUP BY m.pupil_id
     ORDER BY number, m.pupil_id
""")


async def members(
    tx: Transaction, school_class: SchoolClass, *, starts_on: date, ends_on: date, day: date
) -> Sequence[Member]:
    """Pupils of the class between both days (inclusive), in 出席番号 order."""
    params = {
        "tenant": tx.tenant,
        "class_id": school_class.id,
        "school_id": school_class.school_id,
        "school_year": school_class.school_year,
        "starts_on": starts_on,
        "ends_on": ends_on,
        "day": day,
    }
    return [
        Member(row.pupil_id, row.number, row.present, _school_grade(row.school_grade) or school_class.school_grade)
        for row in await tx.execute(_MEMBERS, params)
    ]


_CLASSES_OF_PUPILS = text(f"""
    SELECT DISTINCT ON (m.pupil_id, c.school_id, c.school_year) m.pupil_id, {_CLASS_COLUMNS},
           m.school_grade AS own
      FROM class_members m JOIN classes c ON c.tenant_id = m.tenant_id AND c.class_id = m.class_id
     WHERE m.tenant_id = :tenant AND m.pupil_id = ANY(:pupil_ids) AND c.kind <> 'course'
     ORDER BY m.pupil_id, c.school_id, c.school_year, m.starts_on DESC
""")  # noqa: S608


async def classes_of_pupils(tx: Transaction, pupil_ids: Sequence[UUID]) -> dict[UUID, list[PupilClass]]:
    """The last class of each pupil in each school and school year, oldest year first."""
    found: dict[UUID, list[PupilClass]] = {}
    for row in await tx.execute(_CLASSES_OF_PUPILS, {"tenant": tx.tenant, "pupil_ids": list(pupil_ids)}):
        school_class = _school_class(row)
        own = _school_grade(row.own) or school_class.school_grade
        found.setdefault(row.pupil_id, []).append(PupilClass(school_class, own))
    for classes in found.values():
        classes.sort(key=lambda one: one.school_class.school_year)
    return found
