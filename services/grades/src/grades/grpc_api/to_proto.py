"""Values to replies."""

from collections.abc import Sequence
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp
from komu.grades.v1 import grades_pb2 as pb

from grades.domain import cells, terms
from grades.domain.curriculum import CellKind, Column, SheetPlan, Subject
from grades.usecases.closing import Closing
from grades.usecases.records import Records
from grades.usecases.sheets import ClassSheets, SheetShown

_KINDS = {kind: pb.CellKind.Value(f"CELL_KIND_{kind.name}") for kind in CellKind}
_STATES = {state: pb.TermState.Value(f"TERM_STATE_{state.name}") for state in terms.TermState}
_OUTCOMES = {outcome: pb.CellResult.Outcome.Value(f"OUTCOME_{outcome.name}") for outcome in cells.Outcome}


def timestamp(at: datetime | None) -> Timestamp | None:
    if at is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(at)
    return stamp


def term(value: terms.Term) -> pb.Term:
    return pb.Term(
        key=value.key.value,
        label=value.dates.label,
        starts_on=value.dates.starts_on.isoformat(),
        ends_on=value.dates.ends_on.isoformat(),
        state=_STATES[value.state],
        closed_by=str(value.changed_by) if value.closed and value.changed_by else "",
        closed_at=timestamp(value.changed_at) if value.closed else None,
        version=value.version,
    )


def subject(value: Subject) -> pb.Subject:
    return pb.Subject(key=value.key, label=value.label, is_subject=value.is_subject)


def column(value: Column) -> pb.Column:
    return pb.Column(
        key=value.key,
        kind=_KINDS[value.kind],
        label=value.label,
        allowed=value.allowed,
        max_characters=value.max_characters,
        required_for_closing=value.required,
        help=value.help,
    )


def cell(value: cells.Cell) -> pb.Cell:
    return pb.Cell(
        pupil_id=str(value.key.pupil_id),
        column=value.key.column,
        value=value.value,
        version=value.version,
        updated_by=str(value.updated_by) if value.updated_by else "",
        updated_at=timestamp(value.updated_at),
    )


def class_sheets(value: ClassSheets) -> pb.ListSheetsReply:
    return pb.ListSheetsReply(
        sheets=[
            pb.SheetEntry(
                subject=subject(entry.subject),
                writable=entry.writable,
                locked_reason=entry.why_not,
                progress={
                    key: pb.Progress(filled=far.filled, expected=far.expected) for key, far in entry.progress.items()
                },
            )
            for entry in value.entries
        ],
        terms=[term(one) for one in value.terms],
    )


def sheet(value: SheetShown) -> pb.Sheet:
    return pb.Sheet(
        class_id=str(value.class_id),
        subject=subject(value.plan.subject),
        term=term(value.term),
        columns=_columns(value.plan.whole),
        cells=[cell(one) for one in value.cells],
        pupil_ids=[str(pupil.pupil_id) for pupil in value.pupils],
        writable=value.writable,
        locked_reason=value.why_not,
        pupils=[
            pb.SheetPupil(
                pupil_id=str(pupil.pupil_id),
                school_grade=pupil.school_grade or "",
                not_applicable=value.plan.not_applicable(pupil.school_grade),
            )
            for pupil in (value.pupils if value.several else ())
        ],
    )


def _columns(plan: SheetPlan) -> Sequence[pb.Column]:
    return [column(one) for one in plan.columns]


def cell_result(value: cells.CellResult) -> pb.CellResult:
    return pb.CellResult(outcome=_OUTCOMES[value.outcome], current=cell(value.current), message=value.message)


def cell_change(value: cells.CellChange) -> pb.CellChange:
    return pb.CellChange(at=timestamp(value.at), actor_id=str(value.actor_id), before=value.before, after=value.after)


def closing(value: Closing) -> pb.Closing:
    return pb.Closing(
        term=term(value.term),
        missing=[
            pb.Missing(
                class_id=str(entry.missing.class_id),
                subject=entry.missing.subject,
                subject_label=entry.subject_label,
                columns=entry.missing.columns,
                pupil_ids=[str(pupil_id) for pupil_id in entry.missing.pupil_ids],
                cells=entry.missing.cells,
            )
            for entry in value.missing
        ],
        missing_total=value.missing_total,
        history=[
            pb.TermChange(
                at=timestamp(change.at),
                actor_id=str(change.actor_id),
                state=_STATES[change.state],
                reason=change.reason,
            )
            for change in value.history
        ],
    )


def records(value: Records) -> pb.GetRecordsReply:
    return pb.GetRecordsReply(
        pupils=[
            pb.PupilRecord(
                pupil_id=str(pupil.pupil_id),
                years=[
                    pb.YearRecord(
                        school_year=year.school_class.school_year,
                        school_grade=year.school_grade or "",
                        class_id=str(year.school_class.id),
                        values=[
                            pb.RecordValue(
                                term=one.term,
                                subject=one.subject,
                                column=one.column,
                                kind=_KINDS[one.kind],
                                value=one.value,
                            )
                            for one in year.values
                        ],
                    )
                    for year in pupil.years
                ],
            )
            for pupil in value.pupils
        ],
        curricula=[
            pb.CurriculumYear(
                school_year=year.school_year,
                school_grade=year.school_grade.value,
                subjects=[
                    pb.CurriculumSubject(subject=subject(plan.subject), columns=_columns(plan)) for plan in year.plans
                ],
            )
            for year in value.curricula
        ],
    )
