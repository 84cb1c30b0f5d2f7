"""Who may, as pure decisions: every no has a sentence."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from grades import policy
from grades.domain.curriculum import BEHAVIOUR, Subject
from grades.domain.standing import ClassKind, Duty, DutyKind, Post, SchoolClass, Standing
from grades.domain.terms import Term, TermState, default_terms
from jpschool.school_grade import SchoolGrade

SCHOOL, OTHER_SCHOOL = uuid4(), uuid4()
P3 = SchoolClass(uuid4(), SCHOOL, 2026, SchoolGrade.P3, "3年1組")
J1 = SchoolClass(uuid4(), SCHOOL, 2026, SchoolGrade.J1, "1年1組")
JAPANESE = Subject("japanese", "国語")
DATES = default_terms(2026)[1]
OPEN = Term(DATES)
CLOSED = Term(DATES, TermState.CLOSED, 1, uuid4(), datetime(2026, 12, 24, 3, tzinfo=UTC))
REOPENED = Term(DATES, TermState.OPEN, 2, uuid4(), datetime(2026, 12, 25, 3, tzinfo=UTC))


def serving(*duties: Duty, post: Post = Post.TEACHER, school: UUID = SCHOOL) -> Standing:
    return Standing(frozenset({(school, post)}), duties)


def homeroom(school_class: SchoolClass) -> Duty:
    return Duty(DutyKind.HOMEROOM, SCHOOL, school_class.id)


def subject(school_class: SchoolClass, key: str = "japanese") -> Duty:
    return Duty(DutyKind.SUBJECT, SCHOOL, school_class.id, key)


@pytest.mark.parametrize(
    ("standing", "school_class", "sheet", "term", "allowed"),
    [
        (serving(homeroom(P3)), P3, JAPANESE, OPEN, True),
        (serving(homeroom(P3)), P3, BEHAVIOUR, OPEN, True),
        (serving(homeroom(J1)), J1, BEHAVIOUR, OPEN, True),
        (serving(homeroom(J1)), J1, JAPANESE, OPEN, False),
        (serving(subject(J1)), J1, JAPANESE, OPEN, True),
        (serving(subject(J1, "music")), J1, JAPANESE, OPEN, False),
        (serving(subject(J1)), P3, JAPANESE, OPEN, False),
        (serving(homeroom(P3)), P3, JAPANESE, CLOSED, False),
        (serving(homeroom(P3)), P3, JAPANESE, REOPENED, True),
        (serving(post=Post.PRINCIPAL), P3, JAPANESE, OPEN, False),
        (serving(post=Post.PRINCIPAL), P3, JAPANESE, REOPENED, True),
        (serving(post=Post.VICE_PRINCIPAL), P3, BEHAVIOUR, REOPENED, True),
        (serving(post=Post.PRINCIPAL, school=OTHER_SCHOOL), P3, JAPANESE, REOPENED, False),
        (serving(post=Post.NURSE), P3, JAPANESE, OPEN, False),
        (Standing(), P3, JAPANESE, OPEN, False),
    ],
)
def test_who_writes(standing: Standing, school_class: SchoolClass, sheet: Subject, term: Term, allowed: bool) -> None:
    decision = policy.may_write_sheet(standing, school_class, sheet, term)
    assert decision.allowed is allowed
    assert allowed or decision.message.endswith("。")


def test_a_locked_term_is_the_reason_for_everybody() -> None:
    decision = policy.may_write_sheet(serving(homeroom(P3)), P3, JAPANESE, CLOSED)
    assert decision.message == "2026-12-24に校長が締めました。再開できるのは校長です。"
    assert decision.reason == "TERM_CLOSED"


def test_a_refusal_names_who_may() -> None:
    assert "教科担任" in policy.may_write_sheet(serving(homeroom(J1)), J1, JAPANESE, OPEN).message
    assert "学級担任" in policy.may_write_sheet(serving(), P3, BEHAVIOUR, OPEN).message
    assert "校務分掌" in policy.may_see_class(serving(), P3).message


def test_courses_are_entered_in_the_homeroom() -> None:
    course = SchoolClass(uuid4(), SCHOOL, 2026, SchoolGrade.P3, "算数 少人数", ClassKind.COURSE)
    assert not policy.may_write_sheet(serving(homeroom(course)), course, JAPANESE, OPEN).allowed


def test_only_a_principal_of_that_school_closes() -> None:
    assert policy.may_close_term(serving(post=Post.PRINCIPAL), SCHOOL).allowed
    assert not policy.may_close_term(serving(post=Post.VICE_PRINCIPAL), SCHOOL).allowed
    assert not policy.may_close_term(serving(post=Post.PRINCIPAL, school=OTHER_SCHOOL), SCHOOL).allowed
