"""学籍: times on the roll, their dated events, and what came along from other boards."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

from servicekit.db import Transaction
from sqlalchemy import text

from roster.domain.enrolment import Enrolment, EnrolmentEvent
from roster.domain.people import FormerEnrolment, FormerEvent
from roster.store import rows


async def of_pupils(tx: Transaction, pupil_ids: Sequence[UUID], *, lock: bool = False) -> dict[UUID, list[Enrolment]]:
    """Every time on a roll of this board, oldest first, with its events (struck ones too)."""
    wanted = {"ids": list(pupil_ids)}
    if lock:
        # One child, one change of 学籍 at a time: this is what keeps two rolls from beginning on one day.
        await tx.execute(text("SELECT id FROM persons WHERE id = ANY(:ids) ORDER BY id FOR UPDATE"), wanted)
    events: dict[UUID, list[EnrolmentEvent]] = {}
    for row in await tx.execute(
        text("SELECT * FROM enrolment_events WHERE pupil_id = ANY(:ids) ORDER BY recorded_at, id"), wanted
    ):
        events.setdefault(row.enrolment_id, []).append(rows.enrolment_event(row))
    found: dict[UUID, list[Enrolment]] = {}
    for row in await tx.execute(
        text("SELECT * FROM enrolments WHERE pupil_id = ANY(:ids) ORDER BY starts_on, id"), wanted
    ):
        found.setdefault(row.pupil_id, []).append(rows.enrolment(row, tuple(events.get(row.id, ()))))
    return found


async def by_transfer(tx: Transaction, transfer_id: UUID) -> UUID | None:
    """The pupil who was admitted by that transfer already."""
    pupil_id: UUID | None = (
        await tx.execute(text("SELECT pupil_id FROM enrolments WHERE transfer_id = :id"), {"id": transfer_id})
    ).scalar_one_or_none()
    return pupil_id


async def save(
    tx: Transaction, enrolment: Enrolment, *, by: UUID | None, strike_reason: str = "", transfer_id: UUID | None = None
) -> None:
    """Write an enrolment and its events: new ones are added, known ones only get their dates or are struck."""
    await tx.execute(
        text("""INSERT INTO enrolments (tenant_id, id, pupil_id, school_id, starts_on, ends_on, state, entered_by,
                left_by, school_grade, transfer_id, version)
            VALUES (:tenant, :id, :pupil, :school, :starts, :ends, :state, :entered, :left, :grade, :transfer, :version)
            ON CONFLICT (tenant_id, id) DO UPDATE SET starts_on = excluded.starts_on, ends_on = excluded.ends_on,
                state = excluded.state, left_by = excluded.left_by, version = excluded.version"""),
        {
            "tenant": tx.tenant, "id": enrolment.id, "pupil": enrolment.pupil_id, "school": enrolment.school_id,
            "starts": enrolment.period.starts_on, "ends": enrolment.period.ends_on, "state": enrolment.state,
            "entered": enrolment.entered_by, "left": enrolment.left_by, "grade": enrolment.school_grade,
            "transfer": transfer_id, "version": enrolment.version,
        },
    )  # fmt: skip
    for event in enrolment.events:
        await tx.execute(
            text("""INSERT INTO enrolment_events (tenant_id, id, enrolment_id, pupil_id, kind, school_id, effective_on,
                    left_on, school_grade, counterpart_name, counterpart_address, reason, recorded_at, recorded_by,
                    transfer_id, until_on)
                VALUES (:tenant, :id, :enrolment, :pupil, :kind, :school, :effective, :left, :grade, :name, :address,
                    :reason, :at, :by, :transfer, :until)
                ON CONFLICT (tenant_id, id) DO UPDATE SET
                    effective_on = coalesce(enrolment_events.effective_on, excluded.effective_on),
                    left_on = excluded.left_on, counterpart_name = excluded.counterpart_name,
                    counterpart_address = excluded.counterpart_address, transfer_id = excluded.transfer_id,
                    struck_at = CASE WHEN :struck THEN coalesce(enrolment_events.struck_at, :now) END,
                    struck_by = CASE WHEN :struck THEN coalesce(enrolment_events.struck_by, CAST(:striker AS uuid)) END,
                    strike_reason = CASE WHEN :struck AND enrolment_events.struck_at IS NULL THEN :why
                        ELSE enrolment_events.strike_reason END"""),
            {
                "tenant": tx.tenant, "id": event.id, "enrolment": event.enrolment_id, "pupil": event.pupil_id,
                "kind": event.kind, "school": event.school_id, "effective": event.effective_on, "left": event.left_on,
                "grade": event.school_grade, "name": event.counterpart_name, "address": event.counterpart_address,
                "reason": event.reason, "at": event.recorded_at, "by": event.recorded_by,
                "transfer": event.transfer_id, "until": event.until_on, "struck": event.struck, "now": tx.now,
                "striker": by, "why": strike_reason,
            },
        )  # fmt: skip


async def former(tx: Transaction, pupil_ids: Sequence[UUID]) -> dict[UUID, list[FormerEnrolment]]:
    """What came along from schools of other boards."""
    found: dict[UUID, list[FormerEnrolment]] = {}
    for row in await tx.execute(
        text("SELECT * FROM former_enrolments WHERE pupil_id = ANY(:ids) ORDER BY pupil_id, transfer_id, position"),
        {"ids": list(pupil_ids)},
    ):
        found.setdefault(row.pupil_id, []).append(
            FormerEnrolment(
                row.school_code,
                row.school_name,
                row.school_address,
                tuple(FormerEvent(**event) for event in row.events),
            )
        )
    return found


async def keep_former(tx: Transaction, pupil_id: UUID, transfer_id: UUID, history: Sequence[FormerEnrolment]) -> None:
    """Keep the history that came with a child."""
    for position, item in enumerate(history):
        await tx.execute(
            text("""INSERT INTO former_enrolments (tenant_id, pupil_id, transfer_id, position, school_code, school_name,
                    school_address, events)
                VALUES (:tenant, :pupil, :transfer, :position, :code, :name, :address, CAST(:events AS jsonb))
                ON CONFLICT DO NOTHING"""),
            {
                "tenant": tx.tenant, "pupil": pupil_id, "transfer": transfer_id, "position": position,
                "code": item.school_code, "name": item.school_name, "address": item.school_address,
                "events": json.dumps([asdict(event) for event in item.events], ensure_ascii=False),
            },
        )  # fmt: skip
