"""Edits of many cells at once: the good ones go on, and each bad one knows why."""

from uuid import UUID, uuid4

from grades.domain.board_rules import BoardRules
from grades.domain.cells import Cell, CellEdit, CellKey, Outcome, judge, sort_edits
from grades.domain.class_plan import class_sheet
from grades.domain.terms import TermKey
from hypothesis import given
from hypothesis import strategies as st
from jpschool.school_grade import SchoolGrade

PLAN = class_sheet([SchoolGrade.P3], "japanese", TermKey.SECOND, BoardRules())
assert PLAN is not None
HANA, KEN, STRANGER = (UUID(int=n) for n in (1, 2, 3))
CLASS = {HANA: SchoolGrade.P3, KEN: SchoolGrade.P3}


def edit(pupil: UUID, column: str, value: str, expected: int = 0) -> CellEdit:
    return CellEdit(CellKey(pupil, column), value, expected)


def test_a_bad_cell_does_not_stop_its_neighbours() -> None:
    found = sort_edits(
        PLAN,
        CLASS,
        [
            edit(HANA, "viewpoint.knowledge", "ａ"),
            edit(KEN, "viewpoint.knowledge", "E"),
            edit(STRANGER, "rating", "3"),
            edit(HANA, "behaviour.health", "○"),
        ],
    )
    assert [(place, good.value) for place, good in found.good] == [(0, "A")]
    assert [place for place, _ in found.refused] == [1, 2, 3]
    assert all(result.outcome is Outcome.INVALID and result.message for _, result in found.refused)


def test_the_last_of_two_edits_of_one_cell_counts() -> None:
    found = sort_edits(PLAN, CLASS, [edit(HANA, "rating", "1"), edit(HANA, "rating", "2")])
    assert [(place, good.value) for place, good in found.good] == [(1, "2")]
    assert [place for place, _ in found.refused] == [0]


@given(
    st.lists(
        st.builds(
            edit,
            st.sampled_from([HANA, KEN, STRANGER]),
            st.sampled_from(["rating", "viewpoint.thinking", "nowhere"]),
            st.sampled_from(["1", "3", "A", "C", "", "Z"]),
        ),
        max_size=30,
    )
)
def test_every_edit_has_exactly_one_answer(edits: list[CellEdit]) -> None:
    found = sort_edits(PLAN, CLASS, edits)
    places = [place for place, _ in found.good] + [place for place, _ in found.refused]
    assert sorted(places) == list(range(len(edits)))
    keys = [good.key for _, good in found.good]
    assert len(keys) == len(set(keys))


def test_two_people_with_different_values_are_told_and_with_the_same_value_not() -> None:
    key = CellKey(HANA, "rating")
    theirs = Cell(key, "2", 4, uuid4())
    assert judge(edit(HANA, "rating", "3", 3), None, theirs).outcome is Outcome.CONFLICT
    assert judge(edit(HANA, "rating", "2", 3), None, theirs).outcome is Outcome.SAVED
    assert judge(edit(HANA, "rating", "3", 9), None, None).outcome is Outcome.CONFLICT
