"""在籍: find a pupil, the pupil's page, classes with their members, 担任, the class of an arrival."""

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from jpschool.days import read_day
from jpschool.wareki import wareki
from komu.roster.v1 import roster_pb2 as pb
from servicekit.clock import today_jst
from servicekit.errors import Conflict, Invalid, Violation

from portal import text
from portal.nav import NavItem
from portal.roster_words import POSTS, SEXES, STATES, history
from portal.rpc import Rpc, rpc
from portal.session import SignedIn, signed_in
from portal.typed import Version
from portal.view import redirect, view

router = APIRouter(prefix="/roster")
NAV = [NavItem("在籍", "/roster", roles={"teacher", "vice_principal", "principal", "office", "board_admin"}, order=15)]

User = Annotated[SignedIn, Depends(signed_in)]
Calls = Annotated[Rpc, Depends(rpc)]
_LEADERS = ("principal", "vice_principal")
_REGISTRARS = ("principal", "vice_principal", "office")
_FOUND_AT_ONCE = 50


@router.get("")
async def overview(
    request: Request,
    user: User,
    rpc: Calls,
    q: Annotated[str, Query(max_length=100)] = "",
    school: Annotated[str, Query(max_length=40)] = "",
    left: Annotated[str, Query(max_length=1)] = "",
    after: Annotated[str, Query(max_length=1000)] = "",
) -> Response:
    """Search, and below it the classes of the school."""
    me = await rpc.roster.WhoAmI(pb.WhoAmIRequest())
    here = next((one for one in me.schools if one.id == school), me.schools[0] if me.schools else None)
    asked = bool(q.strip()) or bool(left)
    found, classes = await asyncio.gather(
        _search(rpc, q, school, left, after) if asked else _nothing(), _classes(rpc, here) if here else _nothing()
    )
    named = {one.id: one.name for one in me.schools}
    more = found and found.next_key
    query = urlencode({"q": q, "school": school, "left": left, "after": found.next_key}) if more else ""
    facts = {
        "q": q,
        "left": left,
        "school": here,
        "schools": me.schools,
        "school_names": named,
        "chosen": school,
        "school_options": [("", "すべての学校"), *((one.id, one.name) for one in me.schools)],
        "school_tabs": [(one.name, f"/roster?school={one.id}", here == one) for one in me.schools],
        "asked": asked,
        "decides": user.holds(*_REGISTRARS, "board_admin"),
        "registrar": user.holds(*_REGISTRARS),
        "found": found.pupils if found else [],
        "next_url": f"/roster?{query}" if query else None,
        "classes": classes or [],
        "course": pb.CLASS_KIND_COURSE,
    }
    return view(request, "roster/overview.html", facts, title="在籍", fragment="results")


async def _nothing() -> None:
    return None


async def _search(rpc: Rpc, q: str, school: str, left: str, after: str) -> Any:
    return await rpc.roster.SearchPupils(
        pb.SearchPupilsRequest(
            query=q, school_id=school, include_left=bool(left), after_key=after, limit=_FOUND_AT_ONCE
        )
    )


async def _classes(rpc: Rpc, school: Any) -> list[Any]:
    answer = await rpc.roster.ListClasses(pb.ListClassesRequest(school_id=school.id, limit=200))
    return list(answer.classes)


@router.get("/classes/{class_id}")
async def class_list(
    request: Request, class_id: str, user: User, rpc: Calls, on: Annotated[str, Query(max_length=10)] = ""
) -> Response:
    """The class list of a day, for the screen and for paper; and who is 担任."""
    return await _class_page(request, user, rpc, class_id, on=on)


async def _class_page(
    request: Request,
    user: SignedIn,
    rpc: Rpc,
    class_id: str,
    *,
    on: str = "",
    errors: Sequence[Violation] = (),
    typed: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    found = await rpc.roster.GetClassRoster(pb.GetClassRosterRequest(class_id=class_id, on=on))
    room = getattr(found, "class")
    leads = user.holds(*_LEADERS) and room.kind != pb.CLASS_KIND_COURSE
    staff = await rpc.roster.ListStaff(pb.ListStaffRequest(school_id=room.school_id)) if leads else None
    shown_on = read_day(on) if on else today_jst()
    names = {one.staff_id: one.names for one in found.staff}
    facts = {
        "class_": room,
        "school": found.school,
        "entries": found.entries,
        "on": shown_on,
        "on_words": wareki(shown_on),
        "today": shown_on == today_jst(),
        "names": names,
        "homeroom": _duties(found.duties, pb.DUTY_KIND_HOMEROOM),
        "assistants": _duties(found.duties, pb.DUTY_KIND_ASSISTANT_HOMEROOM),
        "leads": leads,
        "staff": [(one.name.staff_id, _staff_label(one)) for one in staff.staff] if staff else [],
        "errors": errors,
        "typed": typed or {"staff_id": "", "starts_on": today_jst().isoformat()},
        "sexes": SEXES,
    }
    return view(request, "roster/class.html", facts, title=f"{room.name}の名簿", status=status)


def _duties(duties: Sequence[Any], kind: int) -> list[Any]:
    return sorted((one for one in duties if one.kind == kind), key=lambda one: one.period.starts_on)


def _staff_label(entry: Any) -> str:
    name = entry.name.names.display
    return f"{name.family}　{name.given}（{POSTS.get(entry.name.post, '教職員')}）"


@router.post("/classes/{class_id}/homeroom")
async def assign_homeroom_teacher(
    request: Request,
    class_id: str,
    user: User,
    rpc: Calls,
    version: Version,
    staff_id: Annotated[str, Form(max_length=40)] = "",
    starts_on: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """担任を決める: from a day on; the predecessor's days stay on the record."""
    typed = {"staff_id": staff_id, "starts_on": starts_on}
    missing = [Violation("staff_id", "担任になる教職員を選んでください。")] if not staff_id else []
    if missing:
        return await _class_page(request, user, rpc, class_id, errors=missing, typed=typed, status=422)
    try:
        await rpc.roster.AssignHomeroomTeacher(
            pb.AssignHomeroomTeacherRequest(class_id=class_id, staff_id=staff_id, starts_on=starts_on, version=version)
        )
    except (Invalid, Conflict) as error:
        return await _class_page(
            request, user, rpc, class_id, errors=_violations(error), typed=typed, status=_status(error)
        )
    return redirect(request, f"/roster/classes/{class_id}", notice="担任を登録しました。")


def _violations(error: Invalid | Conflict) -> list[Violation]:
    return list(error.violations) if isinstance(error, Invalid) and error.violations else [Violation("", error.message)]


def _status(error: Invalid | Conflict) -> int:
    return 409 if isinstance(error, Conflict) else 422


@router.get("/pupils/{pupil_id}")
async def pupil(request: Request, pupil_id: str, user: User, rpc: Calls) -> Response:
    """The pupil: names with their history, 学籍 in order, family, classes."""
    return await pupil_page(request, user, rpc, pupil_id)


async def pupil_page(
    request: Request,
    user: SignedIn,
    rpc: Rpc,
    pupil_id: str,
    *,
    errors: Sequence[Violation] = (),
    typed: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    """The page of a child, with what was typed and is wrong."""
    found = await rpc.roster.GetPupil(pb.GetPupilRequest(pupil_id=pupil_id))
    child = found.pupil
    schools = {one.id: one for one in found.schools}
    roll = next((one for one in reversed(found.enrolments) if one.state != "ended"), None)
    registrar = user.holds(*_REGISTRARS)
    keeps = registrar and roll is not None
    lines = history(found, schools)
    strikers = sorted({one.struck_by for one in lines if one.struck_by})
    classes = await _homerooms(rpc, child.school_id) if keeps and roll is not None else []
    facts = {
        "child": child,
        "names": found.names,
        "names_differ": len({(one.kind, one.name.family, one.name.given) for one in found.names})
        > len({one.kind for one in found.names}),
        "born": wareki(date.fromisoformat(child.birth_on)) if child.birth_on else "",
        "sex": SEXES.get(child.sex, ""),
        "school": schools.get(child.school_id),
        "schools": schools,
        "addresses": list(reversed(found.addresses)),
        "guardians": found.guardians,
        "placements": list(reversed(found.placements)),
        "history": lines,
        "strikers": await _names(rpc, strikers) if strikers else {},
        "registrar": registrar,
        "roll": roll,
        "state": STATES.get(roll.state) if roll else ("在籍していません", "plain"),
        "keeps": keeps,
        "decides": user.holds(*_REGISTRARS, "board_admin"),
        "classes": classes,
        "principal": user.holds("principal"),
        "errors": errors,
        "typed": typed or {"class_id": "", "starts_on": today_jst().isoformat(), "number": ""},
    }
    name = child.names.display
    return view(request, "roster/pupil.html", facts, title=f"{name.family}　{name.given}", status=status)


async def _names(rpc: Rpc, people: Sequence[str]) -> dict[str, str]:
    named = await rpc.roster.GetPeopleNames(pb.GetPeopleNamesRequest(person_ids=people))
    return {one.person_id: text.full_name(one.names.display) for one in named.people}


async def _homerooms(rpc: Rpc, school_id: str) -> list[tuple[str, str]]:
    answer = await rpc.roster.ListClasses(pb.ListClassesRequest(school_id=school_id, limit=200))
    return [
        (getattr(one, "class").id, f"{getattr(one, 'class').name}（{one.size}人）")
        for one in answer.classes
        if getattr(one, "class").kind != pb.CLASS_KIND_COURSE
    ]


@router.post("/pupils/{pupil_id}/class")
async def place_in_class(
    request: Request,
    pupil_id: str,
    user: User,
    rpc: Calls,
    class_id: Annotated[str, Form(max_length=40)] = "",
    starts_on: Annotated[str, Form(max_length=10)] = "",
    number: Annotated[str, Form(max_length=3)] = "",
) -> Response:
    """学級に入れる: an arrival gets its class and the next free 出席番号, or a child changes class."""
    typed = {"class_id": class_id, "starts_on": starts_on, "number": number}
    problems = []
    if not class_id:
        problems.append(Violation("class_id", "学級を選んでください。"))
    if number.strip() and not (number.strip().isdecimal() and 1 <= int(number) <= 99):
        problems.append(
            Violation("number", "出席番号は1から99までの数字で入力してください。空欄なら次の番号になります。")
        )
    if problems:
        return await pupil_page(request, user, rpc, pupil_id, errors=problems, typed=typed, status=422)
    try:
        placed = await rpc.roster.PlaceInClass(
            pb.PlaceInClassRequest(
                pupil_id=pupil_id, class_id=class_id, starts_on=starts_on, number=int(number.strip() or 0)
            )
        )
    except (Invalid, Conflict) as error:
        return await pupil_page(
            request, user, rpc, pupil_id, errors=_violations(error), typed=typed, status=_status(error)
        )
    said = f"{getattr(placed, 'class').name} {placed.number}番に入りました。"
    return redirect(request, f"/roster/pupils/{pupil_id}", notice=said)
