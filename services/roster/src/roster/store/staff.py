"""Staff: names, posts and duties."""

# Statements are put together from constants of this module; values are always parameters.
# ruff: noqa: S608
from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from uuid import UUID

from servicekit.db import Transaction
from sqlalchemy import text

from roster.domain.duty import Duty, HandOver
from roster.domain.people import Appointment, StaffMember, StaffName
from roster.store import rows
from roster.store.rows import DUTY, NAMES


async def names(tx: Transaction, staff_ids: Collection[UUID], on: date) -> list[StaffName]:
    """Names of staff with today's post, in 五十音 order."""
    if not staff_ids:
        return []
    query = f"""SELECT p.id, {NAMES}, (SELECT a.post FROM appointments a WHERE a.staff_id = p.id AND a.starts_on <= :on
            ORDER BY (a.ends_on IS NULL OR a.ends_on >= :on) DESC, a.starts_on DESC LIMIT 1) AS post
        FROM persons p WHERE p.id = ANY(:ids) ORDER BY p.sort_key, p.id"""
    return [rows.staff_name(row) for row in await tx.execute(text(query), {"ids": list(staff_ids), "on": on})]


async def duties_of_class(
    tx: Transaction, class_id: UUID, *, kind: str | None = None, lock: bool = False
) -> list[Duty]:
    """Duties about a class over its whole year."""
    query = f"SELECT {DUTY} FROM duties d WHERE d.class_id = :id" + (" AND d.kind = :kind" if kind else "")
    query += " ORDER BY d.kind, d.subject, d.starts_on" + (" FOR UPDATE" if lock else "")
    parameters = {"id": class_id} | ({"kind": kind} if kind else {})
    return [rows.duty(row) for row in await tx.execute(text(query), parameters)]


async def serves(tx: Transaction, person_id: UUID, school_id: UUID, on: date) -> bool:
    """Whether somebody works at a school on a day."""
    query = """SELECT EXISTS (SELECT FROM appointments WHERE staff_id = :id AND school_id = :school
        AND starts_on <= :on AND (ends_on IS NULL OR ends_on >= :on))"""
    return bool((await tx.execute(text(query), {"id": person_id, "school": school_id, "on": on})).scalar())


async def of_school(tx: Transaction, school_id: UUID, on: date) -> list[StaffMember]:
    """Everybody who works at a school today, 校長 and 教頭 first, then in 五十音 order."""
    query = text("""SELECT staff_id, school_id, post, starts_on, ends_on FROM appointments
        WHERE school_id = :school AND starts_on <= :on AND (ends_on IS NULL OR ends_on >= :on)""")
    posts: dict[UUID, list[Appointment]] = {}
    for row in await tx.execute(query, {"school": school_id, "on": on}):
        posts.setdefault(row.staff_id, []).append(rows.appointment(row))
    duties: dict[UUID, list[Duty]] = {}
    held = f"""SELECT {DUTY} FROM duties d WHERE d.school_id = :school AND d.starts_on <= :on
        AND (d.ends_on IS NULL OR d.ends_on >= :on) ORDER BY d.kind, d.starts_on"""
    for row in await tx.execute(text(held), {"school": school_id, "on": on}):
        duties.setdefault(row.staff_id, []).append(rows.duty(row))
    found = [
        StaffMember(name, tuple(posts[name.staff_id]), tuple(duties.get(name.staff_id, ())))
        for name in await names(tx, list(posts), on)
    ]
    order = {"principal": 0, "vice_principal": 1, "office": 3}
    return sorted(found, key=lambda member: order.get(member.name.post, 2))


async def save_hand_over(tx: Transaction, change: HandOver) -> None:
    """Write a change of 担任."""
    for duty in change.ended:
        await end(tx, duty)
    for duty in change.withdrawn:
        await tx.execute(text("DELETE FROM duties WHERE id = :id"), {"id": duty.id})
    duty = change.started
    await tx.execute(
        text("""INSERT INTO duties (tenant_id, id, kind, staff_id, school_id, class_id, subject, school_grade,
                starts_on, ends_on)
            VALUES (:tenant, :id, :kind, :staff, :school, :class, :subject, :grade, :starts, :ends)"""),
        {
            "tenant": tx.tenant, "id": duty.id, "kind": duty.kind, "staff": duty.staff_id, "school": duty.school_id,
            "class": duty.class_id, "subject": duty.subject, "grade": duty.school_grade,
            "starts": duty.period.starts_on, "ends": duty.period.ends_on,
        },
    )  # fmt: skip


async def end(tx: Transaction, duty: Duty) -> None:
    """Write the last day of a duty."""
    await tx.execute(
        text("UPDATE duties SET ends_on = :ends_on WHERE id = :id"), {"id": duty.id, "ends_on": duty.period.ends_on}
    )


async def bump(tx: Transaction, staff_ids: Iterable[UUID]) -> None:
    """Count the version of people on whose duties changed."""
    await tx.execute(text("UPDATE persons SET version = version + 1 WHERE id = ANY(:ids)"), {"ids": list(staff_ids)})


async def of_year(tx: Transaction, school_id: UUID, first: date, last: date) -> list[StaffMember]:
    """Everybody who works or worked at a school between two days, with all posts of those days and the duties."""
    period = {"first": first, "last": last}
    within = "a.starts_on <= :last AND (a.ends_on IS NULL OR a.ends_on >= :first)"
    posts: dict[UUID, list[Appointment]] = {}
    query = text(f"""SELECT a.staff_id, a.school_id, a.post, a.starts_on, a.ends_on FROM appointments a
        WHERE {within} AND a.staff_id IN (SELECT staff_id FROM appointments a WHERE a.school_id = :school AND {within})
        ORDER BY a.starts_on, a.post""")
    for row in await tx.execute(query, {"school": school_id} | period):
        posts.setdefault(row.staff_id, []).append(rows.appointment(row))
    duties: dict[UUID, list[Duty]] = {}
    held = f"""SELECT {DUTY} FROM duties d WHERE d.school_id = :school AND d.starts_on <= :last
        AND (d.ends_on IS NULL OR d.ends_on >= :first) ORDER BY d.kind, d.starts_on, d.id"""
    for row in await tx.execute(text(held), {"school": school_id} | period):
        duties.setdefault(row.staff_id, []).append(rows.duty(row))
    return [
        StaffMember(name, tuple(posts.get(name.staff_id, ())), tuple(duties.get(name.staff_id, ())))
        for name in await names(tx, list(posts), last)
    ]


async def duty(tx: Transaction, duty_id: UUID) -> Duty | None:
    """One duty, locked; or None."""
    row = (
        await tx.execute(text(f"SELECT {DUTY} FROM duties d WHERE d.id = :id FOR UPDATE"), {"id": duty_id})
    ).one_or_none()
    return rows.duty(row) if row else None


async def duties_of(tx: Transaction, staff_id: UUID) -> list[Duty]:
    """Every duty of a person; one change at a time."""
    await tx.execute(text("SELECT id FROM persons WHERE id = :id FOR UPDATE"), {"id": staff_id})
    query = f"SELECT {DUTY} FROM duties d WHERE d.staff_id = :id"
    return [rows.duty(row) for row in await tx.execute(text(query), {"id": staff_id})]
