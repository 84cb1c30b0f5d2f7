"""出席番号: given anew to a class in 五十音 order, sexes together or apart, with or without the gaps of who left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from roster.domain.period import Period

TOGETHER, BOYS_FIRST, GIRLS_FIRST = "together", "boys_first", "girls_first"
_FIRST = {BOYS_FIRST: ("male", "female"), GIRLS_FIRST: ("female", "male")}
MOST = 99


@dataclass(frozen=True, slots=True)
class Seat:
    """A child's days in the class and the number there."""

    pupil_id: UUID
    number: int
    period: Period
    sort_key: str
    sex: str


@dataclass(frozen=True, slots=True)
class Numbering:
    """How a class is numbered."""

    order: str = TOGETHER
    second_from: int = 0  # first number of the second sex; 0 = right after the first
    keep_gaps: bool = True  # a number that somebody had who left is not given again


class NumberingProblem(Exception):
    """Why the class cannot be numbered so; `field` says what was typed wrong."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


def renumber(seats: Sequence[Seat], numbering: Numbering, on: date) -> dict[UUID, int]:
    """The number of every child in the class on that day; those who left keep theirs.

    Raises: NumberingProblem.
    """
    present = sorted(
        (one for one in seats if one.period.ends_on is None or one.period.ends_on >= on),
        key=lambda one: (one.sort_key, str(one.pupil_id)),
    )
    here = {one.pupil_id for one in present}
    taken = {one.number for one in seats if one.pupil_id not in here} if numbering.keep_gaps else set()
    if numbering.order == TOGETHER:
        return _given(present, 1, taken)
    first, second = _FIRST[numbering.order]
    unknown = [one for one in present if one.sex not in (first, second)]
    if unknown:
        raise NumberingProblem(
            f"性別が登録されていない児童生徒が{len(unknown)}人いるため、男女別に番号を付けられません。"
            "男女混合を選ぶか、先に性別を登録してください。",
            "order",
        )
    numbers = _given([one for one in present if one.sex == first], 1, taken)
    last = max(numbers.values(), default=0)
    begins = numbering.second_from or last + 1
    if begins <= last:
        raise NumberingProblem(
            f"先の人の番号が{last}番まであるため、後の人は{last + 1}番以後から始めてください。", "second_from"
        )
    return numbers | _given([one for one in present if one.sex == second], begins, taken)


def _given(children: Sequence[Seat], begins: int, taken: set[int]) -> dict[UUID, int]:
    free = [number for number in range(begins, MOST + 1) if number not in taken]
    if len(free) < len(children):
        raise NumberingProblem(f"出席番号が{MOST}番を超えます。", "second_from")
    return {child.pupil_id: number for child, number in zip(children, free, strict=False)}
