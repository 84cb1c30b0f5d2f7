"""RosterService."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

from jpschool.school_year import school_year_of
from komu.common.v1 import common_pb2
from komu.roster.v1 import roster_pb2, roster_pb2_grpc
from servicekit import jobs
from servicekit.audit import question_of
from servicekit.audit import to_proto as audit_to_proto
from servicekit.clock import day_in_jst
from servicekit.errors import Invalid, Violation
from servicekit.grpc import Call, rpc, workload_rpc

from roster import events
from roster.grpc_api import from_proto, to_proto
from roster.grpc_api import unlisted as of_unlisted
from roster.grpc_api.from_proto import an_id, maybe_day, maybe_id
from roster.grpc_api.staging import Part, Stager
from roster.usecases import arrivals, audit, duties, enrolment, imports, sheets, unlisted, views
from roster.usecases.snapshot import snapshot

_STAFF = frozenset({"teacher", "vice_principal", "principal", "office"})
_REGISTRARS = frozenset({"vice_principal", "principal", "office"})

RIGHTS: dict[str, frozenset[str]] = {
    "roster.read": _STAFF | {"board_admin"},
    "register.read": _STAFF | {"board_admin"},  # the policy tells the board why not
    "duty.assign": frozenset({"principal", "vice_principal"}),
    "class.place": _REGISTRARS,
    "enrolment.write": _REGISTRARS,
    "family.write": _REGISTRARS,
    "enrolment.list": _REGISTRARS | {"board_admin"},
    "unlisted.decide": _REGISTRARS | {"board_admin"},
    "roster.import": frozenset({"board_admin"}),
    "rollover.read": _STAFF | {"board_admin"},
    "rollover.plan": _STAFF,  # the policy looks at 校務分掌 of the day
    "rollover.publish": frozenset({"principal", "vice_principal"}),
    "audit.read": frozenset({"principal", "board_admin"}),
}

_MOST_PER_PAGE = 200
_MOST_NAMES = 500


def _limit(asked: int, usual: int) -> int:
    return min(asked or usual, _MOST_PER_PAGE)


class RosterServicer(roster_pb2_grpc.RosterServiceServicer):
    """Answers over gRPC; every method names the right it needs."""

    @rpc(right="roster.read")
    async def WhoAmI(self, request: roster_pb2.WhoAmIRequest, call: Call) -> roster_pb2.WhoAmIReply:
        return to_proto.who_am_i(await call.read(views.who_am_i))

    @rpc(right="roster.read")
    async def ListSchools(self, request: roster_pb2.ListSchoolsRequest, call: Call) -> roster_pb2.ListSchoolsReply:
        return roster_pb2.ListSchoolsReply(schools=map(events.school, await call.read(views.list_schools)))

    @rpc(right="roster.read")
    async def ListClasses(self, request: roster_pb2.ListClassesRequest, call: Call) -> roster_pb2.ListClassesReply:
        found, more = await call.read(
            views.list_classes, maybe_id(request.school_id, "school_id"), request.school_year,
            maybe_id(request.after_class_id, "after_class_id"), _limit(request.limit, 100),
        )  # fmt: skip
        return roster_pb2.ListClassesReply(classes=map(to_proto.class_summary, found), more=more)

    @rpc(right="roster.read")
    async def GetClassRoster(
        self, request: roster_pb2.GetClassRosterRequest, call: Call
    ) -> roster_pb2.GetClassRosterReply:
        found = await call.read(
            views.class_list, an_id(request.class_id, "class_id"), maybe_day(request.on, "on"), request.whole_year
        )
        return to_proto.class_list(found)

    @rpc(right="roster.read")
    async def SearchPupils(self, request: roster_pb2.SearchPupilsRequest, call: Call) -> roster_pb2.SearchPupilsReply:
        found, more = await call.read(
            views.search_pupils, request.query, maybe_id(request.school_id, "school_id"), request.include_left,
            _read_cursor(request.after_key), _limit(request.limit, 50),
        )  # fmt: skip
        last = _cursor(found[-1].sort_key, found[-1].id) if more else ""
        reply = roster_pb2.SearchPupilsReply(next_key=last)
        for pupil in found:
            to_proto.fill_pupil(reply.pupils.add(), pupil)
        return reply

    @rpc(right="roster.read")
    async def GetPupil(self, request: roster_pb2.GetPupilRequest, call: Call) -> roster_pb2.GetPupilReply:
        record, named = await call.read(views.pupil_page, an_id(request.pupil_id, "pupil_id"))
        return to_proto.pupil_record(record, named)

    @rpc(right="roster.read")
    async def GetPeopleNames(
        self, request: roster_pb2.GetPeopleNamesRequest, call: Call
    ) -> roster_pb2.GetPeopleNamesReply:
        if len(request.person_ids) > _MOST_NAMES:
            raise Invalid(f"一度に{_MOST_NAMES}人までです。", [Violation("person_ids", f"{_MOST_NAMES}人までです。")])
        ids = [an_id(item, "person_ids") for item in request.person_ids]
        return roster_pb2.GetPeopleNamesReply(
            people=map(to_proto.person_name, await call.read(views.people_names, ids))
        )

    @rpc(right="roster.read")
    async def ListStaff(self, request: roster_pb2.ListStaffRequest, call: Call) -> roster_pb2.ListStaffReply:
        found = await call.read(views.list_staff, an_id(request.school_id, "school_id"))
        return roster_pb2.ListStaffReply(staff=map(to_proto.staff_entry, found))

    @rpc(right="duty.assign")
    async def AssignHomeroomTeacher(
        self, request: roster_pb2.AssignHomeroomTeacherRequest, call: Call
    ) -> roster_pb2.Duty:
        command = from_proto.assign_homeroom_teacher(request)
        return events.duty(await call.run(duties.assign_homeroom_teacher, command))

    @rpc(right="class.place")
    async def PlaceInClass(self, request: roster_pb2.PlaceInClassRequest, call: Call) -> roster_pb2.ClassPlacement:
        return to_proto.placement(await call.run(enrolment.place_in_class, from_proto.place_in_class(request)))

    @rpc(right="enrolment.write")
    async def RecordDeparture(self, request: roster_pb2.RecordDepartureRequest, call: Call) -> roster_pb2.Enrolment:
        return to_proto.enrolment(await call.run(enrolment.record_departure, from_proto.record_departure(request)))

    @rpc(right="enrolment.write")
    async def CancelDeparture(self, request: roster_pb2.CancelDepartureRequest, call: Call) -> roster_pb2.Enrolment:
        pupil_id = an_id(request.pupil_id, "pupil_id")
        return to_proto.enrolment(await call.run(enrolment.cancel_departure, pupil_id, request.reason))

    @rpc(right="enrolment.write")
    async def AdmitTransferredPupil(
        self, request: roster_pb2.AdmitTransferredPupilRequest, call: Call
    ) -> roster_pb2.Enrolment:
        return to_proto.enrolment(await call.run(arrivals.admit_transferred_pupil, from_proto.arrival(request)))

    @rpc(right="enrolment.write")
    async def MatchPupil(self, request: roster_pb2.MatchPupilRequest, call: Call) -> roster_pb2.MatchPupilReply:
        found = await call.read(
            arrivals.match_pupil, maybe_id(request.pupil_id, "pupil_id"), from_proto.names(request.names),
            maybe_day(request.birth_on, "birth_on"),
        )  # fmt: skip
        return roster_pb2.MatchPupilReply(candidates=map(to_proto.candidate, found))

    @rpc(right="register.read", information_class=1)
    async def GetRegisterSheets(
        self, request: roster_pb2.GetRegisterSheetsRequest, call: Call
    ) -> roster_pb2.GetRegisterSheetsReply:
        ids = [an_id(item, "pupil_ids") for item in request.pupil_ids]
        found = await call.read(sheets.register_sheets, ids, maybe_id(request.class_id, "class_id"))
        return roster_pb2.GetRegisterSheetsReply(sheets=map(to_proto.register_sheet, found))

    @rpc(right="roster.read")
    async def GetRegisterNames(
        self, request: roster_pb2.GetRegisterNamesRequest, call: Call
    ) -> roster_pb2.GetRegisterNamesReply:
        found = await call.read(sheets.register_names, an_id(request.class_id, "class_id"))
        return to_proto.register_names(found)

    # --- 名簿にない児童生徒 -------------------------------------------------------------------------------------------

    @rpc(right="unlisted.decide")
    async def ListUnlistedPupils(
        self, request: roster_pb2.ListUnlistedPupilsRequest, call: Call
    ) -> roster_pb2.ListUnlistedPupilsReply:
        found = await call.read(
            unlisted.list_unlisted, maybe_id(request.school_id, "school_id"), maybe_id(request.import_id, "import_id"),
            of_unlisted.place(request.after_key), _limit(request.limit, 50),
        )  # fmt: skip
        return of_unlisted.listed(found)

    @rpc(right="unlisted.decide")
    async def PreviewUnlistedDecision(
        self, request: roster_pb2.DecideUnlistedRequest, call: Call
    ) -> roster_pb2.PreviewUnlistedReply:
        found = await call.read(unlisted.preview, of_unlisted.command(request))
        return roster_pb2.PreviewUnlistedReply(lines=map(of_unlisted.preview, found))

    @rpc(right="unlisted.decide")
    async def DecideUnlisted(
        self, request: roster_pb2.DecideUnlistedRequest, call: Call
    ) -> roster_pb2.DecideUnlistedReply:
        rolls = await call.run(unlisted.decide, of_unlisted.command(request))
        return roster_pb2.DecideUnlistedReply(enrolments=map(to_proto.enrolment, rolls))

    @rpc(right="unlisted.decide")
    async def ListUnlistedDecisions(
        self, request: roster_pb2.ListUnlistedDecisionsRequest, call: Call
    ) -> roster_pb2.ListUnlistedDecisionsReply:
        found, more = await call.read(
            unlisted.list_decisions, maybe_id(request.school_id, "school_id"),
            maybe_id(request.before_decision_id, "before_decision_id"), _limit(request.limit, 50),
        )  # fmt: skip
        return roster_pb2.ListUnlistedDecisionsReply(decisions=map(of_unlisted.decided, found), more=more)

    @rpc(right="unlisted.decide")
    async def TakeBackUnlistedDecision(
        self, request: roster_pb2.TakeBackUnlistedDecisionRequest, call: Call
    ) -> roster_pb2.Enrolment:
        decision_id = an_id(request.decision_id, "decision_id")
        return to_proto.enrolment(await call.run(unlisted.take_back, decision_id, request.reason.strip()))

    # --- import ------------------------------------------------------------------------------------------------------

    @rpc(right="roster.import")
    async def StageRoster(
        self, requests: AsyncIterator[roster_pb2.StageRosterRequest], call: Call
    ) -> roster_pb2.StageRosterReply:
        first = await anext(aiter(requests), None)
        if first is None or first.WhichOneof("part") != "header":
            raise Invalid("取込の見出しがありません。", [Violation("header", "取込の見出しがありません。")])
        # A supplement is about people, not about a year: it belongs to the current one.
        this_year = school_year_of(day_in_jst(call.now))
        header = imports.Header(
            an_id(first.header.import_id, "header.import_id"), first.header.source, first.header.bulk,
            first.header.supplement, first.header.school_year or (this_year if first.header.supplement else 0),
        )  # fmt: skip
        if not 2000 <= header.school_year <= 2200:
            raise Invalid("年度が正しくありません。", [Violation("header.school_year", "年度が正しくありません。")])
        stager = Stager(call.tenant, header.import_id, header.school_year)
        async with call.transaction() as tx:
            count = await imports.stage(tx, call.person, header, _parts(requests, stager))
        return roster_pb2.StageRosterReply(import_id=str(header.import_id), rows=count)

    @rpc(right="roster.import")
    async def GetRosterChange(self, request: roster_pb2.GetRosterChangeRequest, call: Call) -> roster_pb2.RosterChange:
        async with call.transaction() as tx:
            found = await imports.look(tx, call.person, an_id(request.import_id, "import_id"))
            job = await jobs.get(tx, found.staged.job_id) if found.staged.job_id else None
        return to_proto.roster_change(found, jobs.to_proto(job) if job else None)

    @rpc(right="roster.import")
    async def ApplyRosterChange(self, request: roster_pb2.ApplyRosterChangeRequest, call: Call) -> common_pb2.Job:
        async with call.transaction() as tx:
            job_id = await imports.start(tx, call.person, an_id(request.import_id, "import_id"), request.confirm_shrink)
            status = await jobs.get(tx, job_id)
        return _job(status)

    @rpc(right="roster.import")
    async def GetJob(self, request: common_pb2.GetJobRequest, call: Call) -> common_pb2.Job:
        async with call.reading() as tx:
            return _job(await jobs.get(tx, an_id(request.job_id, "job_id")))

    @rpc(right="roster.import")
    async def CancelJob(self, request: common_pb2.CancelJobRequest, call: Call) -> common_pb2.Job:
        async with call.transaction() as tx:
            status = await jobs.cancel(tx, an_id(request.job_id, "job_id"))
            tx.audit("job.cancelled", status.id)
        return _job(status)

    # --- looking back, and copies for other services -----------------------------------------------------------------

    @rpc(right="audit.read")
    async def ReadAudit(self, request: common_pb2.ReadAuditRequest, call: Call) -> common_pb2.ReadAuditReply:
        page = await call.read(audit.read_audit, question_of(request))
        reply: common_pb2.ReadAuditReply = audit_to_proto(page, "roster")
        return reply

    @workload_rpc()
    async def SnapshotRoster(
        self, request: roster_pb2.SnapshotRosterRequest, call: Call
    ) -> AsyncIterator[roster_pb2.SnapshotRosterReply]:
        async with call.reading() as tx:
            async for kind, states in snapshot(tx, request.school_year):
                for state in states:
                    yield _SNAPSHOT[kind](state)


_SNAPSHOT: dict[str, Callable[[Any], roster_pb2.SnapshotRosterReply]] = {
    "school": lambda state: roster_pb2.SnapshotRosterReply(school=events.school(state)),
    "class": lambda state: roster_pb2.SnapshotRosterReply(class_roster=events.class_roster(state)),
    "staff": lambda state: roster_pb2.SnapshotRosterReply(staff_duties=events.staff_duties(state)),
    "enrolment": lambda state: roster_pb2.SnapshotRosterReply(enrolment=events.enrolment_state(state)),
}


async def _parts(requests: AsyncIterator[roster_pb2.StageRosterRequest], stager: Stager) -> AsyncIterator[Part]:
    async for request in requests:
        yield stager.take(request)


def _job(status: jobs.JobStatus) -> common_pb2.Job:
    job: common_pb2.Job = jobs.to_proto(status)
    return job


def _cursor(sort_key: str, pupil_id: UUID) -> str:
    return base64.urlsafe_b64encode(f"{pupil_id}{sort_key}".encode()).decode()


def _read_cursor(text: str) -> tuple[str, UUID] | None:
    if not text:
        return None
    try:
        plain = base64.urlsafe_b64decode(text.encode()).decode()
        return plain[36:], UUID(plain[:36])
    except ValueError:
        message = "続きの位置が正しくありません。もう一度検索してください。"
        raise Invalid(message, [Violation("after_key", message)]) from None
