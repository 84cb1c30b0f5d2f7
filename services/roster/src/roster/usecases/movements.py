"""異動の手続き: an 異動 is looked at before it is entered, corrected, taken back. One child, one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from servicekit.auth import Actor
from servicekit.clock import day_in_jst
from servicekit.db import Transaction
from servicekit.errors import Conflict, Invalid, KomuError, Unseen, Violation
from servicekit.ids import uuid7

from roster import policy
from roster.domain import movements as rules
from roster.domain.enrolment import ENDED, ENTRIES, EXITS, Enrolment, EnrolmentEvent, EnrolmentProblem
from roster.domain.movements import Entering, Movement
from roster.domain.people import Pupil, School
from roster.domain.period import day_before
from roster.domain.unlisted import Membership
from roster.store import enrolments, movements, pupils, schools, unlisted
from roster.usecases import telling
from roster.usecases.arrivals import Newcomer, enter_person
from roster.usecases.views import standing_of


@dataclass(frozen=True, slots=True)
class EnterMovement:
    """An 異動 of a child; `newcomer`: of one the register does not know. `corrects`: the event it stands in for."""

    pupil_id: UUID
    school_id: UUID | None  # of an entry
    movement: Movement
    version: int  # of the roll that was looked at; 0 for entries
    newcomer: Newcomer | None = None
    corrects: UUID | None = None
    correction_reason: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an 異動 makes of the roll and the classes; `classes`: name, before, after."""

    pupil: Pupil | None  # None: not known yet
    before: Enrolment | None
    after: Enrolment
    classes: tuple[tuple[str, Membership, Membership], ...]


@dataclass(frozen=True, slots=True)
class _Facts:
    pupil: Pupil | None
    rolls: Sequence[Enrolment]
    roll: Enrolment | None  # the one the 異動 is about; None: it begins one
    school: School


async def preview(tx: Transaction, actor: Actor, command: EnterMovement) -> Outcome:
    """What the same command would do; nothing is written."""
    return (await _outcome(tx, actor, command, await _facts(tx, actor, command, lock=False)))[0]


async def enter(tx: Transaction, actor: Actor, command: EnterMovement) -> Enrolment:
    """Enter or correct an 異動; the roll, the classes and 様式1 follow."""
    if command.newcomer is not None:
        policy.may_keep_register(actor, await standing_of(tx, actor), _school(command), "異動").enforce()
        await enter_person(tx, command.newcomer)
    facts = await _facts(tx, actor, command, lock=True)
    outcome, moved = await _outcome(tx, actor, command, facts)
    after = outcome.after
    await enrolments.save(tx, after, by=actor.person_id, strike_reason=command.correction_reason)
    if outcome.before is not None and outcome.before.school_grade != after.school_grade:
        await movements.set_school_grade(tx, after.id, after.school_grade)
    event = next(one for one in reversed(after.events) if not one.struck and one.kind == command.movement.kind)
    if event.kind in EXITS:
        await movements.keep_cut(tx, event.id, [old for _, old, _ in outcome.classes])
    await movements.move_first_day(tx, moved, after.period.starts_on)
    classes = await unlisted.save_memberships(tx, [new for _, _, new in outcome.classes])
    for class_id in {one.class_id for one in moved} - classes:
        await schools.bump_class(tx, class_id)
    if event.kind == "graduated":
        await movements.set_next_school(tx, after.pupil_id, event.counterpart_name, event.counterpart_address)
    _note(tx, "enrolment.corrected" if command.corrects else "enrolment.entered", outcome.before, after, event)
    await telling.enrolments_changed(tx, {after.id})
    await telling.class_rosters_changed(tx, classes | {one.class_id for one in moved})
    return await _reread(tx, after)


async def strike(tx: Transaction, actor: Actor, event_id: UUID, reason: str) -> Enrolment:
    """Take an 異動 back; classes it cut off go on where nothing else changed them since."""
    if not reason:
        raise _invalid("取り消す理由を入力してください。記録に残ります。", "reason")
    pupil_id, roll_id = await _of_event(tx, event_id)
    rolls = (await enrolments.of_pupils(tx, [pupil_id], lock=True))[pupil_id]
    roll = next(one for one in rolls if one.id == roll_id)
    policy.may_keep_register(actor, await standing_of(tx, actor), roll.school_id, "異動の取消").enforce()
    event = next(one for one in roll.events if one.id == event_id)
    try:
        after = rules.strike(roll, event_id, _others(rolls, roll))
    except EnrolmentProblem as problem:
        raise Conflict(str(problem), reason="ENROLMENT") from problem
    await enrolments.save(tx, after, by=actor.person_id, strike_reason=reason)
    places = await unlisted.memberships(tx, [roll])
    if event.kind in EXITS:
        changed = _uncut(places, await movements.cut_of(tx, event_id), roll.period.ends_on)
    elif event.kind in ENTRIES:
        both = [(one, one.decided(None, after.period.ends_on)) for one in places]
        changed = [new for old, new in both if new != old]
    else:
        changed = []
    classes = await unlisted.save_memberships(tx, changed)
    if event.kind == "graduated":
        await movements.set_next_school(tx, pupil_id, "", "")
    _note(tx, "enrolment.taken_back", roll, after, event)
    await telling.enrolments_changed(tx, {roll.id})
    await telling.class_rosters_changed(tx, classes)
    return await _reread(tx, after)


def _uncut(places: Sequence[Membership], before: Sequence[Membership], cut_on: date | None) -> list[Membership]:
    """Memberships as they were before an exit, of those that still end as the exit left them."""
    now = {(one.class_id, one.starts_on): one for one in places}
    return [
        one
        for one in before
        if (same := now.get((one.class_id, one.starts_on))) is not None
        and same.ends_on in (cut_on, day_before(one.starts_on))
    ]


async def _facts(tx: Transaction, actor: Actor, command: EnterMovement, *, lock: bool) -> _Facts:
    rolls = (await enrolments.of_pupils(tx, [command.pupil_id], lock=lock)).get(command.pupil_id, [])
    pupil = next(iter(await pupils.by_ids(tx, [command.pupil_id], day_in_jst(tx.now), official=False)), None)
    if command.newcomer is None and pupil is None:
        raise Unseen("児童生徒が見つかりません。")
    roll = None
    if command.corrects is not None:
        pupil_id, roll_id = await _of_event(tx, command.corrects)
        roll = next((one for one in rolls if one.id == roll_id and pupil_id == command.pupil_id), None)
        if roll is None:
            raise Unseen("異動の記録が見つかりません。")
    elif command.movement.kind not in ENTRIES:
        roll = next((one for one in rolls if one.state != ENDED), rolls[-1] if rolls else None)
        if roll is None:
            raise Unseen("児童生徒が見つかりません。")
    school_id = roll.school_id if roll is not None else _school(command)
    standing = await standing_of(tx, actor)
    policy.may_keep_register(actor, standing, school_id, "異動").enforce()
    # A child that comes from another school of the board is found by name and birth date (`arrivals.match_pupil`).
    if roll is not None and command.version and command.version != roll.version:
        raise Conflict(
            "この児童生徒の学籍は、ほかの人が変更しました。画面を開き直してください。",
            {"version": str(roll.version)}, reason="CHANGED_MEANWHILE",
        )  # fmt: skip
    found = next(iter(await schools.schools(tx, [school_id], closed=roll is not None)), None)
    if found is None:
        raise Unseen("学校が見つかりません。")
    return _Facts(pupil, rolls, roll, found)


async def _outcome(
    tx: Transaction, actor: Actor, command: EnterMovement, facts: _Facts
) -> tuple[Outcome, list[Membership]]:
    """The outcome, and the memberships whose first day moves with a corrected entry."""
    named = await schools.schools(tx, {roll.school_id for roll in facts.rolls}, closed=True)
    born_on = facts.pupil.birth_on if facts.pupil else None
    now = Entering(
        uuid7(), uuid7(), tx.now, actor.person_id, day_in_jst(tx.now), born_on, {one.id: one.name for one in named}
    )
    if command.corrects is not None and not command.correction_reason:
        raise _invalid("訂正の理由を入力してください。記録に残ります。", "correction_reason")
    try:
        after = _after(command, facts, now)
    except EnrolmentProblem as problem:
        raise _problem(problem) from problem
    if facts.roll is None:
        return Outcome(facts.pupil, None, after, ()), []
    places = await unlisted.memberships(tx, [facts.roll])
    moved: list[Membership] = []
    bases: list[Membership] = []
    if command.movement.kind in ENTRIES:
        first, new = facts.roll.period.starts_on, after.period.starts_on
        moved = [one for one in places if one.starts_on < new or (one.starts_on == first and new < first)]
        _may_move(moved, new)
    elif command.corrects is not None and command.movement.kind in EXITS:
        restored = _uncut(places, await movements.cut_of(tx, command.corrects), facts.roll.period.ends_on)
        before = {(one.class_id, one.starts_on): one for one in restored}
        bases = [before.get((one.class_id, one.starts_on), one) for one in places]
    leaves_on = after.period.ends_on if command.movement.kind in EXITS else None
    both = [(held, base, base.decided(None, leaves_on)) for held, base in zip(places, bases or places, strict=True)]
    names = await movements.class_names(tx, [one.class_id for one in places])
    changed = tuple((names[base.class_id], base, new) for held, base, new in both if held != new)
    return Outcome(facts.pupil, facts.roll, after, changed), moved


def _may_move(moved: Sequence[Membership], to: date) -> None:
    if any(one.ends_on is not None and one.ends_on < to for one in moved):
        raise _invalid("その日より前に終わった学級の在籍があります。先に学級の日付を確かめてください。", "effective_on")


def _after(command: EnterMovement, facts: _Facts, now: Entering) -> Enrolment:
    elementary = facts.school.kind == "elementary"
    if command.corrects is not None:
        assert facts.roll is not None
        others = _others(facts.rolls, facts.roll)
        return rules.correct(facts.roll, command.corrects, elementary, command.movement, others, now)
    if facts.roll is not None:
        return rules.enter(facts.roll, command.movement, now)
    return rules.begin(command.pupil_id, facts.school.id, elementary, command.movement, facts.rolls, now)


def _school(command: EnterMovement) -> UUID:
    if command.school_id is None:
        raise _invalid("学校を選んでください。", "school_id")
    return command.school_id


def _others(rolls: Sequence[Enrolment], roll: Enrolment) -> list[Enrolment]:
    return [one for one in rolls if one.id != roll.id]


async def _of_event(tx: Transaction, event_id: UUID) -> tuple[UUID, UUID]:
    found = await movements.roll_of_event(tx, event_id)
    if found is None:
        raise Unseen("異動の記録が見つかりません。")
    return found


async def _reread(tx: Transaction, roll: Enrolment) -> Enrolment:
    rolls = (await enrolments.of_pupils(tx, [roll.pupil_id]))[roll.pupil_id]
    return replace(next(one for one in rolls if one.id == roll.id), version=roll.version)


def _note(tx: Transaction, action: str, before: Enrolment | None, after: Enrolment, event: EnrolmentEvent) -> None:
    tx.audit(
        action, after.id, subject_id=after.pupil_id,
        before={"state": before.state, "ends_on": before.period.ends_on} if before else None,
        after={
            "kind": event.kind, "effective_on": event.effective_on, "state": after.state,
            "starts_on": after.period.starts_on, "ends_on": after.period.ends_on,
        },
    )  # fmt: skip


def _invalid(message: str, field: str) -> Invalid:
    return Invalid(message, [Violation(field, message)])


def _problem(problem: EnrolmentProblem) -> KomuError:
    return _invalid(str(problem), problem.field) if problem.field else Conflict(str(problem), reason="ENROLMENT")
