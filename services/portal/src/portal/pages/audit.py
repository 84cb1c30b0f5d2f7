"""操作の記録: the 校長 sees who looked at what and who changed what."""

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from jpschool.days import read_day
from komu.common.v1 import common_pb2
from komu.roster.v1 import roster_pb2
from servicekit.audit import board_subject

from portal import text
from portal.audit_reading import PAGE, Cursor, merge
from portal.audit_words import UUID, Difference, action_words, differences, is_of_the_board, is_reading
from portal.nav import NavItem
from portal.rpc import SERVICES as SERVICE_NAMES
from portal.rpc import Rpc, ServiceAway, or_away, rpc
from portal.session import SignedIn, signed_in
from portal.view import view

READERS = ("principal", "board_admin")
KINDS = [("", "閲覧と変更"), ("read", "閲覧"), ("change", "変更")]
_MOST_NAMES = 500
router = APIRouter(prefix="/audit")
NAV = [NavItem("操作の記録", "/audit", roles=READERS, order=90)]


@dataclass(frozen=True, slots=True)
class Filters:
    """What the reader asked for; dates that are none are left out and named in `problems`."""

    school_id: str
    pupil_id: str
    pupil_query: str
    actor_id: str
    kind: str
    from_on: str
    to_on: str

    def query(self, **more: str) -> str:
        fields = {
            "school": self.school_id,
            "pupil": self.pupil_id,
            "actor": self.actor_id,
            "kind": self.kind,
            "from": self.from_on,
            "to": self.to_on,
        }
        return urlencode({key: value for key, value in (fields | more).items() if value})


@dataclass(frozen=True, slots=True)
class Line:
    """One entry as the page shows it."""

    entry: Any
    what: str
    reading: bool
    actor: str
    subject: str
    is_person: bool
    service: str
    changes: list[Difference]


@dataclass(frozen=True, slots=True)
class _Problem:
    field: str
    message: str


@router.get("")
async def audit(
    request: Request,
    user: Annotated[SignedIn, Depends(signed_in)],
    rpc: Annotated[Rpc, Depends(rpc)],
    school: Annotated[str, Query(max_length=40)] = "",
    pupil: Annotated[str, Query(max_length=40)] = "",
    pupil_query: Annotated[str, Query(max_length=80)] = "",
    actor: Annotated[str, Query(max_length=40)] = "",
    kind: Annotated[str, Query(max_length=10)] = "",
    from_on: Annotated[str, Query(alias="from", max_length=10)] = "",
    to_on: Annotated[str, Query(alias="to", max_length=10)] = "",
    after: Annotated[str, Query(max_length=400)] = "",
) -> Response:
    me = await rpc.roster.WhoAmI(roster_pb2.WhoAmIRequest())
    schools = list(me.schools)
    chosen = school if any(s.id == school for s in schools) else (schools[0].id if schools else "")
    problems = _date_problems(from_on, to_on)
    filters = Filters(
        school_id=chosen,
        pupil_id=pupil,
        pupil_query=pupil_query.strip(),
        actor_id=actor,
        kind=kind if kind in dict(KINDS) else "",
        from_on=from_on,
        to_on=to_on,
    )
    staff, candidates = await asyncio.gather(_staff(rpc, chosen), _candidates(rpc, filters))
    known = {one.id: one.name for one in schools} | {str(board_subject(user.tenant)): "すべての学校"}
    lines: list[Line] = []
    following: Cursor | None = None
    away: list[str] = []
    if chosen and not problems and not candidates:
        lines, following, away = await _read(rpc, filters, Cursor.parse(after), known)
    return view(
        request,
        "audit/audit.html",
        {
            "schools": schools,
            "filters": filters,
            "staff": staff,
            "kinds": KINDS,
            "candidates": candidates,
            "lines": lines,
            "next_url": f"/audit?{filters.query(after=str(following))}" if following else None,
            "away": away,
            "errors": problems,
            "subject_name": await _name_of(rpc, pupil) if pupil else "",
        },
        title="操作の記録",
        status=422 if problems else 200,
        fragment="entries",
    )


def _date_problems(from_on: str, to_on: str) -> list[_Problem]:
    problems = []
    for field, value in (("from", from_on), ("to", to_on)):
        try:
            if value:
                read_day(value)
        except ValueError:
            problems.append(_Problem(field, "日付を 2026-11-21 の形で入力してください。"))
    if not problems and from_on and to_on and from_on > to_on:
        problems.append(_Problem("to", "終わりの日は始まりの日より後にしてください。"))
    return problems


async def _staff(rpc: Rpc, school_id: str) -> list[tuple[str, str]]:
    if not school_id:
        return []
    reply = await or_away(rpc.roster.ListStaff(roster_pb2.ListStaffRequest(school_id=school_id)))
    if isinstance(reply, ServiceAway):
        return []
    return [(entry.name.staff_id, text.full_name(entry.name.names.display)) for entry in reply.staff]


async def _candidates(rpc: Rpc, filters: Filters) -> list[Any]:
    """Pupils that a typed name may mean; also those who have left."""
    if filters.pupil_id or not filters.pupil_query:
        return []
    request = roster_pb2.SearchPupilsRequest(
        query=filters.pupil_query, school_id=filters.school_id, include_left=True, limit=20
    )
    return list((await rpc.roster.SearchPupils(request)).pupils)


async def _read(
    rpc: Rpc, filters: Filters, cursor: Cursor, known: dict[str, str]
) -> tuple[list[Line], Cursor | None, list[str]]:
    """One page of all logs, and the names of services that did not answer. `known`: id → name of schools and board."""
    services = cursor.open_services()
    answers = await asyncio.gather(
        *(
            or_away(
                getattr(rpc, service).ReadAudit(
                    common_pb2.ReadAuditRequest(
                        school_id=filters.school_id,
                        subject_id=filters.pupil_id,
                        actor_id=filters.actor_id,
                        kind=filters.kind,
                        from_on=filters.from_on,
                        to_on=filters.to_on,
                        before_entry_id=cursor.before(service),
                        limit=PAGE,
                    )
                )
            )
            for service in services
        )
    )
    replies = {
        service: (list(answer.entries), bool(answer.more))
        for service, answer in zip(services, answers, strict=True)
        if not isinstance(answer, ServiceAway)
    }
    entries, following = merge(replies, cursor)
    mentioned = {found for e in entries for found in UUID.findall(e.before_json + e.after_json)}
    people, places = await asyncio.gather(
        _names(rpc, {e.actor_id for e in entries} | {e.subject_id for e in entries} | mentioned),
        _places(rpc, filters.school_id),
    )
    names = people | places | known
    lines = [
        Line(
            entry=entry,
            what=action_words(entry.action),
            reading=is_reading(entry.action),
            actor=names.get(entry.actor_id, "") or ("システム" if not entry.actor_id else "（名簿にない人）"),
            subject=names.get(entry.subject_id)
            or names.get(entry.object_id, "すべての学校" if is_of_the_board(entry.action) else ""),
            is_person=entry.subject_id in people,
            service=SERVICE_NAMES.get(entry.service, entry.service),
            changes=differences(entry.before_json, entry.after_json, names),
        )
        for entry in entries
    ]
    return lines, following, [SERVICE_NAMES[service] for service in services if service not in replies]


async def _names(rpc: Rpc, person_ids: set[str]) -> dict[str, str]:
    wanted = sorted(person_ids - {""})[:_MOST_NAMES]
    if not wanted:
        return {}
    reply = await or_away(rpc.roster.GetPeopleNames(roster_pb2.GetPeopleNamesRequest(person_ids=wanted)))
    if isinstance(reply, ServiceAway):
        return {}
    return {person.person_id: text.full_name(person.names.display) for person in reply.people}


async def _places(rpc: Rpc, school_id: str) -> dict[str, str]:
    """Names of the school's classes."""
    reply = await or_away(rpc.roster.ListClasses(roster_pb2.ListClassesRequest(school_id=school_id, limit=200)))
    if isinstance(reply, ServiceAway):
        return {}
    return {getattr(one, "class").id: getattr(one, "class").name for one in reply.classes}


async def _name_of(rpc: Rpc, person_id: str) -> str:
    return (await _names(rpc, {person_id})).get(person_id, "")
