"""A sheet of several 学年 at once: every column somebody has, and who has which."""

from uuid import UUID

from grades.domain.board_rules import BoardRules
from grades.domain.cells import CellEdit, CellKey, sort_edits
from grades.domain.class_plan import class_sheet, subjects_of_class
from grades.domain.curriculum import sheet
from grades.domain.standing import SchoolClass, Standing
from grades.domain.terms import TermKey
from jpschool.school_grade import SchoolGrade

P1, P3, P5, J1 = SchoolGrade.P1, SchoolGrade.P3, SchoolGrade.P5, SchoolGrade.J1
RULES = BoardRules()
LITTLE, BIG, UNKNOWN = (UUID(int=n) for n in (1, 2, 3))


def test_a_class_of_one_school_grade_has_its_sheet_itself() -> None:
    plan = class_sheet([P3], "japanese", TermKey.SECOND, RULES)
    assert plan is not None
    assert plan.whole is sheet(P3, "japanese", TermKey.SECOND, RULES)
    assert plan.not_applicable(P3) == ()


def test_columns_stand_in_form_order_whoever_has_them() -> None:
    plan = class_sheet([P1, P3, P5], "special_activity", TermKey.YEAR, RULES)
    assert plan is not None
    assert [column.key.rpartition(".")[2] for column in plan.whole.columns] == ["class", "council", "club", "events"]
    assert plan.not_applicable(P1) == plan.not_applicable(P3) == ("special_activity.club",)
    assert plan.not_applicable(P5) == ()


def test_a_sheet_some_do_not_have_is_there_for_those_who_have_it() -> None:
    plan = class_sheet([P1, P3], "science", TermKey.FIRST, RULES)
    assert plan is not None
    assert plan.not_applicable(P1) == tuple(column.key for column in plan.whole.columns)
    assert class_sheet([P1], "science", TermKey.FIRST, RULES) is None
    assert class_sheet([], "japanese", TermKey.FIRST, RULES) is None


def test_subjects_are_those_of_all_in_form_order() -> None:
    keys = [subject.key for subject in subjects_of_class([P5, P1], RULES)]
    assert keys[:6] == ["japanese", "social_studies", "arithmetic", "science", "life_environment", "music"]
    assert "foreign_language_activity" not in keys
    assert keys[-1] == "remarks"


def test_a_closed_list_takes_the_values_of_the_pupils_own_school_grade() -> None:
    plan = class_sheet([P5, J1], "japanese", TermKey.FIRST, RULES)
    assert plan is not None
    edits = [CellEdit(CellKey(pupil, "rating"), "5", 0) for pupil in (LITTLE, BIG, UNKNOWN)]
    found = sort_edits(plan, {LITTLE: P5, BIG: J1, UNKNOWN: None}, edits)
    assert [at for at, _ in found.good] == [1]
    assert "学年が名簿にない" in found.refused[1][1].message


def test_a_cell_that_does_not_apply_is_refused_with_the_school_grade() -> None:
    plan = class_sheet([P1, P3], "japanese", TermKey.FIRST, RULES)
    assert plan is not None
    found = sort_edits(plan, {LITTLE: P1}, [CellEdit(CellKey(LITTLE, "rating"), "3", 0)])
    assert found.refused[0][1].message == "この欄は、小1の様式にありません。"


def test_nobody_is_head_of_several_school_grades() -> None:
    school, several = (
        UUID(int=9),
        SchoolClass(UUID(int=8), UUID(int=9), 2026, None, "ひまわり学級", of_members=(P1, P3)),
    )
    assert several.elementary
    assert not Standing(frozenset({(school, "teacher")})).heads(several)  # type: ignore[arg-type]
