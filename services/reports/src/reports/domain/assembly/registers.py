"""出席簿 of one class and month."""

from datetime import date

from reports.domain.forms.attendance_register import (
    AttendanceRegister,
    DayKind,
    RegisterCell,
    RegisterDay,
    RegisterLine,
    RegisterStatistics,
    RegisterTotals,
    SymbolLegend,
)
from reports.domain.forms.values import StaffPeriod
from reports.domain.sources import ClassFact, MonthFact

_WEEKDAYS = "月火水木金土日"
_STATES: dict[str, DayKind] = {
    "lesson": "lesson",
    "no_lesson": "no_lesson",
    "closed_school": "closed_school",
    "closed_school_grade": "closed_school_grade",
    "closed_class": "closed_class",
}
_CLOSURES = {"closed_school": "臨時休業", "closed_school_grade": "学年閉鎖", "closed_class": "学級閉鎖"}
_ABSENT = frozenset({"absent_illness", "absent_other"})
_PRESENT = frozenset({"present", "official_leave", "present_elsewhere"})


def attendance_register(homeroom: ClassFact, month: MonthFact) -> AttendanceRegister:
    """The month sheet; also of a month without lessons."""
    names = {pupil: (number, name) for pupil, number, name in homeroom.members}
    categories = {sign: category for sign, _, category in month.symbols}
    states = [state for _, state, _, _ in month.days]

    def count(place: int, kinds: frozenset[str]) -> int:
        signs = (cells[place] for _, cells, _ in month.pupils if place < len(cells))
        return sum(1 for sign, outside, _ in signs if sign and not outside and categories.get(sign) in kinds)

    excused = frozenset(categories.values()) - _ABSENT - _PRESENT
    lines = [
        RegisterLine(
            number=str(names[pupil][0]) if pupil in names and names[pupil][0] else "",
            name=names[pupil][1] if pupil in names else "",
            cells=tuple(RegisterCell(sign=sign, outside=outside, corrected=fixed) for sign, outside, fixed in cells),
            lesson_days=sums.lesson_days,
            excused=sums.excused,
            required=sums.required,
            absent_illness=sums.absent_illness,
            absent_other=sums.absent_other,
            absent=sums.absent,
            present=sums.present,
            late=sums.late,
            early=sums.early,
            remarks="、".join(sums.remarks),
        )
        for pupil, cells, sums in month.pupils
    ]
    year, number = (int(part) for part in month.month.split("-"))
    return AttendanceRegister(
        school_name=homeroom.school.name,
        class_name=homeroom.name,
        school_year=year if number >= 4 else year - 1,
        month=number,
        principal_name=homeroom.principal_name,
        homeroom_post="教諭",
        homeroom_teachers=tuple(
            StaffPeriod(name=s.name, starts_on=s.starts_on, ends_on=s.ends_on) for s in homeroom.homeroom_teachers
        ),
        days=tuple(
            RegisterDay(
                day=date.fromisoformat(on).day,
                weekday=_WEEKDAYS[date.fromisoformat(on).weekday()],
                state=_STATES.get(state, "no_lesson"),
                absent=count(place, _ABSENT) if state == "lesson" and taken else None,
                excused=count(place, excused) if (state == "lesson" and taken) or state == "closed_class" else None,
            )
            for place, (on, state, _, taken) in enumerate(month.days)
        ),
        pupils=tuple(lines),
        totals=RegisterTotals(
            lesson_days=sum(line.lesson_days for line in lines),
            excused=sum(line.excused for line in lines),
            required=sum(line.required for line in lines),
            absent_illness=sum(line.absent_illness for line in lines),
            absent_other=sum(line.absent_other for line in lines),
            absent=sum(line.absent for line in lines),
            present=sum(line.present for line in lines),
            late=sum(line.late for line in lines),
            early=sum(line.early for line in lines),
        ),
        statistics=RegisterStatistics(**month.statistics),
        symbols=tuple(SymbolLegend(sign=sign, label=label) for sign, label, _ in month.symbols if sign),
        notes=tuple(
            f"{date.fromisoformat(on).day}日　{_CLOSURES[state]}{f'（{note}）' if note else ''}"
            for (on, _, note, _), state in zip(month.days, states, strict=True)
            if state in _CLOSURES
        ),
    )
