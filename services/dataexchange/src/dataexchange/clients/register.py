"""Asking roster: where a person serves, who a child is, what 様式1 holds; telling it of a departure and an arrival."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from uuid import UUID

import grpc
from komu.common.v1 import common_pb2
from komu.roster.v1 import roster_pb2 as pb
from komu.roster.v1 import roster_pb2_grpc
from servicekit.clients import Clients, raise_for
from servicekit.errors import Conflict

from dataexchange.domain.commands import Admission, Draft, PupilFacts
from dataexchange.domain.notices import Child
from dataexchange.domain.package import records
from dataexchange.domain.package.manifest import School
from dataexchange.domain.transfers import Arrival, Destination
from dataexchange.policy import Served

T = TypeVar("T")
SERVICE: Final = "roster"
LONG_S: Final = 20.0

_SEX: Final = {
    pb.SEX_MALE: "male", pb.SEX_FEMALE: "female", pb.SEX_OTHER: "other", pb.SEX_UNSPECIFIED: "unspecified",
}  # fmt: skip
_EVENT: Final = {
    pb.ENROLMENT_EVENT_KIND_ADMITTED: "entered",
    pb.ENROLMENT_EVENT_KIND_ADMITTED_FROM_ABROAD: "admitted_from_abroad",
    pb.ENROLMENT_EVENT_KIND_TRANSFERRED_IN: "transferred_in",
    pb.ENROLMENT_EVENT_KIND_TRANSFERRED_OUT: "transferred_out",
    pb.ENROLMENT_EVENT_KIND_WITHDRAWN: "withdrew",
    pb.ENROLMENT_EVENT_KIND_GRADUATED: "graduated",
}


async def answered(call: Awaitable[T]) -> T:
    """The answer, or the contract's error inside the status."""
    try:
        return await call
    except grpc.RpcError as error:
        raise_for(error)
        raise


@dataclass(frozen=True, slots=True)
class Candidate:
    """A child of our register beside the one that arrives; the pages show both."""

    message: pb.PupilCandidate


class Register:
    """roster, on behalf of the person who asks."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    @property
    def _stub(self) -> Any:
        return self._clients.stub(roster_pb2_grpc.RosterServiceStub, SERVICE)

    async def _ask(self, method: Any, request: Any, token: str | None, deadline_s: float | None = None) -> Any:
        metadata = await self._clients.on_behalf(token or "", SERVICE)
        return await answered(method(request, metadata=metadata, timeout=deadline_s))

    async def served(self, token: str | None) -> Served:
        """Where the person serves today."""
        reply: pb.WhoAmIReply = await self._ask(self._stub.WhoAmI, pb.WhoAmIRequest(), token)
        name = reply.names.official if reply.names.HasField("official") else reply.names.display
        return Served(
            name=full_name(name),
            school_ids=frozenset(UUID(school.id) for school in reply.schools),
            school_codes=frozenset(school.code for school in reply.schools),
            code_of=tuple((UUID(school.id), school.code) for school in reply.schools),
            homeroom_class_ids=frozenset(
                UUID(duty.class_id)
                for duty in reply.duties
                if duty.class_id and duty.kind in (pb.DUTY_KIND_HOMEROOM, pb.DUTY_KIND_ASSISTANT_HOMEROOM)
            ),
            board=any(not appointment.school_id for appointment in reply.appointments),
        )

    async def pupil(self, token: str | None, pupil_id: UUID) -> PupilFacts:
        """Raises: Unseen, Refused."""
        reply = await self._pupil(token, pupil_id)
        pupil = reply.pupil
        open_rolls = [enrolment for enrolment in reply.enrolments if not enrolment.period.ends_on]
        return PupilFacts(
            id=UUID(pupil.id), school_id=UUID(pupil.school_id) if pupil.school_id else pupil_id,
            class_id=UUID(pupil.class_id) if pupil.class_id else None, enrolled=pupil.enrolled,
            protected=pupil.protected_address, enrolment_version=open_rolls[-1].version if open_rolls else 0,
        )  # fmt: skip

    async def _pupil(self, token: str | None, pupil_id: UUID) -> pb.GetPupilReply:
        reply: pb.GetPupilReply = await self._ask(
            self._stub.GetPupil, pb.GetPupilRequest(pupil_id=str(pupil_id)), token
        )
        return reply

    async def record_departure(self, token: str | None, draft: Draft, to: Destination, version: int) -> bool:
        """転学 is entered in the register. Entered before for the same day (a try that broke off): once is enough.

        True, when this call entered it.
        """
        request = pb.RecordDepartureRequest(
            pupil_id=str(draft.pupil_id), left_on=draft.left_on.isoformat(), counterpart_name=to.name,
            counterpart_address=to.school_address, reason=draft.reason, version=version,
        )  # fmt: skip
        try:
            await self._ask(self._stub.RecordDeparture, request, token)
        except Conflict:
            known = await self._pupil(token, draft.pupil_id)
            if not _leaves_on(known.enrolments, draft.left_on.isoformat()):
                raise
            return False
        return True

    async def cancel_departure(self, token: str | None, pupil_id: UUID, reason: str) -> None:
        """The child stays after all; what was entered is struck and stays readable."""
        await self._ask(
            self._stub.CancelDeparture, pb.CancelDepartureRequest(pupil_id=str(pupil_id), reason=reason), token
        )

    async def register_sheet(self, token: str | None, pupil_id: UUID) -> pb.RegisterSheet:
        """様式1 of one child, whole. Raises: StepUpRequired, Refused, Unseen."""
        request = pb.GetRegisterSheetsRequest(pupil_ids=[str(pupil_id)])
        reply: pb.GetRegisterSheetsReply = await self._ask(self._stub.GetRegisterSheets, request, token, LONG_S)
        return reply.sheets[0]

    async def candidates(self, token: str | None, learner: records.Learner) -> list[pb.PupilCandidate]:
        """Who of our register it could be: by UUID, else by name, kana and birth date."""
        request = pb.MatchPupilRequest(
            pupil_id=learner.person_id, birth_on=learner.born_on, names=names_to_proto(learner.names)
        )
        reply: pb.MatchPupilReply = await self._ask(self._stub.MatchPupil, request, token)
        return list(reply.candidates)

    async def candidates_of_notice(self, token: str | None, child: Child) -> list[pb.PupilCandidate]:
        """Who of our register the other side may mean; only for the eyes of our own office."""
        request = pb.MatchPupilRequest(
            pupil_id=child.person_id or "", birth_on=child.born_on or "", names=names_of_child(child)
        )
        reply: pb.MatchPupilReply = await self._ask(self._stub.MatchPupil, request, token)
        return list(reply.candidates)

    async def admit(
        self, token: str | None, arrival: Arrival, admission: Admission, learner: records.Learner,
        history: records.EnrolmentHistory | None,
    ) -> None:  # fmt: skip
        """転入学: the child stands on our roll from `accepted_on`. The transfer's id makes a second try harmless."""
        on = admission.accepted_on.isoformat()
        request = pb.AdmitTransferredPupilRequest(
            transfer_id=str(arrival.transfer_id), pupil_id=str(arrival.matched_pupil_id or learner.person_id),
            school_id=str(admission.school_id), school_grade=admission.school_grade, accepted_on=on,
            former_school_name=arrival.from_school_name or arrival.from_organisation_name,
            former_school_address=arrival.from_school_address, reason="転居等による転入学",
            names=_dated_names(learner.names),
            addresses=[pb.DatedAddress(text=learner.address)] if learner.address else [],
            guardians=[_guardian(rank, one) for rank, one in enumerate(learner.guardians, 1)],
            sex=next((key for key, value in _SEX.items() if value == learner.sex), pb.SEX_UNSPECIFIED),
            birth_on=learner.born_on, history=_former(history) if history else [],
        )  # fmt: skip
        await self._ask(self._stub.AdmitTransferredPupil, request, token, LONG_S)


def _leaves_on(enrolments: Sequence[pb.Enrolment], left_on: str) -> bool:
    return any(
        event.kind == pb.ENROLMENT_EVENT_KIND_TRANSFERRED_OUT and not event.struck and event.left_on == left_on
        for enrolment in enrolments
        for event in enrolment.events
    )


# ── proto → record ───────────────────────────────────────────────────────────────────────────────────────────────────


def full_name(name: common_pb2.Name) -> str:
    return " ".join(part for part in (name.family, name.middle, name.given) if part)


def _name(name: common_pb2.Name) -> records.Name:
    return records.Name(family=name.family, given=name.given, middle=name.middle)


def _names(names: common_pb2.PersonNames) -> records.Names:
    official = names.official if names.HasField("official") else names.display
    return records.Names(official=_name(official), display=_name(names.display), kana=_name(names.kana))


def school_of(sheet: pb.RegisterSheet) -> School:
    return School(code=sheet.school.code, name=sheet.school.name, address=sheet.school.address)


def learner_of(sheet: pb.RegisterSheet) -> records.Learner:
    current = [address.text for address in sheet.addresses if not address.period.ends_on] or [""]
    guardians = sorted(sheet.guardians, key=lambda guardian: guardian.rank)
    return records.Learner.model_validate({
        "schema": "learner/1.0", "person_id": sheet.pupil.id, "names": _names(sheet.pupil.names),
        "born_on": sheet.pupil.birth_on, "sex": _SEX[sheet.pupil.sex], "address": current[-1],
        "before_school": sheet.prior_history,
        "guardians": [
            records.Guardian(
                names=_names(one.names), relation=one.relationship, address=one.address, phone=one.phone
            )
            for one in guardians[:10]
        ],
    })  # fmt: skip


def identifiers_of(sheet: pb.RegisterSheet) -> records.Identifiers:
    return records.Identifiers.model_validate({
        "schema": "identifiers/1.0", "person_id": sheet.pupil.id,
        "others": [records.Identifier(scheme="oneroster:userMasterIdentifier", value=sheet.pupil.id)],
    })  # fmt: skip


def history_of(sheet: pb.RegisterSheet, left_on: str) -> records.EnrolmentHistory:
    """学籍の履歴: what happened at former schools, then here; the pending 転学 is stated by the manifest."""
    here = school_of(sheet)
    events = [
        _event(event, School(code=former.school_code, name=former.school_name or "不明", address=former.school_address))
        for former in sheet.former
        for event in former.events
        if not event.struck
    ]
    events += [
        _event(event, here)
        for enrolment in sheet.enrolments
        for event in enrolment.events
        if not event.struck and event.effective_on
    ]
    years = [
        records.ClassYear(
            school_year=line.school_year, school_grade=line.school_grade, school=here, class_name=line.class_name,
            attendance_number=line.number or None,
            principals=[_teacher(one) for one in line.principals],
            homeroom_teachers=[_teacher(one) for one in line.homeroom_teachers],
        )
        for line in sheet.years
    ]  # fmt: skip
    return records.EnrolmentHistory.model_validate(
        {"schema": "enrolment_history/1.0", "events": events, "years": years}
    )


def _event(event: pb.EnrolmentEvent, school: School) -> records.EnrolmentEvent:
    return records.EnrolmentEvent(
        kind=_EVENT.get(event.kind, "other"),  # type: ignore[arg-type]
        on=event.effective_on or event.left_on, left_on=event.left_on or None, school=school,
        school_grade=event.school_grade or None,
        counterpart=School(name=event.counterpart_name, address=event.counterpart_address)
        if event.counterpart_name else None,
        reason=event.reason,
    )  # fmt: skip


def _teacher(one: pb.DatedStaff) -> records.Teacher:
    return records.Teacher(
        name=full_name(one.name), starts_on=one.period.starts_on or None, ends_on=one.period.ends_on or None
    )


# ── record → proto ───────────────────────────────────────────────────────────────────────────────────────────────────


def _name_to_proto(name: records.Name) -> common_pb2.Name:
    return common_pb2.Name(family=name.family, given=name.given, middle=name.middle)


def names_of_child(child: Child) -> common_pb2.PersonNames:
    """As far as the asker stated them."""
    return common_pb2.PersonNames(
        display=_name_to_proto(child.name) if child.name else None,
        kana=_name_to_proto(child.kana) if child.kana else None,
    )


def names_to_proto(names: records.Names) -> common_pb2.PersonNames:
    return common_pb2.PersonNames(
        display=_name_to_proto(names.display), kana=_name_to_proto(names.kana), official=_name_to_proto(names.official)
    )


def _dated_names(names: records.Names) -> list[pb.DatedName]:
    kinds = {"official": names.official, "display": names.display, "kana": names.kana, "alias": names.preferred}
    return [pb.DatedName(kind=kind, name=_name_to_proto(name)) for kind, name in kinds.items() if name is not None]


def _guardian(rank: int, one: records.Guardian) -> pb.Guardian:
    return pb.Guardian(
        names=names_to_proto(one.names), relationship=one.relation, rank=rank, phone=one.phone, address=one.address
    )


def _former(history: records.EnrolmentHistory) -> list[pb.FormerEnrolment]:
    by_school: dict[tuple[str, str], pb.FormerEnrolment] = {}
    kinds = {value: key for key, value in _EVENT.items()}
    for event in history.events:
        key = (event.school.code, event.school.name)
        former = by_school.setdefault(
            key,
            pb.FormerEnrolment(
                school_code=event.school.code, school_name=event.school.name, school_address=event.school.address
            ),
        )
        former.events.add(
            kind=kinds.get(event.kind, pb.ENROLMENT_EVENT_KIND_UNSPECIFIED), effective_on=event.on,
            left_on=event.left_on or "", school_grade=event.school_grade or "", reason=event.reason,
            counterpart_name=event.counterpart.name if event.counterpart else "",
            counterpart_address=event.counterpart.address if event.counterpart else "",
        )  # fmt: skip
    return list(by_school.values())


def sheet_of(learner: records.Learner, history: records.EnrolmentHistory | None) -> pb.RegisterSheet:
    """The arrived child in the shape the pages know."""
    sheet = pb.RegisterSheet(
        pupil=pb.Pupil(
            id=learner.person_id, names=names_to_proto(learner.names), birth_on=learner.born_on,
            sex=next((key for key, value in _SEX.items() if value == learner.sex), pb.SEX_UNSPECIFIED),
        ),
        names=_dated_names(learner.names),
        guardians=[_guardian(rank, one) for rank, one in enumerate(learner.guardians, 1)],
        addresses=[pb.DatedAddress(text=learner.address)] if learner.address else [],
        prior_history=learner.before_school,
    )  # fmt: skip
    if history is not None:
        sheet.former.extend(_former(history))
        for year in history.years:
            sheet.years.add(
                school_year=year.school_year, school_grade=year.school_grade, class_name=year.class_name,
                number=year.attendance_number or 0,
            )  # fmt: skip
        if history.years:
            sheet.pupil.school_grade = max(history.years, key=lambda year: year.school_year).school_grade
    return sheet
