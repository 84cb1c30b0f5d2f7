"""What roster tells: whole aggregates, so that a copy elsewhere replaces its older version. Ids, dates, class names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from uuid import UUID

from komu.common.v1 import common_pb2
from komu.roster.v1 import events_pb2, roster_pb2

from roster.domain.duty import Duty
from roster.domain.people import (
    Appointment,
    Beginning,
    ClassRosterState,
    EnrolmentState,
    School,
    SchoolClass,
    StaffState,
)
from roster.domain.period import Period

CLASS_KINDS = {
    "homeroom": roster_pb2.CLASS_KIND_HOMEROOM,
    "special_needs": roster_pb2.CLASS_KIND_SPECIAL_NEEDS,
    "course": roster_pb2.CLASS_KIND_COURSE,
}
SCHOOL_KINDS = {
    "elementary": roster_pb2.SCHOOL_KIND_ELEMENTARY,
    "lower_secondary": roster_pb2.SCHOOL_KIND_LOWER_SECONDARY,
}
POSTS = {
    "principal": roster_pb2.POST_PRINCIPAL,
    "vice_principal": roster_pb2.POST_VICE_PRINCIPAL,
    "teacher": roster_pb2.POST_TEACHER,
    "office": roster_pb2.POST_OFFICE,
    "nurse": roster_pb2.POST_NURSE,
}
DUTY_KINDS = {
    "homeroom": roster_pb2.DUTY_KIND_HOMEROOM,
    "assistant_homeroom": roster_pb2.DUTY_KIND_ASSISTANT_HOMEROOM,
    "subject": roster_pb2.DUTY_KIND_SUBJECT,
    "grade_head": roster_pb2.DUTY_KIND_GRADE_HEAD,
}


@lru_cache(maxsize=4096)
def iso(day: date | None) -> str:
    """ISO 8601, or empty."""
    return day.isoformat() if day is not None else ""


@lru_cache(maxsize=4096)  # what takes it in copies it
def period(value: Period) -> common_pb2.Period:
    """Both days inclusive; empty end = open."""
    return common_pb2.Period(starts_on=iso(value.starts_on), ends_on=iso(value.ends_on))


def school(value: School) -> roster_pb2.School:
    """A school."""
    return roster_pb2.School(
        id=str(value.id), code=value.code, name=value.name, address=value.address,
        kind=SCHOOL_KINDS.get(value.kind, roster_pb2.SCHOOL_KIND_UNSPECIFIED),
    )  # fmt: skip


def school_class(value: SchoolClass) -> roster_pb2.Class:
    """A class."""
    return roster_pb2.Class(
        id=str(value.id), school_id=str(value.school_id), school_year=value.school_year,
        school_grade=value.school_grade, name=value.name, kind=CLASS_KINDS[value.kind], version=value.version,
    )  # fmt: skip


def duty(value: Duty) -> roster_pb2.Duty:
    """A duty."""
    return roster_pb2.Duty(
        id=str(value.id), kind=DUTY_KINDS[value.kind], staff_id=str(value.staff_id), school_id=str(value.school_id),
        class_id=str(value.class_id) if value.class_id else "", subject=value.subject,
        school_grade=value.school_grade, period=period(value.period),
    )  # fmt: skip


def appointment(value: Appointment) -> roster_pb2.Appointment:
    """An appointment."""
    return roster_pb2.Appointment(
        staff_id=str(value.staff_id), school_id=str(value.school_id) if value.school_id else "",
        post=POSTS[value.post], period=period(value.period),
    )  # fmt: skip


def class_roster(state: ClassRosterState) -> roster_pb2.ClassRoster:
    """A class with all its members of the year."""
    return roster_pb2.ClassRoster(
        **{"class": school_class(state.homeroom)},
        members=[
            roster_pb2.ClassMember(
                pupil_id=str(member.pupil_id),
                number=member.number,
                period=period(member.period),
                school_grade=member.school_grade,
            )
            for member in state.members
        ],
        version=state.homeroom.version,
    )


def staff_duties(state: StaffState) -> roster_pb2.StaffDuties:
    """Posts and duties of one person."""
    return roster_pb2.StaffDuties(
        staff_id=str(state.staff_id),
        appointments=[appointment(item) for item in state.appointments],
        duties=[duty(item) for item in state.duties],
        version=state.version,
    )


def enrolment_state(state: EnrolmentState) -> roster_pb2.EnrolmentState:
    """A time on the roll."""
    return roster_pb2.EnrolmentState(
        pupil_id=str(state.pupil_id), school_id=str(state.school_id), period=period(state.period),
        entered_by=state.entered_by, left_by=state.left_by, version=state.version,
    )  # fmt: skip


def _meta(aggregate_id: UUID, version: int) -> common_pb2.EventMeta:
    return common_pb2.EventMeta(aggregate_id=str(aggregate_id), aggregate_version=version)


def school_changed(value: School) -> events_pb2.SchoolChanged:
    """A school was entered or changed."""
    return events_pb2.SchoolChanged(meta=_meta(value.id, value.version), school=school(value))


def class_roster_changed(state: ClassRosterState) -> events_pb2.ClassRosterChanged:
    """A class, its members, their numbers changed."""
    return events_pb2.ClassRosterChanged(
        meta=_meta(state.homeroom.id, state.homeroom.version), roster=class_roster(state)
    )


def staff_duties_changed(state: StaffState) -> events_pb2.StaffDutiesChanged:
    """Someone's posts or duties changed."""
    return events_pb2.StaffDutiesChanged(meta=_meta(state.staff_id, state.version), duties=staff_duties(state))


def enrolment_changed(state: EnrolmentState) -> events_pb2.EnrolmentChanged:
    """A time on the roll began, changed or ended."""
    return events_pb2.EnrolmentChanged(meta=_meta(state.id, state.version), enrolment=enrolment_state(state))


def enrolments_began(import_id: UUID, part: int, begun: Beginning) -> events_pb2.EnrolmentsBegan:
    """A roster file put children on the roll of a school."""
    return events_pb2.EnrolmentsBegan(
        meta=_meta(import_id, part), school_id=str(begun.school_id), starts_on=iso(begun.starts_on),
        entered_by=begun.entered_by, pupil_ids=begun.pupil_ids,
    )  # fmt: skip


def people_renamed(import_id: UUID, part: int, ids: Sequence[UUID]) -> events_pb2.PeopleRenamed:
    """Names of people changed."""
    return events_pb2.PeopleRenamed(meta=_meta(import_id, part), person_ids=map(str, ids))
