"""Inbound events: the register as roster tells it."""

from datetime import date
from uuid import UUID

from jpschool.school_grade import SchoolGrade
from komu.common.v1 import common_pb2
from komu.roster.v1 import events_pb2, roster_pb2
from servicekit.db import Transaction
from servicekit.events import consumer

from grades.domain.standing import ClassKind, SchoolClass
from grades.store.projection import AppointmentFact, ClassFact, DutyFact, MemberFact, SchoolFact, StaffFact
from grades.usecases import register

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
    roster_pb2.DUTY_KIND_SUBJECT: "subject",
    roster_pb2.DUTY_KIND_GRADE_HEAD: "grade_head",
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
    if (fact := class_fact(event.roster)) is not None:
        await register.class_changed(tx, fact)


@consumer(subject="roster.v1.staff_duties_changed.*", message=events_pb2.StaffDutiesChanged)
async def on_staff_duties_changed(tx: Transaction, event: events_pb2.StaffDutiesChanged) -> None:
    """Someone's appointments or duties changed."""
    await register.staff_changed(tx, staff_fact(event.duties))


CONSUMERS = (on_school_changed, on_class_roster_changed, on_staff_duties_changed)


def school_fact(school: roster_pb2.School, version: int) -> SchoolFact:
    return SchoolFact(UUID(school.id), school.name, _SCHOOL_KINDS.get(school.kind, "elementary"), version)


def class_fact(roster: roster_pb2.ClassRoster) -> ClassFact | None:
    """None for a 学年 that has no 指導要録 here (幼稚園, 高等学校), and for a 講座 of several 学年."""
    told = getattr(roster, "class")
    several = not told.school_grade and told.kind != roster_pb2.CLASS_KIND_COURSE
    if not several and told.school_grade not in SchoolGrade.__members__:
        return None
    members = tuple(
        MemberFact(
            UUID(m.pupil_id),
            m.number,
            *_period(m.period),
            m.school_grade if m.school_grade in SchoolGrade.__members__ else "",
        )
        for m in roster.members
    )
    own = {SchoolGrade(code) for member in members if (code := member.school_grade or told.school_grade)}
    school_class = SchoolClass(
        UUID(told.id),
        UUID(told.school_id),
        told.school_year,
        None if several else SchoolGrade(told.school_grade),
        told.name,
        _CLASS_KINDS.get(told.kind, ClassKind.HOMEROOM),
        tuple(sorted(own, key=lambda one: one.order)),
    )
    return ClassFact(school_class, members, roster.version)


def staff_fact(told: roster_pb2.StaffDuties) -> StaffFact:
    return StaffFact(
        UUID(told.staff_id),
        tuple(
            AppointmentFact(_id(held.school_id), _POSTS[held.post], *_period(held.period))
            for held in told.appointments
            if held.post in _POSTS
        ),
        tuple(
            DutyFact(
                UUID(duty.id),
                _DUTIES[duty.kind],
                UUID(duty.school_id),
                _id(duty.class_id),
                duty.subject,
                duty.school_grade,
                *_period(duty.period),
            )
            for duty in told.duties
            if duty.kind in _DUTIES
        ),
        told.version,
    )


def _id(text: str) -> UUID | None:
    return UUID(text) if text else None


def _period(period: common_pb2.Period) -> tuple[date, date | None]:
    return date.fromisoformat(period.starts_on), date.fromisoformat(period.ends_on) if period.ends_on else None
