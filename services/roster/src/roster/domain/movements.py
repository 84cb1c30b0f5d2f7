"""異動 as the office enters them by hand: coming, leaving, and what is noted meanwhile; corrected and taken back.

What was entered before is struck and stays readable (様式1: 訂正は従前の記載が分かるように).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from jpschool.school_grade import SchoolGrade

from roster.domain.enrolment import (
    ACTIVE,
    ENDED,
    ENTRIES,
    EXITS,
    LEAVING,
    OUT_OF_DISTRICT,
    Enrolment,
    EnrolmentEvent,
    EnrolmentProblem,
    close_transferred,
    depart,
    may_begin,
    pending_departure,
)
from roster.domain.leaving import LEFT_BY, Decision, leave
from roster.domain.period import Period, day_before, japanese_date

_DECISIONS = {kind: decision for decision, kind in LEFT_BY.items()}
_REASON_NEEDED = {
    "admitted_from_abroad": "事由を入力してください。例：外国からの帰国、就学猶予の終了。",
    "transferred_in": "事由を入力してください。例：保護者の転居。",
    OUT_OF_DISTRICT: "事由を入力してください。例：年度途中の転居、教育的配慮。",
    "reinstated": "復籍の事由を入力してください。例：居所の判明。",
}


@dataclass(frozen=True, slots=True)
class Movement:
    """One 異動 as typed. Which day `effective_on` is depends on the kind (`Movement.day`)."""

    kind: str
    effective_on: date | None = None
    accepted_on: date | None = None  # 転学: the day the next school accepted the child
    left_on: date | None = None  # 転学: last day at this school; 居所不明: since when
    until_on: date | None = None  # 就学猶予, 区域外就学: last day, where one is set
    ground: str = ""
    school_grade: str = ""  # of entries
    counterpart_name: str = ""
    counterpart_address: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Entering:
    """Facts of the moment about an 異動 that is entered. `event_id` and `roll_id` are the ids given to what is new."""

    event_id: UUID
    roll_id: UUID
    at: datetime
    by: UUID | None
    today: date
    born_on: date | None
    school_names: Mapping[UUID, str]


def begin(
    pupil_id: UUID, school_id: UUID, elementary: bool, movement: Movement, others: Sequence[Enrolment], now: Entering
) -> Enrolment:
    """A child comes on the roll: 入学, 編入学, 転入学 or 復籍.

    `others`: its other times on a roll of the board. Raises: EnrolmentProblem.
    """
    event = _entry(pupil_id, school_id, now.roll_id, elementary, movement, now)
    assert event.effective_on is not None
    may_begin(others, event.effective_on, dict(now.school_names))
    if movement.kind == "reinstated":
        _may_come_back(school_id, event.effective_on, others)
    return Enrolment(
        now.roll_id, pupil_id, school_id, Period(event.effective_on), ACTIVE, movement.kind, "", event.school_grade, 1,
        (event,),
    )  # fmt: skip


def _entry(
    pupil_id: UUID, school_id: UUID, roll_id: UUID, elementary: bool, movement: Movement, now: Entering
) -> EnrolmentEvent:
    on = movement.effective_on
    if on is None:
        raise EnrolmentProblem("在籍の始まる日を入力してください。", "effective_on")
    if movement.school_grade not in set(SchoolGrade):
        raise EnrolmentProblem("学年を選んでください。", "school_grade")
    if SchoolGrade(movement.school_grade).elementary != elementary:
        raise EnrolmentProblem("この学校にその学年はありません。", "school_grade")
    if movement.kind == "admitted" and SchoolGrade(movement.school_grade).year != 1:
        raise EnrolmentProblem(
            "入学は第1学年です。途中の学年に入るときは、転入学か編入学を選んでください。", "school_grade"
        )
    if movement.kind == "transferred_in" and not movement.counterpart_name:
        raise EnrolmentProblem("前の学校の名を入力してください。", "counterpart_name")
    _needs_reason(movement)
    return _event(roll_id, pupil_id, school_id, movement, on, movement.school_grade, now)


def _event(
    roll_id: UUID, pupil_id: UUID, school_id: UUID, movement: Movement, on: date | None, school_grade: str,
    now: Entering,
) -> EnrolmentEvent:  # fmt: skip
    return EnrolmentEvent(
        now.event_id, roll_id, pupil_id, movement.kind, school_id, on, movement.left_on, school_grade,
        movement.counterpart_name, movement.counterpart_address, movement.reason, now.at, now.by,
        until_on=movement.until_on,
    )  # fmt: skip


def _needs_reason(movement: Movement) -> None:
    if movement.kind in _REASON_NEEDED and not movement.reason:
        raise EnrolmentProblem(_REASON_NEEDED[movement.kind], "reason")


def _may_come_back(school_id: UUID, on: date, others: Sequence[Enrolment]) -> None:
    before = [roll for roll in others if roll.period.ends_on is not None and roll.period.ends_on < on]
    last = max(before, key=lambda roll: roll.period.starts_on, default=None)
    if last is None or last.school_id != school_id or last.left_by != "not_enrolled":
        raise EnrolmentProblem(
            "復籍にできるのは、この学校で居所不明により在学しない者となった児童生徒だけです。"
            "就学猶予・免除の終わりや帰国は編入学、ほかの学校からは転入学を選んでください。",
            "kind",
        )


def enter(roll: Enrolment, movement: Movement, now: Entering) -> Enrolment:
    """An 異動 of a child on the roll: it leaves, or something is noted.

    Raises: EnrolmentProblem.
    """
    if roll.state == ENDED:
        raise EnrolmentProblem("この学校の在籍はすでに終わっています。直すときは、児童生徒のページで訂正してください。")
    if movement.kind == OUT_OF_DISTRICT:
        return replace(roll, events=(*roll.events, _note(roll, movement, now)), version=roll.version + 1)
    if movement.kind == "transferred_out":
        return _transfer_on_paper(roll, movement, now)
    if roll.state == LEAVING:
        raise EnrolmentProblem("転出の手続き中です。ほかの異動にするときは、先に転出を取り消してください。")
    return leave(
        roll, _decision(movement), born_on=now.born_on, today=now.today, event_id=now.event_id, at=now.at, by=now.by
    )


def _decision(movement: Movement) -> Decision:
    unknown = movement.kind == "not_enrolled"
    return Decision(
        _DECISIONS[movement.kind], movement.reason, movement.effective_on, movement.ground,
        movement.left_on if unknown else None, movement.until_on if movement.kind == "deferred" else None,
        movement.counterpart_name, movement.counterpart_address,
    )  # fmt: skip


def _transfer_on_paper(roll: Enrolment, movement: Movement, now: Entering) -> Enrolment:
    """転学 to a school that answers on paper: both dates are typed from its 転入学通知書."""
    left, accepted = movement.left_on, movement.accepted_on
    if left is None:
        raise EnrolmentProblem("学校を去った日（最後の登校日）を入力してください。", "left_on")
    if accepted is None:
        raise EnrolmentProblem("受入校が受け入れた日を入力してください。転入学通知書に書かれています。", "accepted_on")
    if left < roll.period.starts_on:
        began = japanese_date(roll.period.starts_on)
        raise EnrolmentProblem(f"学校を去った日は、在籍の始まった{began}以後の日付にしてください。", "left_on")
    if accepted <= left:
        raise EnrolmentProblem(
            f"受け入れた日は、学校を去った{japanese_date(left)}より後の日付にしてください。", "accepted_on"
        )
    if accepted > now.today:
        raise EnrolmentProblem(
            "受け入れた日は、今日までの日付にしてください。先の予定は「転出の手続き」で起案できます。", "accepted_on"
        )
    if not movement.counterpart_name:
        raise EnrolmentProblem("転学先の学校の名を入力してください。", "counterpart_name")
    pending = pending_departure(roll)
    if pending is None:
        departure = _event(roll.id, roll.pupil_id, roll.school_id, movement, None, roll.school_grade, now)
        roll, pending = depart(roll, departure), departure
    said = replace(
        pending, counterpart_name=movement.counterpart_name, reason=movement.reason or pending.reason,
        counterpart_address=movement.counterpart_address or pending.counterpart_address,
    )  # fmt: skip
    told = replace(roll, events=tuple(said if event.id == pending.id else event for event in roll.events))
    return close_transferred(told, left, accepted)


def _note(roll: Enrolment, movement: Movement, now: Entering) -> EnrolmentEvent:
    """区域外就学: granted by the board of the place of residence and ours (学校教育法施行令 9条)."""
    on, until = movement.effective_on, movement.until_on
    if on is None:
        raise EnrolmentProblem("区域外就学の始まる日を入力してください。", "effective_on")
    if on < roll.period.starts_on:
        began = japanese_date(roll.period.starts_on)
        raise EnrolmentProblem(f"始まる日は、在籍の始まった{began}以後の日付にしてください。", "effective_on")
    if until is not None and until < on:
        raise EnrolmentProblem("終わりの日は、始まる日以後の日付にしてください。", "until_on")
    if not movement.counterpart_name:
        raise EnrolmentProblem("住所のある市区町村の教育委員会を入力してください。", "counterpart_name")
    _needs_reason(movement)
    return _event(roll.id, roll.pupil_id, roll.school_id, movement, on, roll.school_grade, now)


def strike(roll: Enrolment, event_id: UUID, others: Sequence[Enrolment]) -> Enrolment:
    """Take an 異動 back that was a mistake; it stays struck and readable.

    An exit: the roll goes on. An entry: the roll never was. Raises: EnrolmentProblem.
    """
    event = standing_event(roll, event_id)
    if event.kind in EXITS:
        if event.effective_on is None:
            raise EnrolmentProblem("転出の手続き中の記録です。「転出」の画面で取り消してください。")
        again = Period(roll.period.starts_on)
        if any(other.period.overlaps(again) for other in others):
            raise EnrolmentProblem("その後にほかの在籍があるため、取り消せません。先にその在籍を取り消してください。")
        after = replace(roll, period=again, state=ACTIVE, left_by="")
    elif event.kind in ENTRIES:
        if any(one.kind not in ENTRIES and not one.struck for one in roll.events):
            raise EnrolmentProblem("その後の異動が入力されています。先に新しいほうの異動を取り消してください。")
        after = replace(roll, period=Period(roll.period.starts_on, day_before(roll.period.starts_on)), state=ENDED)
    else:
        after = roll
    return replace(after, events=_with_struck(roll, event_id), version=roll.version + 1)


def standing_event(roll: Enrolment, event_id: UUID) -> EnrolmentEvent:
    """The event, if it may still be changed by hand.

    Raises: EnrolmentProblem.
    """
    event = next(one for one in roll.events if one.id == event_id)
    if event.struck:
        raise EnrolmentProblem("すでに訂正または取り消された記録です。")
    if event.transfer_id is not None:
        raise EnrolmentProblem(
            "相手の学校と電子的に取り交わした記録のため、こちらだけでは直せません。"
            "相手の学校に連絡し、双方の日付が合うように、教育委員会に相談してください。"
        )
    return event


def correct(
    roll: Enrolment, event_id: UUID, elementary: bool, movement: Movement, others: Sequence[Enrolment], now: Entering
) -> Enrolment:
    """The same 異動 with other dates or words: the former entry is struck, a new one stands in its place.

    Raises: EnrolmentProblem.
    """
    former = standing_event(roll, event_id)
    if movement.kind != former.kind:
        raise EnrolmentProblem("異動の種類は変えられません。取り消してから、正しい異動を入力してください。", "kind")
    if former.kind in ENTRIES:
        entry = _entry(roll.pupil_id, roll.school_id, roll.id, elementary, movement, now)
        assert entry.effective_on is not None
        ends_on = roll.period.ends_on
        if ends_on is not None and entry.effective_on > ends_on:
            raise EnrolmentProblem(f"在籍の終わった{japanese_date(ends_on)}より後にはできません。", "effective_on")
        period = Period(entry.effective_on, ends_on)
        if any(other.period.overlaps(period) for other in others):
            raise EnrolmentProblem("ほかの在籍と重なります。", "effective_on")
        still = roll.school_grade == former.school_grade  # nobody was moved up since
        return replace(
            roll, period=period, school_grade=entry.school_grade if still else roll.school_grade,
            events=(*_with_struck(roll, event_id), entry), version=roll.version + 1,
        )  # fmt: skip
    reopened = strike(roll, event_id, others)
    return replace(enter(reopened, movement, now), version=roll.version + 1)


def _with_struck(roll: Enrolment, event_id: UUID) -> tuple[EnrolmentEvent, ...]:
    return tuple(replace(event, struck=True) if event.id == event_id else event for event in roll.events)
