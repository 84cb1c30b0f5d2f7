"""授業日・休業日・臨時休業: which days of a school year count, for whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

import holidays


class DayState(StrEnum):
    """What a day is for one class."""

    LESSON = "lesson"  # 授業日
    NO_LESSON = "no_lesson"  # 休業日
    CLOSED_SCHOOL = "closed_school"  # 臨時休業 (全校), 学校保健安全法 20条: not a lesson day
    CLOSED_SCHOOL_GRADE = "closed_school_grade"  # 学年閉鎖: not a lesson day
    CLOSED_CLASS = "closed_class"  # 学級閉鎖: a lesson day, counted as 出席停止・忌引等

    @property
    def is_lesson_day(self) -> bool:
        """Counts into 授業日数 of the child's 学年."""
        return self in (DayState.LESSON, DayState.CLOSED_CLASS)


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """One day of a school's year. Empty `school_grades` = all of them have lessons."""

    on: date
    lesson: bool
    note: str = ""
    school_grades: tuple[str, ...] = ()

    def lesson_for(self, school_grade: str) -> bool:
        """Whether lessons are planned for that 学年 on this day."""
        return self.lesson and (not self.school_grades or school_grade in self.school_grades)


@dataclass(frozen=True, slots=True)
class Closure:
    """臨時休業 under 学校保健安全法 20条: of the school, of one 学年, or of one class. Both days inclusive."""

    id: UUID
    school_id: UUID
    starts_on: date
    ends_on: date
    reason: str
    school_grade: str = ""
    class_id: UUID | None = None
    cancelled: bool = False

    def covers(self, on: date, school_grade: str, class_id: UUID) -> DayState | None:
        """The state this closure gives that class on that day, or None."""
        if self.cancelled or not self.starts_on <= on <= self.ends_on:
            return None
        if self.class_id is not None:
            return DayState.CLOSED_CLASS if self.class_id == class_id else None
        if self.school_grade:
            return DayState.CLOSED_SCHOOL_GRADE if self.school_grade == school_grade else None
        return DayState.CLOSED_SCHOOL


_STRENGTH = (DayState.CLOSED_SCHOOL, DayState.CLOSED_SCHOOL_GRADE, DayState.CLOSED_CLASS)


def state_of(
    day: CalendarDay | None, closures: Sequence[Closure], school_grade: str, class_id: UUID
) -> tuple[DayState, str]:
    """State of one day for one class and the note people read. The widest closure wins.

    A closure on a day without lessons changes nothing; an unknown day has no lessons.
    """
    if day is None or not day.lesson_for(school_grade):
        return DayState.NO_LESSON, day.note if day else ""
    found = {state: c for c in closures if (state := c.covers(day.on, school_grade, class_id)) is not None}
    for state in _STRENGTH:
        if state in found:
            return state, found[state].reason
    return DayState.LESSON, day.note


def school_year_of(on: date) -> int:
    """学年 begins on 1 April (学校教育法施行規則 59条): the year it begins in."""
    return on.year if on.month >= 4 else on.year - 1


def days_between(from_on: date, to_on: date) -> Iterator[date]:
    """Every day, both ends included."""
    for offset in range((to_on - from_on).days + 1):
        yield from_on + timedelta(days=offset)


def first_calendar(school_year: int) -> list[CalendarDay]:
    """A calendar to start from, for the school to change: weekdays outside holidays and the usual vacations.

    休業日: 国民の祝日, 土曜日, 日曜日 (学校教育法施行規則 61条); the vacations are the board's to decide (施行令 29条).
    """
    names: Mapping[date, str] = holidays.country_holidays("JP", years=[school_year, school_year + 1], language="ja")
    vacations = (
        (date(school_year, 4, 1), date(school_year, 4, 6), "学年始休業日"),
        (date(school_year, 7, 21), date(school_year, 8, 31), "夏季休業日"),
        (date(school_year, 12, 25), date(school_year + 1, 1, 7), "冬季休業日"),
        (date(school_year + 1, 3, 25), date(school_year + 1, 3, 31), "学年末休業日"),
    )
    year = []
    for on in days_between(date(school_year, 4, 1), date(school_year + 1, 3, 31)):
        vacation = next((note for start, end, note in vacations if start <= on <= end), "")
        holiday = str(names[on]) if on in names else ""
        lesson = on.weekday() < 5 and not vacation and not holiday
        year.append(CalendarDay(on, lesson, holiday or vacation))
    return year
