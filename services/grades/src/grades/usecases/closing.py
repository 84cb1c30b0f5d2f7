"""Closing a term: what is missing, closing, reopening."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from jpschool.school_grade import SchoolGrade
from servicekit.auth import Actor
from servicekit.db import Transaction
from servicekit.errors import Conflict, Invalid, Violation

from grades import events, policy
from grades.domain.board_rules import BoardRules
from grades.domain.curriculum import SUBJECT_ORDER, sheets
from grades.domain.terms import (
    ClosingRefused,
    Term,
    TermChange,
    TermKey,
    TermState,
    why_not_close,
    why_not_reopen,
)
from grades.store import board, completeness, register, terms
from grades.usecases.facts import reference_day, require_school, standing, term_key, today


@dataclass(frozen=True, slots=True)
class SchoolYear:
    school_id: UUID
    school_year: int


@dataclass(frozen=True, slots=True)
class SchoolTerm:
    school_id: UUID
    school_year: int
    term: str


@dataclass(frozen=True, slots=True)
class MissingSheet:
    """Empty required cells of one class and subject, with the subject's name."""

    missing: completeness.Missing
    subject_label: str


@dataclass(frozen=True, slots=True)
class Closing:
    term: Term
    missing: Sequence[MissingSheet]
    history: Sequence[TermChange]

    @property
    def missing_total(self) -> int:
        return sum(entry.missing.cells for entry in self.missing)


async def list_terms(tx: Transaction, actor: Actor, asked: SchoolYear) -> Sequence[Term]:
    """学期 of a school with their states."""
    await require_school(tx, asked.school_id)
    policy.may_see_terms(actor, await standing(tx, actor), asked.school_id).enforce()
    return await terms.of_school(tx, asked.school_id, asked.school_year)


async def get_closing(tx: Transaction, actor: Actor, asked: SchoolTerm) -> Closing:
    """What is still empty in a term, by class and subject, and what happened to the term."""
    await require_school(tx, asked.school_id)
    policy.may_see_closing(await standing(tx, actor), asked.school_id).enforce()
    key = term_key(asked.term)
    term = await terms.one(tx, asked.school_id, asked.school_year, key)
    return Closing(
        term,
        await _missing(tx, asked.school_id, asked.school_year, term),
        await terms.history(tx, asked.school_id, asked.school_year, key),
    )


async def _missing(tx: Transaction, school_id: UUID, school_year: int, term: Term) -> Sequence[MissingSheet]:
    classes = await register.classes_of_school(tx, school_id, school_year)
    rules = await board.rules_of(tx, school_year)
    school_grades = sorted({one for school_class in classes for one in school_class.school_grades})
    found = await completeness.missing(
        tx, school_id, school_year, reference_day(term, today(tx)), _required(school_grades, term.key, rules)
    )
    places = {subject.key: (at, subject.label) for at, subject in enumerate(SUBJECT_ORDER)}
    order = {school_class.id: at for at, school_class in enumerate(classes)}
    ordered = sorted(found, key=lambda m: (order[m.class_id], places[m.subject][0]))
    return [MissingSheet(entry, places[entry.subject][1]) for entry in ordered]


def _required(school_grades: Sequence[SchoolGrade], key: TermKey, rules: BoardRules) -> Sequence[completeness.Expected]:
    return [
        completeness.Expected(school_grade.value, key.value, plan.subject.key, column.key, True)
        for school_grade in school_grades
        for plan in sheets(school_grade, key, rules)
        for column in plan.columns
        if column.required
    ]


@dataclass(frozen=True, slots=True)
class CloseTerm:
    school_id: UUID
    school_year: int
    term: str
    version: int
    accept_missing: bool
    reason: str


@dataclass(frozen=True, slots=True)
class ReopenTerm:
    school_id: UUID
    school_year: int
    term: str
    version: int
    reason: str


async def close_term(tx: Transaction, actor: Actor, command: CloseTerm) -> Term:
    """Lock the term for everybody. Saves under way finish first; what is empty then is counted again.

    Raises: Unseen, Refused, Conflict (somebody changed the state meanwhile), Invalid (missing cells without reason).
    """
    term = await _held(tx, actor, SchoolTerm(command.school_id, command.school_year, command.term), command.version)
    missing = sum(m.missing.cells for m in await _missing(tx, command.school_id, command.school_year, term))
    _refuse(why_not_close(term, missing=missing, accept_missing=command.accept_missing, reason=command.reason), term)
    reason = command.reason.strip()
    closed = await terms.change(
        tx, command.school_id, command.school_year, term, TermState.CLOSED, actor_id=actor.person_id, reason=reason
    )
    _tell(tx, command.school_id, command.school_year, term, closed, reason, missing)
    tx.emit(events.term_closed(command.school_id, command.school_year, closed, actor.person_id))
    return closed


async def reopen_term(tx: Transaction, actor: Actor, command: ReopenTerm) -> Term:
    """Open a closed term again, with the reason on record.

    Raises: Unseen, Refused, Conflict, Invalid.
    """
    term = await _held(tx, actor, SchoolTerm(command.school_id, command.school_year, command.term), command.version)
    _refuse(why_not_reopen(term, reason=command.reason), term)
    reason = command.reason.strip()
    reopened = await terms.change(
        tx, command.school_id, command.school_year, term, TermState.OPEN, actor_id=actor.person_id, reason=reason
    )
    _tell(tx, command.school_id, command.school_year, term, reopened, reason, 0)
    tx.emit(events.term_reopened(command.school_id, command.school_year, reopened, reason))
    return reopened


async def _held(tx: Transaction, actor: Actor, asked: SchoolTerm, version: int) -> Term:
    await require_school(tx, asked.school_id)
    policy.may_close_term(await standing(tx, actor), asked.school_id).enforce()
    key = term_key(asked.term)
    await terms.one(tx, asked.school_id, asked.school_year, key)  # a year this board does not have makes no row
    await terms.hold(tx, asked.school_id, asked.school_year, key, for_closing=True)
    term = await terms.one(tx, asked.school_id, asked.school_year, key)
    if term.version != version:
        raise Conflict(
            "開いている間に学期の状態が変わりました。今の状態を確かめてください。",
            {"state": term.state.value, "version": str(term.version)},
        )
    return term


def _refuse(refused: ClosingRefused | None, term: Term) -> None:
    if refused is None:
        return
    if refused.field:
        raise Invalid(refused.message, [Violation(refused.field, refused.message)])
    raise Conflict(refused.message, {"state": term.state.value, "version": str(term.version)})


def _tell(
    tx: Transaction, school_id: UUID, school_year: int, before: Term, after: Term, reason: str, missing: int
) -> None:
    where = {"school_id": str(school_id), "school_year": school_year, "term": after.key.value}
    tx.audit(
        "term.closed" if after.closed else "term.reopened",
        school_id,
        before={"state": before.state.value},
        after=where | {"state": after.state.value, "reason": reason, "missing": missing},
        information_class=3,
    )
