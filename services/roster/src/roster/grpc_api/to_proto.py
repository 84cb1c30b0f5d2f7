"""Values of the domain as messages of the contract."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from komu.common.v1 import common_pb2
from komu.roster.v1 import roster_pb2

from roster import events
from roster.domain.enrolment import Enrolment, EnrolmentEvent
from roster.domain.names import DatedName, Name, NameSets
from roster.domain.people import (
    Address,
    ClassList,
    ClassSummary,
    DatedStaff,
    FormerEnrolment,
    Guardian,
    Placement,
    Pupil,
    PupilRecord,
    RegisterNames,
    RegisterSheet,
    School,
    StaffMember,
    StaffName,
)
from roster.events import iso, period
from roster.usecases.arrivals import Candidate
from roster.usecases.imports import RosterChange
from roster.usecases.views import WhoAmI

SEXES = {"male": roster_pb2.SEX_MALE, "female": roster_pb2.SEX_FEMALE, "other": roster_pb2.SEX_OTHER}
PERSON_KINDS = {
    "pupil": roster_pb2.PERSON_KIND_PUPIL,
    "staff": roster_pb2.PERSON_KIND_STAFF,
    "guardian": roster_pb2.PERSON_KIND_GUARDIAN,
}
EVENT_KINDS = {
    "admitted": roster_pb2.ENROLMENT_EVENT_KIND_ADMITTED,
    "admitted_from_abroad": roster_pb2.ENROLMENT_EVENT_KIND_ADMITTED_FROM_ABROAD,
    "transferred_in": roster_pb2.ENROLMENT_EVENT_KIND_TRANSFERRED_IN,
    "transferred_out": roster_pb2.ENROLMENT_EVENT_KIND_TRANSFERRED_OUT,
    "withdrawn": roster_pb2.ENROLMENT_EVENT_KIND_WITHDRAWN,
    "graduated": roster_pb2.ENROLMENT_EVENT_KIND_GRADUATED,
    "not_enrolled": roster_pb2.ENROLMENT_EVENT_KIND_NOT_ENROLLED,
    "deferred": roster_pb2.ENROLMENT_EVENT_KIND_DEFERRED,
    "reinstated": roster_pb2.ENROLMENT_EVENT_KIND_REINSTATED,
    "out_of_district": roster_pb2.ENROLMENT_EVENT_KIND_OUT_OF_DISTRICT,
}


def text_id(value: UUID | None) -> str:
    """An id, or empty."""
    return str(value) if value is not None else ""


def name(value: Name) -> common_pb2.Name:
    """One name."""
    return common_pb2.Name(family=value.family, given=value.given, middle=value.middle)


def names(value: NameSets) -> common_pb2.PersonNames:
    """The name sets; official only where the value carries it."""
    return common_pb2.PersonNames(
        display=name(value.display), kana=name(value.kana), official=name(value.official) if value.official else None
    )


def pupil(value: Pupil) -> roster_pb2.Pupil:
    """A pupil."""
    message = roster_pb2.Pupil()
    fill_pupil(message, value)
    return message


def fill_pupil(message: roster_pb2.Pupil, value: Pupil) -> None:
    """In place: a class list made of finished parts is copied once per level, which costs as much as making it."""
    message.id = str(value.id)
    message.sex = SEXES.get(value.sex, roster_pb2.SEX_UNSPECIFIED)
    message.birth_on = iso(value.birth_on)
    message.school_id = text_id(value.school_id)
    message.class_id = text_id(value.class_id)
    message.school_grade = value.school_grade
    message.number = value.number
    message.enrolled = value.enrolled
    message.protected_address = value.protected_address
    message.version = value.version
    message.class_name = value.class_name
    _fill_name(message.names.display, value.names.display)
    _fill_name(message.names.kana, value.names.kana)
    if value.names.official:
        _fill_name(message.names.official, value.names.official)


def _fill_name(message: common_pb2.Name, value: Name) -> None:
    message.SetInParent()
    message.family, message.given, message.middle = value.family, value.given, value.middle


def staff_name(value: StaffName) -> roster_pb2.StaffName:
    """A member of staff."""
    return roster_pb2.StaffName(
        staff_id=str(value.staff_id), names=names(value.names),
        post=events.POSTS.get(value.post, roster_pb2.POST_UNSPECIFIED),
    )  # fmt: skip


def who_am_i(value: WhoAmI) -> roster_pb2.WhoAmIReply:
    """The signed-in person."""
    board = value.board
    return roster_pb2.WhoAmIReply(
        person_id=str(value.person_id),
        names=names(value.names) if value.names else None,
        board=roster_pb2.Board(id=str(board.id), tenant=board.tenant, code=board.code, name=board.name)
        if board
        else None,
        schools=map(events.school, value.schools),
        appointments=map(events.appointment, value.appointments),
        duties=map(events.duty, value.duties),
        classes=map(events.school_class, value.classes),
    )


def class_summary(value: ClassSummary) -> roster_pb2.ClassSummary:
    """A class with size and 担任."""
    return roster_pb2.ClassSummary(
        **{"class": events.school_class(value.homeroom)},
        size=value.size,
        homeroom_teachers=map(staff_name, value.homeroom_teachers),
    )


def class_list(value: ClassList) -> roster_pb2.GetClassRosterReply:
    """A class with its members."""
    reply = roster_pb2.GetClassRosterReply(
        school=events.school(value.school),
        duties=map(events.duty, value.duties),
        staff=map(staff_name, value.staff),
    )
    getattr(reply, "class").CopyFrom(events.school_class(value.homeroom))
    for entry in value.entries:
        message = reply.entries.add()
        fill_pupil(message.pupil, entry.pupil)
        for each in entry.periods:
            message.periods.add(starts_on=iso(each.starts_on), ends_on=iso(each.ends_on))
    return reply


def dated_name(value: DatedName) -> roster_pb2.DatedName:
    """A name with its days."""
    return roster_pb2.DatedName(name=name(value.name), period=period(value.period), kind=value.kind)


def address(value: Address) -> roster_pb2.DatedAddress:
    """現住所."""
    return roster_pb2.DatedAddress(postal_code=value.postal_code, text=value.text, period=period(value.period))


def guardian(value: Guardian) -> roster_pb2.Guardian:
    """保護者."""
    return roster_pb2.Guardian(
        id=str(value.id), names=names(value.names), relationship=value.relationship, rank=value.rank,
        phone=value.phone, address=value.address, period=period(value.period) if value.period else None,
    )  # fmt: skip


def enrolment_event(value: EnrolmentEvent) -> roster_pb2.EnrolmentEvent:
    """A dated fact of 学籍."""
    message = roster_pb2.EnrolmentEvent(
        id=str(value.id), kind=EVENT_KINDS[value.kind], school_id=str(value.school_id),
        effective_on=iso(value.effective_on), left_on=iso(value.left_on), school_grade=value.school_grade,
        counterpart_name=value.counterpart_name, counterpart_address=value.counterpart_address, reason=value.reason,
        recorded_by=text_id(value.recorded_by), struck=value.struck, transfer_id=text_id(value.transfer_id),
        until_on=iso(value.until_on), struck_by=text_id(value.struck_by), strike_reason=value.strike_reason,
    )  # fmt: skip
    if value.struck_at is not None:
        message.struck_at.FromDatetime(value.struck_at)
    message.recorded_at.FromDatetime(value.recorded_at)
    return message


def enrolment(value: Enrolment) -> roster_pb2.Enrolment:
    """A time on the roll."""
    return roster_pb2.Enrolment(
        id=str(value.id), pupil_id=str(value.pupil_id), school_id=str(value.school_id), period=period(value.period),
        events=map(enrolment_event, value.events), version=value.version, state=value.state,
    )  # fmt: skip


def placement(value: Placement) -> roster_pb2.ClassPlacement:
    """A child's days in a class."""
    return roster_pb2.ClassPlacement(
        **{"class": events.school_class(value.homeroom)}, number=value.number, period=period(value.period)
    )


def former(value: FormerEnrolment) -> roster_pb2.FormerEnrolment:
    """A time at a school of another board."""
    return roster_pb2.FormerEnrolment(
        school_code=value.school_code, school_name=value.school_name, school_address=value.school_address,
        events=[
            roster_pb2.EnrolmentEvent(
                kind=EVENT_KINDS.get(event.kind, roster_pb2.ENROLMENT_EVENT_KIND_UNSPECIFIED),
                effective_on=event.effective_on, left_on=event.left_on, school_grade=event.school_grade,
                counterpart_name=event.counterpart_name, counterpart_address=event.counterpart_address,
                reason=event.reason,
            )
            for event in value.events
        ],
    )  # fmt: skip


def pupil_record(value: PupilRecord, schools: Sequence[School]) -> roster_pb2.GetPupilReply:
    """The pupil's own page."""
    return roster_pb2.GetPupilReply(
        pupil=pupil(value.pupil), names=map(dated_name, value.names), addresses=map(address, value.addresses),
        guardians=map(guardian, value.guardians), enrolments=map(enrolment, value.enrolments),
        placements=map(placement, value.placements), former=map(former, value.former),
        schools=map(events.school, schools),
    )  # fmt: skip


def _dated_staff(value: DatedStaff) -> roster_pb2.DatedStaff:
    return roster_pb2.DatedStaff(
        name=name(value.name),
        period=period(value.period),
        post=events.POSTS.get(value.post, roster_pb2.POST_UNSPECIFIED),
    )


def register_names(value: RegisterNames) -> roster_pb2.GetRegisterNamesReply:
    """Who stands on 出席簿."""
    return roster_pb2.GetRegisterNamesReply(
        pupils=[
            roster_pb2.PupilNames(pupil_id=str(pupil_id), names=map(dated_name, names))
            for pupil_id, names in value.pupils
        ],
        principals=map(_dated_staff, value.principals),
        homeroom_teachers=map(_dated_staff, value.homeroom_teachers),
    )


def register_sheet(value: RegisterSheet) -> roster_pb2.RegisterSheet:
    """指導要録 様式1."""
    record = value.record
    return roster_pb2.RegisterSheet(
        pupil=pupil(record.pupil), school=events.school(value.school), names=map(dated_name, record.names),
        addresses=map(address, record.addresses), guardians=map(guardian, record.guardians),
        enrolments=map(enrolment, record.enrolments), former=map(former, record.former),
        years=[
            roster_pb2.YearLine(
                school_year=line.school_year, school_grade=line.school_grade, class_name=line.class_name,
                number=line.number, principals=map(_dated_staff, line.principals),
                homeroom_teachers=map(_dated_staff, line.homeroom_teachers), class_id=str(line.class_id),
            )
            for line in value.years
        ],
        prior_history=value.prior_history, next_school=value.next_school,
        next_school_address=value.next_school_address,
        former_guardians=map(guardian, value.former_guardians), principals=map(_dated_staff, value.principals),
    )  # fmt: skip


def staff_entry(value: StaffMember) -> roster_pb2.StaffEntry:
    """A member of staff with posts and duties."""
    return roster_pb2.StaffEntry(
        name=staff_name(value.name), appointments=map(events.appointment, value.appointments),
        duties=map(events.duty, value.duties),
    )  # fmt: skip


def person_name(value: tuple[UUID, str, NameSets]) -> roster_pb2.PersonName:
    """A name by id."""
    return roster_pb2.PersonName(person_id=str(value[0]), kind=PERSON_KINDS[value[1]], names=names(value[2]))


def candidate(value: Candidate) -> roster_pb2.PupilCandidate:
    """A child who may be the one arriving."""
    return roster_pb2.PupilCandidate(
        pupil=pupil(value.pupil), exact_id=value.exact_id, same_kana=value.same_kana, same_birth=value.same_birth,
        same_display_name=value.same_display_name, enrolled_elsewhere=value.enrolled_elsewhere,
    )  # fmt: skip


def roster_change(value: RosterChange, job: common_pb2.Job | None) -> roster_pb2.RosterChange:
    """What an import would change."""
    return roster_pb2.RosterChange(
        import_id=str(value.staged.id), state=value.staged.state, job=job, problems=value.problems,
        needs_shrink_confirmation=value.needs_shrink_confirmation,
        entities=[
            roster_pb2.EntityChange(
                entity=item.entity, existing=item.existing, added=item.added, changed=item.changed, gone=item.gone,
                examples=[
                    roster_pb2.ChangeExample(
                        kind=example.kind, label=example.label,
                        fields=[
                            roster_pb2.FieldChange(field=change.field, before=change.before, after=change.after)
                            for change in example.fields
                        ],
                    )
                    for example in item.examples
                ],
            )
            for item in value.entities
        ],
    )  # fmt: skip
