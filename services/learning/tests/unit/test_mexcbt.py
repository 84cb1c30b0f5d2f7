"""MEXCBT利用申込 as the ministry's document has it (令和4年度)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from learning.domain.mexcbt import (
    Application,
    Contact,
    Done,
    Founder,
    FounderKind,
    Intake,
    Side,
    State,
    Step,
    after,
    menu,
    missing_of_founder,
    possible,
    standing_steps,
    tasks,
    trial_entry,
    undone,
    usual_opening,
    way_in,
    why_closed,
)
from learning.domain.mexcbt_counts import ClassCount, Counts, PostCount, counted, school_grades_of, why_not
from learning.domain.mexcbt_forms import sheets
from learning.domain.register import Post, School

TODAY = date(2026, 11, 20)
CONTACT = Contact("青空 担当", "mexcbt@aozora.example", "03-0000-0000")
FOUNDER = Founder(
    name="青空市教育委員会", code="131237", department="学校教育課", contact=CONTACT, notes_read_on=TODAY,
    registered_on=TODAY, version=1,
)  # fmt: skip
INTAKE = Intake(2026, usual_opening(2026))
SCHOOL = Application(uuid4(), uuid4(), 2026, "実証用学習eポータル", CONTACT, State.LISTED)
CLASSES = [
    ClassCount(uuid4(), "1年1組", "P1", 30),
    ClassCount(uuid4(), "2年1組", "P2", 28),
    ClassCount(uuid4(), "わかば", "P1", 1),
    ClassCount(uuid4(), "わかば", "P2", 2),
]
POSTS = [PostCount(Post.PRINCIPAL, 1), PostCount(Post.TEACHER, 12), PostCount(Post.OFFICE, 2)]


def history(*steps: tuple[Step, State, State, Counts | None]) -> list[Done]:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    return [
        Done(uuid4(), step, before, then, TODAY, uuid4(), at, counts=counts) for step, before, then, counts in steps
    ]


def test_the_usual_way_from_the_founder_to_the_lesson():
    """Document 000, ①: 利用学校の登録 → 学校情報の登録 → 利用準備・通知 → 活用開始."""
    application = SCHOOL
    for step in (Step.REGISTER, Step.CONFIRM, Step.START):
        then = after(application, step)
        assert then is not None
        application = replace(application, state=then)
    assert application.state is State.IN_USE
    assert possible(application) == (Step.RECOUNT, Step.REMOVE)


def test_the_portal_is_changed_by_deleting_and_registering_again():
    """ケース２: 一度削除して再登録が必要."""
    in_use = replace(SCHOOL, state=State.IN_USE)
    assert after(in_use, Step.CHANGE) is None
    assert after(in_use, Step.REMOVE) is State.REMOVED
    assert possible(replace(SCHOOL, state=State.REMOVED)) == ()


def test_a_trial_is_confirmed_by_no_school():
    trial = replace(SCHOOL, school_id=None, state=State.REGISTERED)
    assert after(trial, Step.CONFIRM) is None
    assert after(trial, Step.START) is State.IN_USE
    assert trial_entry(FOUNDER) == ("XXX999_131237", "試用学校_青空市教育委員会")


@pytest.mark.parametrize(
    ("applied_before", "state", "button"),
    [
        (False, State.LISTED, "新規申込"),
        (False, State.WITHDRAWN, "新規申込"),
        (False, State.REMOVED, "登録情報の追加・修正"),
        (True, State.LISTED, "登録情報の追加・修正"),
    ],
)
def test_which_way_in(applied_before: bool, state: State, button: str):
    founder = replace(FOUNDER, applied_before=applied_before)
    assert way_in(founder, [replace(SCHOOL, state=state)]) == button


def test_menus_differ_by_founder():
    assert menu(Step.REGISTER, FounderKind.PUBLIC) == "２．利用学校登録"
    assert menu(Step.REGISTER, FounderKind.PRIVATE) == menu(Step.REGISTER, FounderKind.NATIONAL) == "３．管理学校追加"
    assert menu(Step.CONFIRM, FounderKind.PUBLIC) == "１．学校情報修正"


def test_the_intake_opens_on_its_day():
    intake = replace(INTAKE, closes_on=date(2027, 1, 31))
    assert "2026年3月28日から" in why_closed(intake, date(2026, 3, 27))
    assert why_closed(intake, date(2026, 3, 28)) == why_closed(intake, date(2027, 1, 31)) == ""
    assert "2027年1月31日に終わりました" in why_closed(intake, date(2027, 2, 1))


def test_each_state_says_who_acts_next():
    expected = {
        State.LISTED: Side.BOARD,
        State.REGISTERED: Side.SCHOOL,
        State.CONFIRMED: Side.OPERATOR,
    }
    for state, side in expected.items():
        application = replace(SCHOOL, state=state)
        assert [task.side for task in tasks(FOUNDER, [application], INTAKE, TODAY)] == [side]
    assert tasks(FOUNDER, [replace(SCHOOL, state=State.IN_USE)], INTAKE, TODAY) == []


def test_a_new_school_year_asks_the_school_to_count_again():
    """ケース３: 進学・進級等により、アカウントの追加・削除が必要な場合."""
    [task] = tasks(FOUNDER, [replace(SCHOOL, state=State.IN_USE)], INTAKE, date(2027, 4, 1))
    assert (task.side, task.menu) == (Side.SCHOOL, "１．学校情報修正")
    assert "2027年度" in task.what


def test_a_founder_without_mail_is_told_so_first():
    founder = replace(FOUNDER, contact=replace(CONTACT, mail=""), notes_read_on=None)
    assert [field for field, _ in missing_of_founder(founder)] == ["mail", "notes_read"]
    assert tasks(founder, [], INTAKE, TODAY)[0].side is Side.BOARD


def test_counts_come_from_classes_and_posts():
    counts = counted(CLASSES, POSTS, ["P2", "P1"], 2026, TODAY)
    assert (counts.school_grades, counts.pupils, counts.teachers) == (("P1", "P2"), 61, 13)
    assert counts.pupils_of("P1") == 31
    assert school_grades_of(CLASSES) == ("P1", "P2")
    assert why_not(counts) == ""


@pytest.mark.parametrize(
    ("school_grades", "posts", "why"),
    [([], POSTS, "学年を選んで"), (["P1", "P6"], POSTS, "児童生徒がいない学年"), (["P1"], POSTS[2:], "教員がいません")],
)
def test_account_numbers_are_mandatory(school_grades: list[str], posts: list[PostCount], why: str):
    assert why in why_not(counted(CLASSES, posts, school_grades, 2026, TODAY))


def test_a_step_is_taken_back_with_its_counts():
    last_year = counted(CLASSES, POSTS, ["P1"], 2025, TODAY)
    this_year = counted(CLASSES, POSTS, ["P1", "P2"], 2026, TODAY)
    steps = history(
        (Step.LIST, State.LISTED, State.LISTED, None),
        (Step.REGISTER, State.LISTED, State.REGISTERED, None),
        (Step.CONFIRM, State.REGISTERED, State.CONFIRMED, last_year),
        (Step.START, State.CONFIRMED, State.IN_USE, None),
        (Step.RECOUNT, State.IN_USE, State.IN_USE, this_year),
    )
    now = replace(SCHOOL, state=State.IN_USE, counts=this_year)
    before = undone(now, steps)
    assert before is not None
    assert (before.state, before.counts, before.school_year) == (State.IN_USE, last_year, 2025)
    steps += history((Step.UNDO, State.IN_USE, State.IN_USE, None))
    assert standing_steps(steps)[-1].step is Step.START
    again = undone(before, steps)
    assert again is not None
    assert (again.state, again.counts) == (State.CONFIRMED, last_year)
    assert undone(SCHOOL, steps[:1]) is None


def test_sheets_have_what_the_site_asks_for():
    assert SCHOOL.school_id is not None
    school = School(SCHOOL.school_id, "B127210000018", "青空小学校", "elementary")
    confirmed = replace(SCHOOL, state=State.CONFIRMED, counts=counted(CLASSES, POSTS, ["P1", "P2"], 2026, TODAY))
    trial = replace(SCHOOL, id=uuid4(), school_id=None)
    gone = replace(SCHOOL, id=uuid4(), state=State.REMOVED)
    founder, schools, details = sheets(FOUNDER, [confirmed, trial, gone], {school.id: school})
    assert founder.rows[0][:3] == ("公立", "青空市教育委員会", "131237")
    assert [row[1] for row in schools.rows] == ["青空小学校", "試用学校_青空市教育委員会"]
    assert details.rows[0][-4:] == ("1年・2年", "61", "13", "2026-11-20")
    assert len(details.columns) == len(details.rows[0])
