"""Entering marks: many cells in one save, each with its own outcome."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from servicekit.auth import Actor
from servicekit.db import Transaction
from servicekit.errors import Invalid, Violation

from grades import events, policy
from grades.domain.cells import MOST_EDITS, Cell, CellEdit, CellResult, Outcome, Sorted, judge, sort_edits
from grades.domain.standing import SchoolClass
from grades.store import board, cells, register, saves, terms
from grades.usecases.facts import plan_of, reference_day, standing, term_key, today
from grades.usecases.sheets import CLASS_II


@dataclass(frozen=True, slots=True)
class SaveCells:
    """What somebody typed into one sheet. `idempotency_key` names this save, however often it is sent."""

    class_id: UUID
    subject: str
    term: str
    edits: tuple[CellEdit, ...]
    idempotency_key: str


async def save_cells(tx: Transaction, actor: Actor, command: SaveCells) -> Sequence[CellResult]:
    """Save the good edits, answer every one in order. Sent twice, it is done once.

    Raises: Unseen, Refused, Invalid (too many edits, or a key used for something else).
    """
    _check(command)
    school_class = await register.class_of(tx, command.class_id)
    on_that_day = await standing(tx, actor)
    policy.may_see_class(on_that_day, school_class).enforce()
    key = term_key(command.term)
    plan = plan_of(school_class, command.subject, key, await board.rules_of(tx, school_class.school_year))
    await terms.hold(tx, school_class.school_id, school_class.school_year, key, for_closing=False)
    term = await terms.one(tx, school_class.school_id, school_class.school_year, key)
    decision = policy.may_write_sheet(on_that_day, school_class, plan.subject, term)
    if not term.closed:
        decision.enforce()
    pupils = await register.members(
        tx,
        school_class,
        starts_on=term.dates.starts_on,
        ends_on=term.dates.ends_on,
        day=reference_day(term, today(tx)),
    )
    found = sort_edits(plan, {pupil.pupil_id: pupil.school_grade for pupil in pupils}, command.edits)
    place = cells.Place(school_class.school_id, school_class.school_year, key.value, plan.subject.key)

    digest = _digest(command)
    done = await saves.begin(tx, actor.person_id, command.idempotency_key, digest)
    if done is not None:
        if done.digest != digest:
            raise Invalid(
                "同じ保存番号で違う内容が送られました。画面を開き直してください。",
                [Violation("idempotency_key", "ほかの保存で使われています。")],
            )
        return await _answer_again(tx, actor, place, found, done)
    if term.closed:
        await saves.give_back(tx, actor.person_id, command.idempotency_key)
        return await _locked(tx, place, command.edits, term.why_locked())

    edits = [edit for _, edit in found.good]
    written = {w.cell.key: w for w in await cells.write(tx, place, edits, actor_id=actor.person_id)}
    lost = [edit.key for edit in edits if edit.key not in written]
    standing_now = await cells.at(tx, place, lost) if lost else {}
    results = dict(found.refused)
    for at, edit in found.good:
        wrote = written.get(edit.key)
        results[at] = judge(edit, wrote.cell if wrote else None, standing_now.get(edit.key))
    ordered = [results[at] for at in range(len(command.edits))]
    if written:
        _tell(tx, school_class, place, list(written.values()))
    await saves.finish(
        tx,
        actor.person_id,
        command.idempotency_key,
        [saves.DoneEdit(result.outcome.value, result.current.version) for result in ordered],
    )
    return ordered


def _check(command: SaveCells) -> None:
    if len(command.edits) > MOST_EDITS:
        raise Invalid(
            f"一度に保存できるのは{MOST_EDITS}か所までです。",
            [Violation("edits", f"{len(command.edits)}か所あります。")],
        )
    if not 1 <= len(command.idempotency_key) <= 100:
        raise Invalid("保存番号がありません。", [Violation("idempotency_key", "1～100字の値が必要です。")])


def _digest(command: SaveCells) -> str:
    said = [
        str(command.class_id),
        command.subject,
        command.term,
        [[str(e.key.pupil_id), e.key.column, e.value, e.expected_version] for e in command.edits],
    ]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


async def _answer_again(
    tx: Transaction, actor: Actor, place: cells.Place, found: Sorted, done: saves.Done
) -> Sequence[CellResult]:
    """What the first sending was told, as far as a page needs it: own value and version, or what stands there."""
    now = await cells.at(tx, place, [edit.key for _, edit in found.good])
    results = dict(found.refused)
    for at, edit in found.good:
        before = done.edits[at]
        if before.outcome == Outcome.SAVED:
            current = now.get(edit.key)
            mine = Cell(edit.key, edit.value, before.version, actor.person_id, current.updated_at if current else None)
            results[at] = CellResult(Outcome.SAVED, mine)
        else:
            results[at] = judge(edit, None, now.get(edit.key))
    return [results[at] for at in range(len(done.edits))]


async def _locked(tx: Transaction, place: cells.Place, edits: Sequence[CellEdit], message: str) -> Sequence[CellResult]:
    now = await cells.at(tx, place, [edit.key for edit in edits])
    return [CellResult(Outcome.LOCKED, now.get(edit.key, Cell(edit.key)), message) for edit in edits]


def _tell(tx: Transaction, school_class: SchoolClass, place: cells.Place, written: Sequence[cells.Written]) -> None:
    """One audit entry and one event per save: the entry with the values, the event with ids only."""
    pupils = sorted({w.cell.key.pupil_id for w in written})
    where = {"school_id": str(place.school_id), "subject": place.subject, "term": place.term}
    tx.audit(
        "cells.saved",
        school_class.id,
        before={"cells": [_audited(w, w.before) for w in written]},
        after=where | {"cells": [_audited(w, w.cell.value) for w in written]},
        information_class=CLASS_II,
        subject_id=pupils[0] if len(pupils) == 1 else None,
    )
    tx.emit(events.marks_recorded(school_class.id, subject=place.subject, term=place.term, pupil_ids=pupils))


def _audited(written: cells.Written, value: str) -> dict[str, object]:
    key = written.cell.key
    return {"pupil_id": str(key.pupil_id), "column": key.column, "value": value, "version": written.cell.version}
