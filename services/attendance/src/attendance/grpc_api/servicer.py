"""AttendanceService: 出席簿 is class III, so no second factor is asked for here."""

from __future__ import annotations

from komu.attendance.v1 import attendance_pb2 as pb
from komu.attendance.v1 import attendance_pb2_grpc
from komu.common.v1 import common_pb2
from servicekit.grpc import Call, rpc

from attendance.grpc_api import audit, board, translate
from attendance.grpc_api.translate import date_of, month_of, school_year_of, uuid_of
from attendance.usecases import decisions, roll, school_days, statistics
from attendance.usecases.roll import SaveDay
from attendance.usecases.school_days import DeclareClosure
from attendance.usecases.statistics import Range

RIGHTS = {
    "attendance.read": frozenset({"teacher", "vice_principal", "principal", "office", "board_admin"}),
    "attendance.take": frozenset({"teacher", "vice_principal", "principal"}),
    "attendance.school_days": frozenset({"vice_principal", "principal", "board_admin"}),
    "attendance.decisions": frozenset({"vice_principal", "principal", "board_admin"}),
    "attendance.decide": frozenset({"board_admin"}),
    "attendance.audit": frozenset({"principal", "board_admin"}),
}
"""Right → coarse roles. The finer decision, with the register's facts of the day, is in policy."""


class AttendanceServicer(attendance_pb2_grpc.AttendanceServiceServicer):
    """Inbound calls of attendance."""

    @rpc(right="attendance.read")
    async def GetDay(self, request: pb.GetDayRequest, call: Call) -> pb.GetDayReply:
        class_id, on = uuid_of(request.class_id, "class_id"), date_of(request.on, "on")
        return translate.day(await call.read(roll.get_day, class_id, on))

    @rpc(right="attendance.take")
    async def SaveDay(self, request: pb.SaveDayRequest, call: Call) -> pb.GetDayReply:
        command = SaveDay(
            uuid_of(request.class_id, "class_id"),
            date_of(request.on, "on"),
            [translate.mark_in(mark) for mark in request.exceptions],
            request.version,
            request.correction_reason,
        )
        return translate.day(await call.run(roll.save_day, command))

    @rpc(right="attendance.read")
    async def GetMonth(self, request: pb.GetMonthRequest, call: Call) -> pb.GetMonthReply:
        class_id, month = uuid_of(request.class_id, "class_id"), month_of(request.month)
        return translate.month(await call.read(statistics.get_month, class_id, month))

    @rpc(right="attendance.read")
    async def GetSchoolDay(self, request: pb.GetSchoolDayRequest, call: Call) -> pb.GetSchoolDayReply:
        school_id, on = uuid_of(request.school_id, "school_id"), date_of(request.on, "on")
        days = await call.read(statistics.get_school_day, school_id, on)
        return pb.GetSchoolDayReply(classes=[translate.class_day(day) for day in days])

    @rpc(right="attendance.read")
    async def GetSums(self, request: pb.GetSumsRequest, call: Call) -> pb.GetSumsReply:
        pupils = [uuid_of(pupil_id, "pupil_ids") for pupil_id in request.pupil_ids]
        class_id = uuid_of(request.class_id, "class_id") if request.class_id else None
        ranges = [
            Range(span.name, date_of(span.from_on, "ranges.from_on"), date_of(span.to_on, "ranges.to_on"))
            for span in request.ranges
        ]
        found = await call.read(statistics.get_sums, pupils, class_id, ranges)
        return pb.GetSumsReply(
            pupils=[
                pb.PupilSums(
                    pupil_id=str(pupil_id), by_range={name: translate.sums(total) for name, total in spans.items()}
                )
                for pupil_id, spans in found.items()
            ]
        )

    @rpc(right="attendance.read")
    async def GetMarkHistory(self, request: pb.GetMarkHistoryRequest, call: Call) -> pb.GetMarkHistoryReply:
        pupil_id, on = uuid_of(request.pupil_id, "pupil_id"), date_of(request.on, "on")
        changes = await call.read(roll.get_history, pupil_id, on)
        return pb.GetMarkHistoryReply(changes=[translate.change(change) for change in changes])

    @rpc(right="attendance.read")
    async def ListClosures(self, request: pb.ListClosuresRequest, call: Call) -> pb.ListClosuresReply:
        school_id = uuid_of(request.school_id, "school_id")
        span = date_of(request.from_on, "from_on"), date_of(request.to_on, "to_on")
        closures = await call.read(school_days.list_closures, school_id, *span)
        return pb.ListClosuresReply(closures=[translate.closure(closure) for closure in closures])

    @rpc(right="attendance.school_days")
    async def DeclareClosure(self, request: pb.DeclareClosureRequest, call: Call) -> pb.Closure:
        asked = request.closure
        command = DeclareClosure(
            uuid_of(asked.school_id, "school_id"),
            date_of(asked.starts_on, "starts_on"),
            date_of(asked.ends_on, "ends_on"),
            asked.reason[:100],
            asked.school_grade,
            uuid_of(asked.class_id, "class_id") if asked.class_id else None,
        )
        return translate.closure(await call.run(school_days.declare_closure, command))

    @rpc(right="attendance.school_days")
    async def CancelClosure(self, request: pb.CancelClosureRequest, call: Call) -> pb.Closure:
        closure_id = uuid_of(request.closure_id, "closure_id")
        return translate.closure(await call.run(school_days.cancel_closure, closure_id, request.reason))

    @rpc(right="attendance.read")
    async def GetCalendar(self, request: pb.GetCalendarRequest, call: Call) -> pb.Calendar:
        school_id = uuid_of(request.school_id, "school_id")
        return translate.calendar(
            await call.read(school_days.get_calendar, school_id, school_year_of(request.school_year))
        )

    @rpc(right="attendance.school_days")
    async def SetCalendar(self, request: pb.SetCalendarRequest, call: Call) -> pb.Calendar:
        school_id = uuid_of(request.school_id, "school_id")
        changed = [translate.calendar_day(day) for day in request.changed]
        return translate.calendar(
            await call.run(school_days.set_calendar, school_id, request.school_year, changed, request.version)
        )

    @rpc(right="attendance.decisions")
    async def GetBoardDecisions(self, request: pb.GetBoardDecisionsRequest, call: Call) -> pb.BoardDecisions:
        return board.reply(await call.read(decisions.get_decisions, request.school_year))

    @rpc(right="attendance.decide")
    async def SetBoardSymbols(self, request: pb.SetBoardSymbolsRequest, call: Call) -> pb.BoardDecisions:
        return board.reply(await call.run(decisions.decide, board.set_symbols(request)))

    @rpc(right="attendance.decide")
    async def SetBoardReasons(self, request: pb.SetBoardReasonsRequest, call: Call) -> pb.BoardDecisions:
        return board.reply(await call.run(decisions.decide, board.set_reasons(request)))

    @rpc(right="attendance.decide")
    async def CopyBoardDecision(self, request: pb.ChangeBoardDecisionRequest, call: Call) -> pb.BoardDecisions:
        return board.reply(await call.run(decisions.copy_last_year, board.turn(request)))

    @rpc(right="attendance.decide")
    async def UndoBoardDecision(self, request: pb.ChangeBoardDecisionRequest, call: Call) -> pb.BoardDecisions:
        return board.reply(await call.run(decisions.undo, board.turn(request)))

    @rpc(right="attendance.audit")
    async def ReadAudit(self, request: common_pb2.ReadAuditRequest, call: Call) -> common_pb2.ReadAuditReply:
        return await audit.read_audit(request, call)
