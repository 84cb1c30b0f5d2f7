"""Whole records of pupils for forms and packages: 通知表 (class II) or 指導要録 (class I)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from jpschool.school_grade import SchoolGrade
from servicekit.auth import Actor
from servicekit.db import Transaction
from servicekit.errors import Invalid, Unseen, Violation

from grades import policy
from grades.domain.curriculum import CellKind, SheetPlan, sheets
from grades.domain.standing import SchoolClass, Standing
from grades.domain.terms import TermKey
from grades.store import board, cells, register
from grades.store.register import PupilClass
from grades.usecases.facts import standing

MOST_PUPILS = 500


class Purpose(StrEnum):
    REPORT_CARD = "report_card"
    GUIDANCE_RECORD = "guidance_record"

    @property
    def information_class(self) -> int:
        """指導要録 is class I, 通知表 class II (教育情報セキュリティポリシーに関するガイドライン)."""
        return 1 if self is Purpose.GUIDANCE_RECORD else 2


@dataclass(frozen=True, slots=True)
class RecordsAsked:
    pupil_ids: tuple[UUID, ...]
    class_id: UUID | None
    school_years: tuple[int, ...]
    purpose: str
    term: str


@dataclass(frozen=True, slots=True)
class RecordValue:
    term: str
    subject: str
    column: str
    kind: CellKind
    value: str


@dataclass(frozen=True, slots=True)
class YearRecord:
    school_class: SchoolClass
    school_grade: SchoolGrade | None
    """The pupil's; None where the register tells none, then there are no values either."""
    values: tuple[RecordValue, ...]


@dataclass(frozen=True, slots=True)
class PupilRecord:
    pupil_id: UUID
    years: tuple[YearRecord, ...]


@dataclass(frozen=True, slots=True)
class CurriculumYear:
    school_year: int
    school_grade: SchoolGrade
    plans: tuple[SheetPlan, ...]


@dataclass(frozen=True, slots=True)
class Records:
    pupils: Sequence[PupilRecord]
    curricula: Sequence[CurriculumYear]


async def get_records(tx: Transaction, actor: Actor, asked: RecordsAsked) -> Records:
    """Filled values by pupil and year, with the curriculum each year was entered by. One reading per pupil is kept.

    Raises: Unseen, Refused, Invalid.
    """
    purpose = purpose_of(asked.purpose)
    terms = _terms(purpose, asked.term)
    on_that_day = await standing(tx, actor)
    pupil_ids = await _pupils(tx, on_that_day, asked)
    classes = await register.classes_of_pupils(tx, pupil_ids)
    _enforce(on_that_day, pupil_ids, classes)
    filled = await cells.records(tx, pupil_ids, school_years=asked.school_years, terms=[term.value for term in terms])
    years = {c.school_class.school_year for own in classes.values() for c in own}
    wanted = sorted(years & set(asked.school_years) if asked.school_years else years)
    rules = {year: await board.rules_of(tx, year) for year in wanted}
    plans = {
        (year, c.school_grade, term): sheets(c.school_grade, term, rules[year])
        for own in classes.values()
        for c in own
        if (year := c.school_class.school_year) in rules and c.school_grade is not None
        for term in terms
    }
    kinds = {
        (year, school_grade, term.value, plan.subject.key, column.key): column.kind
        for (year, school_grade, term), of_term in plans.items()
        for plan in of_term
        for column in plan.columns
    }
    by_place: dict[tuple[UUID, UUID, int], list[cells.RecordCell]] = {}
    for cell in filled:
        by_place.setdefault((cell.pupil_id, cell.school_id, cell.school_year), []).append(cell)
    pupils = [
        PupilRecord(
            pupil_id,
            tuple(
                YearRecord(
                    c.school_class, c.school_grade, tuple(_values(by_place.get(_place(pupil_id, c), ()), c, kinds))
                )
                for c in classes[pupil_id]
                if c.school_class.school_year in rules
            ),
        )
        for pupil_id in pupil_ids
    ]
    for pupil_id in pupil_ids:
        tx.audit(
            f"{purpose.value}.read",
            pupil_id,
            after={"school_id": str(classes[pupil_id][-1].school_class.school_id), "school_years": wanted},
            information_class=purpose.information_class,
            subject_id=pupil_id,
        )
    last = terms[-1]
    curricula = [
        CurriculumYear(year, school_grade, of_term)
        for (year, school_grade, term), of_term in plans.items()
        if term is last
    ]
    return Records(pupils, sorted(curricula, key=lambda c: (c.school_year, c.school_grade)))


def purpose_of(text: str) -> Purpose:
    """Raises: Invalid."""
    try:
        return Purpose(text)
    except ValueError:
        raise Invalid(
            "何のための記録かが正しくありません。", [Violation("purpose", "report_cardかguidance_recordです。")]
        ) from None


def _terms(purpose: Purpose, until: str) -> tuple[TermKey, ...]:
    """通知表: up to the term asked for. 指導要録: the year."""
    if purpose is Purpose.GUIDANCE_RECORD:
        return (TermKey.YEAR,)
    ordered = (TermKey.FIRST, TermKey.SECOND, TermKey.THIRD)
    return tuple(term for term in ordered if not until or term.value <= until) or ordered[:1]


async def _pupils(tx: Transaction, on_that_day: Standing, asked: RecordsAsked) -> Sequence[UUID]:
    pupil_ids = tuple(dict.fromkeys(asked.pupil_ids))
    if asked.class_id is not None:
        school_class = await register.class_of(tx, asked.class_id)
        policy.may_take_records(on_that_day, school_class).enforce()
        members = await register.members(
            tx,
            school_class,
            starts_on=date(school_class.school_year, 4, 1),
            ends_on=date(school_class.school_year + 1, 3, 31),
            day=date(school_class.school_year + 1, 3, 31),
        )
        in_class = [member.pupil_id for member in members]
        pupil_ids = tuple(p for p in in_class if p in set(pupil_ids)) if pupil_ids else tuple(in_class)
    if len(pupil_ids) > MOST_PUPILS:
        raise Invalid(
            f"一度に読めるのは{MOST_PUPILS}人までです。", [Violation("pupil_ids", f"{len(pupil_ids)}人あります。")]
        )
    return pupil_ids


def _enforce(on_that_day: Standing, pupil_ids: Iterable[UUID], classes: dict[UUID, list[PupilClass]]) -> None:
    """By the pupil's last class: a former school of the board does not read on after the child has moved."""
    for pupil_id in pupil_ids:
        if pupil_id not in classes:
            raise Unseen("この児童生徒は見つかりません。")
        policy.may_take_records(on_that_day, classes[pupil_id][-1].school_class).enforce()


def _place(pupil_id: UUID, of_pupil: PupilClass) -> tuple[UUID, UUID, int]:
    return pupil_id, of_pupil.school_class.school_id, of_pupil.school_class.school_year


def _values(
    filled: Iterable[cells.RecordCell],
    of_pupil: PupilClass,
    kinds: dict[tuple[int, SchoolGrade, str, str, str], CellKind],
) -> Iterable[RecordValue]:
    for cell in filled:
        if of_pupil.school_grade is None:
            return
        kind = kinds.get((cell.school_year, of_pupil.school_grade, cell.term, cell.subject, cell.column))
        if kind is not None:  # a part the board has since left out stays in its history only
            yield RecordValue(cell.term, cell.subject, cell.column, kind, cell.value)
