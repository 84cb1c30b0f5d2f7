"""名簿にない児童生徒: who is missing, what is decided about them, and taking a decision back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from servicekit.auth import Actor
from servicekit.clock import day_in_jst
from servicekit.db import Transaction
from servicekit.errors import Conflict, Unseen
from servicekit.ids import uuid7

from roster import policy
from roster.domain import leaving
from roster.domain import unlisted as rules
from roster.domain.enrolment import ENDED, Enrolment, EnrolmentProblem
from roster.domain.leaving import Decision
from roster.domain.people import Pupil
from roster.domain.unlisted import Decided, Membership, Place, Unlisted
from roster.store import enrolments, unlisted
from roster.store.unlisted import Before
from roster.usecases import telling
from roster.usecases.views import standing_of

_ACTIONS = {
    rules.KEEP: "enrolment.kept",
    leaving.WITHDRAW: "enrolment.withdrew",
    leaving.GRADUATE: "enrolment.graduated",
    leaving.WHEREABOUTS_UNKNOWN: "enrolment.not_enrolled",
}


@dataclass(frozen=True, slots=True)
class DecideUnlisted:
    """One decision about children, each with the version of the roll that was looked at."""

    versions: dict[UUID, int]
    decision: Decision


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the decision makes of one child; `refusal` says why it cannot."""

    child: Unlisted
    before: Enrolment
    after: Enrolment
    memberships: tuple[tuple[Membership, Membership], ...]  # changed ones, before and after
    class_ends_on: date | None
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class UnlistedPage:
    """A page of the list; `next_place` None = end."""

    pupils: list[Unlisted]
    next_place: Place | None
    total: int


async def list_unlisted(
    tx: Transaction, actor: Actor, school_id: UUID | None, import_id: UUID | None, after: Place | None, limit: int
) -> UnlistedPage:
    """Children on the roll whom the roster files do not list, by school, class and 出席番号."""
    schools = await _schools(tx, actor, school_id)
    total = await unlisted.count(tx, schools, import_id)
    if not total:  # nearly always, and the home page asks
        return UnlistedPage([], None, 0)
    found, places = await unlisted.page(tx, schools, import_id, after, limit + 1)
    more = len(found) > limit
    return UnlistedPage(found[:limit], places[limit - 1] if more else None, total)


async def _schools(tx: Transaction, actor: Actor, school_id: UUID | None) -> frozenset[UUID] | None:
    """The schools to look at; None: the whole board."""
    standing = await standing_of(tx, actor)
    scope = policy.kept_scope(actor, standing)
    if school_id is None:
        return None if scope.whole_board else scope.school_ids
    if not scope.covers(school_id):
        policy.may_keep_register(actor, standing, school_id, "名簿にない児童生徒の扱い").enforce()
    return frozenset({school_id})


async def preview(tx: Transaction, actor: Actor, command: DecideUnlisted) -> list[Outcome]:
    """What the decision would do, child by child; nothing is written."""
    return await _outcomes(tx, actor, command)


async def decide(tx: Transaction, actor: Actor, command: DecideUnlisted) -> list[Enrolment]:
    """Decide about all of the children, or about none when one of them cannot be decided so."""
    ids = list(command.versions)
    await enrolments.of_pupils(tx, ids, lock=True)
    await unlisted.lock_rolls(tx, ids)
    outcomes = await _outcomes(tx, actor, command)
    refused = [one for one in outcomes if one.refusal]
    if refused:
        name = refused[0].child.pupil.names.display
        others = f"（ほか{len(refused) - 1}人）" if len(refused) > 1 else ""
        raise Conflict(f"{name.family}　{name.given}：{refused[0].refusal}{others}", reason="ENROLMENT")
    await unlisted.save_rolls(tx, [one.after for one in outcomes])
    changed = [after for one in outcomes for _, after in one.memberships]
    classes = await unlisted.save_memberships(tx, changed)
    if command.decision.kind == rules.KEEP:
        await unlisted.forget_source_ids(tx, ids)
    await unlisted.keep_decisions(tx, [_kept(tx, actor, command.decision, one) for one in outcomes])
    for one in outcomes:
        tx.audit(
            _ACTIONS[command.decision.kind], one.after.id,
            subject_id=one.after.pupil_id, before={"state": one.before.state},
            after={
                "state": one.after.state, "ends_on": one.after.period.ends_on,
                "reason": leaving.reason_of(command.decision),
            },
        )  # fmt: skip
    await telling.enrolments_changed(tx, {one.after.id for one in outcomes})
    await telling.class_rosters_changed(tx, classes)
    return [one.after for one in outcomes]


def _kept(tx: Transaction, actor: Actor, decision: Decision, one: Outcome) -> tuple[Decided, Before]:
    decided = Decided(
        uuid7(), one.after.id, one.after.pupil_id, one.after.school_id, decision.kind, decision.effective_on,
        leaving.reason_of(decision), tx.now, actor.person_id,
    )  # fmt: skip
    memberships = [before for before, _ in one.memberships]
    return decided, Before(one.child.source_id, one.child.missing_on, one.child.import_id, memberships)


async def _outcomes(tx: Transaction, actor: Actor, command: DecideUnlisted) -> list[Outcome]:
    ids = list(command.versions)
    standing = await standing_of(tx, actor)
    rolls = await enrolments.of_pupils(tx, ids)
    current = {pupil_id: _current(rolls.get(pupil_id, [])) for pupil_id in ids}
    for roll in current.values():
        policy.may_decide_unlisted(actor, standing, roll.school_id, command.decision.kind).enforce()
    children = await unlisted.of_pupils(tx, ids)
    if len(children) < len(ids):
        raise Conflict(
            "選んだ児童生徒に、すでに決まった人か、新しい名簿に載った人がいます。一覧を開き直してください。",
            reason="CHANGED_MEANWHILE",
        )
    places: dict[UUID, list[Membership]] = {}
    for one in await unlisted.memberships(tx, list(current.values())):
        places.setdefault(one.pupil_id, []).append(one)
    return [
        _outcome(tx, actor, command, current[pupil_id], children[pupil_id], places.get(pupil_id, []))
        for pupil_id in ids
    ]


def _current(rolls: Sequence[Enrolment]) -> Enrolment:
    found = next((roll for roll in rolls if roll.state != ENDED), rolls[-1] if rolls else None)
    if found is None:
        raise Unseen("児童生徒が見つかりません。")
    return found


def _outcome(
    tx: Transaction, actor: Actor, command: DecideUnlisted, roll: Enrolment, child: Unlisted,
    memberships: Sequence[Membership],
) -> Outcome:  # fmt: skip
    if command.versions[roll.pupil_id] != roll.version:
        said = "学籍を、ほかの人が変更しました。一覧を開き直してください。"
        return Outcome(child, roll, roll, (), None, said)
    try:
        after = rules.decide(
            roll, command.decision, born_on=child.pupil.birth_on, today=day_in_jst(tx.now),
            event_id=uuid7(), at=tx.now, by=actor.person_id,
        )  # fmt: skip
    except EnrolmentProblem as problem:
        return Outcome(child, roll, roll, (), None, str(problem))
    both = [(one, one.decided(child.missing_on, after.period.ends_on)) for one in memberships]
    of_class = [new.ends_on for _, new in both if new.class_id == child.pupil.class_id]
    return Outcome(
        child, roll, after, tuple((old, new) for old, new in both if old != new), of_class[-1] if of_class else None
    )


async def list_decisions(
    tx: Transaction, actor: Actor, school_id: UUID | None, before: UUID | None, limit: int
) -> tuple[list[tuple[Decided, Pupil]], bool]:
    """What was decided, newest first, and whether there is more."""
    schools = await _schools(tx, actor, school_id)
    found = await unlisted.decisions(tx, schools, before, limit + 1)
    return found[:limit], len(found) > limit


async def take_back(tx: Transaction, actor: Actor, decision_id: UUID, reason: str) -> Enrolment:
    """The decision was a mistake: the child is missing as before, classes and all."""
    found = await unlisted.decision(tx, decision_id)
    if found is None:
        raise Unseen("この決定は見つかりません。")
    decided, before, overtaken = found
    standing = await standing_of(tx, actor)
    policy.may_decide_unlisted(actor, standing, decided.school_id, decided.kind).enforce()
    rolls = (await enrolments.of_pupils(tx, [decided.pupil_id], lock=True)).get(decided.pupil_id, [])
    if decided.taken_back or overtaken:
        raise Conflict(
            "この決定はすでに取り消されています。" if decided.taken_back
            else "その後に名簿に載ったか、あらためて決められているため、取り消せません。",
            reason="ENROLMENT",
        )  # fmt: skip
    roll = next(one for one in rolls if one.id == decided.enrolment_id)
    try:
        again = rules.take_back(roll, decided.kind, [one for one in rolls if one.id != roll.id])
    except EnrolmentProblem as problem:
        raise Conflict(str(problem), reason="ENROLMENT") from problem
    await enrolments.save(tx, again, by=actor.person_id, strike_reason=reason)
    await unlisted.restore(tx, decided, before)
    classes = await unlisted.save_memberships(tx, before.memberships)
    await unlisted.mark_taken_back(tx, decided.id, reason, actor.person_id)
    tx.audit(
        "enrolment.decision_taken_back", roll.id, subject_id=roll.pupil_id,
        before={"state": roll.state, "ends_on": roll.period.ends_on}, after={"state": again.state, "reason": reason},
    )  # fmt: skip
    await telling.enrolments_changed(tx, {roll.id})
    await telling.class_rosters_changed(tx, classes)
    return again
