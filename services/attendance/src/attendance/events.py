"""What attendance tells others: ids and counts, never a child's mark (class III)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from komu.attendance.v1 import events_pb2
from komu.common.v1 import common_pb2

from attendance.domain.calendar import Closure
from attendance.domain.marks import Effect, Mark, Symbol
from attendance.domain.register import SchoolClass


def day_taken(
    homeroom: SchoolClass, on: date, version: int, marks: Sequence[Mark], symbols: Sequence[Symbol], *, correction: bool
) -> events_pb2.DayTaken:
    """The roll of a class on a day was taken or corrected."""
    effects = {symbol.key: symbol.category.effect for symbol in symbols}
    found = [effects[mark.symbol] for mark in marks if mark.symbol in effects]
    return events_pb2.DayTaken(
        meta=common_pb2.EventMeta(aggregate_id=str(homeroom.id), aggregate_version=version),
        class_id=str(homeroom.id),
        on=on.isoformat(),
        absent=found.count(Effect.ABSENT),
        excused=found.count(Effect.EXCUSED),
        correction=correction,
    )


def closure_changed(closure: Closure) -> events_pb2.ClosureChanged:
    """A closure was declared or taken back."""
    return events_pb2.ClosureChanged(
        meta=common_pb2.EventMeta(aggregate_id=str(closure.id), aggregate_version=2 if closure.cancelled else 1),
        closure_id=str(closure.id),
        school_id=str(closure.school_id),
        school_grade=closure.school_grade,
        class_id=str(closure.class_id or ""),
        starts_on=closure.starts_on.isoformat(),
        ends_on=closure.ends_on.isoformat(),
        cancelled=closure.cancelled,
    )
