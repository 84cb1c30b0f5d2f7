"""Which sheets and columns a class has (学校教育法施行規則 24条, notice 30文科初第1845号)."""

import pytest
from grades.domain import curriculum
from grades.domain.board_rules import BoardRules, Part, Use
from grades.domain.curriculum import CellKind
from grades.domain.terms import TermKey
from jpschool.school_grade import SchoolGrade

RULES = BoardRules()
LABELS = {
    "P1": "国語 算数 生活 音楽 図画工作 体育",
    "P3": "国語 社会 算数 理科 音楽 図画工作 体育",
    "P6": "国語 社会 算数 理科 音楽 図画工作 家庭 体育 外国語",
    "J2": "国語 社会 数学 理科 音楽 美術 保健体育 技術・家庭 外国語",
}


@pytest.mark.parametrize("grade", LABELS)
def test_subjects_of_each_school_grade(grade: str) -> None:
    assert " ".join(subject.label for subject in curriculum.subjects_of(SchoolGrade(grade))) == LABELS[grade]


@pytest.mark.parametrize("grade", list(SchoolGrade))
def test_every_subject_has_three_viewpoints_in_abc(grade: SchoolGrade) -> None:
    for term in TermKey:
        for plan in curriculum.sheets(grade, term, RULES):
            viewpoints = [column for column in plan.columns if column.kind is CellKind.VIEWPOINT]
            assert len(viewpoints) == (3 if plan.subject.is_subject else 0)
            assert all(column.allowed == ("A", "B", "C") and column.required for column in viewpoints)


@pytest.mark.parametrize(("grade", "values"), [("P1", ()), ("P2", ()), ("P3", "321"), ("P6", "321"), ("J1", "54321")])
def test_rating_begins_in_the_third_year_and_has_five_steps_in_lower_secondary(grade: str, values: str) -> None:
    plan = curriculum.sheet(SchoolGrade(grade), "japanese", TermKey.YEAR, RULES)
    assert plan is not None
    rating = plan.column("rating")
    assert (rating.allowed if rating else ()) == tuple(values)


def test_parts_that_only_some_school_grades_have() -> None:
    def has(key: str) -> str:
        return " ".join(g for g in SchoolGrade if curriculum.sheet(g, key, TermKey.YEAR, RULES))

    assert has("foreign_language_activity") == "P3 P4"
    assert has("integrated") == "P3 P4 P5 P6 J1 J2 J3"
    assert has("moral") == has("behaviour") == has("remarks") == " ".join(SchoolGrade)


def test_ten_items_of_behaviour_are_circles_and_never_asked_for() -> None:
    plan = curriculum.sheet(SchoolGrade.J3, "behaviour", TermKey.YEAR, RULES)
    assert plan is not None
    assert len(plan.columns) == 10
    assert all(column.allowed == ("○",) and not column.required for column in plan.columns)


def test_club_activities_begin_in_the_fourth_year() -> None:
    def labels(grade: SchoolGrade) -> list[str]:
        plan = curriculum.sheet(grade, "special_activity", TermKey.YEAR, RULES)
        assert plan is not None
        return [column.label for column in plan.columns]

    assert labels(SchoolGrade.P3) == ["学級活動", "児童会活動", "学校行事"]
    assert labels(SchoolGrade.P4) == ["学級活動", "児童会活動", "クラブ活動", "学校行事"]
    assert labels(SchoolGrade.J1) == ["学級活動", "生徒会活動", "学校行事"]


def test_the_board_decides_the_report_card_but_not_the_guidance_record() -> None:
    rules = BoardRules.of({Part.RATING: Use.UNUSED, Part.MORAL: Use.UNUSED}, {("remarks.comment", False): 150})
    assert curriculum.sheet(SchoolGrade.P3, "moral", TermKey.FIRST, rules) is None
    assert curriculum.sheet(SchoolGrade.P3, "moral", TermKey.YEAR, rules) is not None
    term = curriculum.sheet(SchoolGrade.P3, "japanese", TermKey.FIRST, rules)
    year = curriculum.sheet(SchoolGrade.P3, "japanese", TermKey.YEAR, rules)
    assert term is not None
    assert term.column("rating") is None
    assert year is not None
    assert year.column("rating") is not None
    remarks = curriculum.sheet(SchoolGrade.P3, "remarks", TermKey.SECOND, rules)
    assert remarks is not None
    assert [c.max_characters for c in remarks.columns if c.key == "remarks.comment"] == [150]
    assert "moral" in [subject.key for subject in curriculum.every_subject(SchoolGrade.P3, rules)]
