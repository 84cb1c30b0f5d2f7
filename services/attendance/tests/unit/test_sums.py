"""The national arithmetic of 出欠 (notice 30文科初第1845号; school-records §4.1)."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from attendance.domain.calendar import CalendarDay, Closure, DayState, first_calendar, school_year_of, state_of
from attendance.domain.marks import DEFAULT_SYMBOLS, Mark, NotInClass, UnknownSymbol, changes_of_day
from attendance.domain.sums import MonthStatistics, PupilDay, Sums, sums
from hypothesis import given
from hypothesis import strategies as st

SYMBOLS = {symbol.key: symbol for symbol in DEFAULT_SYMBOLS}

PUPIL = uuid4()


def of_day(on: date):
    return SYMBOLS


def day(number: int, state: DayState = DayState.LESSON, symbol: str = "", reason: str = "") -> PupilDay:
    mark = Mark(PUPIL, symbol, reason) if symbol else None
    return PupilDay(date(2026, 4, 7) + timedelta(days=number), state, mark)


def test_class_closure_counts_as_lesson_day_but_not_as_absence():
    """学級閉鎖 adds to 授業日数 and to 出席停止・忌引等."""
    total = sums([day(0), day(1, DayState.CLOSED_CLASS)], of_day)
    assert (total.lesson_days, total.excused, total.required, total.absent, total.present) == (2, 1, 1, 0, 1)


@pytest.mark.parametrize("state", [DayState.CLOSED_SCHOOL, DayState.CLOSED_SCHOOL_GRADE, DayState.NO_LESSON])
def test_closure_of_a_whole_school_grade_removes_the_day(state: DayState):
    assert sums([day(0), day(1, state, "ill")], of_day) == sums([day(0)], of_day)


def test_a_closed_class_wins_over_what_was_marked():
    assert sums([day(0, DayState.CLOSED_CLASS, "ill")], of_day).absent == 0


def test_late_and_early_change_no_day():
    total = sums([day(0, symbol="late"), day(1, symbol="early"), day(2, symbol="late_early")], of_day)
    assert (total.present, total.late, total.early) == (3, 2, 2)


def test_present_elsewhere_is_a_part_of_present():
    total = sums([day(0, symbol="elsewhere"), day(1, symbol="official")], of_day)
    assert (total.present, total.present_elsewhere) == (2, 1)


def test_remarks_name_the_main_reasons_with_days():
    colds = [day(number, symbol="ill", reason="感冒") for number in (0, 1)]
    total = sums([*colds, day(2, symbol="bereavement")], of_day)
    assert total.remarks == ("感冒2日", "忌引1日")
    assert (total.absent_illness, total.bereavement, total.excused) == (2, 1, 1)


@given(
    st.lists(
        st.tuples(st.sampled_from(list(DayState)), st.sampled_from(["", *SYMBOLS])),
        max_size=220,
    )
)
def test_the_sums_always_hold(days: list[tuple[DayState, str]]):
    total = sums([day(i, state, symbol) for i, (state, symbol) in enumerate(days)], of_day)
    assert total.required == total.lesson_days - total.excused >= 0
    assert total.present == total.required - total.absent >= 0
    assert total.present_elsewhere <= total.present
    assert total.suspended + total.bereavement <= total.excused


def test_required_days_of_a_month_are_the_sum_over_children():
    """A child that came on the 11th lesson day has only its own days (school-records §4.5)."""
    whole, late_comer = Sums(lesson_days=20, absent_illness=1), Sums(lesson_days=10)
    month = MonthStatistics(lesson_days=20, on_roll_before=1, entered=1, left=0, pupils=[whole, late_comer])
    assert (month.required_total, month.on_roll, month.present_total) == (30, 2, 29)
    assert month.rate == Decimal("96.7")


def test_august_has_no_rate():
    assert MonthStatistics(0, 35, 0, 0, [Sums()] * 35).rate is None


def test_widest_closure_wins_and_a_closure_on_a_day_off_changes_nothing():
    school, homeroom, other = uuid4(), uuid4(), uuid4()
    on = date(2026, 11, 20)
    of_class = Closure(uuid4(), school, on, on, "インフルエンザ", class_id=homeroom)
    of_p3 = Closure(uuid4(), school, on, on, "学年閉鎖", school_grade="P3")
    lesson = CalendarDay(on, lesson=True)
    assert state_of(lesson, [of_class], "P3", homeroom)[0] is DayState.CLOSED_CLASS
    assert state_of(lesson, [of_class], "P3", other)[0] is DayState.LESSON
    assert state_of(lesson, [of_class, of_p3], "P3", homeroom)[0] is DayState.CLOSED_SCHOOL_GRADE
    assert state_of(CalendarDay(on, lesson=False), [of_p3], "P3", homeroom)[0] is DayState.NO_LESSON
    assert state_of(None, [], "P3", homeroom)[0] is DayState.NO_LESSON


def test_first_calendar_knows_holidays_and_vacations():
    year = {entry.on: entry for entry in first_calendar(2026)}
    assert len(year) == 365
    assert not year[date(2026, 11, 23)].lesson
    assert year[date(2026, 11, 23)].note == "勤労感謝の日"
    assert not year[date(2026, 8, 12)].lesson
    assert year[date(2026, 11, 20)].lesson
    assert 195 <= sum(entry.lesson for entry in year.values()) <= 210


@pytest.mark.parametrize(
    ("on", "year"), [(date(2026, 3, 31), 2025), (date(2026, 4, 1), 2026), (date(2027, 1, 1), 2026)]
)
def test_school_year_begins_on_the_first_of_april(on: date, year: int):
    assert school_year_of(on) == year


def test_everybody_not_named_is_present():
    first, second = uuid4(), uuid4()
    now = {first: Mark(first, "ill", version=1)}
    changes = changes_of_day([first, second], now, [Mark(second, "late")], SYMBOLS, date(2026, 11, 20))
    assert {(change.pupil_id, change.before.symbol, change.after.symbol) for change in changes} == {
        (first, "ill", ""),
        (second, "", "late"),
    }


def test_saving_the_same_twice_changes_nothing():
    first = uuid4()
    now = {first: Mark(first, "ill", "感冒", version=1)}
    assert changes_of_day([first], now, [Mark(first, "ill", "感冒")], SYMBOLS, date(2026, 11, 20)) == []


def test_a_child_outside_the_class_and_an_unknown_symbol_are_refused():
    first, stranger = uuid4(), uuid4()
    with pytest.raises(NotInClass):
        changes_of_day([first], {}, [Mark(stranger, "ill")], SYMBOLS, date(2026, 11, 20))
    with pytest.raises(UnknownSymbol):
        changes_of_day([first], {}, [Mark(first, "？")], SYMBOLS, date(2026, 11, 20))
