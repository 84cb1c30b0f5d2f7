"""MexcbtService: the application of founder and schools."""

from __future__ import annotations

from komu.learning.v1 import mexcbt_pb2 as pb
from komu.learning.v1 import mexcbt_pb2_grpc
from servicekit.errors import Invalid, Violation
from servicekit.grpc import Call, rpc

from learning.domain import mexcbt as rules
from learning.domain.mexcbt import Contact, Founder, Intake, Step
from learning.grpc_api import mexcbt_to_proto as to_proto
from learning.grpc_api.translate import day_of, day_or_none, uuid_of
from learning.usecases import mexcbt
from learning.usecases.mexcbt import Confirm, Listing

_KINDS = {number: kind for kind, number in to_proto.KINDS.items()}


class MexcbtServicer(mexcbt_pb2_grpc.MexcbtServiceServicer):
    """Inbound calls about the application for MEXCBT."""

    @rpc(right="learning.mexcbt")
    async def GetMexcbt(self, request: pb.GetMexcbtRequest, call: Call) -> pb.GetMexcbtReply:
        return to_proto.overview(await call.read(mexcbt.overview, request.school_year))

    @rpc(right="learning.mexcbt")
    async def GetMexcbtApplication(
        self, request: pb.GetMexcbtApplicationRequest, call: Call
    ) -> pb.GetMexcbtApplicationReply:
        asked = uuid_of(request.application_id, "application_id")
        one, school, founder, history = await call.read(mexcbt.application_of, asked)
        return pb.GetMexcbtApplicationReply(
            application=to_proto.application(one, school, founder),
            founder=to_proto.founder(founder),
            history=[to_proto.done(step) for step in history],
            may_undo=rules.undone(one, history) is not None,
        )

    @rpc(right="learning.mexcbt.apply")
    async def SaveMexcbtFounder(self, request: pb.SaveMexcbtFounderRequest, call: Call) -> pb.MexcbtFounder:
        told = request.founder
        if told.kind not in _KINDS:
            raise Invalid("入力を確かめてください。", [Violation("kind", "設置者の区分を選んでください。")])
        wanted = Founder(
            kind=_KINDS[told.kind],
            name=told.name.strip(),
            code=told.code.strip(),
            department=told.department.strip(),
            contact=_contact(told.contact),
            wants_authoring=told.wants_authoring,
            applied_before=told.applied_before,
            version=told.version,
        )
        return to_proto.founder(await call.run(mexcbt.save_founder, wanted, request.notes_read))

    @rpc(right="learning.mexcbt.apply")
    async def MarkMexcbtFounder(self, request: pb.MarkMexcbtFounderRequest, call: Call) -> pb.MexcbtFounder:
        on = day_or_none(request.registered_on, "on")
        return to_proto.founder(await call.run(mexcbt.mark_founder_registered, on, request.version))

    @rpc(right="learning.mexcbt.apply")
    async def SetMexcbtIntake(self, request: pb.SetMexcbtIntakeRequest, call: Call) -> pb.MexcbtIntake:
        told = request.intake
        if not 2000 <= told.school_year <= 2100:
            raise Invalid("入力を確かめてください。", [Violation("school_year", "年度を選び直してください。")])
        wanted = Intake(
            told.school_year,
            day_of(told.opens_on, "opens_on"),
            day_or_none(told.closes_on, "closes_on"),
            told.source.strip(),
            told.version,
        )
        return to_proto.intake(await call.run(mexcbt.set_intake, wanted))

    @rpc(right="learning.mexcbt.apply")
    async def EnlistMexcbtSchools(
        self, request: pb.EnlistMexcbtSchoolsRequest, call: Call
    ) -> pb.EnlistMexcbtSchoolsReply:
        wanted = [
            Listing(uuid_of(one.school_id, "schools") if one.school_id else None, one.portal, _contact(one.contact))
            for one in request.schools
        ]
        await call.run(mexcbt.list_schools, wanted, request.school_year)
        return pb.EnlistMexcbtSchoolsReply()

    @rpc(right="learning.mexcbt.apply")
    async def ChangeMexcbtSchool(self, request: pb.ChangeMexcbtSchoolRequest, call: Call) -> pb.MexcbtApplication:
        asked = uuid_of(request.application_id, "application_id")
        changed = await call.run(
            mexcbt.change_school, asked, request.portal, _contact(request.contact), request.version
        )
        return to_proto.application(changed)

    @rpc(right="learning.mexcbt.apply")
    async def TakeMexcbtStep(self, request: pb.TakeMexcbtStepRequest, call: Call) -> pb.MexcbtApplication:
        if request.step not in list(Step):
            raise Invalid("手続きを選び直してください。", [Violation("step", "手続きを選び直してください。")])
        asked, on = uuid_of(request.application_id, "application_id"), day_of(request.on, "on")
        taken = await call.run(mexcbt.take_step, asked, Step(request.step), on, request.reason, request.version)
        return to_proto.application(taken)

    @rpc(right="learning.mexcbt")
    async def CountMexcbtAccounts(
        self, request: pb.CountMexcbtAccountsRequest, call: Call
    ) -> pb.CountMexcbtAccountsReply:
        chosen = list(request.school_grades) if request.chosen else None
        preview = await call.read(mexcbt.count_accounts, uuid_of(request.application_id, "application_id"), chosen)
        return pb.CountMexcbtAccountsReply(
            counts=to_proto.counts(preview.counts), choices=preview.choices, refusal=preview.refusal
        )

    @rpc(right="learning.mexcbt.confirm")
    async def ConfirmMexcbtSchool(self, request: pb.ConfirmMexcbtSchoolRequest, call: Call) -> pb.MexcbtApplication:
        command = Confirm(
            uuid_of(request.application_id, "application_id"),
            list(request.school_grades),
            request.pupils_seen,
            request.teachers_seen,
            _contact(request.contact),
            request.version,
        )
        return to_proto.application(await call.run(mexcbt.confirm_school, command))

    @rpc(right="learning.mexcbt.apply")
    async def GetMexcbtSheets(self, request: pb.GetMexcbtSheetsRequest, call: Call) -> pb.GetMexcbtSheetsReply:
        made = await call.read(mexcbt.hand_out)
        return pb.GetMexcbtSheetsReply(
            sheets=[
                pb.MexcbtSheet(
                    name=sheet.name, columns=sheet.columns, rows=[pb.MexcbtRow(values=row) for row in sheet.rows]
                )
                for sheet in made
            ]
        )


def _contact(told: pb.MexcbtContact) -> Contact:
    return Contact(told.name.strip(), told.mail.strip(), told.phone.strip())
