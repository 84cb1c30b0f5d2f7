"""The sheet of one class: one 学年, or several at once where the pupils' own differ (特別支援学級, 複式学級)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from jpschool.school_grade import SchoolGrade

from grades.domain.board_rules import BoardRules
from grades.domain.curriculum import SUBJECT_ORDER, Column, SheetPlan, Subject, every_subject, sheet
from grades.domain.terms import TermKey


@dataclass(frozen=True, slots=True)
class ClassPlan:
    """Columns of all 学年 together, and what each 学年 has of them."""

    whole: SheetPlan
    of: Mapping[SchoolGrade, SheetPlan]

    @property
    def subject(self) -> Subject:
        return self.whole.subject

    def column(self, school_grade: SchoolGrade | None, key: str) -> Column | None:
        """None where that 学年 has no such column."""
        plan = self.of.get(school_grade) if school_grade else None
        return plan.column(key) if plan else None

    def not_applicable(self, school_grade: SchoolGrade | None) -> tuple[str, ...]:
        """Keys of columns of the sheet a pupil of that 学年 does not have."""
        return tuple(one.key for one in self.whole.columns if self.column(school_grade, one.key) is None)

    def why_not(self, school_grade: SchoolGrade | None, key: str) -> str:
        """The sentence for a cell that does not apply."""
        if school_grade is None:
            return "この児童生徒の学年が名簿にないため、入力できません。名簿の学年を確かめてください。"
        if self.whole.column(key) is None:
            return "この欄は、この学年・学期の様式にありません。"
        return f"この欄は、{school_grade.short_label}の様式にありません。"


def class_sheet(
    school_grades: Sequence[SchoolGrade], subject: str, term: TermKey, rules: BoardRules
) -> ClassPlan | None:
    """One sheet; None where no 学年 of the class has one of that name."""
    of = {one: plan for one in school_grades if (plan := sheet(one, subject, term, rules)) is not None}
    if not of:
        return None
    plans = list(of.values())
    return ClassPlan(plans[0] if len(plans) == 1 else _together(plans), of)


def subjects_of_class(school_grades: Iterable[SchoolGrade], rules: BoardRules) -> tuple[Subject, ...]:
    """The sheets of all terms and 学年 together, in form order."""
    found = {subject for school_grade in school_grades for subject in every_subject(school_grade, rules)}
    return tuple(subject for subject in SUBJECT_ORDER if subject in found)


def _together(plans: Sequence[SheetPlan]) -> SheetPlan:
    """Columns in form order: the longest list leads, and what only others have stands where they have it."""
    ordered = sorted(plans, key=lambda plan: -len(plan.columns))
    columns = list(ordered[0].columns)
    for plan in ordered[1:]:
        place = 0
        for column in plan.columns:
            at = next((n for n, known in enumerate(columns) if known.key == column.key), None)
            if at is None:
                columns.insert(place, column)
                place += 1
                continue
            known = columns[at]
            allowed = (*known.allowed, *(value for value in column.allowed if value not in known.allowed))
            columns[at] = replace(known, allowed=allowed, required=known.required or column.required)
            place = at + 1
    return SheetPlan(plans[0].subject, tuple(columns))
