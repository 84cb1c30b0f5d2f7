"""学籍の異動: leaving, coming back from a transfer that failed, arriving, and the class of an arrival."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from jpschool.school_year import last_day
from servicekit.auth import Actor
from servicekit.db import Transaction
from servicekit.errors import Conflict, Invalid, KomuError, Unseen, Violation
from servicekit.ids import uuid7

from roster import policy
from roster.domain import enrolment as rules
from roster.domain.duty import still_in_year
from roster.domain.enrolment import Enrolment, EnrolmentEvent, EnrolmentProblem
from roster.domain.people import Placement
from roster.domain.period import Period, day_before
from roster.store import enrolments, pupils, schools
from roster.usecases import telling
from roster.usecases.views import standing_of


@dataclass(frozen=True, slots=True)
class RecordDeparture:
    """A child is leaving for another school."""

    pupil_id: UUID
    left_on: date
    counterpart_name: str
    counterpart_address: str
    reason: str
    version: int


@dataclass(frozen=True, slots=True)
class PlaceInClass:
    """A child's class from a day on; number 0 = next free."""

    pupil_id: UUID
    class_id: UUID
    starts_on: date
    number: int


def _problem(problem: EnrolmentProblem) -> KomuError:
    return Conflict(str(problem), reason="ENROLMENT")


async def _open_roll(tx: Transaction, pupil_id: UUID) -> Enrolment:
    rolls = (await enrolments.of_pupils(tx, [pupil_id], lock=True)).get(pupil_id, [])
    found = next((roll for roll in rolls if roll.state != rules.ENDED), None)
    if found is None:
        if rolls:
            return rolls[-1]
        raise Unseen("児童生徒が見つかりません。")
    return found


async def record_departure(tx: Transaction, actor: Actor, command: RecordDeparture) -> Enrolment:
    """Enter that a child leaves; the roll stays open until the next school accepts."""
    roll = await _open_roll(tx, command.pupil_id)
    standing = await standing_of(tx, actor)
    policy.may_keep_register(actor, standing, roll.school_id, "転出").enforce()
    if command.version and command.version != roll.version:
        raise Conflict(
            "この児童生徒の学籍は、ほかの人が変更しました。画面を開き直してください。",
            {"version": str(roll.version)},
            reason="CHANGED_MEANWHILE",
        )
    departure = EnrolmentEvent(
        uuid7(), roll.id, roll.pupil_id, "transferred_out", roll.school_id, None, command.left_on, roll.school_grade,
        command.counterpart_name, command.counterpart_address, command.reason, tx.now, actor.person_id,
    )  # fmt: skip
    try:
        leaving = rules.depart(roll, departure)
    except EnrolmentProblem as problem:
        raise _problem(problem) from problem
    await enrolments.save(tx, leaving, by=actor.person_id)
    tx.audit(
        "enrolment.departure_recorded", roll.id, subject_id=roll.pupil_id,
        before={"state": roll.state}, after={"state": leaving.state, "left_on": command.left_on},
    )  # fmt: skip
    await telling.enrolments_changed(tx, {roll.id})
    return leaving


async def cancel_departure(tx: Transaction, actor: Actor, pupil_id: UUID, reason: str) -> Enrolment:
    """The child stays after all; the entered 転学 is struck and stays readable."""
    roll = await _open_roll(tx, pupil_id)
    policy.may_keep_register(actor, await standing_of(tx, actor), roll.school_id, "転出の取消").enforce()
    try:
        stays = rules.stay(roll)
    except EnrolmentProblem as problem:
        raise _problem(problem) from problem
    await enrolments.save(tx, stays, by=actor.person_id, strike_reason=reason)
    tx.audit(
        "enrolment.departure_cancelled", roll.id, subject_id=pupil_id,
        before={"state": roll.state}, after={"state": stays.state},
    )  # fmt: skip
    await telling.enrolments_changed(tx, {roll.id})
    return stays


async def close_after_acceptance(
    tx: Transaction, transfer_id: UUID, pupil_id: UUID, left_on: date, accepted_on: date, name: str, address: str
) -> None:
    """The next school accepted: 転学 on the day before, the roll and the class memberships end, twice is once."""
    rolls = (await enrolments.of_pupils(tx, [pupil_id], lock=True)).get(pupil_id, [])
    roll = next((roll for roll in rolls if roll.state != rules.ENDED), None)
    if roll is None:
        return
    if rules.pending_departure(roll) is None:
        # Accepted without our own entry of the departure (it was cancelled meanwhile): the acceptance is the fact.
        departure = EnrolmentEvent(
            uuid7(), roll.id, pupil_id, "transferred_out", roll.school_id, None, left_on, roll.school_grade,
            name, address, "", tx.now, tx.actor.person_id if tx.actor else None, transfer_id=transfer_id,
        )  # fmt: skip
        roll = rules.depart(roll, departure)
    try:
        closed = rules.close_transferred(roll, left_on, accepted_on)
    except EnrolmentProblem as problem:
        raise _problem(problem) from problem
    closed = _with_counterpart(closed, transfer_id, name, address)
    await enrolments.save(tx, closed, by=None)
    last_day = day_before(accepted_on)
    touched = await pupils.end_memberships(tx, pupil_id, last_day, school_id=roll.school_id)
    for class_id in set(touched):
        await schools.bump_class(tx, class_id)
    tx.audit(
        "enrolment.transferred_out", roll.id, subject_id=pupil_id, before={"state": roll.state},
        after={"state": closed.state, "left_on": left_on, "ends_on": last_day, "transfer_id": str(transfer_id)},
    )  # fmt: skip
    await telling.enrolments_changed(tx, {roll.id})
    await telling.class_rosters_changed(tx, set(touched))


def _with_counterpart(roll: Enrolment, transfer_id: UUID, name: str, address: str) -> Enrolment:
    return replace(
        roll,
        events=tuple(
            replace(
                event,
                transfer_id=transfer_id,
                counterpart_name=name or event.counterpart_name,
                counterpart_address=address or event.counterpart_address,
            )
            if event.kind == "transferred_out" and not event.struck
            else event
            for event in roll.events
        ),
    )


async def stay_after_end(tx: Transaction, pupil_id: UUID, state: str) -> None:
    """The transfer was refused, expired or withdrawn: the child stays on our roll."""
    rolls = (await enrolments.of_pupils(tx, [pupil_id], lock=True)).get(pupil_id, [])
    roll = next((roll for roll in rolls if roll.state == rules.LEAVING), None)
    if roll is None:
        return
    stays = rules.stay(roll)
    why = {"refused": "受入校が受け入れなかったため", "expired": "期限切れのため", "withdrawn": "送付を取り下げたため"}
    await enrolments.save(tx, stays, by=None, strike_reason=why.get(state, state))
    tx.audit(
        "enrolment.departure_cancelled", roll.id, subject_id=pupil_id,
        before={"state": roll.state}, after={"state": stays.state},
    )  # fmt: skip
    await telling.enrolments_changed(tx, {roll.id})


async def place_in_class(tx: Transaction, actor: Actor, command: PlaceInClass) -> Placement:
    """Put a child into a class of its school from a day on; another homeroom ends the day before."""
    homeroom = await schools.get_class(tx, command.class_id, lock=True)
    if homeroom is None:
        raise Unseen("学級が見つかりません。")
    policy.may_keep_register(actor, await standing_of(tx, actor), homeroom.school_id, "学級編入").enforce()
    if not still_in_year(command.starts_on, homeroom.school_year):
        message = f"{homeroom.school_year}年度（4月1日から翌年3月31日まで）の日付にしてください。"
        raise Invalid(message, [Violation("starts_on", message)])
    rolls = (await enrolments.of_pupils(tx, [command.pupil_id], lock=True)).get(command.pupil_id, [])
    if not any(roll.school_id == homeroom.school_id and roll.period.covers(command.starts_on) for roll in rolls):
        message = "その日にこの学校に在籍していない児童生徒は、学級に入れられません。"
        raise Conflict(message, reason="NOT_ENROLLED")
    taken = await pupils.numbers_taken(tx, homeroom.id)
    number = command.number or max(taken, default=0) + 1
    if command.number in taken and command.number:
        message = f"出席番号{command.number}番は、この学級ですでに使われています。"
        raise Invalid(message, [Violation("number", message)])
    previous = await pupils.current_homeroom(tx, command.pupil_id, homeroom.school_id, command.starts_on)
    if previous == homeroom.id:
        raise Conflict("すでにこの学級に在籍しています。", reason="ALREADY_PLACED")
    ended = await pupils.end_memberships(
        tx, command.pupil_id, day_before(command.starts_on), school_id=homeroom.school_id, homerooms_only=True
    )
    period = Period(command.starts_on, last_day(homeroom.school_year))
    await pupils.place(tx, command.pupil_id, homeroom.id, number, period)
    touched = {homeroom.id, *ended}
    for class_id in touched:
        await schools.bump_class(tx, class_id)
    tx.audit(
        "class.placed", homeroom.id, subject_id=command.pupil_id, before={"class_id": previous},
        after={"class_id": homeroom.id, "number": number, "starts_on": command.starts_on},
    )  # fmt: skip
    await telling.class_rosters_changed(tx, touched)
    return Placement(homeroom, number, period)
