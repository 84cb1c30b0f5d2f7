"""校務分掌: who becomes 担任."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from jpschool.school_year import last_day
from servicekit.auth import Actor
from servicekit.db import Transaction
from servicekit.errors import Conflict, Invalid, Unseen, Violation
from servicekit.ids import uuid7

from roster import policy
from roster.domain import duty as rules
from roster.domain.duty import Duty, DutyTaken
from roster.domain.period import Period
from roster.store import schools, staff
from roster.usecases import telling
from roster.usecases.views import standing_of


@dataclass(frozen=True, slots=True)
class AssignHomeroomTeacher:
    """Someone becomes 担任 of a class from a day on; `version` is that of the class as the page showed it."""

    class_id: UUID
    staff_id: UUID
    starts_on: date
    version: int


async def assign_homeroom_teacher(tx: Transaction, actor: Actor, command: AssignHomeroomTeacher) -> Duty:
    """End today's 担任 the day before and start the successor; the predecessor's days stay on the record."""
    homeroom = await schools.get_class(tx, command.class_id, lock=True)
    if homeroom is None:
        raise Unseen("学級が見つかりません。")
    policy.may_assign_duties(actor, await standing_of(tx, actor), homeroom.school_id).enforce()
    if not rules.still_in_year(command.starts_on, homeroom.school_year):
        message = f"{homeroom.school_year}年度（4月1日から翌年3月31日まで）の日付にしてください。"
        raise Invalid(message, [Violation("starts_on", message)])
    if not await staff.serves(tx, command.staff_id, homeroom.school_id, command.starts_on):
        message = "その日にこの学校に勤めている教職員を選んでください。"
        raise Invalid(message, [Violation("staff_id", message)])
    if command.version != homeroom.version:
        raise Conflict(
            "この学級は、ほかの人が変更しました。画面を開き直して、いまの担任を確かめてください。",
            {"version": str(homeroom.version)},
            reason="CHANGED_MEANWHILE",
        )
    current = await staff.duties_of_class(tx, homeroom.id, kind=rules.HOMEROOM, lock=True)
    started = Duty(
        uuid7(), rules.HOMEROOM, command.staff_id, homeroom.school_id, homeroom.id, "", "",
        Period(command.starts_on, last_day(homeroom.school_year)),
    )  # fmt: skip
    try:
        change = rules.hand_over(current, started)
    except DutyTaken as taken:
        raise Conflict(str(taken), reason="DUTY_TAKEN") from taken
    await staff.save_hand_over(tx, change)
    await schools.bump_class(tx, homeroom.id)
    concerned = {item.staff_id for item in (*change.ended, *change.withdrawn, started)}
    await staff.bump(tx, concerned)
    tx.audit("duty.assigned", homeroom.id, before=list(change.ended), after=started)
    await telling.staff_duties_changed(tx, concerned)
    await telling.class_rosters_changed(tx, {homeroom.id})
    return started
