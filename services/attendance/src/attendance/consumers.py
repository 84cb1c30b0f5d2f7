"""Inbound events: the register as roster tells it, terms as grades closes them."""

from __future__ import annotations

from datetime import UTC, date
from uuid import UUID

from komu.common.v1 import common_pb2
from komu.grades.v1 import events_pb2 as grades_events
from komu.roster.v1 import events_pb2 as roster_events
from komu.roster.v1 import roster_pb2
from servicekit.clock import day_in_jst
from servicekit.db import Transaction
from servicekit.events import consumer

from attendance.domain.register import Membership, SchoolClass, TermLock
from attendance.store.register import StandingRow
from attendance.usecases import projection

_POSTS = {
    roster_pb2.POST_PRINCIPAL: "principal",
    roster_pb2.POST_VICE_PRINCIPAL: "vice_principal",
    roster_pb2.POST_TEACHER: "teacher",
    roster_pb2.POST_OFFICE: "office",
    roster_pb2.POST_NURSE: "nurse",
}
_DUTIES = {
    roster_pb2.DUTY_KIND_HOMEROOM: "homeroom",
    roster_pb2.DUTY_KIND_ASSISTANT_HOMEROOM: "assistant_homeroom",
    roster_pb2.DUTY_KIND_GRADE_HEAD: "school_grade_head",
}
_SCHOOL_KINDS = {
    roster_pb2.SCHOOL_KIND_ELEMENTARY: "elementary",
    roster_pb2.SCHOOL_KIND_LOWER_SECONDARY: "lower_secondary",
}


@consumer(subject="roster.v1.school_changed.*", message=roster_events.SchoolChanged)
async def on_school_changed(tx: Transaction, event: roster_events.SchoolChanged) -> None:
    """A school appeared or changed."""
    await projection.follow_school(tx, UUID(event.school.id), _SCHOOL_KINDS.get(event.school.kind, "elementary"))


@consumer(subject="roster.v1.class_roster_changed.*", message=roster_events.ClassRosterChanged)
async def on_class_roster_changed(tx: Transaction, event: roster_events.ClassRosterChanged) -> None:
    """A class or its members changed."""
    await keep_class_roster(tx, event.roster)


@consumer(subject="roster.v1.staff_duties_changed.*", message=roster_events.StaffDutiesChanged)
async def on_staff_duties_changed(tx: Transaction, event: roster_events.StaffDutiesChanged) -> None:
    """Someone's posts or duties changed."""
    await keep_staff_duties(tx, event.duties)


@consumer(subject="grades.v1.term_closed.*", message=grades_events.TermClosed)
async def on_term_closed(tx: Transaction, event: grades_events.TermClosed) -> None:
    """The 校長 closed a term."""
    closed_at = event.meta.occurred_at.ToDatetime(tzinfo=UTC)
    lock = TermLock(
        event.term, date.fromisoformat(event.starts_on), date.fromisoformat(event.ends_on), day_in_jst(closed_at)
    )
    await projection.lock_term(tx, UUID(event.school_id), event.school_year, lock, closed_at)


@consumer(subject="grades.v1.term_reopened.*", message=grades_events.TermReopened)
async def on_term_reopened(tx: Transaction, event: grades_events.TermReopened) -> None:
    """The term was reopened."""
    await projection.unlock_term(tx, UUID(event.school_id), event.school_year, event.term)


async def keep_class_roster(tx: Transaction, roster: roster_pb2.ClassRoster) -> None:
    """One class as an event or the snapshot tells it."""
    homeroom = getattr(roster, "class")
    if homeroom.kind == roster_pb2.CLASS_KIND_COURSE:
        return
    class_id = UUID(homeroom.id)
    await projection.follow_class(
        tx,
        SchoolClass(class_id, UUID(homeroom.school_id), homeroom.school_year, homeroom.school_grade, homeroom.name),
        roster.version,
        [
            Membership(UUID(member.pupil_id), class_id, member.number, *_period(member.period))
            for member in roster.members
        ],
    )


async def keep_staff_duties(tx: Transaction, duties: roster_pb2.StaffDuties) -> None:
    """One member of staff as an event or the snapshot tells it."""
    rows = [
        StandingRow(_POSTS[held.post], UUID(held.school_id), None, "", *_period(held.period))
        for held in duties.appointments
        if held.post in _POSTS and held.school_id
    ]
    rows += [
        StandingRow(
            _DUTIES[duty.kind],
            UUID(duty.school_id),
            UUID(duty.class_id) if duty.class_id else None,
            duty.school_grade,
            *_period(duty.period),
        )
        for duty in duties.duties
        if duty.kind in _DUTIES
    ]
    await projection.follow_staff(tx, UUID(duties.staff_id), duties.version, rows)


def _period(period: common_pb2.Period) -> tuple[date, date | None]:
    return date.fromisoformat(period.starts_on), date.fromisoformat(period.ends_on) if period.ends_on else None


CONSUMERS = (on_school_changed, on_class_roster_changed, on_staff_duties_changed, on_term_closed, on_term_reopened)
