"""出欠: taking the roll, the month sheet, closures and the calendar."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from jpschool.days import read_day, read_month
from komu.attendance.v1 import attendance_pb2 as pb
from komu.roster.v1 import roster_pb2
from servicekit.clock import today_jst
from servicekit.errors import Conflict, Invalid

from portal.nav import NavItem
from portal.rpc import Rpc, rpc
from portal.session import SignedIn, signed_in
from portal.typed import version_of
from portal.view import redirect, view

router = APIRouter(prefix="/attendance")
STAFF = {"teacher", "vice_principal", "principal", "office"}
LEADERS = {"vice_principal", "principal"}
NAV = [NavItem("出欠", "/attendance", roles=STAFF, order=10)]

User = Annotated[SignedIn, Depends(signed_in)]
Calls = Annotated[Rpc, Depends(rpc)]

STATES = {
    pb.DAY_STATE_LESSON: "授業日",
    pb.DAY_STATE_NO_LESSON: "休業日",
    pb.DAY_STATE_CLOSED_SCHOOL: "臨時休業",
    pb.DAY_STATE_CLOSED_SCHOOL_GRADE: "学年閉鎖",
    pb.DAY_STATE_CLOSED_CLASS: "学級閉鎖",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One child of the day sheet: as typed, and as saved by somebody else where that differs."""

    pupil: roster_pb2.Pupil
    symbol: str
    reason: str
    saved_by_others: str = ""


def _asked_day(value: str | None) -> date:
    if not value:
        return today_jst()
    try:
        return read_day(value)
    except ValueError:
        raise Invalid("日付の形が正しくありません。例：2026-11-20") from None


def _asked_month(value: str) -> date:
    try:
        return read_month(value)
    except ValueError:
        raise Invalid("月の形が正しくありません。例：2026-11") from None


@router.get("")
async def index(request: Request, user: User, rpc: Calls, on: str | None = None) -> Response:
    """My classes and, for those who lead, every class of the school on a day."""
    day = _asked_day(on)
    me = await rpc.roster.WhoAmI(roster_pb2.WhoAmIRequest())
    schools = list(me.schools)
    mine = {duty.class_id for duty in me.duties if duty.class_id}
    lists, days = await asyncio.gather(
        asyncio.gather(*(rpc.roster.ListClasses(roster_pb2.ListClassesRequest(school_id=s.id)) for s in schools)),
        asyncio.gather(
            *(rpc.attendance.GetSchoolDay(pb.GetSchoolDayRequest(school_id=s.id, on=day.isoformat())) for s in schools)
        ),
    )
    states = {entry.class_id: entry for answer in days for entry in answer.classes}
    facts = {
        "on": day,
        "today": today_jst(),
        "previous": day - timedelta(days=1),
        "next": day + timedelta(days=1),
        "schools": [(school, list(found.classes)) for school, found in zip(schools, lists, strict=True)],
        "states": states,
        "mine": mine,
        "labels": STATES,
        "leads": user.roles & LEADERS,
        "reads_all": bool(user.roles & (LEADERS | {"office"})),
    }
    return view(request, "attendance/index.html", facts, title="出欠")


async def _sheet(
    rpc: Rpc, class_id: str, day: date, sheet: pb.GetDayReply | None = None
) -> tuple[roster_pb2.GetClassRosterReply, pb.GetDayReply]:
    roll = rpc.roster.GetClassRoster(roster_pb2.GetClassRosterRequest(class_id=class_id, on=day.isoformat()))
    if sheet is not None:
        return await roll, sheet
    both = await asyncio.gather(roll, rpc.attendance.GetDay(pb.GetDayRequest(class_id=class_id, on=day.isoformat())))
    return both[0], both[1]


def _day_view(
    request: Request,
    roll: roster_pb2.GetClassRosterReply,
    sheet: pb.GetDayReply,
    day: date,
    *,
    typed: Mapping[str, tuple[str, str]] | None = None,
    why: str = "",
    errors: Any = (),
    conflict: str = "",
    status: int = 200,
) -> Response:
    saved = {mark.pupil_id: mark for mark in sheet.marks}
    labels = {symbol.key: symbol.label for symbol in sheet.symbols} | {"": "出席"}
    rows = []
    for entry in roll.entries:
        mark = saved.get(entry.pupil.id)
        if mark is None:
            continue
        symbol, reason = (mark.symbol, mark.reason) if typed is None else typed.get(entry.pupil.id, ("", ""))
        differs = conflict and (symbol, reason) != (mark.symbol, mark.reason)
        other = f"{labels[mark.symbol]}{f'（{mark.reason}）' if mark.reason else ''}" if differs else ""
        rows.append(Row(entry.pupil, symbol, reason, other))
    facts = {
        "class_": getattr(roll, "class"),
        "school": roll.school,
        "staff": {person.staff_id: person.names.display for person in roll.staff},
        "sheet": sheet,
        "rows": rows,
        "on": day,
        "today": today_jst(),
        "previous": day - timedelta(days=1),
        "next": day + timedelta(days=1),
        "state": STATES[sheet.state],
        "why": why,
        "errors": errors,
        "conflict": conflict,
        "past": day < today_jst(),
    }
    title = f"{getattr(roll, 'class').name} 出欠"
    return view(request, "attendance/day.html", facts, title=title, status=status)


@router.get("/classes/{class_id}")
async def day(request: Request, class_id: str, user: User, rpc: Calls, on: str | None = None) -> Response:
    """The day sheet of a class."""
    asked = _asked_day(on)
    roll, sheet = await _sheet(rpc, class_id, asked)
    return _day_view(request, roll, sheet, asked)


@router.post("/classes/{class_id}")
async def save(request: Request, class_id: str, user: User, rpc: Calls, on: Annotated[str, Query()]) -> Response:
    """Save the roll: everybody who is not an exception is present."""
    asked = _asked_day(on)
    form = await request.form()
    typed = {
        key.removeprefix("mark-"): (str(value), str(form.get(f"reason-{key.removeprefix('mark-')}", "")).strip())
        for key, value in form.items()
        if key.startswith("mark-")
    }
    typed = {pupil: (symbol, reason if symbol else "") for pupil, (symbol, reason) in typed.items()}
    why = str(form.get("correction_reason", ""))
    command = pb.SaveDayRequest(
        class_id=class_id,
        on=asked.isoformat(),
        exceptions=[
            pb.DayMark(pupil_id=pupil, symbol=symbol, reason=reason)
            for pupil, (symbol, reason) in typed.items()
            if symbol
        ],
        version=version_of(form.get("version")),
        correction_reason=why,
    )
    try:
        await rpc.attendance.SaveDay(command)
    except Conflict as conflict:
        roll, sheet = await _sheet(rpc, class_id, asked)
        return _day_view(request, roll, sheet, asked, typed=typed, why=why, conflict=conflict.message, status=409)
    except Invalid as invalid:
        roll, sheet = await _sheet(rpc, class_id, asked)
        return _day_view(request, roll, sheet, asked, typed=typed, why=why, errors=invalid.violations, status=422)
    told = f"出席以外 {len(command.exceptions)}人" if command.exceptions else "全員出席"
    notice = f"{asked.month}月{asked.day}日の出欠を保存しました（{told}）。"
    return redirect(request, f"/attendance/classes/{class_id}?on={asked.isoformat()}", notice=notice)


@router.get("/classes/{class_id}/month/{month}")
async def month(request: Request, class_id: str, month: str, user: User, rpc: Calls) -> Response:
    """出席簿 of a month with its sums."""
    first = _asked_month(month)
    roll, sheet = await asyncio.gather(
        rpc.roster.GetClassRoster(roster_pb2.GetClassRosterRequest(class_id=class_id, whole_year=True)),
        rpc.attendance.GetMonth(pb.GetMonthRequest(class_id=class_id, month=f"{first:%Y-%m}")),
    )
    pupils = {entry.pupil.id: entry.pupil for entry in roll.entries}
    homeroom = getattr(roll, "class")
    months = [date(homeroom.school_year + (m < 4), m, 1) for m in (4, 5, 6, 7, 8, 9, 10, 11, 12, 1, 2, 3)]
    facts = {
        "class_": homeroom,
        "school": roll.school,
        "month": first,
        "months": months,
        "days": [(date.fromisoformat(day.on), day) for day in sheet.days],
        "rows": [(pupils[row.pupil_id], row) for row in sheet.pupils if row.pupil_id in pupils],
        "symbols": sheet.symbols,
        "statistics": sheet.statistics,
        "labels": STATES,
        "teachers": [
            (person.names.display, duty.period)
            for duty in roll.duties
            if duty.kind == roster_pb2.DUTY_KIND_HOMEROOM and duty.class_id == class_id
            for person in roll.staff
            if person.staff_id == duty.staff_id
        ],
        "lesson": pb.DAY_STATE_LESSON,
        "closed_class": pb.DAY_STATE_CLOSED_CLASS,
        "today": today_jst(),
    }
    return view(request, "attendance/month.html", facts, title=f"{homeroom.name} 出席簿 {first.year}年{first.month}月")


@router.get("/classes/{class_id}/history/{pupil_id}")
async def history(
    request: Request, class_id: str, pupil_id: str, user: User, rpc: Calls, on: Annotated[str, Query()]
) -> Response:
    """Corrections of one child's day: what was there, who changed it, why."""
    asked = _asked_day(on)
    roll, found, sheet = await asyncio.gather(
        rpc.roster.GetClassRoster(roster_pb2.GetClassRosterRequest(class_id=class_id, whole_year=True)),
        rpc.attendance.GetMarkHistory(pb.GetMarkHistoryRequest(pupil_id=pupil_id, on=asked.isoformat())),
        rpc.attendance.GetDay(pb.GetDayRequest(class_id=class_id, on=asked.isoformat())),
    )
    people = sorted({change.actor_id for change in found.changes})
    names = await rpc.roster.GetPeopleNames(roster_pb2.GetPeopleNamesRequest(person_ids=people)) if people else None
    facts = {
        "class_": getattr(roll, "class"),
        "pupil": next((e.pupil for e in roll.entries if e.pupil.id == pupil_id), None),
        "on": asked,
        "changes": found.changes,
        "names": {person.person_id: person.names.display for person in names.people} if names else {},
        "labels": {symbol.key: symbol.label for symbol in sheet.symbols} | {"": "出席"},
    }
    return view(request, "attendance/history.html", facts, title="訂正の記録")


@router.get("/schools/{school_id}/closures")
async def closures(request: Request, school_id: str, user: User, rpc: Calls) -> Response:
    """臨時休業 of the school: whole, 学年 or class."""
    return await _closures_view(request, school_id, user, rpc, {}, ())


async def _closures_view(
    request: Request, school_id: str, user: SignedIn, rpc: Rpc, typed: Mapping[str, str], errors: Any, status: int = 200
) -> Response:
    today = today_jst()
    year = today.year if today.month >= 4 else today.year - 1
    schools, classes, found = await asyncio.gather(
        rpc.roster.ListSchools(roster_pb2.ListSchoolsRequest()),
        rpc.roster.ListClasses(roster_pb2.ListClassesRequest(school_id=school_id, limit=500)),
        rpc.attendance.ListClosures(
            pb.ListClosuresRequest(school_id=school_id, from_on=f"{year}-04-01", to_on=f"{year + 1}-03-31")
        ),
    )
    homerooms = [entry for entry in classes.classes if getattr(entry, "class").kind != roster_pb2.CLASS_KIND_COURSE]
    facts = {
        "school": next((school for school in schools.schools if school.id == school_id), None),
        "school_id": school_id,
        "classes": [getattr(entry, "class") for entry in homerooms],
        "school_grades": sorted({getattr(entry, "class").school_grade for entry in homerooms}),
        "names": {getattr(entry, "class").id: getattr(entry, "class").name for entry in homerooms},
        "closures": sorted(found.closures, key=lambda closure: closure.starts_on, reverse=True),
        "decides": bool(user.roles & (LEADERS | {"board_admin"})),
        "typed": {"scope": "", "starts_on": today.isoformat(), "ends_on": today.isoformat(), "reason": ""}
        | dict(typed),
        "errors": errors,
    }
    return view(request, "attendance/closures.html", facts, title="臨時休業", status=status)


@router.post("/schools/{school_id}/closures")
async def declare_closure(request: Request, school_id: str, user: User, rpc: Calls) -> Response:
    """Enter a closure."""
    typed = {key: str(value) for key, value in (await request.form()).items()}
    scope, _, target = typed.get("scope", "").partition(":")
    closure = pb.Closure(
        school_id=school_id,
        school_grade=target if scope == "school_grade" else "",
        class_id=target if scope == "class" else "",
        starts_on=typed.get("starts_on", ""),
        ends_on=typed.get("ends_on", ""),
        reason=typed.get("reason", ""),
    )
    try:
        await rpc.attendance.DeclareClosure(pb.DeclareClosureRequest(closure=closure))
    except Invalid as invalid:
        return await _closures_view(request, school_id, user, rpc, typed, invalid.violations, status=422)
    return redirect(request, f"/attendance/schools/{school_id}/closures", notice="臨時休業を登録しました。")


@router.post("/schools/{school_id}/closures/{closure_id}/cancel")
async def cancel_closure(request: Request, school_id: str, closure_id: str, user: User, rpc: Calls) -> Response:
    """Take a closure back, with a reason."""
    form = await request.form()
    await rpc.attendance.CancelClosure(
        pb.CancelClosureRequest(closure_id=closure_id, reason=str(form.get("reason", "")))
    )
    return redirect(request, f"/attendance/schools/{school_id}/closures", notice="臨時休業を取り消しました。")


@router.get("/schools/{school_id}/calendar")
async def calendar(request: Request, school_id: str, user: User, rpc: Calls, month: str | None = None) -> Response:
    """授業日 of the school, a month at a time."""
    first = _asked_month(month) if month else today_jst().replace(day=1)
    year = first.year if first.month >= 4 else first.year - 1
    schools, found = await asyncio.gather(
        rpc.roster.ListSchools(roster_pb2.ListSchoolsRequest()),
        rpc.attendance.GetCalendar(pb.GetCalendarRequest(school_id=school_id, school_year=year)),
    )
    days = [(date.fromisoformat(entry.on), entry) for entry in found.days]
    facts = {
        "school": next((school for school in schools.schools if school.id == school_id), None),
        "school_id": school_id,
        "month": first,
        "months": [date(year + (m < 4), m, 1) for m in (4, 5, 6, 7, 8, 9, 10, 11, 12, 1, 2, 3)],
        "days": [(on, entry) for on, entry in days if (on.year, on.month) == (first.year, first.month)],
        "lesson_days": sum(entry.lesson for _, entry in days),
        "version": found.version,
        "decides": bool(user.roles & (LEADERS | {"board_admin"})),
        "year": year,
    }
    return view(request, "attendance/calendar.html", facts, title="授業日")


@router.post("/schools/{school_id}/calendar")
async def set_calendar(
    request: Request, school_id: str, user: User, rpc: Calls, month: Annotated[str, Query()]
) -> Response:
    """Save the month's days that differ from what they were."""
    first = _asked_month(month)
    year = first.year if first.month >= 4 else first.year - 1
    form = await request.form()
    now = await rpc.attendance.GetCalendar(pb.GetCalendarRequest(school_id=school_id, school_year=year))
    changed = []
    for entry in now.days:
        if not entry.on.startswith(f"{first:%Y-%m}"):
            continue
        lesson, note = form.get(f"lesson-{entry.on}") == "1", str(form.get(f"note-{entry.on}", "")).strip()
        if (lesson, note) != (entry.lesson, entry.note):
            changed.append(pb.CalendarDay(on=entry.on, lesson=lesson, note=note, school_grades=entry.school_grades))
    if changed:
        await rpc.attendance.SetCalendar(
            pb.SetCalendarRequest(
                school_id=school_id,
                school_year=year,
                changed=changed,
                version=version_of(form.get("version")),
            )
        )
    notice = f"{len(changed)}日分を保存しました。" if changed else "変更はありませんでした。"
    return redirect(request, f"/attendance/schools/{school_id}/calendar?month={first:%Y-%m}", notice=notice)
