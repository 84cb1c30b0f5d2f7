"""MovementService: 異動の手続き, and the lists made from the events."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from jpschool.kana import full_width_katakana
from komu.roster.v1 import movements_pb2, movements_pb2_grpc, roster_pb2
from servicekit.errors import Invalid, Violation
from servicekit.grpc import Call, rpc
from servicekit.ids import uuid7

from roster import events
from roster.domain.counting import Count, Listed, ListedPlace
from roster.domain.movements import Movement
from roster.domain.names import DatedName, Name
from roster.domain.people import Address
from roster.domain.period import Period
from roster.events import iso
from roster.grpc_api import to_proto
from roster.grpc_api.from_proto import (
    EVENT_KIND_NAMES,
    SEX_NAMES,
    a_day,
    an_id,
    guardian,
    maybe_day,
    maybe_id,
    name,
)
from roster.usecases import counting, movements
from roster.usecases.arrivals import Newcomer
from roster.usecases.movements import EnterMovement, Outcome

_MOST_LISTED = 1000


class MovementServicer(movements_pb2_grpc.MovementServiceServicer):
    """Answers over gRPC; every method names the right it needs."""

    @rpc(right="enrolment.write")
    async def PreviewMovement(
        self, request: movements_pb2.EnterMovementRequest, call: Call
    ) -> movements_pb2.PreviewMovementReply:
        return _outcome(await call.read(movements.preview, _command(request)))

    @rpc(right="enrolment.write")
    async def EnterMovement(self, request: movements_pb2.EnterMovementRequest, call: Call) -> roster_pb2.Enrolment:
        return to_proto.enrolment(await call.run(movements.enter, _command(request)))

    @rpc(right="enrolment.write")
    async def TakeBackMovement(
        self, request: movements_pb2.TakeBackMovementRequest, call: Call
    ) -> roster_pb2.Enrolment:
        event_id = an_id(request.event_id, "event_id")
        return to_proto.enrolment(await call.run(movements.strike, event_id, request.reason.strip()))

    @rpc(right="enrolment.list")
    async def ListMovements(
        self, request: movements_pb2.ListMovementsRequest, call: Call
    ) -> movements_pb2.ListMovementsReply:
        found, more = await call.read(
            counting.list_movements, maybe_id(request.school_id, "school_id"), maybe_day(request.from_on, "from_on"),
            maybe_day(request.to_on, "to_on"), [EVENT_KIND_NAMES[kind] for kind in request.kinds if kind],
            request.last_only, _place(request.after_key), min(request.limit or 100, _MOST_LISTED),
        )  # fmt: skip
        return movements_pb2.ListMovementsReply(entries=map(_entry, found), next_key=_cursor(found[-1]) if more else "")

    @rpc(right="roster.read")
    async def CountEnrolled(
        self, request: movements_pb2.CountEnrolledRequest, call: Call
    ) -> movements_pb2.CountEnrolledReply:
        day, counts, schools = await call.read(
            counting.count_enrolled, maybe_id(request.school_id, "school_id"), maybe_day(request.on, "on")
        )
        return movements_pb2.CountEnrolledReply(
            on=iso(day), counts=map(_count, counts), schools=map(events.school, schools)
        )


def _command(request: movements_pb2.EnterMovementRequest) -> EnterMovement:
    movement = _movement(request.movement)
    newcomer = None
    pupil_id = maybe_id(request.pupil_id, "pupil_id")
    if pupil_id is None:
        pupil_id = uuid7()
        if not request.HasField("newcomer"):
            message = "児童生徒を選んでください。"
            raise Invalid(message, [Violation("pupil", message)])
        newcomer = _newcomer(request.newcomer, pupil_id, movement.effective_on)
    return EnterMovement(
        pupil_id, maybe_id(request.school_id, "school_id"), movement, request.version, newcomer,
        maybe_id(request.corrects_event_id, "corrects_event_id"), request.correction_reason.strip(),
    )  # fmt: skip


def _movement(message: movements_pb2.Movement) -> Movement:
    if message.kind not in EVENT_KIND_NAMES:
        said = "異動の種類を選んでください。"
        raise Invalid(said, [Violation("kind", said)])
    return Movement(
        EVENT_KIND_NAMES[message.kind], maybe_day(message.effective_on, "effective_on"),
        maybe_day(message.accepted_on, "accepted_on"), maybe_day(message.left_on, "left_on"),
        maybe_day(message.until_on, "until_on"), message.ground, message.school_grade,
        message.counterpart_name.strip(), message.counterpart_address.strip(), message.reason.strip(),
    )  # fmt: skip


def _newcomer(message: movements_pb2.Newcomer, pupil_id: UUID, first_day: date | None) -> Newcomer:
    since = first_day or a_day("", "effective_on")
    born_on = a_day(message.birth_on, "birth_on")
    kinds = (
        ("display", message.names.display), ("kana", message.names.kana), ("official", message.names.official),
        ("alias", message.alias),
    )  # fmt: skip
    names = [(kind, _stripped(kind, name(value))) for kind, value in kinds]
    for kind, value in names[:2]:
        if not value.family or not value.given:
            said = "姓と名を入力してください。" if kind == "display" else "ふりがなを入力してください。"
            raise Invalid(said, [Violation("family" if kind == "display" else "kana_family", said)])
    address_on = maybe_day(message.address_on, "address_on") or since
    return Newcomer(
        pupil_id, tuple(DatedName(kind, value, Period(born_on)) for kind, value in names if value),
        (Address(message.postal_code.strip(), message.address.strip(), Period(address_on)),)
        if message.address.strip() else (),
        tuple(guardian(one) for one in message.guardians), SEX_NAMES.get(message.sex, ""), born_on,
        message.protected_address, since,
    )  # fmt: skip


def _stripped(kind: str, value: Name) -> Name:
    """Without spaces around; a ふりがな typed in ひらがな or 半角 becomes full-width katakana."""
    parts = (value.family.strip(), value.given.strip(), value.middle.strip())
    return Name(*map(full_width_katakana, parts)) if kind == "kana" else Name(*parts)


def _outcome(value: Outcome) -> movements_pb2.PreviewMovementReply:
    return movements_pb2.PreviewMovementReply(
        pupil=to_proto.pupil(value.pupil) if value.pupil else None,
        before=to_proto.enrolment(value.before) if value.before else None,
        after=to_proto.enrolment(value.after),
        classes=[
            movements_pb2.ClassChange(
                class_id=str(new.class_id), name=label, ended_on=iso(old.ends_on), ends_on=iso(new.ends_on)
            )
            for label, old, new in value.classes
        ],
    )


def _entry(value: Listed) -> movements_pb2.MovementEntry:
    return movements_pb2.MovementEntry(
        pupil=to_proto.pupil(value.pupil), event=to_proto.enrolment_event(value.event), class_name=value.class_name,
        number=value.number, guardian_name=value.guardian_name,
    )  # fmt: skip


def _count(value: Count) -> movements_pb2.EnrolledCount:
    return movements_pb2.EnrolledCount(
        school_id=str(value.school_id), class_id=to_proto.text_id(value.class_id), class_name=value.class_name,
        class_kind=events.CLASS_KINDS.get(value.class_kind, roster_pb2.CLASS_KIND_UNSPECIFIED),
        school_grade=value.school_grade, sex=to_proto.SEXES.get(value.sex, roster_pb2.SEX_UNSPECIFIED),
        number=value.number,
    )  # fmt: skip


def _cursor(last: Listed) -> str:
    return f"{iso(last.event.effective_on)}.{last.event.id}"


def _place(text: str) -> ListedPlace | None:
    if not text:
        return None
    day, _, event_id = text.partition(".")
    return ListedPlace(a_day(day, "after_key"), an_id(event_id, "after_key"))
