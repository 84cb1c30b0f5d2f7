"""出席簿 of one class and month."""

from collections.abc import Sequence
from datetime import date, timedelta

from reports.domain.assembly.words import in_force, of_kind
from reports.domain.forms.attendance_register import (
    AttendanceRegister,
    DayKind,
    RegisterCell,
    RegisterDay,
    RegisterLine,
    RegisterStaff,
    RegisterStatistics,
    RegisterTotals,
    SymbolLegend,
)
from reports.domain.sources import ClassFact, DatedText, MonthFact, RegisterNames, StaffFact

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


def attendance_register(homeroom: ClassFact, month: MonthFact, names: RegisterNames) -> AttendanceRegister:
    """The month sheet; also of a month without lessons. Names and staff are those of that month, not of today."""
    members = {pupil: (number, name) for pupil, number, name in homeroom.members}
    first = date.fromisoformat(f"{month.month}-01")
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    categories = {sign: category for sign, _, category in month.symbols}
    states = [state for _, state, _, _ in month.days]

    def count(place: int, kinds: frozenset[str]) -> int:
        signs = (cells[place] for _, cells, _ in month.pupils if place < len(cells))
        return sum(1 for sign, outside, _ in signs if sign and not outside and categories.get(sign) in kinds)

    excused = frozenset(categories.values()) - _ABSENT - _PRESENT
    lines = [
        RegisterLine(
            number=str(members[pupil][0]) if pupil in members and members[pupil][0] else "",
            name=in_force(of_kind(names.pupils.get(pupil, ()), "official", "display"), last.isoformat())
            or (members[pupil][1] if pupil in members else ""),
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
            remarks="、".join((*_name_remarks(names.pupils.get(pupil, ()), first, last), *sums.remarks)),
        )
        for pupil, cells, sums in month.pupils
    ]
    return AttendanceRegister(
        school_name=homeroom.school.name,
        class_name=homeroom.name,
        school_year=homeroom.school_year,
        month=first.month,
        principals=_staff(names.principals, first, last),
        homeroom_teachers=_staff(names.homeroom_teachers, first, last),
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


def _staff(served: Sequence[StaffFact], first: date, last: date) -> tuple[RegisterStaff, ...]:
    """Everybody who served in the month; jointly with their days where it changed hands."""
    there = [
        each
        for each in sorted(served, key=lambda each: each.starts_on)
        if each.starts_on <= last.isoformat() and (not each.ends_on or each.ends_on >= first.isoformat())
    ]
    return tuple(RegisterStaff(post=each.post, name=each.name, days=_days(each, first, last)) for each in there)


def _days(served: StaffFact, first: date, last: date) -> str:
    """「9日まで」「10日から」; empty for the whole month."""
    starts = f"{int(served.starts_on[8:])}日から" if served.starts_on > first.isoformat() else ""
    ends = f"{int(served.ends_on[8:])}日まで" if served.ends_on and served.ends_on < last.isoformat() else ""
    return starts + ends


def _name_remarks(names: Sequence[DatedText], first: date, last: date) -> list[str]:
    """通称, and the official name that ended within the month."""
    alias = in_force([name for name in names if name.kind == "alias" and not name.ends_on], last.isoformat())
    changed = [
        f"{int(name.ends_on[8:])}日まで{name.text}"
        for name in of_kind(tuple(names), "official", "display")
        if first.isoformat() <= name.ends_on < last.isoformat()
    ]
    return [*([f"通称 {alias}"] if alias else []), *changed]
