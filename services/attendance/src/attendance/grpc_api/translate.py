"""Between the contract's messages and our values. Bad bytes become Invalid with the field that is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp
from jpschool.days import EARLIEST, LATEST, read_day
from komu.attendance.v1 import attendance_pb2 as pb
from servicekit.errors import Invalid, Violation

from attendance.domain.calendar import CalendarDay, Closure, DayState
from attendance.domain.marks import Category, Mark, Symbol
from attendance.domain.sums import Sums
from attendance.store.calendar import SchoolCalendar
from attendance.store.marks import PastChange
from attendance.usecases.roll import Day
from attendance.usecases.statistics import ClassDay, Month

_STATES = {
    DayState.LESSON: pb.DAY_STATE_LESSON,
    DayState.NO_LESSON: pb.DAY_STATE_NO_LESSON,
    DayState.CLOSED_SCHOOL: pb.DAY_STATE_CLOSED_SCHOOL,
    DayState.CLOSED_SCHOOL_GRADE: pb.DAY_STATE_CLOSED_SCHOOL_GRADE,
    DayState.CLOSED_CLASS: pb.DAY_STATE_CLOSED_CLASS,
}
CATEGORIES = {category: pb.Category.Value(f"CATEGORY_{category.name}") for category in Category}


def uuid_of(text: str, field: str) -> UUID:
    """A UUID out of a request. Raises: Invalid."""
    try:
        return UUID(text)
    except ValueError:
        wrong = Violation(field, f"「{text[:60]}」は UUID ではありません。")
        raise Invalid("識別子の形が正しくありません。", [wrong]) from None


def date_of(text: str, field: str) -> date:
    """A date (YYYY-MM-DD) out of a request. Raises: Invalid."""
    try:
        return read_day(text)
    except ValueError:
        wrong = Violation(field, f"「{text[:30]}」は日付（例：2026-04-07）ではありません。")
        raise Invalid("日付の形が正しくありません。", [wrong]) from None


def month_of(text: str) -> date:
    """A month (YYYY-MM) as its first day. Raises: Invalid."""
    return date_of(f"{text}-01", "month")


def school_year_of(number: int) -> int:
    """A school year out of a request. Raises: Invalid."""
    if not EARLIEST.year <= number < LATEST.year:
        wrong = Violation("school_year", f"「{number}」は年度ではありません。")
        raise Invalid("年度が正しくありません。", [wrong])
    return number


def instant(at: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(at)
    return stamp


def mark_in(message: pb.DayMark) -> Mark:
    """One exception of a day."""
    return Mark(uuid_of(message.pupil_id, "exceptions.pupil_id"), message.symbol, message.reason.strip()[:100])


def calendar_day(message: pb.CalendarDay) -> CalendarDay:
    """One changed day of the year."""
    return CalendarDay(
        date_of(message.on, "changed.on"), message.lesson, message.note.strip()[:60], tuple(message.school_grades)
    )


def symbol(value: Symbol) -> pb.Symbol:
    """One 出欠記号."""
    return pb.Symbol(
        key=value.key,
        sign=value.sign,
        label=value.label,
        category=CATEGORIES[value.category],
        late=value.late,
        early=value.early,
        shortcut=value.shortcut,
        retired=value.retired,
    )


def mark(value: Mark, symbols: Sequence[Symbol] = ()) -> pb.DayMark:
    """One child's day."""
    found = next((s for s in symbols if s.key == value.symbol), None)
    return pb.DayMark(
        pupil_id=str(value.pupil_id),
        symbol=value.symbol,
        late=bool(found and found.late),
        early=bool(found and found.early),
        reason=value.reason,
        version=value.version,
    )


def day(value: Day) -> pb.GetDayReply:
    """The day sheet."""
    reply = pb.GetDayReply(
        state=_STATES[value.state],
        state_note=value.note,
        marks=[mark(m, value.symbols) for m in value.marks],
        symbols=[symbol(s) for s in value.symbols],
        reasons=value.reasons,
        locked_reason=value.locked_reason,
        previous_unmarked_days=[on.isoformat() for on in value.unmarked_days],
    )
    if value.sheet:
        reply.taken = True
        reply.taken_by = str(value.sheet.taken_by)
        reply.taken_at.CopyFrom(instant(value.sheet.taken_at))
        reply.version = value.sheet.version
    return reply


def sums(value: Sums) -> pb.Sums:
    """出欠の記録 of one child over a span."""
    return pb.Sums(
        lesson_days=value.lesson_days,
        excused=value.excused,
        required=value.required,
        absent=value.absent,
        present=value.present,
        absent_illness=value.absent_illness,
        absent_other=value.absent_other,
        late=value.late,
        early=value.early,
        present_elsewhere=value.present_elsewhere,
        suspended=value.suspended,
        bereavement=value.bereavement,
        remarks=value.remarks,
    )


def month(value: Month) -> pb.GetMonthReply:
    """The month sheet."""
    statistics = value.statistics
    return pb.GetMonthReply(
        days=[
            pb.MonthDay(on=d.on.isoformat(), state=_STATES[d.state], note=d.note, taken=d.taken) for d in value.days
        ],
        pupils=[
            pb.PupilMonth(
                pupil_id=str(p.pupil_id),
                cells=[pb.MonthCell(sign=c.sign, outside=c.outside, corrected=c.corrected) for c in p.cells],
                sums=sums(p.sums),
            )
            for p in value.pupils
        ],
        symbols=[symbol(s) for s in value.symbols],
        statistics=pb.MonthStatistics(
            lesson_days=statistics.lesson_days,
            on_roll_before=statistics.on_roll_before,
            entered=statistics.entered,
            left=statistics.left,
            on_roll=statistics.on_roll,
            excused_total=statistics.excused_total,
            required_total=statistics.required_total,
            absent_total=statistics.absent_total,
            present_total=statistics.present_total,
            rate="" if statistics.rate is None else str(statistics.rate),
        ),
    )


def class_day(value: ClassDay) -> pb.ClassDay:
    """One class of the school on one day."""
    return pb.ClassDay(
        class_id=str(value.homeroom.id),
        state=_STATES[value.state],
        taken=value.taken,
        members=value.members,
        absent=value.absent,
        excused=value.excused,
        late=value.late,
    )


def change(value: PastChange) -> pb.MarkChange:
    """One correction."""
    return pb.MarkChange(
        at=instant(value.at),
        actor_id=str(value.actor_id),
        before=mark(value.before),
        after=mark(value.after),
        reason=value.why,
    )


def closure(value: Closure) -> pb.Closure:
    """One 臨時休業."""
    return pb.Closure(
        id=str(value.id),
        school_id=str(value.school_id),
        school_grade=value.school_grade,
        class_id=str(value.class_id or ""),
        starts_on=value.starts_on.isoformat(),
        ends_on=value.ends_on.isoformat(),
        reason=value.reason,
        cancelled=value.cancelled,
    )


def calendar(value: SchoolCalendar) -> pb.Calendar:
    """A school's year."""
    return pb.Calendar(
        school_id=str(value.school_id),
        school_year=value.school_year,
        days=[
            pb.CalendarDay(on=d.on.isoformat(), lesson=d.lesson, note=d.note, school_grades=d.school_grades)
            for d in value.days
        ],
        version=value.version,
    )
