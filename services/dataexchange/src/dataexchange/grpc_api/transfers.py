"""TransferService: 転出 and 転入 for the portal."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any, Final
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp
from jpschool.days import read_day
from komu.common.v1 import common_pb2
from komu.dataexchange.v1 import transfers_pb2 as pb
from komu.dataexchange.v1 import transfers_pb2_grpc
from pydantic import ValidationError
from servicekit.audit import question_of
from servicekit.audit import to_proto as audit_to_proto
from servicekit.clock import day_in_jst
from servicekit.errors import Invalid, KomuError, Violation
from servicekit.grpc import Call, rpc

from dataexchange.clients.gathering import Gatherer
from dataexchange.clients.register import Register
from dataexchange.domain import instants
from dataexchange.domain.commands import Admission, Draft
from dataexchange.domain.notices import Asked, Child, NoticeState
from dataexchange.domain.ourselves import Ourselves
from dataexchange.domain.package.records import Name
from dataexchange.domain.states import ArrivalState, check_new_to_us
from dataexchange.grpc_api import to_proto
from dataexchange.usecases import access_log, arrivals, departures, notices
from dataexchange.usecases.delivering import Sender

OFFICE: Final = frozenset({"office", "vice_principal", "principal"})
RIGHTS: Final[dict[str, frozenset[str]]] = {
    "transfer.read": OFFICE | {"board_admin"},
    "transfer.draft": OFFICE,
    "transfer.approve": frozenset({"principal"}),
    "transfer.withdraw": OFFICE,
    "arrival.read": OFFICE | {"board_admin"},
    "arrival.handle": OFFICE | {"board_admin"},
    "received.read": OFFICE | {"teacher"},
    "notice.send": OFFICE,
    "notice.read": OFFICE | {"board_admin"},
    "notice.handle": OFFICE,
    "audit.read": frozenset({"principal", "board_admin"}),
}
CHUNK: Final = 256 * 1024


def _uuid(text: str, field: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        message = "番号の形式が正しくありません。"
        raise Invalid(message, [Violation(field, message)]) from None


def _day(text: str, field: str) -> date:
    try:
        return read_day(text)
    except ValueError:
        message = "日付を入力してください。"
        raise Invalid(message, [Violation(field, message)]) from None


def _child(request: pb.SendNoticeRequest) -> Child:
    """Raises: Invalid, when nobody could be found by what is stated."""
    stated: dict[str, Any] = {}
    if request.pupil_id:
        stated["person_id"] = str(_uuid(request.pupil_id, "pupil_id"))
    if request.birth_on:
        stated["born_on"] = _day(request.birth_on, "birth_on").isoformat()
    for field in ("name", "kana"):
        given = getattr(request, field)
        if given.family or given.given:
            stated[field] = Name(family=given.family, middle=given.middle, given=given.given)
    try:
        return Child(**stated)
    except ValidationError:
        message = "氏名・よみがな・生年月日をすべて入力してください(識別子が分かるときは識別子だけでも送れます)。"
        raise Invalid(message, [Violation("name", message)]) from None


class TransferServicer(transfers_pb2_grpc.TransferServiceServicer):
    """Facts from the register, then one use case in one transaction."""

    def __init__(self, us: Ourselves, register: Register, gatherer: Gatherer, sender: Sender) -> None:
        self._us = us
        self._register = register
        self._gatherer = gatherer
        self._sender = sender

    @rpc(right="transfer.read", information_class=3)
    async def ListOrganisations(self, request: pb.ListOrganisationsRequest, call: Call) -> pb.ListOrganisationsReply:
        directory = self._us.directory(call.now)
        expires = Timestamp()
        expires.FromDatetime(instants.from_text(directory.content.expires_at))
        return pb.ListOrganisationsReply(
            organisations=[to_proto.organisation(one) for one in self._us.others(call.tenant, call.now)],
            directory_sequence=directory.content.sequence, directory_expires_at=expires,
            own_id=self._us.organisation_of(call.tenant),
        )  # fmt: skip

    # ── 転出 ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    @rpc(right="transfer.draft", information_class=3)
    async def DraftTransfer(self, request: pb.DraftTransferRequest, call: Call) -> pb.Transfer:
        draft = Draft(
            pupil_id=_uuid(request.pupil_id, "pupil_id"), organisation=request.to_organisation,
            school_code=request.to_school_code, left_on=_day(request.left_on, "left_on"), reason=request.reason.strip(),
            notice_id=_uuid(request.notice_id, "notice_id") if request.notice_id else None,
        )  # fmt: skip
        served = await self._register.served(call.token)
        pupil = await self._register.pupil(call.token, draft.pupil_id)
        await call.read(departures.check_draft, self._us, served, pupil, draft)
        to = self._us.destination(draft.organisation, draft.school_code, call.tenant, call.now)
        entered = await self._register.record_departure(call.token, draft, to, pupil.enrolment_version)
        try:
            view = await call.run(departures.draft_transfer, self._us, served, pupil, draft)
        except KomuError:
            if entered:
                await self._register.cancel_departure(call.token, draft.pupil_id, "転出の起案を完了できなかったため")
            raise
        return to_proto.transfer_view(view)

    @rpc(right="transfer.approve", information_class=1)
    async def ApproveTransfer(self, request: pb.ApproveTransferRequest, call: Call) -> pb.Transfer:
        transfer_id = _uuid(request.transfer_id, "transfer_id")
        served = await self._register.served(call.token)
        transfer = await call.read(departures.look_for_approval, served, transfer_id, request.version)
        copies = await call.read(departures.received_copies, transfer.pupil_id)
        gathered = await self._gatherer.gather(call.token, transfer, copies, day_in_jst(call.now))
        view = await call.run(departures.approve_transfer, self._us, served, transfer_id, request.version, gathered)
        self._sender.wake()
        return to_proto.transfer_view(view)

    @rpc(right="transfer.withdraw", information_class=3)
    async def WithdrawTransfer(self, request: pb.WithdrawTransferRequest, call: Call) -> pb.Transfer:
        transfer_id = _uuid(request.transfer_id, "transfer_id")
        served = await self._register.served(call.token)
        view = await call.run(
            departures.withdraw_transfer, self._us, served, transfer_id, request.version, request.reason.strip()
        )
        self._sender.wake()
        return to_proto.transfer_view(view)

    @rpc(right="transfer.read", information_class=3)
    async def GetTransfer(self, request: pb.GetTransferRequest, call: Call) -> pb.Transfer:
        served = await self._register.served(call.token)
        transfer_id = _uuid(request.transfer_id, "transfer_id")
        return to_proto.transfer_view(await call.read(departures.get_transfer, served, transfer_id))

    @rpc(right="transfer.read", information_class=3)
    async def ListTransfers(self, request: pb.ListTransfersRequest, call: Call) -> pb.ListTransfersReply:
        served = await self._register.served(call.token)
        school_id = _uuid(request.school_id, "school_id") if request.school_id else None
        before = _uuid(request.before_transfer_id, "before_transfer_id") if request.before_transfer_id else None
        found, more = await call.read(
            departures.list_transfers, served, school_id, request.state, before, request.limit
        )
        return pb.ListTransfersReply(transfers=map(to_proto.transfer, found), more=more)

    # ── 転入 ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    @rpc(right="arrival.read", information_class=3)
    async def ListArrivals(self, request: pb.ListArrivalsRequest, call: Call) -> pb.ListArrivalsReply:
        served = await self._register.served(call.token)
        before = _uuid(request.before_arrival_id, "before_arrival_id") if request.before_arrival_id else None
        found, more = await call.read(arrivals.list_arrivals, served, request.state, before, request.limit)
        return pb.ListArrivalsReply(arrivals=map(to_proto.arrival_view, found), more=more)

    @rpc(right="arrival.read", information_class=2)
    async def GetArrival(self, request: pb.GetArrivalRequest, call: Call) -> pb.Arrival:
        served = await self._register.served(call.token)
        view = await call.read(arrivals.get_arrival, served, _uuid(request.arrival_id, "arrival_id"))
        learner = to_proto.learner_of(view)
        candidates = None
        if learner is not None and view.arrival.state in (ArrivalState.VERIFIED, ArrivalState.MATCHED):
            candidates = await self._register.candidates(call.token, learner)
        return to_proto.arrival_view(view, candidates)

    @rpc(right="arrival.handle", information_class=2)
    async def MatchArrival(self, request: pb.MatchArrivalRequest, call: Call) -> pb.Arrival:
        served = await self._register.served(call.token)
        pupil_id = _uuid(request.pupil_id, "pupil_id") if request.pupil_id else None
        arrival_id = _uuid(request.arrival_id, "arrival_id")
        if pupil_id is not None:
            await self._register.pupil(call.token, pupil_id)
        else:
            learner = to_proto.learner_of(await call.read(arrivals.get_arrival, served, arrival_id))
            found = await self._register.candidates(call.token, learner) if learner is not None else []
            check_new_to_us(any(one.exact_id for one in found))
        view = await call.run(arrivals.match_arrival, served, arrival_id, pupil_id, request.version)
        return to_proto.arrival_view(view)

    @rpc(right="arrival.handle", information_class=2)
    async def AcceptArrival(self, request: pb.AcceptArrivalRequest, call: Call) -> pb.Arrival:
        admission = Admission(
            arrival_id=_uuid(request.arrival_id, "arrival_id"), school_id=_uuid(request.school_id, "school_id"),
            accepted_on=_day(request.accepted_on, "accepted_on"), school_grade=request.school_grade,
            version=request.version,
        )  # fmt: skip
        served = await self._register.served(call.token)
        view = await call.run(arrivals.look_for_acceptance, served, admission)
        learner = to_proto.learner_of(view)
        assert learner is not None
        await self._register.admit(call.token, view.arrival, admission, learner, to_proto.history_of(view))
        accepted = await call.run(arrivals.accept_arrival, self._us, served, admission)
        self._sender.wake()
        return to_proto.arrival_view(accepted)

    @rpc(right="arrival.handle", information_class=2)
    async def RefuseArrival(self, request: pb.RefuseArrivalRequest, call: Call) -> pb.Arrival:
        served = await self._register.served(call.token)
        view = await call.run(
            arrivals.refuse_arrival, self._us, served, _uuid(request.arrival_id, "arrival_id"), request.code,
            request.reason.strip(), request.version,
        )  # fmt: skip
        self._sender.wake()
        return to_proto.arrival_view(view)

    # ── 転入の予定・照会 ──────────────────────────────────────────────────────────────────────────────────────────────

    @rpc(right="notice.send", information_class=3)
    async def SendNotice(self, request: pb.SendNoticeRequest, call: Call) -> pb.Notice:
        asked = Asked(
            from_school_id=_uuid(request.from_school_id, "from_school_id"), organisation=request.to_organisation,
            school_code=request.to_school_code, child=_child(request),
            expected_on=_day(request.expected_on, "expected_on"), not_protected=request.not_protected,
        )  # fmt: skip
        served = await self._register.served(call.token)
        view = await call.run(notices.send_notice, self._us, served, asked)
        self._sender.wake()
        return to_proto.notice_view(view)

    @rpc(right="notice.read", information_class=3)
    async def ListNotices(self, request: pb.ListNoticesRequest, call: Call) -> pb.ListNoticesReply:
        served = await self._register.served(call.token)
        before = _uuid(request.before_notice_id, "before_notice_id") if request.before_notice_id else None
        found, more = await call.read(
            notices.list_notices, served, request.direction, request.state, before, request.limit
        )
        return pb.ListNoticesReply(notices=map(to_proto.notice, found), more=more)

    @rpc(right="notice.read", information_class=3)
    async def GetNotice(self, request: pb.GetNoticeRequest, call: Call) -> pb.Notice:
        served = await self._register.served(call.token)
        view = await call.read(notices.get_notice, served, _uuid(request.notice_id, "notice_id"))
        notice, candidates = view.notice, None
        asked = notice.direction == "in" and notice.state == NoticeState.RECEIVED and call.person.holds(*OFFICE)
        if asked and notice.child is not None:
            candidates = await self._register.candidates_of_notice(call.token, notice.child)
        return to_proto.notice_view(view, candidates)

    @rpc(right="notice.handle", information_class=3)
    async def RefuseNotice(self, request: pb.RefuseNoticeRequest, call: Call) -> pb.Notice:
        served = await self._register.served(call.token)
        notice_id = _uuid(request.notice_id, "notice_id")
        view = await call.run(notices.refuse_notice, served, notice_id, request.reason.strip(), request.version)
        return to_proto.notice_view(view)

    @rpc(right="received.read", information_class=1)
    async def GetArrivalPart(
        self, request: pb.GetArrivalPartRequest, call: Call
    ) -> AsyncIterator[pb.GetArrivalPartReply]:
        served = await self._register.served(call.token)
        arrival_id = _uuid(request.arrival_id, "arrival_id")
        if call.person.holds(*OFFICE):
            part, data = await call.read(arrivals.read_part, served, arrival_id, request.path)
        else:
            accepted = await call.read(arrivals.find_accepted, arrival_id)
            assert accepted.pupil_id is not None
            pupil = await self._register.pupil(call.token, accepted.pupil_id)
            part, data = await call.read(
                arrivals.read_received_part, served, pupil.school_id, pupil.class_id, arrival_id, request.path
            )
        yield pb.GetArrivalPartReply(header=to_proto.part(part))
        for at in range(0, len(data), CHUNK):
            yield pb.GetArrivalPartReply(chunk=data[at : at + CHUNK])

    @rpc(right="received.read", information_class=2)
    async def ListReceivedDocuments(
        self, request: pb.ListReceivedDocumentsRequest, call: Call
    ) -> pb.ListReceivedDocumentsReply:
        pupil_id = _uuid(request.pupil_id, "pupil_id")
        served = await self._register.served(call.token)
        pupil = await self._register.pupil(call.token, pupil_id)
        found = await call.read(arrivals.received_documents, served, pupil_id, pupil.school_id, pupil.class_id)
        return pb.ListReceivedDocumentsReply(
            documents=[
                pb.ReceivedDocument(
                    arrival_id=str(arrival.id), part=to_proto.part(part), from_school_name=arrival.from_school_name,
                    accepted_on=arrival.accepted_on.isoformat() if arrival.accepted_on else "", retention_basis=basis,
                )
                for arrival, part, basis in found
            ]
        )  # fmt: skip

    @rpc(right="audit.read", information_class=3)
    async def ReadAudit(self, request: common_pb2.ReadAuditRequest, call: Call) -> Any:
        served = await self._register.served(call.token)
        return audit_to_proto(await call.read(access_log.read, served, question_of(request)), "dataexchange")
