"""Inbound events: the register as roster tells it, kept for the OneRoster objects."""

from uuid import UUID

from komu.roster.v1 import events_pb2, roster_pb2
from servicekit.db import Transaction
from servicekit.events import consumer

from dataexchange.domain.roster_objects.sources import Duty, Member, Post, School, SchoolClass, Staff
from dataexchange.usecases import projection

_CLASS_KINDS = {
    roster_pb2.CLASS_KIND_HOMEROOM: "homeroom",
    roster_pb2.CLASS_KIND_SPECIAL_NEEDS: "special_needs",
    roster_pb2.CLASS_KIND_COURSE: "course",
}
_DUTY_KINDS = {
    roster_pb2.DUTY_KIND_HOMEROOM: "homeroom",
    roster_pb2.DUTY_KIND_ASSISTANT_HOMEROOM: "assistant_homeroom",
    roster_pb2.DUTY_KIND_SUBJECT: "subject",
}
_POSTS = {
    roster_pb2.POST_PRINCIPAL: "principal",
    roster_pb2.POST_VICE_PRINCIPAL: "vice_principal",
    roster_pb2.POST_TEACHER: "teacher",
    roster_pb2.POST_OFFICE: "office",
    roster_pb2.POST_NURSE: "nurse",
}


@consumer(subject="roster.v1.school_changed.*", message=events_pb2.SchoolChanged)
async def on_school_changed(tx: Transaction, event: events_pb2.SchoolChanged) -> None:
    """A school was entered or changed."""
    await keep_school(tx, event.school, event.meta.aggregate_version)


@consumer(subject="roster.v1.class_roster_changed.*", message=events_pb2.ClassRosterChanged)
async def on_class_roster_changed(tx: Transaction, event: events_pb2.ClassRosterChanged) -> None:
    """A class or its members changed."""
    await keep_class(tx, event.roster)


@consumer(subject="roster.v1.staff_duties_changed.*", message=events_pb2.StaffDutiesChanged)
async def on_staff_duties_changed(tx: Transaction, event: events_pb2.StaffDutiesChanged) -> None:
    """Someone's posts or duties changed."""
    await keep_staff(tx, event.duties)


@consumer(subject="roster.v1.people_renamed.*", message=events_pb2.PeopleRenamed)
async def on_people_renamed(tx: Transaction, event: events_pb2.PeopleRenamed) -> None:
    """Names of people changed."""
    await projection.follow_names(tx, [UUID(person) for person in event.person_ids])


async def keep(tx: Transaction, item: roster_pb2.SnapshotRosterReply) -> None:
    """One aggregate of the snapshot; times on the roll are not needed here."""
    match item.WhichOneof("item"):
        case "school":
            await keep_school(tx, item.school, 0)
        case "class_roster":
            await keep_class(tx, item.class_roster)
        case "staff_duties":
            await keep_staff(tx, item.staff_duties)


async def keep_school(tx: Transaction, school: roster_pb2.School, version: int) -> None:
    await projection.follow_school(tx, School(school.id, school.code, school.name), version)


async def keep_class(tx: Transaction, roster: roster_pb2.ClassRoster) -> None:
    told: roster_pb2.Class = getattr(roster, "class")
    members = tuple(
        Member(one.pupil_id, one.number, one.period.starts_on, one.period.ends_on, one.school_grade)
        for one in roster.members
    )
    kind = _CLASS_KINDS.get(told.kind, "homeroom")
    await projection.follow_class(
        tx,
        SchoolClass(told.id, told.school_id, told.school_year, told.school_grade, told.name, kind, members),
        roster.version,
    )


async def keep_staff(tx: Transaction, told: roster_pb2.StaffDuties) -> None:
    posts = tuple(
        Post(one.school_id, _POSTS.get(one.post, "teacher"), one.period.starts_on, one.period.ends_on)
        for one in told.appointments
    )
    duties = tuple(
        Duty(told.staff_id, _DUTY_KINDS[one.kind], one.class_id, one.subject, one.period.starts_on, one.period.ends_on)
        for one in told.duties
        if one.kind in _DUTY_KINDS and one.class_id
    )
    await projection.follow_staff(tx, Staff(told.staff_id, posts, duties), told.version)


CONSUMERS = (on_school_changed, on_class_roster_changed, on_staff_duties_changed, on_people_renamed)
