"""Who may: roles on the token open the door, posts of the day decide."""

from uuid import uuid4

import pytest
from roster import policy
from roster.domain.standing import Standing
from roster.policy import PupilFacts
from servicekit.auth import Actor

OWN, OTHER, ROOM = uuid4(), uuid4(), uuid4()


def actor(*roles: str) -> Actor:
    return Actor("aozora", uuid4(), frozenset(roles))


def standing(post: str | None, *rooms) -> Standing:
    return Standing(uuid4(), {OWN: frozenset({post})} if post else {}, frozenset(rooms))


def a_pupil(school=OWN) -> PupilFacts:
    return PupilFacts(uuid4(), frozenset({school}), ROOM, "3年1組", True)


@pytest.mark.parametrize(
    ("post", "assign", "keep", "sheet", "audit"),
    [
        ("principal", True, True, True, True),
        ("vice_principal", True, True, True, False),
        ("office", False, True, True, False),
        ("teacher", False, False, False, False),
        ("nurse", False, False, False, False),
    ],
)
def test_posts_at_a_school(post, assign, keep, sheet, audit):
    here = standing(post)
    assert bool(policy.may_assign_duties(actor(), here, OWN)) is assign
    assert bool(policy.may_keep_register(actor(), here, OWN, "転出")) is keep
    assert bool(policy.may_read_register_sheets(actor(), here, [a_pupil()])) is sheet
    assert bool(policy.may_read_audit(actor(), here, OWN)) is audit
    assert policy.sees_protected_address(here, [OWN]) is keep


@pytest.mark.parametrize("post", ["principal", "vice_principal", "office", "teacher"])
def test_another_school_is_not_even_told_to_exist(post):
    here = standing(post)
    for decision in (
        policy.may_see_school(actor(), here, OTHER),
        policy.may_see_pupil(actor(), here, [OTHER]),
        policy.may_assign_duties(actor(), here, OTHER),
        policy.may_keep_register(actor(), here, OTHER, "転出"),
        policy.may_read_register_sheets(actor(), here, [a_pupil(OTHER)]),
        policy.may_read_audit(actor(), here, OTHER),
    ):
        assert decision.hidden


def test_the_homeroom_teacher_opens_the_sheets_of_her_class_only():
    assert policy.may_read_register_sheets(actor("teacher"), standing("teacher", ROOM), [a_pupil()])
    refused = policy.may_read_register_sheets(actor("teacher"), standing("teacher", uuid4()), [a_pupil()])
    assert refused.message.startswith("3年1組の担任ではないため")


def test_the_board_sees_every_school_and_no_class_i():
    board = actor("board_admin")
    nobody = standing(None)
    assert policy.may_see_school(board, nobody, OTHER)
    assert policy.may_import(board)
    assert policy.may_read_audit(board, nobody, OWN)
    assert policy.may_read_register_sheets(board, nobody, [a_pupil()]).reason == "CLASS_I"
    assert not policy.may_keep_register(board, nobody, OWN, "転出")
    assert not policy.may_assign_duties(board, nobody, OWN)
    assert not policy.sees_protected_address(nobody, [OWN])


def test_former_staff_see_nothing():
    assert policy.may_see_school(actor("principal"), standing(None), OWN).hidden
    assert not policy.may_import(actor("principal"))
