"""MEXCBT利用申込 of single schools: chosen by the founder, confirmed by the school, step by step, with its history."""

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from jpschool.school_year import school_year_of
from komu.learning.v1 import mexcbt_pb2 as pb
from komu.roster.v1 import roster_pb2
from servicekit.clock import today_jst
from servicekit.errors import Conflict, Invalid, Unseen, Violation

from portal import text
from portal.mexcbt_words import STEPS, portals, violations, words
from portal.mexcbt_words import status as status_of
from portal.rpc import Rpc, if_allowed, rpc
from portal.session import SignedIn, signed_in
from portal.typed import Version
from portal.view import redirect, view

router = APIRouter(prefix="/mexcbt")

User = Annotated[SignedIn, Depends(signed_in)]
Calls = Annotated[Rpc, Depends(rpc)]
Count = Annotated[int, Form(ge=0, le=999_999_999)]
Line = Annotated[str, Form(max_length=300)]
Day = Annotated[str, Form(max_length=10)]

_ROW = re.compile(r"schools\.(\d{1,4})\.(\w+)")


@router.get("/schools/new")
async def new_schools(request: Request, user: User, rpc: Calls) -> Response:
    """Schools without an application, to be ticked."""
    return await _new_schools_page(request, rpc, {})


@router.post("/schools/new")
async def enlist(request: Request, user: User, rpc: Calls) -> Response:
    """Every ticked row; a portal named once counts where a row names none."""
    form = await request.form()
    rows: dict[str, dict[str, str]] = {}
    for key, value in form.items():
        matched = _ROW.fullmatch(key)
        if matched:
            rows.setdefault(matched[1], {})[matched[2]] = str(value)[:300]
    common = str(form.get("portal", ""))[:300]
    year = str(form.get("school_year", ""))
    ticked = [number for number, row in rows.items() if "on" in row]
    asked = pb.EnlistMexcbtSchoolsRequest(
        school_year=int(year) if re.fullmatch(r"\d{4}", year, re.ASCII) else 0,
        schools=[
            pb.MexcbtListing(
                school_id=rows[number].get("id", ""),
                portal=rows[number].get("portal", "").strip() or common,
                contact=_contact(rows[number]),
            )
            for number in ticked
        ],
    )
    try:
        await rpc.learning.EnlistMexcbtSchools(asked)
    except (Invalid, Conflict) as error:
        errors = [Violation(_in_row(one.field, ticked), one.message) for one in violations(error)]
        typed = {row.get("id", ""): row for row in rows.values()}
        return await _new_schools_page(request, rpc, typed, common, year, errors, status_of(error))
    return redirect(request, "/mexcbt", notice=f"{len(ticked)}件の申込を準備に加えました。")


def _in_row(field: str, ticked: Sequence[str]) -> str:
    """`schools.1.mail` counts what was sent; the page counts its rows."""
    matched = _ROW.fullmatch(field)
    if matched and int(matched[1]) < len(ticked):
        return f"schools.{ticked[int(matched[1])]}.{matched[2]}"
    return field


async def _new_schools_page(
    request: Request,
    rpc: Rpc,
    typed: Mapping[str, Mapping[str, str]],
    common: str = "",
    year: str = "",
    errors: Sequence[Violation] = (),
    status: int = 200,
) -> Response:
    found = await rpc.learning.GetMexcbt(pb.GetMexcbtRequest())
    if not found.of_board:
        raise Unseen
    going = {one.school_id for one in found.applications if one.state not in ("removed", "withdrawn")}
    this_year = school_year_of(today_jst())
    trial = [] if "" in going else [("", f"試用アカウント（試用学校_{found.founder.name}）")]
    facts = {
        "rows": [(one.id, one.name) for one in found.schools if one.id not in going] + trial,
        "typed": typed,
        "common": common,
        "year": year or str(this_year),
        "years": [(str(this_year), f"{this_year}年度"), (str(this_year + 1), f"{this_year + 1}年度")],
        "portals": portals(found.applications),
        "errors": errors,
        "unsaved": bool(errors),
    }
    return view(request, "mexcbt/new_schools.html", facts, title="MEXCBTを使う学校を選ぶ", status=status)


@router.get("/applications/{application_id}")
async def application(request: Request, application_id: str, user: User, rpc: Calls) -> Response:
    """One school: where it stands, what can be done, what was done."""
    return await _application_page(request, rpc, user, application_id)


async def _application_page(
    request: Request,
    rpc: Rpc,
    user: SignedIn,
    application_id: str,
    typed: Mapping[str, str] | None = None,
    errors: Sequence[Violation] = (),
    status: int = 200,
) -> Response:
    found, all_of_them = await asyncio.gather(
        rpc.learning.GetMexcbtApplication(pb.GetMexcbtApplicationRequest(application_id=application_id)),
        rpc.learning.GetMexcbt(pb.GetMexcbtRequest()),
    )
    one = found.application
    facts = {
        "one": one,
        "founder": found.founder,
        "history": list(reversed(found.history)),
        "names": await _names(rpc, [done.by for done in found.history]),
        "tasks": [task for task in all_of_them.tasks if task.application_id == one.id],
        "of_board": all_of_them.of_board,
        "may_undo": found.may_undo,
        "portals": portals(all_of_them.applications),
        "typed": typed or {},
        "today": today_jst().isoformat(),
        "errors": errors,
        "steps": STEPS,
    }
    return view(request, "mexcbt/application.html", words() | facts, title=one.school_name, status=status)


@router.post("/applications/{application_id}/change")
async def change(
    request: Request,
    application_id: str,
    user: User,
    rpc: Calls,
    version: Version,
    portal: Line = "",
    name: Line = "",
    mail: Line = "",
    phone: Line = "",
) -> Response:
    """学習eポータル and contact, until the school is registered at the site."""
    typed = {"portal": portal, "name": name, "mail": mail, "phone": phone}
    asked = pb.ChangeMexcbtSchoolRequest(
        application_id=application_id, portal=portal, contact=_contact(typed), version=version
    )
    return await _done(
        request, rpc, user, application_id, rpc.learning.ChangeMexcbtSchool(asked), "変えました。", typed
    )


@router.post("/applications/{application_id}/step")
async def step(
    request: Request,
    application_id: str,
    user: User,
    rpc: Calls,
    version: Version,
    step: Annotated[str, Form(max_length=20)] = "",
    on: Day = "",
    reason: Line = "",
) -> Response:
    """Done at the site on that day, or taken back."""
    asked = pb.TakeMexcbtStepRequest(application_id=application_id, step=step, on=on, reason=reason, version=version)
    notice = STEPS.get(step, "記しました") + "。"
    typed = {"step": step, "on": on, "reason": reason}
    return await _done(request, rpc, user, application_id, rpc.learning.TakeMexcbtStep(asked), notice, typed)


async def _done(
    request: Request, rpc: Rpc, user: SignedIn, application_id: str, call: Any, notice: str, typed: Mapping[str, str]
) -> Response:
    try:
        await call
    except (Invalid, Conflict) as error:
        return await _application_page(request, rpc, user, application_id, typed, violations(error), status_of(error))
    return redirect(request, f"/mexcbt/applications/{application_id}", notice=notice)


@router.get("/applications/{application_id}/confirm")
async def counts(
    request: Request,
    application_id: str,
    user: User,
    rpc: Calls,
    school_grade: Annotated[list[Annotated[str, Query(max_length=3)]] | None, Query()] = None,
    chosen: Annotated[str, Query(max_length=5)] = "",
) -> Response:
    """The register's numbers of today for the ticked 学年."""
    return await _counts_page(request, rpc, application_id, school_grade if chosen else None)


@router.post("/applications/{application_id}/confirm")
async def confirm(
    request: Request,
    application_id: str,
    user: User,
    rpc: Calls,
    version: Version,
    pupils: Count,
    teachers: Count,
    school_grade: Annotated[list[Annotated[str, Form(max_length=3)]] | None, Form()] = None,
    name: Line = "",
    mail: Line = "",
    phone: Line = "",
) -> Response:
    """The school stands by what the page showed."""
    contact = pb.MexcbtContact(name=name, mail=mail, phone=phone)
    asked = pb.ConfirmMexcbtSchoolRequest(
        application_id=application_id,
        school_grades=school_grade or [],
        pupils_seen=pupils,
        teachers_seen=teachers,
        contact=contact,
        version=version,
    )
    try:
        await rpc.learning.ConfirmMexcbtSchool(asked)
    except (Invalid, Conflict) as error:
        return await _counts_page(
            request, rpc, application_id, school_grade or [], contact, violations(error), status_of(error)
        )
    return redirect(request, f"/mexcbt/applications/{application_id}", notice="学校情報を登録しました。")


async def _counts_page(
    request: Request,
    rpc: Rpc,
    application_id: str,
    school_grades: Sequence[str] | None,
    contact: Any = None,
    errors: Sequence[Violation] = (),
    status: int = 200,
) -> Response:
    asked = pb.CountMexcbtAccountsRequest(
        application_id=application_id, school_grades=school_grades or [], chosen=school_grades is not None
    )
    found, counted = await asyncio.gather(
        rpc.learning.GetMexcbtApplication(pb.GetMexcbtApplicationRequest(application_id=application_id)),
        rpc.learning.CountMexcbtAccounts(asked),
    )
    facts = {
        "one": found.application,
        "counts": counted.counts,
        "choices": counted.choices,
        "refusal": counted.refusal,
        "contact": contact or found.application.contact,
        "errors": errors,
        "unsaved": bool(errors),
    }
    return view(request, "mexcbt/confirm.html", words() | facts, title="学校情報の登録", status=status)


def _contact(typed: Mapping[str, str]) -> pb.MexcbtContact:
    return pb.MexcbtContact(**{field: typed.get(field, "") for field in ("name", "mail", "phone")})


async def _names(rpc: Rpc, person_ids: Iterable[str]) -> dict[str, str]:
    asked = roster_pb2.GetPeopleNamesRequest(person_ids=sorted(set(person_ids))[:500])
    found = await if_allowed(rpc.roster.GetPeopleNames(asked))
    return {one.person_id: text.full_name(one.names.display) for one in found.people} if found else {}
