"""Whole aggregates for events and snapshots: a class with all members, a person's duties, an enrolment, a school."""

# Statements are put together from constants of this module; values are always parameters.
# ruff: noqa: S608
from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

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


async def class_rosters(tx: Transaction, ids: Sequence[UUID]) -> list[ClassRosterState]:
    """Classes by id, with members in 出席番号 order. A withdrawn class has none."""
    wanted = {"ids": list(ids)}
    members: dict[UUID, list[Member]] = {}
    found: Iterable[Any] = await tx.execute(
        text("""SELECT class_id, pupil_id, number, starts_on, ends_on FROM class_members
            WHERE class_id = ANY(:ids) AND (ends_on IS NULL OR ends_on >= starts_on)
            ORDER BY class_id, number, pupil_id, starts_on"""),
        wanted,
    )
    for class_id, pupil_id, number, starts_on, ends_on in found:
        members.setdefault(class_id, []).append(Member(pupil_id, number, Period(starts_on, ends_on)))
    query = f"SELECT {CLASS} FROM classes c WHERE c.id = ANY(:ids) ORDER BY c.id"
    return [
        ClassRosterState(rows.school_class(row), tuple(members.get(row.id, ())))
        for row in await tx.execute(text(query), wanted)
    ]


async def staff(tx: Transaction, ids: Sequence[UUID]) -> list[StaffState]:
    """Posts and duties of people."""
    wanted = {"ids": list(ids)}
    posts: dict[UUID, list[Appointment]] = {}
    for row in await tx.execute(
        text("""SELECT staff_id, school_id, post, starts_on, ends_on FROM appointments WHERE staff_id = ANY(:ids)
                ORDER BY starts_on, post"""),
        wanted,
    ):
        posts.setdefault(row.staff_id, []).append(rows.appointment(row))
    duties: dict[UUID, list[Duty]] = {}
    query = f"SELECT {DUTY} FROM duties d WHERE d.staff_id = ANY(:ids) ORDER BY d.starts_on, d.id"
    for row in await tx.execute(text(query), wanted):
        duties.setdefault(row.staff_id, []).append(rows.duty(row))
    versions = await tx.execute(text("SELECT id, version FROM persons WHERE id = ANY(:ids) ORDER BY id"), wanted)
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
