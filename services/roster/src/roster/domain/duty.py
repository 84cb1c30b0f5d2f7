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


_OVER = {ASSISTANT_HOMEROOM: "class_id", SUBJECT: "class_id", SCHOOL_GRADE_HEAD: "school_grade"}
"""What a duty other than 担任 is about."""


class DutyProblem(Exception):
    """Why a duty cannot be given or ended so; `field` says what was typed wrong."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


def give(held: Sequence[Duty], started: Duty, school_year: int) -> None:
    """Check a duty of a school year other than 担任, which is handed over; `held`: the person's duties.

    Several may hold the same duty at once (教科担任 in small groups). Raises: DutyProblem.
    """
    if started.kind not in _OVER:
        raise DutyProblem("担任は、学級のページの「担任を決める」で決めます。", "kind")
    if getattr(started, _OVER[started.kind]) in (None, ""):
        missing = "学年を選んでください。" if started.kind == SCHOOL_GRADE_HEAD else "学級を選んでください。"
        raise DutyProblem(missing, _OVER[started.kind])
    if started.kind == SUBJECT and not started.subject:
        raise DutyProblem("教科を選んでください。", "subject")
    period = started.period
    if not still_in_year(period.starts_on, school_year) or not still_in_year(period.ends_on or date.max, school_year):
        field = "ends_on" if still_in_year(period.starts_on, school_year) else "starts_on"
        raise DutyProblem(f"{school_year}年度（4月1日から翌年3月31日まで）の日付にしてください。", field)
    if period.ends_on is not None and period.ends_on < period.starts_on:
        raise DutyProblem("終わりの日は、始まりの日以後にしてください。", "ends_on")
    if any(_same(one, started) and one.period.overlaps(period) for one in held):
        raise DutyProblem("この人は、同じ分掌をその期間にすでに持っています。", "staff_id")


def _same(one: Duty, other: Duty) -> bool:
    return (one.kind, one.school_id, one.class_id, one.subject, one.school_grade) == (
        other.kind, other.school_id, other.class_id, other.subject, other.school_grade,
    )  # fmt: skip


def end(duty: Duty, last_on: date) -> Duty:
    """The duty until a day before its end. Raises: DutyProblem."""
    if duty.kind == HOMEROOM:
        raise DutyProblem("担任は、学級のページで次の担任を決めると、前の日までになります。", "last_on")
    if last_on < duty.period.starts_on:
        raise DutyProblem(
            f"最後の日は、始まった{japanese_date(duty.period.starts_on)}以後の日付にしてください。", "last_on"
        )
    if duty.period.ends_on is not None and last_on > duty.period.ends_on:
        raise DutyProblem(
            f"{japanese_date(duty.period.ends_on)}までの分掌です。それより前の日にしてください。", "last_on"
        )
    return replace(duty, period=duty.period.ended(last_on))


def still_in_year(on: date, school_year: int) -> bool:
    """Whether the day lies in the school year (1 April to 31 March, 学校教育法施行規則 59条)."""
    return date(school_year, 4, 1) <= on <= date(school_year + 1, 3, 31)
