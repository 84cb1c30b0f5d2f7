"""Rows of the database as values of the domain."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from roster.domain.duty import Duty
from roster.domain.enrolment import Enrolment, EnrolmentEvent
from roster.domain.names import Name, NameSets
from roster.domain.people import Appointment, Pupil, School, SchoolClass, StaffName
from roster.domain.period import Period

NAMES = (
    "p.display_family, p.display_given, p.display_middle, p.kana_family, p.kana_given, p.kana_middle, "
    "p.official_family, p.official_given, p.official_middle, p.alias_family, p.alias_given, p.alias_middle"
)
"""Columns of the name sets, of persons AS p."""

PUPIL = f"p.id, {NAMES}, p.sex, p.birth_on, p.protected_address, p.version, p.sort_key"

CLASS = "c.id, c.school_id, c.school_year, c.school_grade, c.name, c.kind, c.version"
DUTY = "d.id, d.kind, d.staff_id, d.school_id, d.class_id, d.subject, d.school_grade, d.starts_on, d.ends_on"


def names(row: Any, *, official: bool = False) -> NameSets:
    """Name sets of a row with the columns of NAMES; the official one only where asked for."""
    return NameSets(
        Name(row.display_family, row.display_given, row.display_middle),
        Name(row.kana_family, row.kana_given, row.kana_middle),
        _set(row, "official") if official else None,
        _set(row, "alias") if official else None,
    )


def _set(row: Any, kind: str) -> Name | None:
    family = getattr(row, f"{kind}_family")
    if family is None:
        return None
    return Name(family, getattr(row, f"{kind}_given") or "", getattr(row, f"{kind}_middle") or "")


def school(row: Any) -> School:
    """A school."""
    return School(row.id, row.code, row.name, row.kind, row.address, row.version)


def school_class(row: Any) -> SchoolClass:
    """A class; of a row with the columns of CLASS."""
    return SchoolClass(row.id, row.school_id, row.school_year, row.school_grade, row.name, row.kind, row.version)


def duty(row: Any) -> Duty:
    """A duty; of a row with the columns of DUTY."""
    return Duty(
        row.id, row.kind, row.staff_id, row.school_id, row.class_id, row.subject, row.school_grade,
        Period(row.starts_on, row.ends_on),
    )  # fmt: skip


def appointment(row: Any) -> Appointment:
    """An appointment."""
    return Appointment(row.staff_id, row.school_id, row.post, Period(row.starts_on, row.ends_on))


def staff_name(row: Any, *, official: bool = False) -> StaffName:
    """A member of staff; of a row with NAMES, id and post."""
    return StaffName(row.id, names(row, official=official), row.post or "")


def pupil(
    row: Any, *, school_id: UUID | None, class_id: UUID | None, school_grade: str, number: int, enrolled: bool,
    official: bool = False,
) -> Pupil:  # fmt: skip
    """A pupil; of a row with the columns of PUPIL."""
    return Pupil(
        row.id, names(row, official=official), row.sex, row.birth_on, school_id, class_id, school_grade, number,
        enrolled, row.protected_address, row.version, row.sort_key, getattr(row, "class_name", None) or "",
    )  # fmt: skip


def enrolment(row: Any, events: tuple[EnrolmentEvent, ...] = ()) -> Enrolment:
    """A time on the roll."""
    return Enrolment(
        row.id, row.pupil_id, row.school_id, Period(row.starts_on, row.ends_on), row.state, row.entered_by,
        row.left_by, row.school_grade, row.version, events,
    )  # fmt: skip


def enrolment_event(row: Any) -> EnrolmentEvent:
    """A dated fact of 学籍."""
    return EnrolmentEvent(
        row.id, row.enrolment_id, row.pupil_id, row.kind, row.school_id, row.effective_on, row.left_on,
        row.school_grade, row.counterpart_name, row.counterpart_address, row.reason, row.recorded_at, row.recorded_by,
        row.struck_at is not None, row.transfer_id, row.until_on, row.struck_at, row.struck_by, row.strike_reason,
    )  # fmt: skip
