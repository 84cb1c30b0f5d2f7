"""The register as the import sees it: takes rows, says what they would change, applies them."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from itertools import islice
from uuid import UUID

import grpc
from jpschool.characters import proposed_display
from komu.common.v1 import common_pb2
from komu.roster.v1 import roster_pb2, roster_pb2_grpc
from servicekit.clients import Clients, raise_for

from dataexchange.domain.oneroster.rows import (
    AppointmentRow,
    ClassRow,
    DutyRow,
    MemberRow,
    OrgRow,
    PersonRow,
    RosterRow,
)
from dataexchange.domain.oneroster.school_supplement import SchoolSupplementRow
from dataexchange.domain.oneroster.supplement import GuardianRow, SupplementRow

Row = RosterRow | SupplementRow | SchoolSupplementRow
ROWS_PER_MESSAGE = 8_000  # under 2 MiB; gRPC takes 4
STAGE_WITHIN_S = 300.0
COMPARE_WITHIN_S = 60.0

_CLASS_KINDS = {
    "homeroom": roster_pb2.CLASS_KIND_HOMEROOM,
    "special_needs": roster_pb2.CLASS_KIND_SPECIAL_NEEDS,
    "course": roster_pb2.CLASS_KIND_COURSE,
}
_PERSON_KINDS = {
    "pupil": roster_pb2.PERSON_KIND_PUPIL,
    "staff": roster_pb2.PERSON_KIND_STAFF,
    "guardian": roster_pb2.PERSON_KIND_GUARDIAN,
}
_POSTS = {
    "principal": roster_pb2.POST_PRINCIPAL,
    "vice_principal": roster_pb2.POST_VICE_PRINCIPAL,
    "teacher": roster_pb2.POST_TEACHER,
    "office": roster_pb2.POST_OFFICE,
}
_DUTIES = {
    "homeroom": roster_pb2.DUTY_KIND_HOMEROOM,
    "assistant_homeroom": roster_pb2.DUTY_KIND_ASSISTANT_HOMEROOM,
    "subject": roster_pb2.DUTY_KIND_SUBJECT,
}
_SEXES = {
    "": roster_pb2.SEX_UNSPECIFIED,
    "male": roster_pb2.SEX_MALE,
    "female": roster_pb2.SEX_FEMALE,
    "other": roster_pb2.SEX_OTHER,
}


class RosterImports:
    """Calls on behalf of the person who imports: the register sees them, not this service."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    @property
    def _roster(self) -> "roster_pb2_grpc.RosterServiceAsyncStub":
        return self._clients.stub(roster_pb2_grpc.RosterServiceStub, "roster")

    async def stage(
        self,
        token: str,
        import_id: UUID,
        source: str,
        rows: Iterable[Row],
        *,
        supplement: bool,
        school_year: int,
    ) -> int:
        """Rows taken by the register. Raises: what it refuses with."""
        header = roster_pb2.StageHeader(
            import_id=str(import_id), source=source, bulk=not supplement, supplement=supplement, school_year=school_year
        )

        async def parts() -> AsyncIterator[roster_pb2.StageRosterRequest]:
            yield roster_pb2.StageRosterRequest(header=header)
            batches = _batches(rows)
            while (batch := await asyncio.to_thread(next, batches, None)) is not None:
                yield batch

        try:
            reply = await self._roster.StageRoster(
                parts(), timeout=STAGE_WITHIN_S, metadata=await self._clients.on_behalf(token, "roster")
            )
        except grpc.RpcError as error:
            raise_for(error)
            raise
        return reply.rows

    async def change(self, token: str, import_id: UUID) -> roster_pb2.RosterChange:
        """What it would change, and how far applying is. Raises: Unseen."""
        try:
            return await self._roster.GetRosterChange(
                roster_pb2.GetRosterChangeRequest(import_id=str(import_id)),
                timeout=COMPARE_WITHIN_S,
                metadata=await self._clients.on_behalf(token, "roster"),
            )
        except grpc.RpcError as error:
            raise_for(error)
            raise

    async def apply(self, token: str, import_id: UUID, *, confirm_shrink: bool) -> common_pb2.Job:
        """Starts the job. Raises: Refused (SHRINK_NOT_CONFIRMED, IMPORT_PROBLEMS), Unseen."""
        try:
            return await self._roster.ApplyRosterChange(
                roster_pb2.ApplyRosterChangeRequest(import_id=str(import_id), confirm_shrink=confirm_shrink),
                timeout=COMPARE_WITHIN_S,
                metadata=await self._clients.on_behalf(token, "roster"),
            )
        except grpc.RpcError as error:
            raise_for(error)
            raise


def _batches(rows: Iterable[Row]) -> Iterator[roster_pb2.StageRosterRequest]:
    """What comes by the ten thousand (people, members) as columns, everything else row by row."""
    waiting = iter(rows)
    members: list[MemberRow] = []
    while batch := list(islice(waiting, ROWS_PER_MESSAGE)):
        if people := [row for row in batch if type(row) is PersonRow]:
            yield roster_pb2.StageRosterRequest(people=_people(people))
        if others := [_stage_row(row) for row in batch if not isinstance(row, PersonRow | MemberRow)]:
            yield roster_pb2.StageRosterRequest(rows=roster_pb2.StageRows(rows=others))
        members += [row for row in batch if type(row) is MemberRow]
        if len(members) >= ROWS_PER_MESSAGE:
            yield roster_pb2.StageRosterRequest(members=_members(members))
            members = []
    if members:
        yield roster_pb2.StageRosterRequest(members=_members(members))


def _people(rows: Sequence[PersonRow]) -> roster_pb2.StagePeople:
    column = dict(zip(PersonRow._fields, zip(*rows, strict=True), strict=True))
    return roster_pb2.StagePeople(
        source_ids=column["source_id"],
        person_ids=column["person_id"],
        kinds=[_PERSON_KINDS[kind] for kind in column["kind"]],
        families=column["family"],
        givens=column["given"],
        middles=column["middle"],
        kana_families=column["kana_family"],
        kana_givens=column["kana_given"],
        kana_middles=column["kana_middle"],
        org_source_ids=column["org_source_id"],
        school_grades=column["school_grade"],
        home_class_source_ids=column["home_class_source_id"],
    )


def _members(rows: Sequence[MemberRow]) -> roster_pb2.StageMembers:
    class_source_ids, person_source_ids, numbers, starts_on, ends_on = zip(*rows, strict=True)
    return roster_pb2.StageMembers(
        class_source_ids=class_source_ids,
        person_source_ids=person_source_ids,
        numbers=numbers,
        starts_on=starts_on,
        ends_on=ends_on,
    )


def _stage_row(row: Row) -> roster_pb2.StageRow:
    match row:
        case DutyRow():
            return roster_pb2.StageRow(
                duty=roster_pb2.StageDuty(
                    person_source_id=row.person_source_id,
                    class_source_id=row.class_source_id,
                    kind=_DUTIES[row.kind],
                    subject=row.subject,
                    period=common_pb2.Period(starts_on=row.starts_on, ends_on=row.ends_on),
                )
            )
        case AppointmentRow():
            return roster_pb2.StageRow(
                appointment=roster_pb2.StageAppointment(
                    person_source_id=row.person_source_id,
                    org_source_id=row.org_source_id,
                    post=_POSTS[row.post],
                    period=common_pb2.Period(starts_on=row.starts_on, ends_on=row.ends_on),
                )
            )
        case ClassRow():
            return _class_row(row)
        case OrgRow():
            return roster_pb2.StageRow(
                org=roster_pb2.StageOrg(source_id=row.source_id, name=row.name, code=row.code, is_board=row.is_board)
            )
        case SupplementRow():
            return roster_pb2.StageRow(supplement=_supplement(row))
        case SchoolSupplementRow():  # without a source id: the school that the register has under this code
            return roster_pb2.StageRow(org=roster_pb2.StageOrg(code=row.code, name=row.name, address=row.address))
    raise TypeError(type(row).__name__)


def _class_row(row: ClassRow) -> roster_pb2.StageRow:
    found = roster_pb2.StageRow()
    # `class` is a keyword here and a field there.
    getattr(found, "class").MergeFrom(
        roster_pb2.StageClass(
            source_id=row.source_id,
            org_source_id=row.org_source_id,
            school_year=row.school_year,
            school_grade=row.school_grade,
            name=row.name,
            kind=_CLASS_KINDS[row.kind],
            subject=row.subject,
        )
    )
    return found


def _supplement(row: SupplementRow) -> roster_pb2.StageSupplement:
    found = roster_pb2.StageSupplement(
        person_id=row.person_id,
        sex=_SEXES[row.sex],
        birth_on=row.birth_on,
        guardians=[_guardian(one, rank) for rank, one in enumerate(row.guardians, 1)],
        admitted_on=row.admitted_on,
        prior_history=row.prior_history,
        protected_address=row.protected_address,
    )
    if row.family:
        found.official.MergeFrom(common_pb2.Name(family=row.family, given=row.given, middle=row.middle))
    if row.alias_family or row.alias_given:
        found.alias.MergeFrom(common_pb2.Name(family=row.alias_family, given=row.alias_given))
    if row.address:
        found.address.MergeFrom(
            roster_pb2.DatedAddress(
                postal_code=row.postal_code,
                text=row.address,
                period=common_pb2.Period(starts_on=row.address_since or row.admitted_on),
            )
        )
    return found


def _guardian(row: GuardianRow, rank: int) -> roster_pb2.Guardian:
    return roster_pb2.Guardian(
        names=common_pb2.PersonNames(
            display=common_pb2.Name(family=proposed_display(row.family), given=proposed_display(row.given)),
            kana=common_pb2.Name(family=row.kana_family, given=row.kana_given),
            official=common_pb2.Name(family=row.family, given=row.given),
        ),
        relationship=row.relationship,
        rank=rank,
        phone=row.phone,
        address=row.address,
    )
