"""Requests to commands. What is no UUID is refused with the field's name."""

from uuid import UUID

from komu.grades.v1 import grades_pb2 as pb
from servicekit.errors import Invalid, Violation

from grades.domain.cells import CellEdit, CellKey
from grades.usecases.closing import CloseTerm, ReopenTerm, SchoolTerm, SchoolYear
from grades.usecases.marks import SaveCells
from grades.usecases.records import RecordsAsked
from grades.usecases.sheets import HistoryAsked, SheetAsked


def uuid(text: str, field: str) -> UUID:
    """Raises: Invalid."""
    try:
        return UUID(text)
    except ValueError:
        raise Invalid("識別子の形が正しくありません。", [Violation(field, "UUIDではありません。")]) from None


def school_year(request: pb.ListTermsRequest) -> SchoolYear:
    return SchoolYear(uuid(request.school_id, "school_id"), request.school_year)


def school_term(request: pb.GetClosingRequest) -> SchoolTerm:
    return SchoolTerm(uuid(request.school_id, "school_id"), request.school_year, request.term)


def sheet_asked(request: pb.GetSheetRequest) -> SheetAsked:
    return SheetAsked(uuid(request.class_id, "class_id"), request.subject, request.term)


def history_asked(request: pb.GetCellHistoryRequest) -> HistoryAsked:
    return HistoryAsked(
        uuid(request.class_id, "class_id"),
        request.subject,
        request.term,
        uuid(request.pupil_id, "pupil_id"),
        request.column,
    )


def save_cells(request: pb.SaveCellsRequest) -> SaveCells:
    return SaveCells(
        uuid(request.class_id, "class_id"),
        request.subject,
        request.term,
        tuple(
            CellEdit(
                CellKey(uuid(edit.pupil_id, f"edits[{place}].pupil_id"), edit.column), edit.value, edit.expected_version
            )
            for place, edit in enumerate(request.edits)
        ),
        request.idempotency_key,
    )


def close_term(request: pb.CloseTermRequest) -> CloseTerm:
    return CloseTerm(
        uuid(request.school_id, "school_id"),
        request.school_year,
        request.term,
        request.version,
        request.accept_missing,
        request.reason,
    )


def reopen_term(request: pb.ReopenTermRequest) -> ReopenTerm:
    return ReopenTerm(
        uuid(request.school_id, "school_id"), request.school_year, request.term, request.version, request.reason
    )


def records_asked(request: pb.GetRecordsRequest) -> RecordsAsked:
    return RecordsAsked(
        tuple(uuid(pupil_id, "pupil_ids") for pupil_id in request.pupil_ids),
        uuid(request.class_id, "class_id") if request.class_id else None,
        tuple(request.school_years),
        request.purpose,
        request.term,
    )
