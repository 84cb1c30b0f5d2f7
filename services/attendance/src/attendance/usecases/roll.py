"""Taking the roll: everybody is present, the exceptions are marked, the day is saved as one sheet (出席簿)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

from servicekit.auth import Actor
from servicekit.clock import day_in_jst
from servicekit.db import Transaction
from servicekit.errors import Conflict, Invalid, Refused, Unseen, Violation

from attendance import policy
from attendance.domain.calendar import DayState, days_between, state_of
from attendance.domain.marks import Mark, MarkChange, NotInClass, RetiredSymbol, Symbol, UnknownSymbol, changes_of_day
from attendance.domain.register import SchoolClass
from attendance.events import day_taken
from attendance.store import day_page, marks, register
from attendance.store.day_page import DayFacts
from attendance.store.marks import DaySheet, PastChange
from attendance.usecases import standing

_STATES = {
    DayState.NO_LESSON: "授業日ではありません",
    DayState.CLOSED_SCHOOL: "臨時休業の日です",
    DayState.CLOSED_SCHOOL_GRADE: "学年閉鎖の日です",
    DayState.CLOSED_CLASS: "学級閉鎖の日です",
}


@dataclass(frozen=True, slots=True)
class Day:
    """One class on one day as the entry page shows it."""

    homeroom: SchoolClass
    on: date
    state: DayState
    note: str
    marks: Sequence[Mark]
    symbols: Sequence[Symbol]
    reasons: Sequence[str]
    sheet: DaySheet | None
    locked_reason: str
    unmarked_days: Sequence[date]


@dataclass(frozen=True, slots=True)
class SaveDay:
    """Exceptions of a day; `version` is the sheet's as the teacher saw it (0 = not taken)."""

    class_id: UUID
    on: date
    exceptions: Sequence[Mark]
    version: int
    why: str


async def get_day(tx: Transaction, actor: Actor, class_id: UUID, on: date) -> Day:
    """The day sheet of a class. Raises: Unseen, Refused."""
    facts = await _facts(tx, actor, class_id, on)
    homeroom, stand = facts.homeroom, facts.standing
    policy.may_read_class(actor, homeroom, stand).enforce()
    day = _day(tx, facts, on)
    if not day.locked_reason and not (may := policy.may_take_roll(actor, homeroom, stand)).allowed:
        return replace(day, locked_reason=may.message)
    return day


async def save_day(tx: Transaction, actor: Actor, command: SaveDay) -> Day:
    """Take the roll of a day, or correct one taken before; a correction keeps what was there, by whom and why.

    Raises: Unseen, Refused (locked term, no lesson day, future day), Invalid, Conflict (saved by somebody since).
    """
    await marks.hold_symbols(tx, for_change=False)
    facts = await _facts(tx, actor, command.class_id, command.on)
    homeroom = facts.homeroom
    policy.may_take_roll(actor, homeroom, facts.standing).enforce()
    day = _day(tx, facts, command.on)
    if day.locked_reason:
        raise Refused(day.locked_reason, reason="LOCKED")
    correction = day.sheet is not None
    today = day_in_jst(tx.now)
    why = command.why.strip() or ("当日の訂正" if command.on == today else "")
    if correction and not why:
        missing = Violation("correction_reason", "過ぎた日の訂正には理由が要ります。")
        raise Invalid("訂正の理由を入力してください。", [missing])
    if command.version != (day.sheet.version if day.sheet else 0):
        raise _saved_meanwhile(day)
    try:
        now = {mark.pupil_id: mark for mark in day.marks}
        changes = changes_of_day(list(now), now, command.exceptions, {s.key: s for s in day.symbols}, command.on)
    except UnknownSymbol as unknown:
        wrong = Violation(f"marks.{unknown.pupil_id}", f"「{unknown.symbol}」は出欠記号にありません。")
        raise Invalid("この記号は使えません。", [wrong]) from unknown
    except RetiredSymbol as retired:
        wrong = Violation(f"marks.{retired.pupil_id}", f"「{retired.symbol.label}」は使わないことになった記号です。")
        message = "この記号はもう使えません。画面を読み込み直して、ほかの記号を選んでください。"
        raise Invalid(message, [wrong]) from retired
    except NotInClass as stranger:
        raise Invalid(
            "学級にいない児童生徒が含まれています。画面を読み込み直してください。",
            [Violation(f"marks.{stranger.pupil_id}", "この日は学級に在籍していません。")],
        ) from stranger
    sheet = await marks.take(tx, homeroom.id, command.on, command.version, actor.person_id)
    if sheet is None:
        facts = await _facts(tx, actor, homeroom.id, command.on)
        raise _saved_meanwhile(_day(tx, facts, command.on))
    marks.save(tx, homeroom.id, command.on, changes, actor.person_id, why, keep=correction)
    verb = "corrected" if correction else "taken"
    told = _told(command.on, why if correction else "")
    tx.audit(f"attendance_day.{verb}", homeroom.id, subject_id=homeroom.id, after=told)
    for change in changes:
        tx.audit(
            "attendance_mark.corrected" if correction else "attendance_mark.entered",
            homeroom.id,
            subject_id=change.pupil_id,
            before={"symbol": change.before.symbol, "reason": change.before.reason},
            after={
                "symbol": change.after.symbol,
                "reason": change.after.reason,
                **told,
            },
        )
    saved = replace(day, sheet=sheet, marks=_after(day.marks, changes))
    tx.emit(day_taken(homeroom, command.on, sheet.version, saved.marks, saved.symbols, correction=correction))
    return saved


async def get_history(tx: Transaction, actor: Actor, pupil_id: UUID, on: date) -> list[PastChange]:
    """Every correction of one child's day. Raises: Unseen, Refused."""
    places = await register.memberships_of(tx, [pupil_id], on, on)
    if not places:
        raise Unseen
    homeroom, stand = await standing.of_class(tx, actor, places[0].class_id)
    policy.may_read_class(actor, homeroom, stand).enforce()
    return await marks.history(tx, pupil_id, on)


async def _facts(tx: Transaction, actor: Actor, class_id: UUID, on: date) -> DayFacts:
    facts = await day_page.facts(tx, class_id, actor.person_id, on, day_in_jst(tx.now))
    if facts is None:
        raise Unseen
    return facts


def _day(tx: Transaction, facts: DayFacts, on: date) -> Day:
    today = day_in_jst(tx.now)
    homeroom = facts.homeroom

    def state_on(day: date) -> tuple[DayState, str]:
        return state_of(facts.days.get(day), facts.closures, homeroom.school_grade, homeroom.id)

    state, note = state_on(on)
    return Day(
        homeroom=homeroom,
        on=on,
        state=state,
        note=note,
        marks=facts.marks,
        symbols=list(facts.symbols.values()),
        reasons=facts.reasons,
        sheet=facts.sheet,
        locked_reason=_why_locked(on, today, state, note, facts.lock.reason() if facts.lock else ""),
        unmarked_days=[
            past
            for past in days_between(on.replace(day=1), min(on, today) - timedelta(days=1))
            if past not in facts.taken_days and state_on(past)[0] is DayState.LESSON
        ],
    )


def _after(marks_before: Sequence[Mark], changes: Sequence[MarkChange]) -> list[Mark]:
    """The marks of the roll as they stand once the changes are written."""
    written = {change.pupil_id: replace(change.after, version=change.before.version + 1) for change in changes}
    return [written.get(mark.pupil_id, mark) for mark in marks_before]


def _why_locked(on: date, today: date, state: DayState, note: str, term_lock: str) -> str:
    if state is not DayState.LESSON:
        return f"{_STATES[state]}{f'（{note}）' if note else ''}。出欠の記入はありません。"
    if on > today:
        return "まだ来ていない日の出欠は記入できません。"
    return term_lock


def _told(on: date, why: str) -> dict[str, str]:
    return {"on": on.isoformat()} | ({"why": why} if why else {})


def _saved_meanwhile(day: Day) -> Conflict:
    who = {"taken_by": str(day.sheet.taken_by), "taken_at": day.sheet.taken_at.isoformat()} if day.sheet else {}
    return Conflict("この日の出席簿は、開いている間にほかの人が保存しました。違いを確かめてください。", who)
