"""What an 異動 by hand writes beside the roll: the classes it cuts off, 進学先, the first day in a class."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from uuid import UUID

from servicekit.db import Transaction
from sqlalchemy import text

from roster.domain.unlisted import Membership


async def roll_of_event(tx: Transaction, event_id: UUID) -> tuple[UUID, UUID] | None:
    """(pupil, enrolment) of an event, or None."""
    query = text("SELECT pupil_id, enrolment_id FROM enrolment_events WHERE id = :id")
    row = (await tx.execute(query, {"id": event_id})).one_or_none()
    return (row.pupil_id, row.enrolment_id) if row else None


async def keep_cut(tx: Transaction, event_id: UUID, before: Sequence[Membership]) -> None:
    """Keep with the event the memberships it cut off, as they were."""
    await tx.execute(
        text("UPDATE enrolment_events SET cut = CAST(:cut AS jsonb) WHERE id = :id"),
        {"id": event_id, "cut": json.dumps([asdict(one) for one in before], default=str)},
    )


async def cut_of(tx: Transaction, event_id: UUID) -> list[Membership]:
    """The memberships that event cut off, as they were before."""
    found = await tx.execute(text("SELECT cut FROM enrolment_events WHERE id = :id"), {"id": event_id})
    return [
        Membership(
            UUID(one["class_id"]), UUID(one["pupil_id"]), date.fromisoformat(one["starts_on"]),
            date.fromisoformat(one["ends_on"]) if one["ends_on"] else None, one["school_year"],
        )
        for one in found.scalar_one()
    ]  # fmt: skip


async def move_first_day(tx: Transaction, memberships: Sequence[Membership], on: date) -> None:
    """The entry on the roll is corrected: these classes begin on that day."""
    if memberships:
        await tx.execute(
            text("""UPDATE class_members SET starts_on = :on WHERE class_id = ANY(:classes) AND pupil_id = :pupil
                AND starts_on = ANY(:days)"""),
            {
                "on": on, "classes": [one.class_id for one in memberships], "pupil": memberships[0].pupil_id,
                "days": [one.starts_on for one in memberships],
            },
        )  # fmt: skip


async def set_school_grade(tx: Transaction, enrolment_id: UUID, school_grade: str) -> None:
    """学年 of a roll whose entry was corrected."""
    await tx.execute(
        text("UPDATE enrolments SET school_grade = :school_grade WHERE id = :id"),
        {"id": enrolment_id, "school_grade": school_grade},
    )


async def set_next_school(tx: Transaction, pupil_id: UUID, name: str, address: str) -> None:
    """進学先 as 様式1 prints it; the event of 卒業 keeps what was said when."""
    await tx.execute(
        text("UPDATE persons SET next_school = :name, next_school_address = :address, version = version + 1 "
             "WHERE id = :id"),
        {"id": pupil_id, "name": name, "address": address},
    )  # fmt: skip


async def class_names(tx: Transaction, class_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Names of classes."""
    found = await tx.execute(text("SELECT id, name FROM classes WHERE id = ANY(:ids)"), {"ids": list(class_ids)})
    return {row.id: row.name for row in found}
