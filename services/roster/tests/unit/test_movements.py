"""異動 by hand: the two dates of 転学, who may leave how, what may be corrected and taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest
from roster.domain.counting import years_before
from roster.domain.enrolment import Enrolment, EnrolmentEvent, EnrolmentProblem
from roster.domain.movements import Entering, Movement, begin, correct, enter, strike
from roster.domain.period import Period

SCHOOL, PUPIL = uuid4(), uuid4()
TODAY = date(2026, 11, 21)
AT = datetime(2026, 11, 21, tzinfo=UTC)


def now(**changes: object) -> Entering:
    return replace(Entering(uuid4(), uuid4(), AT, None, TODAY, date(2017, 8, 8), {SCHOOL: "けやき小学校"}), **changes)


def a_roll(starts_on: str = "2024-04-01", school: UUID = SCHOOL, school_grade: str = "P3") -> Enrolment:
    roll_id, day = uuid4(), date.fromisoformat(starts_on)
    entry = EnrolmentEvent(uuid4(), roll_id, PUPIL, "admitted", school, day, None, "P1", "", "", "", AT, None)
    return Enrolment(roll_id, PUPIL, school, Period(day), "active", "admitted", "", school_grade, 1, (entry,))


def transferred(left_on: str = "2026-11-13", accepted_on: str = "2026-11-17", **more: str) -> Movement:
    return Movement(
        "transferred_out", left_on=date.fromisoformat(left_on), accepted_on=date.fromisoformat(accepted_on),
        **{"counterpart_name": "海辺町立みなと小学校", "reason": "転居"} | more,
    )  # fmt: skip


def test_a_transfer_on_paper_ends_the_roll_the_day_before_the_next_school_accepted():
    left = enter(a_roll(), transferred(), now())
    assert (left.state, left.left_by, left.period.ends_on) == ("ended", "transferred_out", date(2026, 11, 16))
    event = left.events[-1]
    assert (event.left_on, event.effective_on, event.counterpart_name) == (
        date(2026, 11, 13), date(2026, 11, 16), "海辺町立みなと小学校",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("movement", "field", "said"),
    [
        (transferred(left_on="2024-03-31"), "left_on", "2024年4月1日以後"),
        (transferred(accepted_on="2026-11-13"), "accepted_on", "より後の日付"),
        (transferred(accepted_on="2026-11-22"), "accepted_on", "今日までの日付"),
        (transferred(counterpart_name=""), "counterpart_name", "転学先の学校"),
        (Movement("transferred_out", accepted_on=TODAY), "left_on", "最後の登校日"),
        (Movement("withdrawn", TODAY), "ground", "外国への転出か学齢超過"),
        (Movement("withdrawn", TODAY, ground="over_age"), "effective_on", "2033年3月31日までは学齢"),
        (Movement("not_enrolled", TODAY, left_on=date(2026, 1, 10)), "effective_on", "2027年1月10日以後"),
        (Movement("deferred", TODAY, ground="defer"), "reason", "学校教育法18条"),
        (Movement("deferred", TODAY, ground="exempt", reason="病気", until_on=TODAY), "until_on", "就学免除では空欄"),
        (Movement("out_of_district", TODAY, reason="転居"), "counterpart_name", "教育委員会を入力"),
        (Movement("graduated", TODAY), "", "最終学年"),
    ],
)
def test_what_cannot_be_entered_is_said_at_its_field(movement: Movement, field: str, said: str):
    with pytest.raises(EnrolmentProblem, match=said) as caught:
        enter(a_roll(), movement, now())
    assert caught.value.field == field


def test_graduation_names_the_next_school_and_deferral_its_end():
    graduated = enter(a_roll(school_grade="P6"), Movement("graduated", TODAY, counterpart_name="けやき中学校"), now())
    assert (graduated.left_by, graduated.events[-1].counterpart_name) == ("graduated", "けやき中学校")
    deferral = Movement("deferred", TODAY, until_on=date(2027, 3, 31), ground="defer", reason="病気療養")
    deferred = enter(a_roll(), deferral, now())
    assert (deferred.events[-1].reason, deferred.events[-1].until_on) == ("就学猶予　病気療養", date(2027, 3, 31))


def test_schooling_from_another_municipality_leaves_the_roll_open():
    noted = enter(
        a_roll(),
        Movement("out_of_district", TODAY, counterpart_name="海辺町教育委員会", reason="年度途中の転居"),
        now(),
    )
    assert (noted.state, noted.period.ends_on, noted.events[-1].kind) == ("active", None, "out_of_district")


def test_entries_name_day_and_school_grade_and_do_not_overlap():
    coming = Movement(
        "transferred_in", date(2026, 11, 17), school_grade="P3", counterpart_name="みなと小学校", reason="転居"
    )
    roll = begin(PUPIL, SCHOOL, True, coming, [], now())
    assert (roll.period, roll.entered_by, roll.school_grade) == (Period(date(2026, 11, 17)), "transferred_in", "P3")
    with pytest.raises(EnrolmentProblem, match="重なります"):
        begin(PUPIL, SCHOOL, True, coming, [a_roll()], now())
    with pytest.raises(EnrolmentProblem, match="その学年はありません"):
        begin(PUPIL, SCHOOL, True, replace(coming, school_grade="J1"), [], now())
    with pytest.raises(EnrolmentProblem, match="第1学年"):
        begin(PUPIL, SCHOOL, True, replace(coming, kind="admitted"), [], now())


def test_only_a_child_that_was_not_found_here_is_reinstated():
    """復籍 undoes 在学しない者; a child that moved away comes back by 転入学."""
    back = Movement("reinstated", TODAY, school_grade="P3", reason="居所の判明")
    gone = Movement("not_enrolled", date(2026, 10, 1), left_on=date(2025, 9, 30))
    missing = enter(a_roll(), gone, now())
    assert begin(PUPIL, SCHOOL, True, back, [missing], now()).entered_by == "reinstated"
    with pytest.raises(EnrolmentProblem, match="転入学を選んで"):
        begin(PUPIL, SCHOOL, True, back, [enter(a_roll(), transferred(), now())], now())


def test_a_correction_strikes_the_former_entry_and_keeps_it():
    left = enter(a_roll(), transferred(), now())
    again = correct(left, left.events[-1].id, True, transferred(accepted_on="2026-11-19"), [], now())
    assert again.period.ends_on == date(2026, 11, 18)
    assert [(one.effective_on, one.struck) for one in again.events[1:]] == [
        (date(2026, 11, 16), True), (date(2026, 11, 18), False),
    ]  # fmt: skip
    with pytest.raises(EnrolmentProblem, match="種類は変えられません"):
        correct(again, again.events[-1].id, True, Movement("withdrawn", TODAY, ground="abroad"), [], now())
    with pytest.raises(EnrolmentProblem, match="すでに訂正"):
        correct(again, left.events[-1].id, True, transferred(), [], now())


def test_a_corrected_entry_moves_the_first_day():
    roll = begin(PUPIL, SCHOOL, True, Movement("admitted", date(2026, 4, 1), school_grade="P1"), [], now())
    late = Movement("admitted", date(2026, 4, 6), school_grade="P1")
    assert correct(roll, roll.events[0].id, True, late, [], now()).period == Period(date(2026, 4, 6))
    with pytest.raises(EnrolmentProblem, match="ほかの在籍と重なります"):
        correct(roll, roll.events[0].id, True, Movement("admitted", TODAY, school_grade="P1"), [a_roll()], now())


def test_taking_an_exit_back_opens_the_roll_unless_the_child_is_elsewhere():
    left = enter(a_roll(), transferred(), now())
    again = strike(left, left.events[-1].id, [])
    assert (again.state, again.left_by, again.period.ends_on, again.events[-1].struck) == ("active", "", None, True)
    with pytest.raises(EnrolmentProblem, match="ほかの在籍がある"):
        strike(left, left.events[-1].id, [a_roll("2026-11-17", uuid4())])


def test_an_entry_taken_back_covers_no_day():
    roll = a_roll("2026-11-17")
    never = strike(roll, roll.events[0].id, [])
    assert never.state == "ended"
    assert not any(never.period.covers(day) for day in (date(2026, 11, 16), date(2026, 11, 17), TODAY))
    earlier = Movement("admitted_from_abroad", date(2026, 11, 10), school_grade="P3", reason="帰国")
    assert begin(PUPIL, SCHOOL, True, earlier, [never], now()).period == Period(date(2026, 11, 10))
    left = enter(roll, transferred(left_on="2026-11-18", accepted_on="2026-11-20"), now())
    with pytest.raises(EnrolmentProblem, match="先に新しいほう"):
        strike(left, roll.events[0].id, [])


def test_what_two_schools_agreed_on_is_not_changed_by_one():
    roll = a_roll()
    told = replace(roll, events=(replace(roll.events[0], transfer_id=uuid4()),))
    with pytest.raises(EnrolmentProblem, match="電子的に取り交わした"):
        strike(told, told.events[0].id, [])


@pytest.mark.parametrize(
    ("school_grade", "years", "was"), [("P3", 0, "P3"), ("P3", 2, "P1"), ("J1", 1, "P6"), ("P1", 1, ""), ("", 1, "")]
)
def test_the_school_grade_of_a_former_year(school_grade: str, years: int, was: str):
    assert years_before(school_grade, years) == was
