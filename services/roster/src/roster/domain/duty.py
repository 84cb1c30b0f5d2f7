"""校務分掌: who is responsible for what over which days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from roster.domain.period import Period, day_before, japanese_date

HOMEROOM = "homeroom"
ASSISTANT_HOMEROOM = "assistant_homeroom"
SUBJECT = "subject"
SCHOOL_GRADE_HEAD = "grade_head"


@dataclass(frozen=True, slots=True)
class Duty:
    """校務分掌: one responsibility of one staff member over a period (both days inclusive)."""

    id: UUID
    kind: str
    staff_id: UUID
    school_id: UUID
    class_id: UUID | None
    subject: str
    school_grade: str
    period: Period


@dataclass(frozen=True, slots=True)
class HandOver:
    """What a change of 担任 does to the register."""

    ended: tuple[Duty, ...]
    withdrawn: tuple[Duty, ...]  # would have begun on that day or later: never came to be
    started: Duty


class DutyTaken(Exception):
    """The person holds the duty on that day already."""


def hand_over(current: Sequence[Duty], started: Duty) -> HandOver:
    """End today's holders the day before the successor starts.

    The predecessor's period stays on the record: 指導要録 asks for every 学級担任者 of the year with its dates
    (様式1, 年度途中の変更は期間を付記).
    Raises: DutyTaken, if the successor already holds the duty on that day.
    """
    on = started.period.starts_on
    ended, withdrawn = [], []
    for duty in current:
        if duty.period.ends_on is not None and duty.period.ends_on < on:
            continue
        if duty.staff_id == started.staff_id and duty.period.covers(on):
            raise DutyTaken(f"{japanese_date(on)}には、すでにこの学級の担任です。")
        if duty.period.starts_on >= on:
            withdrawn.append(duty)
        else:
            ended.append(replace(duty, period=duty.period.ended(day_before(on))))
    return HandOver(tuple(ended), tuple(withdrawn), started)


def still_in_year(on: date, school_year: int) -> bool:
    """Whether the day lies in the school year (1 April to 31 March, 学校教育法施行規則 59条)."""
    return date(school_year, 4, 1) <= on <= date(school_year + 1, 3, 31)
