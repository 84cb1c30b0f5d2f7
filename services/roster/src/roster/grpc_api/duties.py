"""DutyService: 校務分掌 of a school with their days."""

from __future__ import annotations

from komu.roster.v1 import duties_pb2, duties_pb2_grpc, roster_pb2
from servicekit.errors import Invalid, Violation
from servicekit.grpc import Call, rpc

from roster import events
from roster.grpc_api import to_proto
from roster.grpc_api.from_proto import DUTY_KIND_NAMES, a_day, an_id, maybe_day, maybe_id
from roster.usecases import duties
from roster.usecases.duties import AssignDuty


class DutyServicer(duties_pb2_grpc.DutyServiceServicer):
    """Answers over gRPC; every method names the right it needs."""

    @rpc(right="roster.read")
    async def ListDuties(self, request: duties_pb2.ListDutiesRequest, call: Call) -> duties_pb2.ListDutiesReply:
        found = await call.read(duties.list_duties, an_id(request.school_id, "school_id"), request.school_year)
        return duties_pb2.ListDutiesReply(
            staff=map(to_proto.staff_entry, found.staff), schools=map(events.school, found.schools),
            classes=[events.school_class(one.homeroom) for one in found.classes], school_year=found.school_year,
            may_assign=found.may_assign,
        )  # fmt: skip

    @rpc(right="duty.assign")
    async def AssignDuty(self, request: duties_pb2.AssignDutyRequest, call: Call) -> roster_pb2.Duty:
        if request.kind not in DUTY_KIND_NAMES:
            message = "分掌を選んでください。"
            raise Invalid(message, [Violation("kind", message)])
        command = AssignDuty(
            an_id(request.school_id, "school_id"), an_id(request.staff_id, "staff_id"), DUTY_KIND_NAMES[request.kind],
            maybe_id(request.class_id, "class_id"), request.subject, request.school_grade,
            a_day(request.starts_on, "starts_on"), maybe_day(request.ends_on, "ends_on"),
        )  # fmt: skip
        return events.duty(await call.run(duties.assign_duty, command))

    @rpc(right="duty.assign")
    async def EndDuty(self, request: duties_pb2.EndDutyRequest, call: Call) -> roster_pb2.Duty:
        duty_id, last_on = an_id(request.duty_id, "duty_id"), a_day(request.last_on, "last_on")
        return events.duty(await call.run(duties.end_duty, duty_id, last_on))
