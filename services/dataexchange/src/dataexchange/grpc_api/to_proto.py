"""Domain values as messages."""

from datetime import date, datetime
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp
from komu.dataexchange.v1 import transfers_pb2 as pb
from komu.roster.v1 import roster_pb2

from dataexchange.clients.register import names_of_child, sheet_of
from dataexchange.domain.directory import Organisation
from dataexchange.domain.notices import Notice, NoticeView
from dataexchange.domain.package import manifest, records
from dataexchange.domain.transfers import (
    Arrival,
    ArrivalPart,
    ArrivalView,
    KeptReceipt,
    StateChange,
    Transfer,
    TransferView,
)


def _at(instant: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(instant)
    return stamp


def _id(value: UUID | None) -> str:
    return str(value) if value else ""


def _day(value: date | None) -> str:
    return value.isoformat() if value else ""


def organisation(value: Organisation) -> pb.Organisation:
    schools = [pb.OrganisationSchool(code=one.code, name=one.name, address=one.address) for one in value.schools]
    return pb.Organisation(id=value.id, name=value.name, status=value.status, schools=schools)


def state_change(value: StateChange) -> pb.StateChange:
    return pb.StateChange(state=value.state, at=_at(value.at), actor_id=_id(value.actor_id), reason=value.reason)


def receipt(value: KeptReceipt) -> pb.Receipt:
    """`verified`: only receipts whose signature and chain held are in the table."""
    return pb.Receipt(
        kind=value.kind, at=_at(value.at), organisation=value.organisation, sha256=value.sha256, code=value.code,
        text=value.text, verified=True,
    )  # fmt: skip


def part(value: ArrivalPart) -> pb.PackagePart:
    return pb.PackagePart(
        path=value.path, media_type=value.media_type, bytes=value.bytes, sha256=value.sha256, label=value.title,
        custody=value.custody, information_class=value.information_class,
    )  # fmt: skip


def _listed(value: manifest.Part) -> pb.PackagePart:
    return pb.PackagePart(
        path=value.path, media_type=value.media_type, bytes=value.bytes, sha256=value.sha256, label=value.title,
        custody=value.custody, information_class=value.information_class,
    )  # fmt: skip


def _absent(value: manifest.Absent) -> pb.PackagePart:
    return pb.PackagePart(label=manifest.ROLES[value.role], absent_reason=value.reason)


def transfer(value: Transfer) -> pb.Transfer:
    to = value.destination
    return pb.Transfer(
        id=str(value.id), pupil_id=str(value.pupil_id), school_id=str(value.school_id), to_organisation=to.organisation,
        to_organisation_name=to.organisation_name, to_school_code=to.school_code, to_school_name=to.school_name,
        left_on=_day(value.left_on), accepted_on=_day(value.accepted_on), reason=value.reason, state=str(value.state),
        version=value.version, package_id=_id(value.package_id), last_error=value.last_error,
    )  # fmt: skip


def transfer_view(value: TransferView) -> pb.Transfer:
    message = transfer(value.transfer)
    message.history.extend(map(state_change, value.history))
    message.receipts.extend(map(receipt, value.receipts))
    if value.package is not None:
        described = manifest.parse(value.package.manifest)
        message.parts.extend(map(_listed, described.parts))
        message.parts.extend(map(_absent, described.absent))
    if value.delivery is not None and value.delivery.attempts:
        message.next_attempt_at.CopyFrom(_at(value.delivery.next_attempt_at))
        message.last_error = value.delivery.last_error or message.last_error
    return message


def notice(value: Notice) -> pb.Notice:
    message = pb.Notice(
        id=str(value.id), direction=value.direction, organisation=value.organisation,
        organisation_name=value.organisation_name, school_code=value.school_code, school_name=value.school_name,
        own_school_code=value.own_school_code, expected_on=_day(value.expected_on), state=str(value.state),
        transfer_id=_id(value.transfer_id), last_error=value.last_error, created_at=_at(value.created_at),
        version=value.version,
    )  # fmt: skip
    if value.child is not None:
        message.pupil_id = value.child.person_id or ""
        message.birth_on = value.child.born_on or ""
        message.names.CopyFrom(names_of_child(value.child))
    return message


def notice_view(value: NoticeView, candidates: list[roster_pb2.PupilCandidate] | None = None) -> pb.Notice:
    message = notice(value.notice)
    message.history.extend(map(state_change, value.history))
    message.candidates.extend(candidates or [])
    if value.delivery is not None and value.delivery.attempts:
        message.last_error = value.delivery.last_error or message.last_error
    return message


def arrival(value: Arrival) -> pb.Arrival:
    return pb.Arrival(
        id=str(value.id), from_organisation=value.from_organisation,
        from_organisation_name=value.from_organisation_name, from_school_name=value.from_school_name,
        state=str(value.state), matched_pupil_id=_id(value.matched_pupil_id), to_school_id=_id(value.school_id),
        left_on=_day(value.left_on), accepted_on=_day(value.accepted_on), version=value.version, sha256=value.sha256,
        refusal_code=value.refusal_code, refusal_text=value.refusal_text,
    )  # fmt: skip


def learner_of(value: ArrivalView) -> records.Learner | None:
    if value.learner is None:
        return None
    learner = records.parse("learner/1.0", value.learner, "record/learner.json")
    assert isinstance(learner, records.Learner)
    return learner


def history_of(value: ArrivalView) -> records.EnrolmentHistory | None:
    if value.enrolment_history is None:
        return None
    history = records.parse("enrolment_history/1.0", value.enrolment_history, "record/enrolment-history.json")
    assert isinstance(history, records.EnrolmentHistory)
    return history


def arrival_view(value: ArrivalView, candidates: list[roster_pb2.PupilCandidate] | None = None) -> pb.Arrival:
    message = arrival(value.arrival)
    message.history.extend(map(state_change, value.history))
    message.receipts.extend(map(receipt, value.receipts))
    message.parts.extend(map(part, value.parts))
    if value.manifest is not None:
        message.parts.extend(map(_absent, manifest.parse(value.manifest).absent))
    message.candidates.extend(candidates or [])
    learner = learner_of(value)
    if learner is not None:
        message.learner.CopyFrom(sheet_of(learner, history_of(value)))
    return message
