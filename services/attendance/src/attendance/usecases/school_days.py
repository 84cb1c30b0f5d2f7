"""授業日 and 臨時休業: deciding which days count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from servicekit.auth import Actor
from servicekit.db import Transaction
from servicekit.errors import Conflict, Invalid, Unseen, Violation
from servicekit.ids import uuid7

from attendance import policy
from attendance.domain.calendar import CalendarDay, Closure, school_year_of
from attendance.events import closure_changed
from attendance.store import calendar, register
from attendance.store.calendar import SchoolCalendar
from attendance.usecases import standing


@dataclass(frozen=True, slots=True)
class DeclareClosure:
    """臨時休業 of a school, one 学年 or one class (学校保健安全法 20条)."""

    school_id: UUID
    starts_on: date
    ends_on: date
    reason: str
    school_grade: str
    class_id: UUID | None


async def list_closures(tx: Transaction, actor: Actor, school_id: UUID, from_on: date, to_on: date) -> list[Closure]:
    """Closures of a school, cancelled ones included. Raises: Unseen."""
    policy.may_read_school(actor, await standing.of_school(tx, actor, school_id)).enforce()
    return await calendar.closures_between(tx, school_id, from_on, to_on)


async def declare_closure(tx: Transaction, actor: Actor, command: DeclareClosure) -> Closure:
    """Enter a closure. Raises: Unseen, Refused, Invalid."""
    policy.may_decide_school_days(actor, await standing.of_school(tx, actor, command.school_id)).enforce()
    violations = []
    if command.ends_on < command.starts_on:
        violations.append(Violation("ends_on", "終わりの日は始まりの日以後にしてください。"))
    if school_year_of(command.starts_on) != school_year_of(command.ends_on):
        violations.append(Violation("ends_on", "年度をまたぐ休業は年度ごとに分けて入力してください。"))
    if not command.reason.strip():
        violations.append(Violation("reason", "理由を入力してください（例：インフルエンザ）。"))
    if command.school_grade and command.class_id:
        violations.append(Violation("class_id", "学年閉鎖か学級閉鎖のどちらかを選んでください。"))
    if command.class_id is not None:
        homeroom = await register.get_class(tx, command.class_id)
        if homeroom is None or homeroom.school_id != command.school_id:
            raise Unseen
    if violations:
        raise Invalid("臨時休業の内容を確かめてください。", violations)
    closure = Closure(
        uuid7(),
        command.school_id,
        command.starts_on,
        command.ends_on,
        command.reason.strip(),
        command.school_grade,
        command.class_id,
    )
    await calendar.add_closure(tx, closure)
    tx.audit("closure.declared", closure.id, subject_id=closure.school_id, after=_audited(closure))
    tx.emit(closure_changed(closure))
    return closure


async def cancel_closure(tx: Transaction, actor: Actor, closure_id: UUID, reason: str) -> Closure:
    """Take a closure back; the entry stays readable. Raises: Unseen, Refused, Invalid."""
    closure = await calendar.get_closure(tx, closure_id)
    if closure is None:
        raise Unseen
    policy.may_decide_school_days(actor, await standing.of_school(tx, actor, closure.school_id)).enforce()
    if not reason.strip():
        raise Invalid("取り消しの理由を入力してください。", [Violation("reason", "理由を入力してください。")])
    if closure.cancelled:
        return closure
    await calendar.cancel_closure(tx, closure_id, tx.now)
    cancelled = replace(closure, cancelled=True)
    tx.audit(
        "closure.cancelled",
        closure_id,
        subject_id=closure.school_id,
        before=_audited(closure),
        after={"why": reason.strip()},
    )
    tx.emit(closure_changed(cancelled))
    return cancelled


async def get_calendar(tx: Transaction, actor: Actor, school_id: UUID, school_year: int) -> SchoolCalendar:
    """A school's year, day by day. Raises: Unseen."""
    policy.may_read_school(actor, await standing.of_school(tx, actor, school_id)).enforce()
    return await _calendar(tx, school_id, school_year)


async def set_calendar(
    tx: Transaction, actor: Actor, school_id: UUID, school_year: int, changed: Sequence[CalendarDay], version: int
) -> SchoolCalendar:
    """Change some days of the year. Raises: Unseen, Refused, Invalid, Conflict."""
    policy.may_decide_school_days(actor, await standing.of_school(tx, actor, school_id)).enforce()
    outside = [day.on.isoformat() for day in changed if school_year_of(day.on) != school_year]
    if outside:
        raise Invalid(
            f"{school_year}年度の日ではありません。", [Violation("days", f"{'、'.join(outside)}は別の年度の日です。")]
        )
    before = await _calendar(tx, school_id, school_year)
    if not await calendar.change(tx, school_id, school_year, changed, version):
        raise Conflict("年間の授業日は、開いている間にほかの人が保存しました。読み込み直してください。", {})
    was = {day.on: day for day in before.days}
    tx.audit(
        "calendar.changed",
        school_id,
        subject_id=school_id,
        before={day.on.isoformat(): _line(was.get(day.on)) for day in changed},
        after={day.on.isoformat(): _line(day) for day in changed},
    )
    return await _calendar(tx, school_id, school_year)


async def _calendar(tx: Transaction, school_id: UUID, school_year: int) -> SchoolCalendar:
    found = await calendar.days(tx, school_id, date(school_year, 4, 1), date(school_year + 1, 3, 31))
    version = await calendar.version_of(tx, school_id, school_year)
    return SchoolCalendar(school_id, school_year, tuple(found[on] for on in sorted(found)), version)


def _line(day: CalendarDay | None) -> str:
    if day is None:
        return ""
    return f"{'授業日' if day.lesson else '休業日'} {day.note} {','.join(day.school_grades)}".strip()


def _audited(closure: Closure) -> dict[str, str]:
    return {
        "from": closure.starts_on.isoformat(),
        "to": closure.ends_on.isoformat(),
        "school_grade": closure.school_grade,
        "class_id": str(closure.class_id or ""),
        "reason": closure.reason,
    }
