"""GradesService. Values of cells are class II; a 指導要録 as a whole is class I."""

from komu.common.v1 import common_pb2
from komu.grades.v1 import grades_pb2 as pb
from komu.grades.v1 import grades_pb2_grpc
from servicekit.audit import question_of
from servicekit.audit import to_proto as audit_to_proto
from servicekit.grpc import Call, rpc

from grades.grpc_api import board, from_proto, to_proto
from grades.usecases import audit, closing, decisions, marks, records, sheets

_SCHOOL = frozenset({"teacher", "vice_principal", "principal"})
RIGHTS = {
    "term.read": _SCHOOL | {"office", "board_admin"},
    "mark.read": _SCHOOL,
    "mark.write": _SCHOOL,
    "term.close": frozenset({"vice_principal", "principal"}),
    "record.read": _SCHOOL,
    "board.read": frozenset({"vice_principal", "principal", "board_admin"}),
    "board.decide": frozenset({"board_admin"}),
    "audit.read": frozenset({"principal", "board_admin"}),
}
"""Right → coarse roles. Who may do what with which class is decided by policy with the register of the day."""


class GradesServicer(grades_pb2_grpc.GradesServiceServicer):
    """Inbound calls of grades."""

    @rpc(right="term.read", information_class=3)
    async def ListTerms(self, request: pb.ListTermsRequest, call: Call) -> pb.ListTermsReply:
        terms = await call.read(closing.list_terms, from_proto.school_year(request))
        return pb.ListTermsReply(terms=[to_proto.term(term) for term in terms])

    @rpc(right="mark.read", information_class=3)
    async def ListSheets(self, request: pb.ListSheetsRequest, call: Call) -> pb.ListSheetsReply:
        class_id = from_proto.uuid(request.class_id, "class_id")
        return to_proto.class_sheets(await call.read(sheets.list_sheets, class_id))

    @rpc(right="mark.read", information_class=2)
    async def GetSheet(self, request: pb.GetSheetRequest, call: Call) -> pb.Sheet:
        return to_proto.sheet(await call.read(sheets.get_sheet, from_proto.sheet_asked(request)))

    @rpc(right="mark.write", information_class=2)
    async def SaveCells(self, request: pb.SaveCellsRequest, call: Call) -> pb.SaveCellsReply:
        results = await call.run(marks.save_cells, from_proto.save_cells(request))
        return pb.SaveCellsReply(results=[to_proto.cell_result(result) for result in results])

    @rpc(right="mark.read", information_class=2)
    async def GetCellHistory(self, request: pb.GetCellHistoryRequest, call: Call) -> pb.GetCellHistoryReply:
        changes = await call.read(sheets.get_cell_history, from_proto.history_asked(request))
        return pb.GetCellHistoryReply(changes=[to_proto.cell_change(change) for change in changes])

    @rpc(right="term.close", information_class=3)
    async def GetClosing(self, request: pb.GetClosingRequest, call: Call) -> pb.Closing:
        return to_proto.closing(await call.read(closing.get_closing, from_proto.school_term(request)))

    @rpc(right="term.close", information_class=2)
    async def CloseTerm(self, request: pb.CloseTermRequest, call: Call) -> pb.Term:
        return to_proto.term(await call.run(closing.close_term, from_proto.close_term(request)))

    @rpc(right="term.close", information_class=2)
    async def ReopenTerm(self, request: pb.ReopenTermRequest, call: Call) -> pb.Term:
        return to_proto.term(await call.run(closing.reopen_term, from_proto.reopen_term(request)))

    @rpc(right="record.read", information_class=2)
    async def GetRecords(self, request: pb.GetRecordsRequest, call: Call) -> pb.GetRecordsReply:
        asked = from_proto.records_asked(request)
        # 指導要録 asks for a fresher second factor than 通知表 does.
        call.person.require_level(records.purpose_of(asked.purpose).information_class, call.now)
        return to_proto.records(await call.read(records.get_records, asked))

    @rpc(right="board.read", information_class=3)
    async def GetBoardRules(self, request: pb.GetBoardRulesRequest, call: Call) -> pb.BoardRules:
        return board.reply(await call.read(decisions.get_rules, request.school_year))

    @rpc(right="board.decide", information_class=3)
    async def SetBoardTerms(self, request: pb.SetBoardTermsRequest, call: Call) -> pb.BoardRules:
        return board.reply(await call.run(decisions.decide, board.set_terms(request)))

    @rpc(right="board.decide", information_class=3)
    async def SetBoardReportCard(self, request: pb.SetBoardReportCardRequest, call: Call) -> pb.BoardRules:
        return board.reply(await call.run(decisions.decide, board.set_report_card(request)))

    @rpc(right="board.decide", information_class=3)
    async def CopyBoardRules(self, request: pb.ChangeBoardRulesRequest, call: Call) -> pb.BoardRules:
        return board.reply(await call.run(decisions.copy_last_year, board.turn(request)))

    @rpc(right="board.decide", information_class=3)
    async def UndoBoardRules(self, request: pb.ChangeBoardRulesRequest, call: Call) -> pb.BoardRules:
        return board.reply(await call.run(decisions.undo, board.turn(request)))

    @rpc(right="audit.read", information_class=2)
    async def ReadAudit(self, request: common_pb2.ReadAuditRequest, call: Call) -> common_pb2.ReadAuditReply:
        page = await call.read(audit.read_audit, question_of(request))
        reply: common_pb2.ReadAuditReply = audit_to_proto(page, "grades")
        return reply
