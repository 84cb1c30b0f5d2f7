"""校務分掌: who becomes 担任, and who has which other duty over which days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from jpschool.school_year import first_day, last_day, school_year_of
from servicekit.auth import Actor
from servicekit.clock import day_in_jst
from servicekit.db import Transaction
from servicekit.errors import Conflict, Invalid, Unseen, Violation
from servicekit.ids import uuid7

from roster import policy
from roster.domain import duty as rules
from roster.domain.duty import Duty, DutyProblem, DutyTaken, HandOver
from roster.domain.people import ClassSummary, School, StaffMember
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
    tx.audit(
        "duty.assigned", homeroom.id, subject_id=homeroom.school_id, before=list(change.ended), after=started
    )  # fmt: skip
    await telling.staff_duties_changed(tx, concerned)
    await telling.class_rosters_changed(tx, {homeroom.id})
    return started


@dataclass(frozen=True, slots=True)
class AssignDuty:
    """A duty other than 担任; no `ends_on`: till the end of the school year."""

    school_id: UUID
    staff_id: UUID
    kind: str
    class_id: UUID | None
    subject: str
    school_grade: str
    starts_on: date
    ends_on: date | None


@dataclass(frozen=True, slots=True)
class SchoolDuties:
    """Staff of a school year with posts and duties, the classes they may be about, and the schools of the posts."""

    school_year: int
    staff: list[StaffMember]
    classes: list[ClassSummary]
    schools: list[School]
    may_assign: bool


async def list_duties(tx: Transaction, actor: Actor, school_id: UUID, school_year: int) -> SchoolDuties:
    """Who worked at a school in a year, as what, with which duties over which days."""
    standing = await standing_of(tx, actor)
    policy.may_see_school(actor, standing, school_id).enforce()
    today = day_in_jst(tx.now)
    year = school_year or school_year_of(today)
    found = await staff.of_year(tx, school_id, first_day(year), last_day(year))
    named = {post.school_id for one in found for post in one.appointments if post.school_id is not None}
    return SchoolDuties(
        year, found, await schools.class_summaries(tx, [school_id], year, today, None, 500),
        await schools.schools(tx, named, closed=True), policy.may_assign_duties(actor, standing, school_id).allowed,
    )  # fmt: skip


async def assign_duty(tx: Transaction, actor: Actor, command: AssignDuty) -> Duty:
    """副担任, 教科担任 or 学年主任 from a day on."""
    policy.may_assign_duties(actor, await standing_of(tx, actor), command.school_id).enforce()
    year = school_year_of(command.starts_on)
    room = await schools.get_class(tx, command.class_id) if command.class_id is not None else None
    if command.class_id is not None and (room is None or room.school_id != command.school_id):
        raise _invalid("この学校の学級を選んでください。", "class_id")
    if not await staff.serves(tx, command.staff_id, command.school_id, command.starts_on):
        raise _invalid("その日にこの学校に勤めている教職員を選んでください。", "staff_id")
    started = Duty(
        uuid7(), command.kind, command.staff_id, command.school_id, command.class_id, command.subject,
        command.school_grade, Period(command.starts_on, command.ends_on or last_day(year)),
    )  # fmt: skip
    try:
        rules.give(await staff.duties_of(tx, command.staff_id), started, room.school_year if room else year)
    except DutyProblem as problem:
        raise _invalid(str(problem), problem.field) from problem
    await staff.save_hand_over(tx, HandOver((), (), started))
    tx.audit("duty.assigned", started.id, subject_id=started.staff_id, after=started)
    await _tell(tx, started)
    return started


async def end_duty(tx: Transaction, actor: Actor, duty_id: UUID, last_on: date) -> Duty:
    """A duty ends before the year does; its days stay on the record."""
    found = await staff.duty(tx, duty_id)
    if found is None:
        raise Unseen("校務分掌が見つかりません。")
    policy.may_assign_duties(actor, await standing_of(tx, actor), found.school_id).enforce()
    try:
        ended = rules.end(found, last_on)
    except DutyProblem as problem:
        raise _invalid(str(problem), problem.field) from problem
    await staff.end(tx, ended)
    tx.audit("duty.ended", found.id, subject_id=found.staff_id, before=found, after=ended)
    await _tell(tx, ended)
    return ended


async def _tell(tx: Transaction, duty: Duty) -> None:
    await staff.bump(tx, {duty.staff_id})
    await telling.staff_duties_changed(tx, {duty.staff_id})


def _invalid(message: str, field: str) -> Invalid:
    return Invalid(message, [Violation(field, message)])
