"""出欠の記録: the national arithmetic (notice 30文科初第1845号 別紙; 学校教育法施行規則 25条)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from attendance.domain.calendar import DayState
from attendance.domain.marks import Category, Effect, Mark, Symbol


@dataclass(frozen=True, slots=True)
class Sums:
    """Days of one child over a range. Always: required = lesson_days − excused, present = required − absent."""

    lesson_days: int = 0  # 授業日数
    excused: int = 0  # 出席停止・忌引等の日数
    absent_illness: int = 0  # 病欠
    absent_other: int = 0  # 事故欠
    late: int = 0  # 遅刻: counted apart
    early: int = 0  # 早退: counted apart
    present_elsewhere: int = 0  # 出席扱い, part of 出席日数
    suspended: int = 0  # 出席停止 (学級閉鎖 included), part of excused
    bereavement: int = 0  # 忌引, part of excused
    remarks: tuple[str, ...] = ()

    @property
    def absent(self) -> int:
        """欠席日数."""
        return self.absent_illness + self.absent_other

    @property
    def required(self) -> int:
        """出席しなければならない日数."""
        return self.lesson_days - self.excused

    @property
    def present(self) -> int:
        """出席日数."""
        return self.required - self.absent


@dataclass(frozen=True, slots=True)
class PupilDay:
    """One day of one child: what the day was for its class then, and what was marked."""

    on: date
    state: DayState
    mark: Mark | None = None


def sums(days: Iterable[PupilDay], symbols: Callable[[date], Mapping[str, Symbol]]) -> Sums:
    """Add up days on which the child was on the roll (the caller leaves out days before entry and after leaving).

    `symbols`: those of the day, because each school year has its own.
    学級閉鎖 adds to 授業日数 and to 出席停止・忌引等, whatever was marked; 学年・学校閉鎖 remove the day.
    """
    count: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for day in days:
        if not day.state.is_lesson_day:
            continue
        count["lesson_days"] += 1
        if day.state is DayState.CLOSED_CLASS:
            count["excused"] += 1
            count["suspended"] += 1
            reasons["学級閉鎖"] += 1
            continue
        symbol = symbols(day.on).get(day.mark.symbol) if day.mark and day.mark.symbol else None
        if day.mark is None or symbol is None:
            continue
        count["late"] += symbol.late
        count["early"] += symbol.early
        if symbol.category.effect is Effect.PRESENT:
            count["present_elsewhere"] += symbol.category is Category.PRESENT_ELSEWHERE
            continue
        reasons[day.mark.reason or symbol.label] += 1
        if symbol.category.effect is Effect.EXCUSED:
            count["excused"] += 1
            count["bereavement"] += symbol.category is Category.BEREAVEMENT
            count["suspended"] += symbol.category in (Category.SUSPENDED_INFECTION, Category.SUSPENDED_CONDUCT)
        else:
            count["absent_illness" if symbol.category is Category.ABSENT_ILLNESS else "absent_other"] += 1
    remarks = tuple(f"{reason}{number}日" for reason, number in reasons.most_common())
    return Sums(**count, remarks=remarks)


@dataclass(frozen=True, slots=True)
class MonthStatistics:
    """月末統計 of one class (school-records §4.5): sums over children, exact also when a child came or left."""

    lesson_days: int
    on_roll_before: int
    entered: int
    left: int
    pupils: Sequence[Sums] = field(repr=False)

    @property
    def on_roll(self) -> int:
        """月末在籍."""
        return self.on_roll_before + self.entered - self.left

    @property
    def excused_total(self) -> int:
        """出停・忌引 延べ日数."""
        return sum(pupil.excused for pupil in self.pupils)

    @property
    def required_total(self) -> int:
        """出席すべき延べ日数: the sum of the children's own days, exact also when somebody moved."""
        return sum(pupil.required for pupil in self.pupils)

    @property
    def absent_total(self) -> int:
        """欠席延べ日数."""
        return sum(pupil.absent for pupil in self.pupils)

    @property
    def present_total(self) -> int:
        """出席延べ日数."""
        return self.required_total - self.absent_total

    @property
    def rate(self) -> Decimal | None:
        """出席率 in per cent with one decimal; None in a month without required days (8月)."""
        if not self.required_total:
            return None
        exact = Decimal(self.present_total * 100) / Decimal(self.required_total)
        return exact.quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)
