"""Inbound events: the register as roster tells it."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from komu.common.v1 import common_pb2
from komu.roster.v1 import events_pb2, roster_pb2
from servicekit.db import Transaction
from servicekit.events import consumer

from learning.domain.register import ClassKind, Duty, DutyKind, Member, Post, School, SchoolClass
from learning.store.projection import ClassFact, Held, SchoolFact, StaffFact
from learning.usecases import register

_POSTS = {
    roster_pb2.POST_PRINCIPAL: Post.PRINCIPAL,
    roster_pb2.POST_VICE_PRINCIPAL: Post.VICE_PRINCIPAL,
    roster_pb2.POST_TEACHER: Post.TEACHER,
    roster_pb2.POST_OFFICE: Post.OFFICE,
    roster_pb2.POST_NURSE: Post.NURSE,
}
_DUTIES = {
    roster_pb2.DUTY_KIND_HOMEROOM: DutyKind.HOMEROOM,
    roster_pb2.DUTY_KIND_ASSISTANT_HOMEROOM: DutyKind.ASSISTANT_HOMEROOM,
    roster_pb2.DUTY_KIND_SUBJECT: DutyKind.SUBJECT,
    roster_pb2.DUTY_KIND_GRADE_HEAD: DutyKind.GRADE_HEAD,
}
_CLASS_KINDS = {
    roster_pb2.CLASS_KIND_HOMEROOM: ClassKind.HOMEROOM,
    roster_pb2.CLASS_KIND_SPECIAL_NEEDS: ClassKind.SPECIAL_NEEDS,
    roster_pb2.CLASS_KIND_COURSE: ClassKind.COURSE,
}
_SCHOOL_KINDS = {
    roster_pb2.SCHOOL_KIND_ELEMENTARY: "elementary",
    roster_pb2.SCHOOL_KIND_LOWER_SECONDARY: "lower_secondary",
}


@consumer(subject="roster.v1.school_changed.*", message=events_pb2.SchoolChanged)
async def on_school_changed(tx: Transaction, event: events_pb2.SchoolChanged) -> None:
    """A school was entered or changed."""
    await register.school_changed(tx, school_fact(event.school, event.meta.aggregate_version))


@consumer(subject="roster.v1.class_roster_changed.*", message=events_pb2.ClassRosterChanged)
async def on_class_roster_changed(tx: Transaction, event: events_pb2.ClassRosterChanged) -> None:
    """A class or its members changed."""
    await register.class_changed(tx, class_fact(event.roster))


@consumer(subject="roster.v1.staff_duties_changed.*", message=events_pb2.StaffDutiesChanged)
async def on_staff_duties_changed(tx: Transaction, event: events_pb2.StaffDutiesChanged) -> None:
    """Someone's posts or duties changed."""
    await register.staff_changed(tx, staff_fact(event.duties))


CONSUMERS = (on_school_changed, on_class_roster_changed, on_staff_duties_changed)


def school_fact(told: roster_pb2.School, version: int) -> SchoolFact:
    """A school as an event or the snapshot tells it."""
    kind = _SCHOOL_KINDS.get(told.kind, "elementary")
    return SchoolFact(School(UUID(told.id), told.code, told.name, kind), version)


def class_fact(roster: roster_pb2.ClassRoster) -> ClassFact:
    """A class with all its members."""
    told = getattr(roster, "class")
    school_class = SchoolClass(
        UUID(told.id),
        UUID(told.school_id),
        told.school_year,
        told.school_grade,
        told.name,
        _CLASS_KINDS.get(told.kind, ClassKind.HOMEROOM),
    )
    members = [
        Member(UUID(member.pupil_id), member.number, *_period(member.period), member.school_grade)
        for member in roster.members
    ]
    return ClassFact(school_class, members, roster.version)


def staff_fact(told: roster_pb2.StaffDuties) -> StaffFact:
    """Everything one member of staff holds."""
    held = [
        Held((_id(one.school_id), _POSTS[one.post]), *_period(one.period))
        for one in told.appointments
        if one.post in _POSTS
    ]
    held += [
        Held(
            Duty(_DUTIES[one.kind], UUID(one.school_id), _id(one.class_id), one.subject, one.school_grade),
            *_period(one.period),
        )
        for one in told.duties
        if one.kind in _DUTIES
    ]
    return StaffFact(UUID(told.staff_id), held, told.version)


def _id(text: str) -> UUID | None:
    return UUID(text) if text else None


def _period(period: common_pb2.Period) -> tuple[date, date | None]:
    return date.fromisoformat(period.starts_on), date.fromisoformat(period.ends_on) if period.ends_on else None
