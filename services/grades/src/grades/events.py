"""What this service tells: which cells and terms, never a value."""

from collections.abc import Sequence
from uuid import UUID

from komu.common.v1.common_pb2 import EventMeta
from komu.grades.v1 import events_pb2

from grades.domain.terms import Term


def marks_recorded(class_id: UUID, *, subject: str, term: str, pupil_ids: Sequence[UUID]) -> events_pb2.MarksRecorded:
    return events_pb2.MarksRecorded(
        meta=EventMeta(aggregate_id=str(class_id)),
        class_id=str(class_id),
        subject=subject,
        term=term,
        pupil_ids=[str(pupil_id) for pupil_id in pupil_ids],
    )


def term_closed(school_id: UUID, school_year: int, term: Term, closed_by: UUID) -> events_pb2.TermClosed:
    return events_pb2.TermClosed(
        meta=EventMeta(aggregate_id=str(school_id), aggregate_version=term.version),
        school_id=str(school_id),
        school_year=school_year,
        term=term.key.value,
        starts_on=term.dates.starts_on.isoformat(),
        ends_on=term.dates.ends_on.isoformat(),
        closed_by=str(closed_by),
    )


def term_reopened(school_id: UUID, school_year: int, term: Term, reason: str) -> events_pb2.TermReopened:
    return events_pb2.TermReopened(
        meta=EventMeta(aggregate_id=str(school_id), aggregate_version=term.version),
        school_id=str(school_id),
        school_year=school_year,
        term=term.key.value,
        starts_on=term.dates.starts_on.isoformat(),
        ends_on=term.dates.ends_on.isoformat(),
        reason=reason,
    )
