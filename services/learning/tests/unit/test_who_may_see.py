"""Whose learning data a person may open."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from learning import policy
from learning.domain.register import Duty, DutyKind, Place, Post, SchoolClass, Standing
from servicekit.auth import Actor

SCHOOL = uuid4()
CLASS = SchoolClass(uuid4(), SCHOOL, 2026, "P3", "3年1組")
PLACES = [Place(uuid4(), CLASS, 4, "P3")]


def actor(*roles: str) -> Actor:
    return Actor("aozora", uuid4(), frozenset(roles))


def at(school: UUID = SCHOOL, post: Post = Post.TEACHER, *duties: Duty) -> Standing:
    return Standing(frozenset({(school, post)}), frozenset(duties))


@pytest.mark.parametrize(
    ("standing", "subjects"),
    [
        (at(SCHOOL, Post.PRINCIPAL), None),
        (at(SCHOOL, Post.VICE_PRINCIPAL), None),
        (at(SCHOOL, Post.TEACHER, Duty(DutyKind.HOMEROOM, SCHOOL, CLASS.id)), None),
        (at(SCHOOL, Post.TEACHER, Duty(DutyKind.ASSISTANT_HOMEROOM, SCHOOL, CLASS.id)), None),
        (at(SCHOOL, Post.TEACHER, Duty(DutyKind.GRADE_HEAD, SCHOOL, school_grade="P3")), None),
        (at(SCHOOL, Post.TEACHER, Duty(DutyKind.SUBJECT, SCHOOL, CLASS.id, "music")), frozenset({"music"})),
    ],
)
def test_who_works_with_the_children_sees_them(standing: Standing, subjects: frozenset[str] | None):
    assert policy.may_see_pupil(actor("teacher"), PLACES, standing).allowed
    assert policy.subjects_seen(CLASS, standing) == subjects


@pytest.mark.parametrize(
    "standing",
    [
        at(SCHOOL),
        at(SCHOOL, Post.OFFICE),
        at(SCHOOL, Post.TEACHER, Duty(DutyKind.HOMEROOM, SCHOOL, uuid4())),
        at(SCHOOL, Post.TEACHER, Duty(DutyKind.GRADE_HEAD, SCHOOL, school_grade="P4")),
    ],
)
def test_a_colleague_of_the_school_is_told_who_may(standing: Standing):
    decision = policy.may_see_pupil(actor("teacher"), PLACES, standing)
    assert (decision.allowed, decision.reason) == (False, "NOT_YOUR_CLASS")


def test_people_of_other_schools_learn_nothing():
    assert policy.may_see_pupil(actor("principal"), PLACES, at(uuid4(), Post.PRINCIPAL)).hidden
    assert policy.may_see_pupil(actor("principal"), [], at(SCHOOL, Post.PRINCIPAL)).hidden
    assert policy.may_see_sums(actor("teacher"), SCHOOL, at(uuid4())).hidden


def test_the_board_sees_sums_only():
    assert policy.may_see_class(actor("board_admin"), CLASS, Standing()).reason == "SUMS_ONLY"
    assert policy.may_see_sums(actor("board_admin"), SCHOOL, Standing()).allowed


def test_the_log_is_read_by_the_principal_of_the_school_and_the_board():
    assert policy.may_read_audit(actor("principal"), SCHOOL, at(SCHOOL, Post.PRINCIPAL)).allowed
    assert policy.may_read_audit(actor("board_admin"), SCHOOL, Standing()).allowed
    assert policy.may_read_audit(actor("teacher"), SCHOOL, at()).reason == "NOT_PRINCIPAL"
    assert policy.may_read_audit(actor("principal"), SCHOOL, at(uuid4(), Post.PRINCIPAL)).hidden
    assert not policy.may_read_audit_of_board(actor("principal"))
    assert policy.may_read_audit_of_board(actor("board_admin"))
