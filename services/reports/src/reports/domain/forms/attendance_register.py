"""出席簿 (学校教育法施行規則 25条): the month sheet of one class."""

from dataclasses import dataclass
from typing import Literal

DayKind = Literal["lesson", "no_lesson", "closed_school", "closed_school_grade", "closed_class"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterDay:
    """One day that exists in the month; `absent` and `excused` count the pupils (None = no lesson)."""

    day: int
    weekday: str
    state: DayKind
    absent: int | None = None
    excused: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterCell:
    """The sign of one pupil on one day; `outside` = before entry or after leaving."""

    sign: str = ""
    outside: bool = False
    corrected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterLine:
    """One pupil: one cell per day of the month, and the sums of the notice (days; 遅刻・早退 in times).

    `name` is that of the 戸籍 on the last day of the month; a 通称 and a name that ended in it stand in `remarks`.
    """

    number: str
    name: str
    cells: tuple[RegisterCell, ...]
    lesson_days: int
    excused: int
    required: int
    absent_illness: int
    absent_other: int
    absent: int
    present: int
    late: int
    early: int
    remarks: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterTotals:
    """Sums of the class."""

    lesson_days: int
    excused: int
    required: int
    absent_illness: int
    absent_other: int
    absent: int
    present: int
    late: int
    early: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterStatistics:
    """月末統計: heads and child-days; `rate` is 出席率 in per cent, one decimal, empty when nothing was required."""

    on_roll_before: int
    entered: int
    left: int
    on_roll: int
    lesson_days: int
    excused_total: int
    required_total: int
    absent_total: int
    present_total: int
    rate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolLegend:
    """A board's sign and what it means."""

    sign: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterStaff:
    """校長 or 担任 of the month. `days`: the part of the month served, where it is not the whole."""

    post: str
    name: str
    days: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttendanceRegister:
    """出席簿 of one class and one month; also made for a month without lessons."""

    school_name: str
    class_name: str
    school_year: int
    month: int
    principals: tuple[RegisterStaff, ...]
    homeroom_teachers: tuple[RegisterStaff, ...]
    days: tuple[RegisterDay, ...]
    pupils: tuple[RegisterLine, ...]
    totals: RegisterTotals
    statistics: RegisterStatistics
    symbols: tuple[SymbolLegend, ...]
    notes: tuple[str, ...] = ()
