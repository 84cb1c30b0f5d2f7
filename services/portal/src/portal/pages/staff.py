"""教職員: who works at a school in a year, as what, and with which 校務分掌 over which days."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from jpschool.school_grade import SchoolGrade
from komu.roster.v1 import duties_pb2 as pb
from komu.roster.v1 import roster_pb2
from servicekit.clock import today_jst
from servicekit.errors import Conflict, Invalid, Violation

from portal import text
from portal.audit_terms import SUBJECTS
from portal.roster_words import DUTIES, POSTS
from portal.rpc import Rpc, rpc
from portal.session import SignedIn, signed_in
from portal.view import redirect, view

router = APIRouter(prefix="/roster/staff")

User = Annotated[SignedIn, Depends(signed_in)]
Calls = Annotated[Rpc, Depends(rpc)]
Short = Annotated[str, Form(max_length=40)]
GIVEN = {
    "assistant": roster_pb2.DUTY_KIND_ASSISTANT_HOMEROOM,
    "subject": roster_pb2.DUTY_KIND_SUBJECT,
    "school_grade": roster_pb2.DUTY_KIND_GRADE_HEAD,
}
_TAUGHT = {key: label for key, label in SUBJECTS.items() if key not in ("behaviour", "remarks")}


@router.get("")
async def staff(
    request: Request,
    user: User,
    rpc: Calls,
    school: Annotated[str, Query(max_length=40)] = "",
    year: Annotated[int, Query(ge=0, le=2199)] = 0,
) -> Response:
    """Everybody of the school in that year."""
    return await _page(request, rpc, school, year=year)


async def _page(
    request: Request, rpc: Rpc, school: str, *, year: int = 0, typed: dict[str, str] | None = None,
    errors: Sequence[Violation] = (), status: int = 200,
) -> Response:  # fmt: skip
    me = await rpc.roster.WhoAmI(roster_pb2.WhoAmIRequest())
    here = next((one for one in me.schools if one.id == school), me.schools[0] if me.schools else None)
    asked = pb.ListDutiesRequest(school_id=here.id, school_year=year) if here else None
    found = await rpc.roster.ListDuties(asked) if asked else pb.ListDutiesReply()
    rooms = {one.id: one.name for one in found.classes}
    today = today_jst().isoformat()
    facts = {
        "school": here,
        "school_options": [(one.id, one.name) for one in me.schools],
        "year": found.school_year,
        "staff": found.staff,
        "schools": {one.id: one.name for one in found.schools},
        "posts": POSTS,
        "about": lambda duty: _about(duty, rooms),
        "homeroom": roster_pb2.DUTY_KIND_HOMEROOM,
        "today": today,
        "may_assign": found.may_assign,
        "people": [("", "選んでください"), *((one.name.staff_id, _label(one)) for one in found.staff)],
        "kinds": [("", "選んでください"), *((key, DUTIES[number]) for key, number in GIVEN.items())],
        "rooms": [("", "—"), *rooms.items()],
        "subjects": [("", "—"), *_TAUGHT.items()],
        "school_grades": [("", "—"), *_school_grades(here)],
        "typed": typed or {"form": "", "starts_on": today},
        "errors": errors,
    }
    return view(request, "roster/staff.html", facts, title="教職員と校務分掌", status=status)


def _about(duty: Any, rooms: dict[str, str]) -> str:
    """「教科担任　3年1組　音楽」."""
    parts = (
        DUTIES.get(duty.kind, "校務分掌"), rooms.get(duty.class_id, ""), SUBJECTS.get(duty.subject, duty.subject),
        text.school_grade(duty.school_grade),
    )  # fmt: skip
    return "\u3000".join(part for part in parts if part)


def _label(entry: Any) -> str:
    return f"{text.full_name(entry.name.names.display)}（{POSTS.get(entry.name.post, '教職員')}）"


def _school_grades(school: Any) -> list[tuple[str, str]]:
    elementary = school is not None and school.kind == roster_pb2.SCHOOL_KIND_ELEMENTARY
    return [(one.value, one.full_label) for one in SchoolGrade if one.elementary == elementary]


@router.post("/duties")
async def assign_duty(
    request: Request, user: User, rpc: Calls, school: Short = "", staff_id: Short = "", kind: Short = "",
    class_id: Short = "", subject: Short = "", school_grade: Short = "", starts_on: Short = "", ends_on: Short = "",
) -> Response:  # fmt: skip
    """副担任, 教科担任 or 学年主任 from a day on. What the kind is not about is left out."""
    typed = {
        "form": "new", "staff_id": staff_id, "kind": kind, "class_id": class_id, "subject": subject,
        "school_grade": school_grade, "starts_on": starts_on, "ends_on": ends_on,
    }  # fmt: skip
    missing = [
        Violation(name, said)
        for name, value, said in (
            ("staff_id", staff_id, "教職員を選んでください。"), ("kind", kind, "分掌を選んでください。"),
        )
        if not value
    ]  # fmt: skip
    if missing:
        return await _page(request, rpc, school, typed=typed, errors=missing, status=422)
    asked = pb.AssignDutyRequest(
        school_id=school, staff_id=staff_id, kind=GIVEN.get(kind, roster_pb2.DUTY_KIND_UNSPECIFIED),
        class_id=class_id if kind != "school_grade" else "", subject=subject if kind == "subject" else "",
        school_grade=school_grade if kind == "school_grade" else "", starts_on=starts_on, ends_on=ends_on,
    )  # fmt: skip
    try:
        await rpc.roster.AssignDuty(asked)
    except (Invalid, Conflict) as error:
        return await _page(request, rpc, school, typed=typed, errors=_told(error), status=422)
    return redirect(request, f"/roster/staff?school={school}", notice="校務分掌を登録しました。")


@router.post("/duties/{duty_id}/end")
async def end_duty(
    request: Request, duty_id: str, user: User, rpc: Calls, school: Short = "", last_on: Short = ""
) -> Response:
    """The duty until a day."""
    try:
        await rpc.roster.EndDuty(pb.EndDutyRequest(duty_id=duty_id, last_on=last_on))
    except (Invalid, Conflict) as error:
        wrong = [Violation(f"last_on-{duty_id}" if one.field else "", one.message) for one in _told(error)]
        return await _page(request, rpc, school, typed={"form": duty_id, "starts_on": ""}, errors=wrong, status=422)
    return redirect(
        request, f"/roster/staff?school={school}", notice="校務分掌を終えました。期間は記録に残っています。"
    )


def _told(error: Invalid | Conflict) -> list[Violation]:
    return list(error.violations) if isinstance(error, Invalid) and error.violations else [Violation("", error.message)]
