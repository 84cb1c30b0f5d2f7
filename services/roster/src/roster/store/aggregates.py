"""Whole aggregates for events and snapshots: a class with all members, a person's duties, an enrolment, a school."""

# Statements are put together from constants of this module; values are always parameters.
# ruff: noqa: S608
from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from jpschool.school_grade import SchoolGrade
from servicekit.db import Transaction
from sqlalchemy import text

from roster.domain.duty import Duty
from roster.domain.people import Appointment, ClassRosterState, EnrolmentState, Member, StaffState
from roster.domain.period import Period
from roster.store import rows
from roster.store.rows import CLASS, DUTY

_BATCH = 2000


def batches(ids: Collection[UUID]) -> Iterator[Sequence[UUID]]:
    """Ids in a stable order, some at a time."""
    ordered = sorted(ids)
    for start in range(0, len(ordered), _BATCH):
        yield ordered[start : start + _BATCH]


_CLASSES = text(f"SELECT {CLASS} FROM classes c WHERE c.id = ANY(:ids) ORDER BY c.id")
_MEMBERS = text("""SELECT class_id, pupil_id, number, starts_on, ends_on FROM class_members
    WHERE class_id = ANY(:ids) AND (ends_on IS NULL OR ends_on >= starts_on)
    ORDER BY class_id, number, pupil_id, starts_on""")


async def class_rosters(tx: Transaction, ids: Sequence[UUID]) -> list[ClassRosterState]:
    """Classes by id, with members in 出席番号 order. A withdrawn class has none."""
    wanted = {"ids": list(ids)}
    known, grown, found = await tx.execute_all((_CLASSES, wanted), (_OWN, wanted), (_MEMBERS, wanted))
    classes = [rows.school_class(row) for row in known]
    of_class = {value.id: value.school_grade for value in classes}
    own = _own(grown)
    members: dict[UUID, list[Member]] = {}
    period = lru_cache(Period)  # thousands of children, a handful of different times
    listed: Iterable[Any] = found
    for class_id, pupil_id, number, starts_on, ends_on in listed:
        school_grade = (own.get((class_id, pupil_id)) if own else None) or of_class.get(class_id, "")
        members.setdefault(class_id, []).append(Member(pupil_id, number, period(starts_on, ends_on), school_grade))
    return [ClassRosterState(value, tuple(members.get(value.id, ()))) for value in classes]


# The roll knows the 学年 of the school's newest year, or of the year the child left in; before that it was one less per
# year. In an ordinary class of a former year the class says it: a child may have stayed down (原級留置).
_ORDER = "CASE left({0}, 1) WHEN 'J' THEN 6 ELSE 0 END + CAST(nullif(substr({0}, 2), '') AS int)"
_OWN = text(f"""
    WITH newest AS (
        SELECT school_id, max(school_year) AS school_year FROM classes
         WHERE school_id IN (SELECT school_id FROM classes WHERE id = ANY(:ids)) AND withdrawn_on IS NULL
         GROUP BY school_id),
    members AS MATERIALIZED (
        SELECT c.id AS class_id, c.school_id, c.school_year, c.kind, c.school_grade, m.pupil_id, m.starts_on, m.ends_on
          FROM classes c JOIN class_members m ON m.class_id = c.id WHERE c.id = ANY(:ids) AND c.kind <> 'course'),
    own AS (
        SELECT m.class_id, m.pupil_id, m.kind, m.school_grade, {_ORDER.format("e.school_grade")} AS place,
               least(n.school_year,
                     CAST(extract(year FROM e.ends_on - interval '3 months') AS int)) - m.school_year AS later
          FROM members m JOIN newest n ON n.school_id = m.school_id
          JOIN enrolments e ON e.pupil_id = m.pupil_id AND e.school_id = m.school_id
               AND e.starts_on <= coalesce(m.ends_on, e.starts_on) AND coalesce(e.ends_on, m.starts_on) >= m.starts_on
         WHERE e.school_grade ~ '^(P[1-6]|J[1-3])$'
         ORDER BY e.starts_on)
    SELECT class_id, pupil_id, place - later AS place FROM own
     WHERE (later = 0 OR kind = 'special_needs' OR school_grade = '') AND place - later BETWEEN 1 AND 9
       AND place - later IS DISTINCT FROM {_ORDER.format("school_grade")}""")
_SCHOOL_GRADES = tuple(SchoolGrade)


async def own_school_grades(tx: Transaction, ids: Sequence[UUID]) -> dict[tuple[UUID, UUID], str]:
    """学年 of children that is not their class's: classes of several 学年 (特別支援学級, 複式学級) go by the lowest."""
    return _own(await tx.execute(_OWN, {"ids": list(ids)}))


def _own(found: Iterable[Any]) -> dict[tuple[UUID, UUID], str]:
    return {(row.class_id, row.pupil_id): _SCHOOL_GRADES[row.place - 1].value for row in found}


_POSTS = text("""SELECT staff_id, school_id, post, starts_on, ends_on FROM appointments WHERE staff_id = ANY(:ids)
    ORDER BY starts_on, post""")
_DUTIES = text(f"SELECT {DUTY} FROM duties d WHERE d.staff_id = ANY(:ids) ORDER BY d.starts_on, d.id")
_VERSIONS = text("SELECT id, version FROM persons WHERE id = ANY(:ids) ORDER BY id")


async def staff(tx: Transaction, ids: Sequence[UUID]) -> list[StaffState]:
    """Posts and duties of people."""
    wanted = {"ids": list(ids)}
    held, charged, versions = await tx.execute_all((_POSTS, wanted), (_DUTIES, wanted), (_VERSIONS, wanted))
    posts: dict[UUID, list[Appointment]] = {}
    for row in held:
        posts.setdefault(row.staff_id, []).append(rows.appointment(row))
    duties: dict[UUID, list[Duty]] = {}
    for row in charged:
        duties.setdefault(row.staff_id, []).append(rows.duty(row))
    return [
        StaffState(row.id, tuple(posts.get(row.id, ())), tuple(duties.get(row.id, ())), row.version) for row in versions
    ]


async def enrolments(tx: Transaction, ids: Sequence[UUID]) -> list[EnrolmentState]:
    """Times on the roll by id."""
    query = text("""SELECT id, pupil_id, school_id, starts_on, ends_on, entered_by, left_by, version FROM enrolments
        WHERE id = ANY(:ids) ORDER BY id""")
    return [
        EnrolmentState(
            row.id, row.pupil_id, row.school_id, Period(row.starts_on, row.ends_on), row.entered_by, row.left_by,
            row.version,
        )
        for row in await tx.execute(query, {"ids": list(ids)})
    ]  # fmt: skip


async def all_ids(tx: Transaction, school_year: int) -> AsyncIterator[tuple[str, Sequence[UUID]]]:
    """Ids of every aggregate of the board, in batches: (kind, ids). `school_year` 0 = every year."""
    for kind, query in (
        ("school", "SELECT id FROM schools ORDER BY id"),
        ("class", "SELECT id FROM classes WHERE :year IN (0, school_year) ORDER BY id"),
        (
            "staff",
            """SELECT DISTINCT staff_id AS id FROM (SELECT staff_id FROM appointments
               UNION ALL SELECT staff_id FROM duties) x ORDER BY id""",
        ),
        ("enrolment", "SELECT id FROM enrolments ORDER BY id"),
    ):
        found = await tx.execute(text(query), {"year": school_year} if ":year" in query else {})
        for batch in batches([row.id for row in found]):
            yield kind, batch
