"""学期の締め: what is missing, closing and reopening, for the 校長."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from jpschool.school_year import school_year_of
from komu.grades.v1 import grades_pb2 as pb
from komu.roster.v1 import roster_pb2
from servicekit.clock import today_jst
from servicekit.errors import Conflict, Invalid, Unseen, Violation

from portal import text
from portal.nav import NavItem
from portal.rpc import Rpc, if_allowed, rpc
from portal.session import SignedIn, signed_in
from portal.typed import SchoolYear, Version
from portal.view import redirect, view

router = APIRouter(prefix="/terms")
NAV = [NavItem("学期の締め", "/terms", roles={"vice_principal", "principal"}, order=50)]

User = Annotated[SignedIn, Depends(signed_in)]
Calls = Annotated[Rpc, Depends(rpc)]


@router.get("")
async def overview(
    request: Request, user: User, rpc: Calls, school: Annotated[str, Query(max_length=40)] = ""
) -> Response:
    """The terms of the school with their states and how much is missing."""
    me = await rpc.roster.WhoAmI(roster_pb2.WhoAmIRequest())
    here = _school(me.schools, school)
    year = school_year_of(today_jst())
    terms = await rpc.grades.ListTerms(pb.ListTermsRequest(school_id=here.id, school_year=year))
    closings = await asyncio.gather(
        *(
            rpc.grades.GetClosing(pb.GetClosingRequest(school_id=here.id, school_year=year, term=term.key))
            for term in terms.terms
        )
    )
    facts = {
        "school": here,
        "schools": me.schools,
        "school_year": year,
        "closings": closings,
        "closed": pb.TERM_STATE_CLOSED,
    }
    return view(request, "terms/overview.html", facts, title="学期の締め")


@router.get("/{school_id}/{school_year}/{term}")
async def closing(
    request: Request, school_id: str, school_year: SchoolYear, term: str, user: User, rpc: Calls
) -> Response:
    """One term: what is missing by class and subject, and the step that is possible now."""
    found = await rpc.grades.GetClosing(pb.GetClosingRequest(school_id=school_id, school_year=school_year, term=term))
    return await _page(request, user, rpc, school_id, school_year, found)


@router.post("/{school_id}/{school_year}/{term}/close")
async def close(
    request: Request,
    school_id: str,
    school_year: SchoolYear,
    term: str,
    user: User,
    rpc: Calls,
    version: Version,
    reason: Annotated[str, Form(max_length=500)] = "",
    accept_missing: Annotated[str, Form()] = "",
) -> Response:
    """締める: with a yes and a reason where something is missing."""
    asked = pb.CloseTermRequest(
        school_id=school_id,
        school_year=school_year,
        term=term,
        version=version,
        accept_missing=bool(accept_missing),
        reason=reason,
    )
    try:
        changed = await rpc.grades.CloseTerm(asked)
    except (Invalid, Conflict) as error:
        return await _again(request, user, rpc, asked, error)
    return redirect(request, f"/terms/{school_id}/{school_year}/{term}", notice=f"{changed.label}を締めました。")


@router.post("/{school_id}/{school_year}/{term}/reopen")
async def reopen(
    request: Request,
    school_id: str,
    school_year: SchoolYear,
    term: str,
    user: User,
    rpc: Calls,
    version: Version,
    reason: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """再開する, with the reason on record."""
    asked = pb.ReopenTermRequest(
        school_id=school_id, school_year=school_year, term=term, version=version, reason=reason
    )
    try:
        changed = await rpc.grades.ReopenTerm(asked)
    except (Invalid, Conflict) as error:
        return await _again(request, user, rpc, asked, error)
    return redirect(request, f"/terms/{school_id}/{school_year}/{term}", notice=f"{changed.label}を再開しました。")


async def _again(request: Request, user: SignedIn, rpc: Rpc, asked: Any, error: Invalid | Conflict) -> Response:
    found = await rpc.grades.GetClosing(
        pb.GetClosingRequest(school_id=asked.school_id, school_year=asked.school_year, term=asked.term)
    )
    errors = list(error.violations) if isinstance(error, Invalid) else []
    if not errors:
        errors = [Violation("", error.message)]
    typed = {"reason": asked.reason, "accept_missing": getattr(asked, "accept_missing", False)}
    status = 409 if isinstance(error, Conflict) else 422
    return await _page(
        request, user, rpc, asked.school_id, asked.school_year, found, errors=errors, typed=typed, status=status
    )


async def _page(
    request: Request,
    user: SignedIn,
    rpc: Rpc,
    school_id: str,
    school_year: int,
    found: Any,
    *,
    errors: Sequence[Any] = (),
    typed: dict[str, Any] | None = None,
    status: int = 200,
) -> Response:
    people = sorted({*(change.actor_id for change in found.history), found.term.closed_by} - {""})
    classes, names = await asyncio.gather(
        rpc.roster.ListClasses(roster_pb2.ListClassesRequest(school_id=school_id, school_year=school_year)),
        _names(rpc, people),
    )
    facts = {
        "school_id": school_id,
        "school_year": school_year,
        "found": found,
        "classes": {getattr(entry, "class").id: getattr(entry, "class").name for entry in classes.classes},
        "names": names,
        "errors": errors,
        "typed": typed or {"reason": "", "accept_missing": False},
        "closed": pb.TERM_STATE_CLOSED,
        "may_close": user.holds("principal"),
    }
    return view(request, "terms/term.html", facts, title=f"{found.term.label}の締め", status=status)


def _school(schools: Sequence[Any], wanted: str) -> Any:
    """The school asked for, or the first the person serves. Raises: Unseen."""
    for school in schools:
        if not wanted or school.id == wanted:
            return school
    raise Unseen


async def _names(rpc: Rpc, person_ids: Sequence[str]) -> dict[str, str]:
    if not person_ids:
        return {}
    answer = await if_allowed(rpc.roster.GetPeopleNames(roster_pb2.GetPeopleNamesRequest(person_ids=person_ids)))
    return {one.person_id: text.full_name(one.names.display) for one in answer.people} if answer else {}
