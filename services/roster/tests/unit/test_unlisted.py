"""名簿にない児童生徒: what may be decided about a child whom a roster file does not list."""

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from roster import policy
from roster.domain.enrolment import Enrolment, EnrolmentProblem
from roster.domain.leaving import Decision, compulsory_until
from roster.domain.period import Period
from roster.domain.standing import Standing
from roster.domain.unlisted import Membership, decide, take_back
from servicekit.auth import Actor

SCHOOL, PUPIL = uuid4(), uuid4()
TODAY = date(2026, 11, 21)
ROLL = Enrolment(uuid4(), PUPIL, SCHOOL, Period(date(2024, 4, 8)), "undecided", "admitted", "", "P3", 4)


def decided(decision: Decision, roll: Enrolment = ROLL, born_on: date | None = date(2017, 5, 5)) -> Enrolment:
    at = datetime(2026, 11, 21, tzinfo=UTC)
    return decide(roll, decision, born_on=born_on, today=TODAY, event_id=uuid4(), at=at, by=None)


def test_a_child_that_stays_needs_a_reason():
    kept = decided(Decision("keep", "名簿の作成誤り"))
    assert (kept.state, kept.period.ends_on, kept.events, kept.version) == ("active", None, (), 5)
    with pytest.raises(EnrolmentProblem, match="理由"):
        decided(Decision("keep"))


def test_withdrawal_ends_the_roll_on_the_day_the_principal_allowed_it():
    """退学 (abroad, over-age): date the 校長 allowed it (notice 30文科初第1845号 様式1)."""
    left = decided(Decision("withdraw", "保護者の海外赴任", date(2026, 11, 20), "abroad"))
    assert (left.state, left.left_by, left.period.ends_on) == ("ended", "withdrawn", date(2026, 11, 20))
    assert [(event.kind, event.effective_on, event.reason) for event in left.events] == [
        ("withdrawn", date(2026, 11, 20), "外国への転出　保護者の海外赴任")
    ]


def test_compulsory_schooling_knows_two_grounds_of_withdrawal():
    with pytest.raises(EnrolmentProblem, match="外国への転出か学齢超過"):
        decided(Decision("withdraw", "家庭の都合", date(2026, 11, 20)))
    with pytest.raises(EnrolmentProblem, match="2033年3月31日までは学齢"):
        decided(Decision("withdraw", "", date(2026, 11, 20), "over_age"))
    with pytest.raises(EnrolmentProblem, match="学籍補足"):
        decided(Decision("withdraw", "", date(2026, 11, 20), "over_age"), born_on=None)
    old_enough = decided(Decision("withdraw", "", date(2026, 11, 20), "over_age"), born_on=date(2011, 4, 1))
    assert old_enough.left_by == "withdrawn"


@pytest.mark.parametrize(
    ("born_on", "until"),
    [("2011-04-01", "2026-03-31"), ("2011-04-02", "2027-03-31"), ("2012-02-29", "2027-03-31")],
)
def test_an_age_is_reached_the_day_before_the_birthday(born_on: str, until: str):
    """年齢計算ニ関する法律: who is born on 1 April belongs to the year before."""
    assert compulsory_until(date.fromisoformat(born_on)) == date.fromisoformat(until)


def test_only_the_last_school_grade_graduates():
    with pytest.raises(EnrolmentProblem, match="最終学年"):
        decided(Decision("graduate", "", date(2026, 3, 24)))
    for school_grade in ("P6", "J3"):
        left = decided(Decision("graduate", "", date(2026, 3, 24)), replace(ROLL, school_grade=school_grade))
        assert (left.left_by, left.period.ends_on) == ("graduated", date(2026, 3, 24))


def test_whereabouts_must_be_unknown_for_a_year():
    since = date(2025, 11, 21)
    gone = decided(Decision("whereabouts_unknown", "", TODAY, unknown_since=since))
    assert [(event.kind, event.left_on, event.effective_on) for event in gone.events] == [
        ("not_enrolled", since, TODAY)
    ]
    with pytest.raises(EnrolmentProblem, match="2026年11月22日以後"):
        decided(Decision("whereabouts_unknown", "", TODAY, unknown_since=date(2025, 11, 22)))
    with pytest.raises(EnrolmentProblem, match="分からなくなった日を"):
        decided(Decision("whereabouts_unknown", "", TODAY))
    with pytest.raises(EnrolmentProblem, match="始まった日より前"):
        decided(Decision("whereabouts_unknown", "", TODAY, unknown_since=date(2024, 4, 7)))


@pytest.mark.parametrize(
    ("on", "why"),
    [(None, "異動の日を入力"), (date(2026, 11, 22), "今日まで"), (date(2024, 4, 7), "2024年4月8日以後")],
)
def test_the_day_lies_between_the_beginning_and_today(on: date | None, why: str):
    with pytest.raises(EnrolmentProblem, match=why):
        decided(Decision("withdraw", "", on, "abroad"))


def test_only_an_undecided_child_is_decided_about():
    with pytest.raises(EnrolmentProblem, match="決める必要はありません"):
        decided(Decision("keep", "誤り"), replace(ROLL, state="active"))


def test_a_decision_taken_back_leaves_its_event_readable():
    left = decided(Decision("withdraw", "", TODAY, "abroad"))
    again = take_back(left, "withdraw", [])
    assert (again.state, again.left_by, again.period.ends_on) == ("undecided", "", None)
    assert [event.struck for event in again.events] == [True]
    assert take_back(decided(Decision("keep", "誤り")), "keep", []).state == "undecided"
    with pytest.raises(EnrolmentProblem, match="ほかの学校に在籍"):
        take_back(left, "withdraw", [replace(ROLL, id=uuid4(), period=Period(date(2026, 11, 22)))])
    with pytest.raises(EnrolmentProblem, match="学籍が変わっている"):
        take_back(replace(left, left_by="transferred_out"), "withdraw", [])
    with pytest.raises(EnrolmentProblem, match="先にその異動"):
        take_back(replace(ROLL, state="leaving"), "keep", [])


def test_a_class_that_only_the_file_cut_off_goes_on():
    cut = Membership(uuid4(), PUPIL, date(2026, 4, 1), date(2026, 11, 20), 2026)
    missing_on = date(2026, 11, 21)
    assert cut.decided(missing_on, None).ends_on == date(2027, 3, 31)
    assert cut.decided(missing_on, date(2026, 11, 25)).ends_on == date(2026, 11, 25)
    assert cut.decided(missing_on, date(2026, 6, 30)).ends_on == date(2026, 6, 30)
    moved = replace(cut, ends_on=date(2026, 6, 30))  # the child changed class in summer: nothing to do with the file
    assert moved.decided(missing_on, None) == moved
    on_that_day = replace(cut, starts_on=missing_on, ends_on=date(2026, 11, 20))
    assert on_that_day.decided(missing_on, None).ends_on == date(2027, 3, 31)
    assert on_that_day.decided(missing_on, date(2026, 6, 30)).ends_on == date(2026, 11, 20)


@pytest.mark.parametrize(
    ("post", "roles", "keep", "withdraw"),
    [
        ("principal", (), True, True), ("office", (), True, True), ("teacher", (), False, False),
        (None, ("board_admin",), True, False),
    ],
)  # fmt: skip
def test_the_school_decides_and_the_board_where_it_knows(post, roles, keep, withdraw):
    standing = Standing(uuid4(), {SCHOOL: frozenset({post})} if post else {})
    actor = Actor("aozora", uuid4(), frozenset(roles))
    assert bool(policy.may_decide_unlisted(actor, standing, SCHOOL, "keep")) is keep
    assert bool(policy.may_decide_unlisted(actor, standing, SCHOOL, "withdraw")) is withdraw
    assert policy.kept_scope(actor, standing).covers(SCHOOL) is keep
