"""Cells of a sheet and what becomes of an edit when somebody else may have been there first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from jpschool.school_grade import SchoolGrade

from grades.domain.class_plan import ClassPlan
from grades.domain.values import Rejected, read

MOST_EDITS = 2000
"""Edits of one save: 40 pupils × 50 columns."""


@dataclass(frozen=True, slots=True)
class CellKey:
    """Where a cell stands inside its sheet."""

    pupil_id: UUID
    column: str


@dataclass(frozen=True, slots=True)
class Cell:
    """A value with its version. 0 = never filled; a cleared cell keeps counting."""

    key: CellKey
    value: str = ""
    version: int = 0
    updated_by: UUID | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CellEdit:
    """What somebody typed, on top of the version that was on the screen."""

    key: CellKey
    value: str
    expected_version: int


class Outcome(StrEnum):
    SAVED = "saved"
    INVALID = "invalid"
    CONFLICT = "conflict"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class CellResult:
    """What became of one edit; `current` is what stands in the cell afterwards."""

    outcome: Outcome
    current: Cell
    message: str = ""


@dataclass(frozen=True, slots=True)
class CellChange:
    """One line of a cell's history."""

    at: datetime
    actor_id: UUID
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Sorted:
    """Edits that can be tried, by their place in the request, and the results of those that cannot."""

    good: tuple[tuple[int, CellEdit], ...]
    refused: tuple[tuple[int, CellResult], ...]


def sort_edits(plan: ClassPlan, pupils: Mapping[UUID, SchoolGrade | None], edits: Sequence[CellEdit]) -> Sorted:
    """Every edit read by the rule of its column in the pupil's 学年. Good ones go on when their neighbours are refused.

    Two edits of one cell: the last one counts, the earlier are told to be replaced.
    """
    last = {edit.key: place for place, edit in enumerate(edits)}
    good: list[tuple[int, CellEdit]] = []
    refused: list[tuple[int, CellResult]] = []
    for place, edit in enumerate(edits):
        school_grade = pupils.get(edit.key.pupil_id)
        column = plan.column(school_grade, edit.key.column)
        if edit.key.pupil_id not in pupils:
            why = "この児童生徒は、この学期にこの学級にいません。"
        elif column is None:
            why = plan.why_not(school_grade, edit.key.column)
        elif last[edit.key] != place:
            why = "同じ欄への入力がもう一つあり、後の値を保存しました。"
        elif isinstance(value := read(column, edit.value), Rejected):
            why = value.message
        else:
            good.append((place, CellEdit(edit.key, value.value, edit.expected_version)))
            continue
        refused.append((place, CellResult(Outcome.INVALID, Cell(edit.key, edit.value, edit.expected_version), why)))
    return Sorted(tuple(good), tuple(refused))


def judge(edit: CellEdit, written: Cell | None, standing: Cell | None) -> CellResult:
    """What became of a good edit: `written` is the row it made, `standing` what is there when it made none.

    The same value from two people is no conflict, nor is one's own value sent twice.
    """
    if written is not None:
        return CellResult(Outcome.SAVED, written)
    current = standing or Cell(edit.key)
    if current.value == edit.value:
        return CellResult(Outcome.SAVED, current)
    return CellResult(Outcome.CONFLICT, current, "ほかの人が先に書き換えました。どちらの値にするか選んでください。")
