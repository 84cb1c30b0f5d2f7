"""The register of one board, read whole for an export: on behalf of the person, so that they get what they may see."""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import TypeVar

import grpc
from komu.common.v1 import common_pb2
from komu.roster.v1 import roster_pb2, roster_pb2_grpc
from servicekit.clients import Clients, Metadata, raise_for
from servicekit.errors import Conflict, Unseen

from dataexchange.domain.oneroster.exporting import (
    OutClass,
    OutDuty,
    OutMember,
    OutPerson,
    OutRegister,
    OutSchool,
    OutStaff,
)

AT_ONCE = 8
WITHIN_S = 20.0
PAGE = 200

_CLASS_KINDS = {
    roster_pb2.CLASS_KIND_HOMEROOM: "homeroom",
    roster_pb2.CLASS_KIND_SPECIAL_NEEDS: "special_needs",
    roster_pb2.CLASS_KIND_COURSE: "course",
}
_DUTY_KINDS = {
    roster_pb2.DUTY_KIND_HOMEROOM: "homeroom",
    roster_pb2.DUTY_KIND_ASSISTANT_HOMEROOM: "assistant_homeroom",
    roster_pb2.DUTY_KIND_SUBJECT: "subject",
}
_POSTS = {
    roster_pb2.POST_PRINCIPAL: "principal",
    roster_pb2.POST_VICE_PRINCIPAL: "vice_principal",
    roster_pb2.POST_OFFICE: "office",
    roster_pb2.POST_NURSE: "nurse",
}

T = TypeVar("T")


class RosterSnapshots:
    """Reads schools, classes, members and staff with a bounded number of calls at once."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def register(self, token: str, school_id: str = "") -> OutRegister:
        """The board, or one school of it. Raises: Unseen, Conflict when there is no class yet."""
        stub: roster_pb2_grpc.RosterServiceAsyncStub = self._clients.stub(roster_pb2_grpc.RosterServiceStub, "roster")
        metadata = await self._clients.on_behalf(token, "roster")
        try:
            me = await stub.WhoAmI(roster_pb2.WhoAmIRequest(), timeout=WITHIN_S, metadata=metadata)
            schools = (
                await stub.ListSchools(roster_pb2.ListSchoolsRequest(), timeout=WITHIN_S, metadata=metadata)
            ).schools
            chosen = [one for one in schools if school_id in ("", one.id)]
            if not chosen:
                raise Unseen("この学校は見つかりません。")
            found = [await _school(stub, one, metadata) for one in chosen]
        except grpc.RpcError as error:
            raise_for(error)
            raise
        years = [one.school_year for school in found for one in school.classes]
        if not years:
            raise Conflict("名簿がまだありません。先に取り込んでください。", reason="REGISTER_EMPTY")
        return OutRegister(me.board.id, me.board.code, me.board.name, max(years), tuple(found))


async def _school(
    stub: "roster_pb2_grpc.RosterServiceAsyncStub", school: roster_pb2.School, metadata: Metadata
) -> OutSchool:
    summaries: list[roster_pb2.ClassSummary] = []
    more = True
    while more:
        page = await stub.ListClasses(
            roster_pb2.ListClassesRequest(
                school_id=school.id, after_class_id=getattr(summaries[-1], "class").id if summaries else "", limit=PAGE
            ),
            timeout=WITHIN_S,
            metadata=metadata,
        )
        summaries += page.classes
        more = page.more and bool(page.classes)
    staff = await stub.ListStaff(roster_pb2.ListStaffRequest(school_id=school.id), timeout=WITHIN_S, metadata=metadata)
    rosters = await _bounded(
        stub.GetClassRoster(
            roster_pb2.GetClassRosterRequest(class_id=getattr(one, "class").id, whole_year=True),
            timeout=WITHIN_S,
            metadata=metadata,
        )
        for one in summaries
    )
    return OutSchool(
        school.id,
        school.code,
        school.name,
        tuple(_class(one) for one in rosters),
        tuple(
            OutStaff(_person(one.name.staff_id, one.name.names), _POSTS.get(one.name.post, "teacher"))
            for one in staff.staff
        ),
    )


async def _bounded(calls: Iterable[Awaitable[T]]) -> list[T]:
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(call: Awaitable[T]) -> T:
        async with slots:
            return await call

    return list(await asyncio.gather(*map(one, calls)))


def _class(roster: roster_pb2.GetClassRosterReply) -> OutClass:
    its_class: roster_pb2.Class = getattr(roster, "class")
    return OutClass(
        its_class.id,
        its_class.school_year,
        its_class.school_grade,
        its_class.name,
        _CLASS_KINDS.get(its_class.kind, "homeroom"),
        tuple(
            OutMember(
                _person(entry.pupil.id, entry.pupil.names, entry.pupil.school_grade),
                entry.pupil.number,
                period.starts_on,
                period.ends_on,
            )
            for entry in roster.entries
            for period in entry.periods
        ),
        tuple(
            OutDuty(duty.staff_id, _DUTY_KINDS[duty.kind], duty.subject, duty.period.starts_on, duty.period.ends_on)
            for duty in roster.duties
            if duty.kind in _DUTY_KINDS
        ),
    )


def _person(id_: str, names: common_pb2.PersonNames, school_grade: str = "") -> OutPerson:
    shown, kana = names.display, names.kana
    return OutPerson(id_, shown.family, shown.given, shown.middle, kana.family, kana.given, kana.middle, school_grade)
