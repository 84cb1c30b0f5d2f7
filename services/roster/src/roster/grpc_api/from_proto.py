"""Messages of the contract as values of the domain; what cannot be read is refused with its field."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from jpschool.days import read_day
from komu.common.v1 import common_pb2
from komu.roster.v1 import roster_pb2
from servicekit.errors import Invalid, Violation
from servicekit.ids import uuid7

from roster.domain.names import NAME_KINDS, DatedName, Name, NameSets
from roster.domain.people import Address, FormerEnrolment, FormerEvent, Guardian
from roster.domain.period import Period
from roster.events import DUTY_KINDS, POSTS
from roster.grpc_api.to_proto import EVENT_KINDS, PERSON_KINDS, SEXES
from roster.usecases.arrivals import Arrival
from roster.usecases.duties import AssignHomeroomTeacher
from roster.usecases.enrolment import PlaceInClass, RecordDeparture

SEX_NAMES = {number: word for word, number in SEXES.items()}
PERSON_KIND_NAMES = {number: word for word, number in PERSON_KINDS.items()}
POST_NAMES = {number: word for word, number in POSTS.items()}
DUTY_KIND_NAMES = {number: word for word, number in DUTY_KINDS.items()}
EVENT_KIND_NAMES = {number: word for word, number in EVENT_KINDS.items()}


def an_id(text: str, field: str) -> UUID:
    """Raises Invalid."""
    try:
        return UUID(text)
    except ValueError:
        message = "指定が正しくありません。"
        raise Invalid(message, [Violation(field, message)]) from None


def maybe_id(text: str, field: str) -> UUID | None:
    """An id, or None when empty."""
    return an_id(text, field) if text else None


def a_day(text: str, field: str) -> date:
    """Raises Invalid."""
    try:
        return read_day(text)
    except ValueError:
        message = "日付を「2026-11-21」の形で入力してください。"
        raise Invalid(message, [Violation(field, message)]) from None


def maybe_day(text: str, field: str) -> date | None:
    """A day, or None when empty."""
    return a_day(text, field) if text else None


def name(message: common_pb2.Name) -> Name:
    """One name."""
    return Name(message.family, message.given, message.middle)


def names(message: common_pb2.PersonNames) -> NameSets:
    """The name sets."""
    return NameSets(
        name(message.display), name(message.kana), name(message.official) if message.HasField("official") else None
    )


def assign_homeroom_teacher(request: roster_pb2.AssignHomeroomTeacherRequest) -> AssignHomeroomTeacher:
    """担任 from a day on."""
    return AssignHomeroomTeacher(
        an_id(request.class_id, "class_id"), an_id(request.staff_id, "staff_id"),
        a_day(request.starts_on, "starts_on"), request.version,
    )  # fmt: skip


def place_in_class(request: roster_pb2.PlaceInClassRequest) -> PlaceInClass:
    """Class of a child from a day on."""
    if request.number > 99:
        message = "出席番号は1から99までの数字にしてください。"
        raise Invalid(message, [Violation("number", message)])
    return PlaceInClass(
        an_id(request.pupil_id, "pupil_id"), an_id(request.class_id, "class_id"),
        a_day(request.starts_on, "starts_on"), request.number,
    )  # fmt: skip


def record_departure(request: roster_pb2.RecordDepartureRequest) -> RecordDeparture:
    """A child is leaving."""
    return RecordDeparture(
        an_id(request.pupil_id, "pupil_id"), a_day(request.left_on, "left_on"), request.counterpart_name.strip(),
        request.counterpart_address.strip(), request.reason.strip(), request.version,
    )  # fmt: skip


def arrival(request: roster_pb2.AdmitTransferredPupilRequest) -> Arrival:
    """A child accepted from another board."""
    accepted_on = a_day(request.accepted_on, "accepted_on")
    return Arrival(
        an_id(request.transfer_id, "transfer_id"), an_id(request.pupil_id, "pupil_id"),
        an_id(request.school_id, "school_id"), request.school_grade, accepted_on, request.former_school_name,
        request.former_school_address, request.reason,
        tuple(
            DatedName(item.kind, name(item.name), _loose_period(item.period, accepted_on))
            for item in request.names
            if item.kind in NAME_KINDS
        ),
        tuple(
            Address(item.postal_code, item.text, _loose_period(item.period, accepted_on)) for item in request.addresses
        ),
        tuple(guardian(item) for item in request.guardians),
        SEX_NAMES.get(request.sex, ""), maybe_day(request.birth_on, "birth_on"),
        tuple(former(item) for item in request.history), request.protected_address,
    )  # fmt: skip


def _loose_period(message: common_pb2.Period, fallback: date) -> Period:
    """A period from another system, which may not know since when."""
    starts_on = maybe_day(message.starts_on, "period.starts_on") or fallback
    ends_on = maybe_day(message.ends_on, "period.ends_on")
    return Period(starts_on, ends_on if ends_on is None or ends_on >= starts_on else starts_on)


def guardian(message: roster_pb2.Guardian) -> Guardian:
    """保護者."""
    return Guardian(
        an_id(message.id, "guardian.id") if message.id else uuid7(), names(message.names), message.relationship,
        message.rank or 1, message.phone, message.address,
    )  # fmt: skip


def former(message: roster_pb2.FormerEnrolment) -> FormerEnrolment:
    """A time at a school of another board."""
    return FormerEnrolment(
        message.school_code, message.school_name, message.school_address,
        tuple(
            FormerEvent(
                EVENT_KIND_NAMES.get(event.kind, ""), event.effective_on, event.left_on, event.school_grade,
                event.counterpart_name, event.counterpart_address, event.reason,
            )
            for event in message.events
        ),
    )  # fmt: skip
