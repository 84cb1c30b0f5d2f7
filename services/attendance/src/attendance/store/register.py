"""The projection of the register: classes, members, who stands where. Newer versions win, older ones are dropped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from servicekit.db import Transaction
from sqlalchemy import delete, insert, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert

from attendance.domain.register import Membership, SchoolClass, Standing
from attendance.store.tables import class_copies, member_copies, school_copies, staff_copies, standing_copies

_POSTS = frozenset({"principal", "vice_principal", "teacher", "office", "nurse"})


@dataclass(frozen=True, slots=True)
class StandingRow:
    """One appointment or duty as the projection keeps it."""

    kind: str
    school_id: UUID | None
    class_id: UUID | None
    school_grade: str
    starts_on: date
    ends_on: date | None


async def get_class(tx: Transaction, class_id: UUID) -> SchoolClass | None:
    """The class, or None when this board has none with that id."""
    row = (await tx.execute(select(class_copies).where(class_copies.c.class_id == class_id))).one_or_none()
    if row is None:
        return None
    return SchoolClass(row.class_id, row.school_id, row.school_year, row.school_grade, row.name)


async def classes_of_school(tx: Transaction, school_id: UUID, school_year: int) -> list[SchoolClass]:
    """Every class of a school in a year, in printed order."""
    query = (
        select(class_copies)
        .where(class_copies.c.school_id == school_id, class_copies.c.school_year == school_year)
        .order_by(class_copies.c.school_grade, class_copies.c.name)
    )
    return [
        SchoolClass(row.class_id, row.school_id, row.school_year, row.school_grade, row.name)
        for row in await tx.execute(query)
    ]


async def classes_by_id(tx: Transaction, class_ids: Sequence[UUID]) -> dict[UUID, SchoolClass]:
    """Several classes at once."""
    query = select(class_copies).where(class_copies.c.class_id.in_(class_ids))
    return {
        row.class_id: SchoolClass(row.class_id, row.school_id, row.school_year, row.school_grade, row.name)
        for row in await tx.execute(query)
    }


async def members(tx: Transaction, class_ids: Sequence[UUID], from_on: date, to_on: date) -> list[Membership]:
    """Everybody who was a member on at least one day of the range, by 出席番号."""
    query = (
        select(member_copies)
        .where(
            member_copies.c.class_id.in_(class_ids),
            member_copies.c.starts_on <= to_on,
            or_(member_copies.c.ends_on.is_(None), member_copies.c.ends_on >= from_on),
        )
        .order_by(member_copies.c.number, member_copies.c.pupil_id)
    )
    return [
        Membership(row.pupil_id, row.class_id, row.number, row.starts_on, row.ends_on)
        for row in await tx.execute(query)
    ]


async def memberships_of(tx: Transaction, pupil_ids: Sequence[UUID], from_on: date, to_on: date) -> list[Membership]:
    """The same from the children's side."""
    query = (
        select(member_copies)
        .where(
            member_copies.c.pupil_id.in_(pupil_ids),
            member_copies.c.starts_on <= to_on,
            or_(member_copies.c.ends_on.is_(None), member_copies.c.ends_on >= from_on),
        )
        .order_by(member_copies.c.pupil_id, member_copies.c.starts_on)
    )
    return [
        Membership(row.pupil_id, row.class_id, row.number, row.starts_on, row.ends_on)
        for row in await tx.execute(query)
    ]


async def standing(tx: Transaction, staff_id: UUID, school_id: UUID, on: date) -> Standing:
    """What the person is at that school on that day."""
    query = select(standing_copies).where(
        standing_copies.c.staff_id == staff_id,
        standing_copies.c.school_id == school_id,
        standing_copies.c.starts_on <= on,
        or_(standing_copies.c.ends_on.is_(None), standing_copies.c.ends_on >= on),
    )
    return standing_from((row.kind, row.class_id, row.school_grade) for row in await tx.execute(query))


def standing_from(held: Iterable[tuple[str, UUID | None, str]]) -> Standing:
    """Posts and duties (kind, class, 学年) of one person at one school, as the rules want them."""
    rows = list(held)
    return Standing(
        posts=frozenset(kind for kind, _, _ in rows if kind in _POSTS),
        homeroom_class_ids=frozenset(
            place for kind, place, _ in rows if kind in ("homeroom", "assistant_homeroom") and place
        ),
        headed_school_grades=frozenset(school_grade for kind, _, school_grade in rows if kind == "school_grade_head"),
    )


async def keep_school(tx: Transaction, school_id: UUID, kind: str) -> bool:
    """Copy a school; True when it is new here."""
    statement = upsert(school_copies).values(tenant_id=tx.tenant, school_id=school_id, kind=kind)
    statement = statement.on_conflict_do_nothing().returning(school_copies.c.school_id)  # type: ignore[assignment]
    return (await tx.execute(statement)).one_or_none() is not None


async def keep_class(tx: Transaction, homeroom: SchoolClass, version: int, roll: Sequence[Membership]) -> bool:
    """Replace the copy of one class with all its members, unless a newer one is here already."""
    values = {
        "tenant_id": tx.tenant,
        "class_id": homeroom.id,
        "school_id": homeroom.school_id,
        "school_year": homeroom.school_year,
        "school_grade": homeroom.school_grade,
        "name": homeroom.name,
        "version": version,
    }
    statement = (
        upsert(class_copies)
        .values(values)
        .on_conflict_do_update(
            index_elements=["tenant_id", "class_id"], set_=values, where=class_copies.c.version < version
        )
        .returning(class_copies.c.class_id)
    )
    if (await tx.execute(statement)).one_or_none() is None:
        return False
    await tx.execute(delete(member_copies).where(member_copies.c.class_id == homeroom.id))
    if roll:
        rows = [
            {
                "tenant_id": tx.tenant,
                "class_id": homeroom.id,
                "pupil_id": member.pupil_id,
                "number": member.number,
                "starts_on": member.starts_on,
                "ends_on": member.ends_on,
            }
            for member in roll
        ]
        await tx.execute(insert(member_copies), rows)
    return True


async def keep_staff(tx: Transaction, staff_id: UUID, version: int, rows: Sequence[StandingRow]) -> bool:
    """Replace what one member of staff holds, unless a newer copy is here already."""
    statement = (
        upsert(staff_copies)
        .values(tenant_id=tx.tenant, staff_id=staff_id, version=version)
        .on_conflict_do_update(
            index_elements=["tenant_id", "staff_id"], set_={"version": version}, where=staff_copies.c.version < version
        )
        .returning(staff_copies.c.staff_id)
    )
    if (await tx.execute(statement)).one_or_none() is None:
        return False
    await tx.execute(delete(standing_copies).where(standing_copies.c.staff_id == staff_id))
    if rows:
        values = [
            {
                "tenant_id": tx.tenant,
                "staff_id": staff_id,
                "position": position,
                "school_id": row.school_id,
                "kind": row.kind,
                "class_id": row.class_id,
                "school_grade": row.school_grade,
                "starts_on": row.starts_on,
                "ends_on": row.ends_on,
            }
            for position, row in enumerate(rows)
        ]
        await tx.execute(insert(standing_copies), values)
    return True


async def subjects_of_school(tx: Transaction, school_id: UUID) -> list[UUID]:
    """Whom and what the school's log entries are about: the school, its classes, its children of all years."""
    classes = select(class_copies.c.class_id).where(class_copies.c.school_id == school_id)
    pupils = select(member_copies.c.pupil_id).where(member_copies.c.class_id.in_(classes)).distinct()
    found = (await tx.execute(classes.union(pupils))).scalars()
    return [school_id, *found]
