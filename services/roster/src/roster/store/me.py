"""The signed-in person, asked for by nearly every page: three round trips."""

# Statements are put together from constants of this module; values are always parameters.
# ruff: noqa: S608
from __future__ import annotations

from datetime import date
from uuid import UUID

from servicekit.db import Transaction
from sqlalchemy import text

from roster.domain.duty import Duty
from roster.domain.names import NameSets
from roster.domain.people import Appointment, Board, School, SchoolClass
from roster.domain.period import Period
from roster.store import rows
from roster.store.rows import NAMES

_PERSON = text(f"""
    SELECT b.id AS board_id, b.tenant_id, b.code, b.name, p.id, {NAMES} FROM (SELECT CAST(:id AS uuid) AS id) me
    LEFT JOIN persons p ON p.id = me.id LEFT JOIN boards b ON true""")
_POSTS = text("""
    SELECT a.staff_id, a.school_id, a.post, a.starts_on, a.ends_on, s.id, s.code, s.name, s.kind, s.address, s.version
    FROM appointments a LEFT JOIN schools s ON s.id = a.school_id AND s.closed_on IS NULL
    WHERE a.staff_id = :id AND a.starts_on <= :on AND (a.ends_on IS NULL OR a.ends_on >= :on)
    ORDER BY s.code, a.starts_on, a.post""")
_DUTIES = text("""
    SELECT d.id AS duty_id, d.kind AS duty_kind, d.staff_id, d.school_id AS of_school, d.class_id, d.subject,
           d.school_grade AS of_grade, d.starts_on, d.ends_on,
           c.id, c.school_id, c.school_year, c.school_grade, c.name, c.kind, c.version
    FROM duties d LEFT JOIN classes c ON c.id = d.class_id
    WHERE d.staff_id = :id AND d.starts_on <= :on AND (d.ends_on IS NULL OR d.ends_on >= :on)
    ORDER BY c.school_grade, c.name, d.kind, d.starts_on, d.id""")


async def person_and_board(tx: Transaction, person_id: UUID) -> tuple[NameSets | None, Board | None]:
    """Names of the person, and the board; each None where the register does not know it."""
    row = (await tx.execute(_PERSON, {"id": person_id})).one()
    board = Board(row.board_id, row.tenant_id, row.code, row.name) if row.board_id else None
    return (rows.names(row) if row.id else None), board


async def posts(tx: Transaction, person_id: UUID, on: date) -> tuple[list[Appointment], list[School]]:
    """Posts of the day and the schools they are at."""
    found: list[Appointment] = []
    schools: dict[UUID, School] = {}
    for row in await tx.execute(_POSTS, {"id": person_id, "on": on}):
        found.append(rows.appointment(row))
        if row.id is not None:
            schools[row.id] = rows.school(row)
    return found, list(schools.values())


async def duties(tx: Transaction, person_id: UUID, on: date) -> tuple[list[Duty], list[SchoolClass]]:
    """Duties of the day and the classes they are about."""
    found: list[Duty] = []
    classes: dict[UUID, SchoolClass] = {}
    for row in await tx.execute(_DUTIES, {"id": person_id, "on": on}):
        found.append(
            Duty(
                row.duty_id, row.duty_kind, row.staff_id, row.of_school, row.class_id, row.subject, row.of_grade,
                Period(row.starts_on, row.ends_on),
            )
        )  # fmt: skip
        if row.id is not None:
            classes[row.id] = rows.school_class(row)
    return found, list(classes.values())
