"""ホーム: what is to do today for the roles of the person signed in.

Only what may be seen without a second factor; what cannot be had now is left out, never asked for.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from komu.attendance.v1 import attendance_pb2
from komu.dataexchange.v1 import imports_pb2, transfers_pb2
from komu.grades.v1 import grades_pb2
from komu.roster.v1 import roster_pb2
from servicekit.clock import today_jst

from portal.nav import NavItem
from portal.rpc import Rpc, ServiceAway, if_allowed, or_away, rpc
from portal.session import SignedIn, signed_in
from portal.view import view

router = APIRouter()
NAV = [NavItem("ホーム", "/", order=0)]
_LEADS = ("principal", "vice_principal")


@dataclass(slots=True)
class MyClass:
    """One class that the person teaches, with what is open there today."""

    klass: Any
    duties: list[str] = field(default_factory=list)
    homeroom: bool = False
    day: Any = None


@dataclass(frozen=True, slots=True)
class Task:
    """Something that waits for this person."""

    words: str
    href: str
    count: int = 0


@router.get("/")
async def home(
    request: Request, user: Annotated[SignedIn, Depends(signed_in)], rpc: Annotated[Rpc, Depends(rpc)]
) -> Response:
    me = await or_away(rpc.roster.WhoAmI(roster_pb2.WhoAmIRequest()))
    facts: dict[str, Any] = {"today": today_jst(), "me": None, "classes": [], "schools": [], "tasks": []}
    if isinstance(me, ServiceAway):
        return view(request, "home/home.html", facts | {"away": me.label}, title="ホーム")
    classes = _my_classes(me)
    days, schools, tasks = await asyncio.gather(
        asyncio.gather(*(_day(rpc, mine.klass.id) if mine.homeroom else _nothing() for mine in classes)),
        asyncio.gather(*(_school(rpc, school) for school in me.schools)) if user.holds(*_LEADS) else _no_list(),
        _tasks(rpc, user, me),
    )
    for mine, found in zip(classes, days, strict=True):
        mine.day = found
    facts |= {"me": me, "classes": classes, "schools": schools, "tasks": tasks, "away": None}
    return view(request, "home/home.html", facts, title="ホーム")


_DUTIES = {
    roster_pb2.DUTY_KIND_HOMEROOM: "学級担任",
    roster_pb2.DUTY_KIND_ASSISTANT_HOMEROOM: "副担任",
    roster_pb2.DUTY_KIND_SUBJECT: "教科担任",
    roster_pb2.DUTY_KIND_GRADE_HEAD: "学年主任",
}
_HOMEROOM = {roster_pb2.DUTY_KIND_HOMEROOM, roster_pb2.DUTY_KIND_ASSISTANT_HOMEROOM}


def _my_classes(me: Any) -> list[MyClass]:
    """Classes of today's duties, the own 学級 first."""
    mine = {klass.id: MyClass(klass) for klass in me.classes}
    for duty in me.duties:
        if duty.class_id in mine:
            words = _DUTIES.get(duty.kind, "")
            if words and words not in mine[duty.class_id].duties:
                mine[duty.class_id].duties.append(words)
            mine[duty.class_id].homeroom |= duty.kind in _HOMEROOM
    return sorted(mine.values(), key=lambda m: (not m.homeroom, m.klass.school_grade, m.klass.name))


async def _nothing() -> None:
    return None


async def _no_list() -> list[Any]:
    return []


async def _day(rpc: Rpc, class_id: str) -> Any:
    on = today_jst().isoformat()
    return await if_allowed(rpc.attendance.GetDay(attendance_pb2.GetDayRequest(class_id=class_id, on=on)))


async def _school(rpc: Rpc, school: Any) -> dict[str, Any]:
    """The school at a glance: roll calls taken, absences, open terms."""
    on = today_jst()
    school_year = on.year if on.month >= 4 else on.year - 1
    day, terms = await asyncio.gather(
        if_allowed(
            rpc.attendance.GetSchoolDay(attendance_pb2.GetSchoolDayRequest(school_id=school.id, on=on.isoformat()))
        ),
        if_allowed(rpc.grades.ListTerms(grades_pb2.ListTermsRequest(school_id=school.id, school_year=school_year))),
    )
    return {"school": school, "day": day, "terms": list(terms.terms) if terms else [], "sums": _sums(day)}


def _sums(day: Any) -> dict[str, int] | None:
    if day is None:
        return None
    lessons = [one for one in day.classes if one.state == attendance_pb2.DAY_STATE_LESSON]
    return {
        "classes": len(lessons),
        "taken": sum(1 for one in lessons if one.taken),
        "absent": sum(one.absent for one in lessons),
        "excused": sum(one.excused for one in lessons),
        "late": sum(one.late for one in lessons),
    }


async def _tasks(rpc: Rpc, user: SignedIn, me: Any) -> list[Task]:
    tasks: list[Task] = []
    if user.holds("principal") and me.schools:
        drafted = await if_allowed(
            rpc.dataexchange.ListTransfers(
                transfers_pb2.ListTransfersRequest(school_id=me.schools[0].id, state="drafted", limit=20)
            )
        )
        if drafted and drafted.transfers:
            tasks.append(Task("承認を待っている転学があります", "/transfers", len(drafted.transfers)))
    if user.holds("principal", "office"):
        arrived = await if_allowed(
            rpc.dataexchange.ListArrivals(transfers_pb2.ListArrivalsRequest(state="verified", limit=20))
        )
        if arrived and arrived.arrivals:
            tasks.append(Task("受け入れを待っている転入があります", "/arrivals", len(arrived.arrivals)))
    if user.holds("principal", "vice_principal", "office", "board_admin"):
        unlisted = await if_allowed(rpc.roster.ListUnlistedPupils(roster_pb2.ListUnlistedPupilsRequest(limit=1)))
        if unlisted and unlisted.total:
            tasks.append(Task("名簿にない児童生徒の扱いを決めてください", "/roster/unlisted", unlisted.total))
    if user.holds("board_admin"):
        imports = await if_allowed(rpc.dataexchange.ListImports(imports_pb2.ListImportsRequest(limit=5)))
        waiting = [one for one in imports.imports if one.state == "staged"] if imports else []
        if waiting:
            tasks.append(Task("確認を待っている名簿の取り込みがあります", "/imports", len(waiting)))
    return tasks
