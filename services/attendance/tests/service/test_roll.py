"""A 担任 takes the roll; corrections keep what was there; others are told why not (J3)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from attendance.consumers import on_class_roster_changed
from attendance.domain.register import TermLock
from attendance.usecases import projection
from komu.attendance.v1 import attendance_pb2 as pb
from komu.common.v1 import common_pb2
from servicekit.errors import Conflict, Invalid, Refused, Unseen
from servicekit.testing import an_actor


def save(school, on: str, *exceptions: pb.DayMark, version: int = 0, why: str = "") -> pb.SaveDayRequest:
    return pb.SaveDayRequest(
        class_id=str(school.homeroom_id), on=on, exceptions=exceptions, version=version, correction_reason=why
    )


def mark(pupil, symbol: str, reason: str = "") -> pb.DayMark:
    return pb.DayMark(pupil_id=str(pupil), symbol=symbol, reason=reason)


def day(school, on: str) -> pb.GetDayRequest:
    return pb.GetDayRequest(class_id=str(school.homeroom_id), on=on)


async def test_everybody_is_present_until_somebody_says_otherwise(school, friday):
    sheet = await school.teacher.GetDay(day(school, friday))
    assert sheet.state == pb.DAY_STATE_LESSON
    assert not sheet.taken
    assert [m.symbol for m in sheet.marks] == [""] * 5
    assert {s.label for s in sheet.symbols} >= {"病欠", "事故欠", "遅刻", "早退", "忌引"}
    saved = await school.teacher.SaveDay(save(school, friday, mark(school.pupils[0], "ill", "感冒")))
    assert saved.taken
    assert saved.version == 1
    month = await school.teacher.GetMonth(pb.GetMonthRequest(class_id=str(school.homeroom_id), month="2026-11"))
    sums = {p.pupil_id: p.sums for p in month.pupils}
    assert (sums[str(school.pupils[0])].absent, sums[str(school.pupils[1])].absent) == (1, 0)
    assert month.statistics.on_roll == 5


async def test_a_correction_keeps_what_was_there_who_and_why(school, friday):
    await school.teacher.SaveDay(save(school, "2026-11-19", mark(school.pupils[0], "ill")))
    with pytest.raises(Invalid, match="理由"):
        await school.teacher.SaveDay(save(school, "2026-11-19", version=1))
    await school.teacher.SaveDay(
        save(school, "2026-11-19", mark(school.pupils[0], "late"), version=1, why="3時間目に登校")
    )
    history = await school.teacher.GetMarkHistory(
        pb.GetMarkHistoryRequest(pupil_id=str(school.pupils[0]), on="2026-11-19")
    )
    change = history.changes[0]
    assert (change.before.symbol, change.after.symbol, change.reason) == ("ill", "late", "3時間目に登校")
    assert change.actor_id == str(school.teacher_id)


async def test_two_people_saving_the_same_day_are_told(school, friday):
    await school.teacher.SaveDay(save(school, friday))
    with pytest.raises(Conflict) as told:
        await school.principal.SaveDay(save(school, friday, mark(school.pupils[1], "ill")))
    assert told.value.details["taken_by"] == str(school.teacher_id)


async def test_a_teacher_of_another_class_is_told_why(school, friday):
    with pytest.raises(Refused, match="3年1組の担任ではない"):
        await school.other_teacher.GetDay(day(school, friday))
    with pytest.raises(Refused):
        await school.other_teacher.SaveDay(save(school, friday))


async def test_another_boards_class_does_not_exist(school, friday, running):
    from komu.attendance.v1.attendance_pb2_grpc import AttendanceServiceStub

    stranger = running.caller(AttendanceServiceStub, an_actor("t-elsewhere", "principal"))
    with pytest.raises(Unseen):
        await stranger.GetDay(day(school, friday))


async def test_a_colleague_of_another_school_does_not_see_it(school, friday):
    with pytest.raises(Unseen):
        await school.as_person(uuid4(), "teacher").GetDay(day(school, friday))


@pytest.mark.parametrize(("on", "why"), [("2026-11-21", "授業日では"), ("2026-11-24", "まだ来ていない")])
async def test_days_without_lessons_and_days_to_come_are_locked(school, on, why):
    sheet = await school.teacher.GetDay(day(school, on))
    assert why in sheet.locked_reason
    with pytest.raises(Refused, match=why):
        await school.teacher.SaveDay(save(school, on))


async def test_a_closed_term_locks_its_days_and_says_who_can_reopen_it(school, friday, running):
    lock = TermLock("2", date(2026, 9, 1), date(2026, 12, 24), date(2026, 11, 20))
    async with running.database.transaction(school.tenant) as tx:
        await projection.lock_term(tx, school.id, 2026, lock, datetime(2026, 11, 20, 1, tzinfo=UTC))
    with pytest.raises(Refused, match=r"校長が学期を締めた.*再開できるのは校長"):
        await school.teacher.SaveDay(save(school, friday))
    async with running.database.transaction(school.tenant) as tx:
        await projection.unlock_term(tx, school.id, 2026, "2")
    assert (await school.teacher.SaveDay(save(school, friday))).taken


@pytest.mark.parametrize(
    "request_",
    [
        pb.SaveDayRequest(class_id="x", on="2026-11-20"),
        pb.SaveDayRequest(class_id=str(uuid4()), on="昨日"),
    ],
)
async def test_malformed_requests_name_the_field(school, request_):
    with pytest.raises(Invalid) as told:
        await school.teacher.SaveDay(request_)
    assert told.value.violations


async def test_a_stranger_among_the_marks_saves_nothing(school, friday):
    with pytest.raises(Invalid, match="学級にいない"):
        await school.teacher.SaveDay(save(school, friday, mark(school.pupils[0], "ill"), mark(uuid4(), "ill")))
    sheet = await school.teacher.GetDay(day(school, friday))
    assert not sheet.taken
    assert [m.symbol for m in sheet.marks] == [""] * 5


async def test_closures_follow_the_national_arithmetic(school, friday):
    await school.principal.DeclareClosure(
        pb.DeclareClosureRequest(
            closure=pb.Closure(
                school_id=str(school.id),
                class_id=str(school.homeroom_id),
                starts_on="2026-11-18",
                ends_on="2026-11-18",
                reason="インフルエンザ",
            )
        )
    )
    closed_p3 = await school.principal.DeclareClosure(
        pb.DeclareClosureRequest(
            closure=pb.Closure(
                school_id=str(school.id),
                school_grade="P3",
                starts_on="2026-11-19",
                ends_on="2026-11-19",
                reason="インフルエンザ",
            )
        )
    )
    span = pb.SumRange(name="week", from_on="2026-11-16", to_on="2026-11-20")
    request = pb.GetSumsRequest(class_id=str(school.homeroom_id), ranges=[span])
    sums = (await school.teacher.GetSums(request)).pupils[0].by_range["week"]
    assert (sums.lesson_days, sums.excused, sums.required, sums.present) == (4, 1, 3, 3)
    with pytest.raises(Refused, match="学級閉鎖"):
        await school.teacher.SaveDay(save(school, "2026-11-18"))
    await school.principal.CancelClosure(pb.CancelClosureRequest(closure_id=closed_p3.id, reason="登録の誤り"))
    sums = (await school.teacher.GetSums(request)).pupils[0].by_range["week"]
    assert sums.lesson_days == 5
    with pytest.raises(Refused):
        await school.teacher.DeclareClosure(pb.DeclareClosureRequest(closure=closed_p3))


async def test_a_child_that_came_later_has_only_its_own_days(school, friday, running):
    late = uuid4()
    event = school.class_event(school.homeroom_id, "3年1組", school.pupils, version=2)
    event.roster.members.add(pupil_id=str(late), number=6, period=common_pb2.Period(starts_on="2026-11-17"))
    async with running.database.transaction(school.tenant) as tx:
        await on_class_roster_changed(tx, event)
        await on_class_roster_changed(tx, school.class_event(school.homeroom_id, "3年1組", [], version=1))
    month = await school.teacher.GetMonth(pb.GetMonthRequest(class_id=str(school.homeroom_id), month="2026-11"))
    sums = {p.pupil_id: p.sums for p in month.pupils}
    assert sums[str(late)].lesson_days == 4
    assert (month.statistics.on_roll_before, month.statistics.entered, month.statistics.on_roll) == (5, 1, 6)


async def test_the_principal_sees_who_changed_what(school, friday):
    await school.teacher.SaveDay(save(school, friday, mark(school.pupils[0], "ill")))
    request = common_pb2.ReadAuditRequest(school_id=str(school.id), subject_id=str(school.pupils[0]))
    entries = (await school.principal.ReadAudit(request)).entries
    assert [entry.action for entry in entries] == ["attendance_mark.entered"]
    assert entries[0].actor_id == str(school.teacher_id)
    assert '"ill"' in entries[0].after_json
    with pytest.raises(Refused):
        await school.teacher.ReadAudit(request)


async def test_the_calendar_is_changed_by_those_who_decide(school):
    calendar = await school.principal.GetCalendar(pb.GetCalendarRequest(school_id=str(school.id), school_year=2026))
    assert len(calendar.days) == 365
    changed = pb.CalendarDay(on="2026-11-21", lesson=True, note="土曜授業")
    request = pb.SetCalendarRequest(
        school_id=str(school.id), school_year=2026, changed=[changed], version=calendar.version
    )
    after = await school.principal.SetCalendar(request)
    assert next(d for d in after.days if d.on == "2026-11-21").lesson
    with pytest.raises(Conflict):
        await school.principal.SetCalendar(request)
    with pytest.raises(Refused):
        await school.teacher.SetCalendar(request)
