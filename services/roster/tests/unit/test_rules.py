"""Rules of the register on plain values."""

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jpschool.kana import gojuon_key
from roster.domain import duty as duties
from roster.domain import enrolment as rolls
from roster.domain.duty import Duty, DutyTaken, hand_over
from roster.domain.enrolment import Enrolment, EnrolmentEvent, EnrolmentProblem
from roster.domain.names import Name, query_key, search_text, sort_key, typed_number
from roster.domain.period import Period
from roster.domain.roster_change import EntityChange, needs_shrink_confirmation, source_uuid

SCHOOL, PUPIL = uuid4(), uuid4()


def an_enrolment(starts_on: str = "2024-04-01", ends_on: str | None = None) -> Enrolment:
    return Enrolment(
        uuid4(), PUPIL, SCHOOL, Period(date.fromisoformat(starts_on), ends_on and date.fromisoformat(ends_on)),
        "ended" if ends_on else "active", "admitted", "", "P3", 1,
    )  # fmt: skip


def a_departure(enrolment: Enrolment, left_on: str) -> EnrolmentEvent:
    return EnrolmentEvent(
        uuid4(), enrolment.id, PUPIL, "transferred_out", SCHOOL, None, date.fromisoformat(left_on), "P3",
        "海辺市立みなと小学校", "", "転居", datetime(2026, 11, 21, tzinfo=UTC), None,
    )  # fmt: skip


def a_duty(staff: UUID, starts_on: str, ends_on: str | None = None) -> Duty:
    period = Period(date.fromisoformat(starts_on), ends_on and date.fromisoformat(ends_on))
    return Duty(uuid4(), "homeroom", staff, SCHOOL, uuid4(), "", "", period)


def test_transfer_closes_with_two_dates():
    """転学 is the day before the new school accepted; the day left is written beside it."""
    leaving = rolls.depart(an_enrolment(), a_departure(an_enrolment(), "2026-11-20"))
    closed = rolls.close_transferred(leaving, date(2026, 11, 20), date(2026, 12, 1))
    assert (closed.period.ends_on, closed.state, closed.left_by) == (date(2026, 11, 30), "ended", "transferred_out")
    assert [(event.left_on, event.effective_on) for event in closed.events] == [
        (date(2026, 11, 20), date(2026, 11, 30))
    ]


def test_a_departure_that_came_to_nothing_is_struck_and_readable():
    leaving = rolls.depart(an_enrolment(), a_departure(an_enrolment(), "2026-11-20"))
    stays = rolls.stay(leaving)
    assert stays.state == "active"
    assert [event.struck for event in stays.events] == [True]
    assert rolls.depart(stays, a_departure(stays, "2026-12-20")).state == "leaving"


def test_a_child_cannot_leave_before_it_came():
    with pytest.raises(EnrolmentProblem, match="2024年4月1日以後"):
        rolls.depart(an_enrolment(), a_departure(an_enrolment(), "2024-03-31"))


@given(st.dates(date(2024, 4, 1), date(2027, 3, 30)))
def test_old_and_new_school_leave_no_gap_and_no_overlap(accepted_on):
    closed = rolls.close_transferred(an_enrolment("2024-03-01"), accepted_on, accepted_on)
    new = Period(accepted_on)
    assert not closed.period.overlaps(new)
    assert closed.period.ends_on is not None
    assert (accepted_on - closed.period.ends_on).days == 1
    rolls.may_begin([closed], accepted_on, {})


def test_two_rolls_on_one_day_are_refused_with_the_school():
    with pytest.raises(EnrolmentProblem, match="青空市立あおば小学校に2024年4月1日から現在まで在籍"):
        rolls.may_begin([an_enrolment()], date(2026, 11, 24), {SCHOOL: "青空市立あおば小学校"})
    rolls.may_begin([an_enrolment(ends_on="2026-11-23")], date(2026, 11, 24), {})


def test_new_homeroom_teacher_keeps_the_predecessors_days():
    before, after = a_duty(uuid4(), "2026-04-01"), a_duty(uuid4(), "2026-12-01")
    change = hand_over([before], after)
    assert [duty.period for duty in change.ended] == [Period(date(2026, 4, 1), date(2026, 11, 30))]
    assert change.withdrawn == ()


def test_the_same_teacher_cannot_take_over_from_herself():
    teacher = uuid4()
    with pytest.raises(DutyTaken):
        hand_over([a_duty(teacher, "2026-04-01")], a_duty(teacher, "2026-12-01"))


def test_a_duty_that_had_not_begun_is_withdrawn():
    planned = a_duty(uuid4(), "2027-01-08")
    assert hand_over([planned], a_duty(uuid4(), "2026-12-01")).withdrawn == (planned,)


@pytest.mark.parametrize("typed", ["たかはし", "ﾀｶﾊｼ", "タカハシ　ハナ", "髙橋", "高橋", "髙橋 花"])
def test_every_spelling_finds_the_same_child(typed):
    text = search_text([Name("髙橋", "花"), Name("タカハシ", "ハナ"), Name("山田", "花")])
    assert query_key(typed) in text
    assert query_key("やまだ") not in text
    assert query_key("山田") in text  # a former name stays findable


def test_people_stand_in_gojuon_order():
    kana = [
        Name("ヤマダ", "ハナ"),
        Name("アベ", "ケン"),
        Name("アーサー", "ジョン"),
        Name("ハシモト", "ア"),
        Name("バンドウ", "イ"),
    ]
    ordered = sorted(kana, key=lambda name: sort_key(name, name))
    assert [name.family for name in ordered] == ["アーサー", "アベ", "ハシモト", "バンドウ", "ヤマダ"]
    assert sort_key(Name("", ""), Name("王", "")) > sort_key(kana[0], kana[0])
    assert sort_key(kana[0], kana[0]) == gojuon_key("ヤマダ", "ハナ")


def test_numbers_are_told_from_names():
    assert [typed_number(text) for text in ("12", "１２番", "花", "2026")] == [12, 12, None, None]


def test_more_than_a_fifth_gone_needs_a_second_word():
    fifth = EntityChange("people", 100, 0, 0, 20)
    assert not needs_shrink_confirmation([fifth])
    assert needs_shrink_confirmation([replace(fifth, gone=21)])
    assert not needs_shrink_confirmation([EntityChange("people", 0, 5, 0, 0)])


def test_source_ids_become_identifiers_once_and_for_all():
    own = "0b5e8c6e-4f0a-4a53-9d0e-4f0e5a6b7c8d"
    assert str(source_uuid("aozora", own)) == own
    assert source_uuid("aozora", "class-1") == source_uuid("aozora", "class-1") != source_uuid("hoshi", "class-1")


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"kind": "homeroom"}, "kind", "担任を決める"),
        ({"class_id": None}, "class_id", "学級を選んで"),
        ({"subject": ""}, "subject", "教科を選んで"),
        ({"kind": "grade_head"}, "school_grade", "学年を選んで"),
        ({"period": Period(date(2026, 3, 31), date(2026, 9, 30))}, "starts_on", "2026年度"),
        ({"period": Period(date(2026, 4, 1), date(2027, 4, 1))}, "ends_on", "2026年度"),
        ({"period": Period(date(2026, 9, 1), date(2026, 8, 31))}, "ends_on", "始まりの日以後"),
    ],
)
def test_a_duty_other_than_homeroom_names_what_it_is_about(changes: dict, field: str, said: str):
    taught = replace(a_duty(uuid4(), "2026-04-01", "2027-03-31"), kind="subject", subject="music")
    duties.give([], taught, 2026)
    with pytest.raises(duties.DutyProblem, match=said) as caught:
        duties.give([], replace(taught, **changes), 2026)
    assert caught.value.field == field


def test_nobody_holds_one_duty_twice_and_its_end_stays_on_the_record():
    taught = replace(a_duty(uuid4(), "2026-04-01", "2027-03-31"), kind="subject", subject="music")
    with pytest.raises(duties.DutyProblem, match="すでに持って"):
        duties.give([taught], replace(taught, period=Period(date(2026, 9, 1), date(2027, 3, 31))), 2026)
    ended = duties.end(taught, date(2026, 8, 31))
    duties.give([ended], replace(taught, period=Period(date(2026, 9, 1), date(2027, 3, 31))), 2026)
    with pytest.raises(duties.DutyProblem, match="2026年4月1日以後"):
        duties.end(taught, date(2026, 3, 31))
    with pytest.raises(duties.DutyProblem, match="次の担任を決める"):
        duties.end(a_duty(uuid4(), "2026-04-01"), date(2026, 9, 1))
