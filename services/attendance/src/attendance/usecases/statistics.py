"""The month sheet, month-end statistics, sums for forms, and the school at a glance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from servicekit.auth import Actor
from servicekit.clock import day_in_jst
from servicekit.db import Transaction
from servicekit.errors import Invalid, Violation

from attendance import policy
from attendance.domain.calendar import CalendarDay, Closure, DayState, days_between, school_year_of, state_of
from attendance.domain.marks import Effect, Mark, Symbol
from attendance.domain.register import Membership, SchoolClass
from attendance.domain.sums import MonthStatistics, PupilDay, Sums, sums
from attendance.store import calendar, marks, register
from attendance.usecases import standing


@dataclass(frozen=True, slots=True)
class MonthDay:
    """Head of one column of the month sheet."""

    on: date
    state: DayState
    note: str
    taken: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """One child on one day: the sign; `outside` before entry and after leaving."""

    sign: str
    outside: bool = False
    corrected: bool = False


@dataclass(frozen=True, slots=True)
class PupilMonth:
    """One row of the month sheet."""

    pupil_id: UUID
    cells: Sequence[Cell]
    sums: Sums


@dataclass(frozen=True, slots=True)
class Month:
    """出席簿 of a class for a month, with its 月末統計. `symbols` explain it: a retired one only where it stands."""

    days: Sequence[MonthDay]
    pupils: Sequence[PupilMonth]
    symbols: Sequence[Symbol]
    statistics: MonthStatistics


@dataclass(frozen=True, slots=True)
class Range:
    """A span the caller names: a term, a year."""

    name: str
    from_on: date
    to_on: date


@dataclass(frozen=True, slots=True)
class ClassDay:
    """One class of the school on one day, as counts."""

    homeroom: SchoolClass
    state: DayState
    taken: bool
    members: int
    absent: int
    excused: int
    late: int


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a span needs, read once for many children."""

    homerooms: Mapping[UUID, SchoolClass]
    days: Mapping[UUID, Mapping[date, CalendarDay]]  # by school
    closures: Mapping[UUID, Sequence[Closure]]
    marks: Mapping[UUID, Mapping[date, Mark]]
    symbols: Mapping[int, Mapping[str, Symbol]]  # by school year

    def symbols_on(self, day: date) -> Mapping[str, Symbol]:
        return self.symbols[school_year_of(day)]

    def state(self, class_id: UUID, on: date) -> tuple[DayState, str]:
        homeroom = self.homerooms[class_id]
        day = self.days[homeroom.school_id].get(on)
        return state_of(day, self.closures[homeroom.school_id], homeroom.school_grade, class_id)

    def pupil_days(self, places: Iterable[Membership], from_on: date, to_on: date) -> list[PupilDay]:
        days = []
        for place in places:
            start, end = max(from_on, place.starts_on), min(to_on, place.ends_on or to_on)
            own = self.marks.get(place.pupil_id, {})
            days += [PupilDay(on, self.state(place.class_id, on)[0], own.get(on)) for on in days_between(start, end)]
        return days


async def get_month(tx: Transaction, actor: Actor, class_id: UUID, month: date) -> Month:
    """The month sheet; days still to come count for nobody yet. Raises: Unseen, Refused."""
    homeroom, stand = await standing.of_class(tx, actor, class_id)
    policy.may_read_class(actor, homeroom, stand).enforce()
    first, last = month.replace(day=1), _month_end(month)
    places = await register.members(tx, [class_id], first - timedelta(days=1), last)
    facts = await _facts(tx, {class_id: homeroom}, [place.pupil_id for place in places], first, last)
    sheets = {sheet.on for sheet in await marks.sheets(tx, [class_id], first, last)}
    corrected = await marks.corrected(tx, [place.pupil_id for place in places], first, last)
    days = [MonthDay(on, *facts.state(class_id, on), on in sheets) for on in days_between(first, last)]
    until = min(last, day_in_jst(tx.now))
    by_pupil: dict[UUID, list[Membership]] = {}
    for place in places:
        if place.ends_on is None or place.ends_on >= first:
            by_pupil.setdefault(place.pupil_id, []).append(place)
    pupils = [
        PupilMonth(
            pupil_id,
            [_cell(facts, own, day, corrected) for day in days],
            sums(facts.pupil_days(own, first, until), facts.symbols_on),
        )
        for pupil_id, own in by_pupil.items()
    ]
    lesson_days = [day.on for day in days if day.state.is_lesson_day and day.on <= until]
    opening = lesson_days[0] if lesson_days and first.month == 4 else first - timedelta(days=1)
    statistics = MonthStatistics(
        lesson_days=len(lesson_days),
        on_roll_before=sum(place.covers(opening) for place in places),
        entered=sum(opening < place.starts_on <= last for place in places),
        left=sum(place.ends_on is not None and opening <= place.ends_on < last for place in places),
        pupils=[pupil.sums for pupil in pupils],
    )
    printed = {cell.sign for pupil in pupils for cell in pupil.cells}
    symbols = [one for one in facts.symbols_on(first).values() if not one.retired or one.sign in printed]
    return Month(days, pupils, symbols, statistics)


async def get_sums(
    tx: Transaction, actor: Actor, pupil_ids: Sequence[UUID], class_id: UUID | None, ranges: Sequence[Range]
) -> dict[UUID, dict[str, Sums]]:
    """Sums of many children over named spans, for the forms; a child's days follow it from class to class.

    Raises: Unseen, Refused, Invalid (no span, a span that ends before it begins).
    """
    if not ranges or any(span.to_on < span.from_on for span in ranges):
        wrong = Violation("ranges", "始まりと終わりのある期間を1つ以上指定してください。")
        raise Invalid("期間を確かめてください。", [wrong])
    first, last = min(span.from_on for span in ranges), max(span.to_on for span in ranges)
    if class_id is not None:
        places = await register.members(tx, [class_id], first, last)
        pupil_ids = list(dict.fromkeys(place.pupil_id for place in places))
    places = await register.memberships_of(tx, pupil_ids, first, last)
    homerooms = await register.classes_by_id(tx, list({place.class_id for place in places}))
    for homeroom in homerooms.values() if class_id is None else (homerooms[i] for i in (class_id,) if i in homerooms):
        policy.may_read_sums(actor, homeroom, await standing.of_school(tx, actor, homeroom.school_id)).enforce()
    facts = await _facts(tx, homerooms, pupil_ids, first, last)
    today = day_in_jst(tx.now)
    by_pupil: dict[UUID, list[Membership]] = {pupil_id: [] for pupil_id in pupil_ids}
    for place in places:
        by_pupil[place.pupil_id].append(place)
    return {
        pupil_id: {
            span.name: sums(facts.pupil_days(own, span.from_on, min(span.to_on, today)), facts.symbols_on)
            for span in ranges
        }
        for pupil_id, own in by_pupil.items()
    }


async def get_school_day(tx: Transaction, actor: Actor, school_id: UUID, on: date) -> list[ClassDay]:
    """Which classes have taken the roll on a day, and how many are missing. Raises: Unseen."""
    stand = await standing.of_school(tx, actor, school_id)
    policy.may_read_school(actor, stand).enforce()
    homerooms = {h.id: h for h in await register.classes_of_school(tx, school_id, school_year_of(on))}
    places = await register.members(tx, list(homerooms), on, on)
    facts = await _facts(tx, homerooms, [place.pupil_id for place in places], on, on)
    taken = {sheet.class_id for sheet in await marks.sheets(tx, list(homerooms), on, on)}
    result = []
    for class_id, homeroom in homerooms.items():
        roll = [place.pupil_id for place in places if place.class_id == class_id]
        given = facts.symbols_on(on)
        found = [given[mark.symbol] for p in roll if (mark := facts.marks.get(p, {}).get(on)) and mark.symbol]
        effects = [symbol.category.effect for symbol in found]
        result.append(
            ClassDay(
                homeroom,
                facts.state(class_id, on)[0],
                class_id in taken,
                len(roll),
                effects.count(Effect.ABSENT),
                effects.count(Effect.EXCUSED),
                sum(symbol.late for symbol in found),
            )
        )
    return result


async def _facts(
    tx: Transaction, homerooms: Mapping[UUID, SchoolClass], pupil_ids: Sequence[UUID], first: date, last: date
) -> _Facts:
    schools = {homeroom.school_id for homeroom in homerooms.values()}
    return _Facts(
        homerooms,
        {school: await calendar.days(tx, school, first, last) for school in schools},
        {school: await calendar.closures_between(tx, school, first, last) for school in schools},
        await marks.marks_of(tx, pupil_ids, first, last),
        await marks.symbols_of(tx, range(school_year_of(first), school_year_of(last) + 1)),
    )


def _cell(facts: _Facts, own: Sequence[Membership], day: MonthDay, corrected: set[tuple[UUID, date]]) -> Cell:
    place = next((place for place in own if place.covers(day.on)), None)
    if place is None:
        return Cell("", outside=True)
    mark = facts.marks.get(place.pupil_id, {}).get(day.on)
    symbol = facts.symbols_on(day.on).get(mark.symbol) if mark and day.state is DayState.LESSON else None
    return Cell(symbol.sign if symbol else "", corrected=(place.pupil_id, day.on) in corrected)


def _month_end(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)

