"""Opening a class's sheets: what there is, how far it is, one sheet, one cell's history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from servicekit.auth import Actor
from servicekit.db import Transaction

from grades import policy
from grades.domain.cells import Cell, CellChange, CellKey
from grades.domain.class_plan import ClassPlan, class_sheet, subjects_of_class
from grades.domain.curriculum import Subject
from grades.domain.terms import Term
from grades.store import board, cells, completeness, register, terms
from grades.usecases.facts import plan_of, reference_day, standing, term_key, today

CLASS_II = 2


@dataclass(frozen=True, slots=True)
class Progress:
    """Filled of expected cells of one sheet. Where nothing is asked for, `expected` is 0 and `filled` counts all."""

    filled: int
    expected: int


@dataclass(frozen=True, slots=True)
class SheetEntry:
    """A sheet the person may open."""

    subject: Subject
    writable: bool
    why_not: str
    progress: Mapping[str, Progress] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClassSheets:
    entries: Sequence[SheetEntry]
    terms: Sequence[Term]


async def list_sheets(tx: Transaction, actor: Actor, class_id: UUID) -> ClassSheets:
    """Every sheet of the class the person may see, with its progress in each term."""
    school_class = await register.class_of(tx, class_id)
    on_that_day = await standing(tx, actor)
    policy.may_see_class(on_that_day, school_class).enforce()
    year = await terms.of_school(tx, school_class.school_id, school_class.school_year)
    rules = await board.rules_of(tx, school_class.school_year)
    days = [completeness.TermDay(term.key.value, reference_day(term, today(tx))) for term in year]
    there = await completeness.filled(tx, school_class, days)
    entries = []
    for subject in subjects_of_class(school_class.school_grades, rules):
        if not policy.may_see_sheet(on_that_day, school_class, subject).allowed:
            continue
        decisions = [policy.may_write_sheet(on_that_day, school_class, subject, term) for term in year]
        writable = any(decision.allowed for decision in decisions)
        why_not = "" if writable or not decisions else decisions[0].message
        own = {
            term.key.value: _progress(plan, term.key.value, there)
            for term in year
            if (plan := class_sheet(school_class.school_grades, subject.key, term.key, rules)) is not None
        }
        entries.append(SheetEntry(subject, writable, why_not, own))
    return ClassSheets(entries, year)


def _progress(plan: ClassPlan, term: str, there: completeness.Filled) -> Progress:
    """Each 学年 by its own columns. Where one 学年 asks for something, only what is asked for counts."""
    asked = {g: [one.key for one in own.columns if one.required] for g, own in plan.of.items()}
    counted = asked if any(asked.values()) else {g: [one.key for one in own.columns] for g, own in plan.of.items()}
    return Progress(
        sum(there.cells.get((term, g, plan.subject.key, key), 0) for g, keys in counted.items() for key in keys),
        sum(len(keys) * there.members.get((term, g), 0) for g, keys in asked.items()),
    )


@dataclass(frozen=True, slots=True)
class SheetAsked:
    class_id: UUID
    subject: str
    term: str


@dataclass(frozen=True, slots=True)
class SheetShown:
    """One sheet as the person sees it now."""

    class_id: UUID
    several: bool
    """Whether the pupils are of several 学年."""
    plan: ClassPlan
    term: Term
    pupils: Sequence[register.Member]
    cells: Sequence[Cell]
    writable: bool
    why_not: str


async def get_sheet(tx: Transaction, actor: Actor, asked: SheetAsked) -> SheetShown:
    """The sheet of one class, subject and term, with who is in it. The reading is kept."""
    school_class = await register.class_of(tx, asked.class_id)
    on_that_day = await standing(tx, actor)
    policy.may_see_class(on_that_day, school_class).enforce()
    key = term_key(asked.term)
    term = await terms.one(tx, school_class.school_id, school_class.school_year, key)
    plan = plan_of(school_class, asked.subject, key, await board.rules_of(tx, school_class.school_year))
    policy.may_see_sheet(on_that_day, school_class, plan.subject).enforce()
    pupils = await register.members(
        tx,
        school_class,
        starts_on=term.dates.starts_on,
        ends_on=term.dates.ends_on,
        day=reference_day(term, today(tx)),
    )
    place = cells.Place(school_class.school_id, school_class.school_year, key.value, plan.subject.key)
    filled = await cells.of_pupils(tx, place, [pupil.pupil_id for pupil in pupils])
    may_write = policy.may_write_sheet(on_that_day, school_class, plan.subject, term)
    tx.audit(
        "sheet.read",
        school_class.id,
        after={"school_id": str(school_class.school_id), "subject": plan.subject.key, "term": key.value},
        information_class=CLASS_II,
    )
    return SheetShown(
        school_class.id,
        school_class.several,
        plan,
        term,
        pupils,
        filled,
        may_write.allowed,
        "" if may_write.allowed else may_write.message,
    )


@dataclass(frozen=True, slots=True)
class HistoryAsked:
    class_id: UUID
    subject: str
    term: str
    pupil_id: UUID
    column: str


async def get_cell_history(tx: Transaction, actor: Actor, asked: HistoryAsked) -> Sequence[CellChange]:
    """Who changed one cell, when, from what to what; newest first. The reading is kept."""
    school_class = await register.class_of(tx, asked.class_id)
    on_that_day = await standing(tx, actor)
    policy.may_see_class(on_that_day, school_class).enforce()
    key = term_key(asked.term)
    plan = plan_of(school_class, asked.subject, key, await board.rules_of(tx, school_class.school_year))
    policy.may_see_sheet(on_that_day, school_class, plan.subject).enforce()
    tx.audit(
        "cell.read",
        school_class.id,
        after={
            "school_id": str(school_class.school_id),
            "subject": plan.subject.key,
            "term": key.value,
            "column": asked.column,
        },
        information_class=CLASS_II,
        subject_id=asked.pupil_id,
    )
    place = cells.Place(school_class.school_id, school_class.school_year, key.value, plan.subject.key)
    return await cells.history(tx, place, CellKey(asked.pupil_id, asked.column))
