"""Outbound gRPC, in the name of the person who prints: what roster, grades and attendance answer, as plain values."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date
from typing import Any, Protocol
from uuid import UUID

import grpc
from komu.attendance.v1 import attendance_pb2, attendance_pb2_grpc
from komu.common.v1 import common_pb2
from komu.grades.v1 import grades_pb2, grades_pb2_grpc
from komu.roster.v1 import roster_pb2, roster_pb2_grpc
from servicekit.clients import Clients, raise_for
from servicekit.clock import day_in_jst

from reports.domain.sources import (
    ClassFact,
    ColumnFact,
    Curriculum,
    DatedText,
    EventFact,
    GuardianFact,
    MonthFact,
    Records,
    Register,
    RegisterNames,
    School,
    StaffFact,
    SubjectFact,
    SumsFact,
    TermFact,
    YearFact,
)
from reports.domain.standing import Standing

_DEADLINE_S = 20.0
_SEX = {roster_pb2.SEX_MALE: "男", roster_pb2.SEX_FEMALE: "女", roster_pb2.SEX_OTHER: "その他"}
_SCHOOL_KIND = {
    roster_pb2.SCHOOL_KIND_ELEMENTARY: "elementary",
    roster_pb2.SCHOOL_KIND_LOWER_SECONDARY: "lower_secondary",
}
_POST = {
    roster_pb2.POST_PRINCIPAL: "principal",
    roster_pb2.POST_VICE_PRINCIPAL: "vice_principal",
    roster_pb2.POST_TEACHER: "teacher",
    roster_pb2.POST_OFFICE: "office",
    roster_pb2.POST_NURSE: "nurse",
}
_POST_WORDS = {
    roster_pb2.POST_PRINCIPAL: "校長",
    roster_pb2.POST_VICE_PRINCIPAL: "教頭",
    roster_pb2.POST_TEACHER: "教諭",
    roster_pb2.POST_NURSE: "養護教諭",
}


class HasToken(Protocol):
    """A call under way."""

    @property
    def token(self) -> str | None: ...


class Sources:
    """The other services for one call: every question carries the person's own token, so their policies decide too."""

    def __init__(self, clients: Clients, call: HasToken) -> None:
        self._clients = clients
        self._call = call
        self._roster = clients.stub(roster_pb2_grpc.RosterServiceStub, "roster")
        self._grades = clients.stub(grades_pb2_grpc.GradesServiceStub, "grades")
        self._attendance = clients.stub(attendance_pb2_grpc.AttendanceServiceStub, "attendance")

    async def standing(self, today: date, *, board_admin: bool) -> Standing:
        """Whom the person serves today."""
        reply = await self._ask("roster", self._roster.WhoAmI, roster_pb2.WhoAmIRequest())
        posts: dict[UUID, set[str]] = {}
        for held in reply.appointments:
            if held.school_id and held.post in _POST and _holds(held.period, today):
                posts.setdefault(UUID(held.school_id), set()).add(_POST[held.post])
        homerooms = {roster_pb2.DUTY_KIND_HOMEROOM, roster_pb2.DUTY_KIND_ASSISTANT_HOMEROOM}
        duties = [duty for duty in reply.duties if _holds(duty.period, today)]
        return Standing(
            posts={school: frozenset(held_posts) for school, held_posts in posts.items()},
            homeroom_class_ids=frozenset(UUID(d.class_id) for d in duties if d.class_id and d.kind in homerooms),
            headed=frozenset(
                (UUID(d.school_id), d.school_grade) for d in duties if d.kind == roster_pb2.DUTY_KIND_GRADE_HEAD
            ),
            every_school=board_admin,
        )

    async def homeroom(self, class_id: UUID) -> ClassFact:
        """A class with everyone who was in it this school year."""
        request = roster_pb2.GetClassRosterRequest(class_id=str(class_id), whole_year=True)
        reply = await self._ask("roster", self._roster.GetClassRoster, request)
        told = getattr(reply, "class")
        return ClassFact(
            id=told.id,
            name=told.name,
            school=_school(reply.school),
            school_year=told.school_year,
            school_grade=told.school_grade,
            members=tuple((UUID(e.pupil.id), e.pupil.number, _name(e.pupil.names.display)) for e in reply.entries),
        )

    async def register_names(self, class_id: UUID) -> RegisterNames:
        """Official names, 校長 and 担任 for 出席簿 of a class."""
        request = roster_pb2.GetRegisterNamesRequest(class_id=str(class_id))
        reply = await self._ask("roster", self._roster.GetRegisterNames, request)
        return RegisterNames(
            {UUID(pupil.pupil_id): _names(pupil.names) for pupil in reply.pupils},
            _staff(reply.principals),
            _staff(reply.homeroom_teachers),
        )

    async def registers(
        self, school_year: int, *, pupil_ids: Sequence[UUID] = (), class_id: UUID | None = None
    ) -> list[Register]:
        """様式1's facts, in 出席番号 order."""
        request = roster_pb2.GetRegisterSheetsRequest(
            pupil_ids=[str(pupil) for pupil in pupil_ids],
            class_id=str(class_id or "") if not pupil_ids else "",
            school_year=school_year,
        )
        reply = await self._ask("roster", self._roster.GetRegisterSheets, request)
        return sorted((_register(sheet) for sheet in reply.sheets), key=lambda r: (r.number, r.display_name))

    async def records(
        self,
        purpose: str,
        *,
        pupil_ids: Sequence[UUID] = (),
        class_id: UUID | None = None,
        school_years: Sequence[int] = (),
        term: str = "",
    ) -> tuple[dict[UUID, Records], list[Curriculum]]:
        """What is entered, and the curricula it was entered by."""
        request = grades_pb2.GetRecordsRequest(
            pupil_ids=[str(pupil) for pupil in pupil_ids],
            class_id=str(class_id or "") if not pupil_ids else "",
            school_years=school_years,
            purpose=purpose,
            term=term,
        )
        reply = await self._ask("grades", self._grades.GetRecords, request)
        found = {
            UUID(pupil.pupil_id): Records(
                {
                    (year.school_year, value.term, value.subject, value.column): value.value
                    for year in pupil.years
                    for value in year.values
                }
            )
            for pupil in reply.pupils
        }
        return found, [_curriculum(curriculum) for curriculum in reply.curricula]

    async def terms(self, school_id: UUID, school_year: int) -> list[TermFact]:
        """学期 of a school year."""
        request = grades_pb2.ListTermsRequest(school_id=str(school_id), school_year=school_year)
        reply = await self._ask("grades", self._grades.ListTerms, request)
        return [TermFact(term.key, term.label, term.starts_on, term.ends_on) for term in reply.terms]

    async def sums(
        self,
        ranges: Iterable[tuple[str, date, date]],
        *,
        pupil_ids: Sequence[UUID] = (),
        class_id: UUID | None = None,
    ) -> dict[UUID, dict[str, SumsFact]]:
        """出欠 by named range of days."""
        request = attendance_pb2.GetSumsRequest(
            pupil_ids=[str(pupil) for pupil in pupil_ids],
            class_id=str(class_id or "") if not pupil_ids else "",
            ranges=[
                attendance_pb2.SumRange(name=name, from_on=start.isoformat(), to_on=end.isoformat())
                for name, start, end in ranges
            ],
        )
        reply = await self._ask("attendance", self._attendance.GetSums, request)
        return {
            UUID(pupil.pupil_id): {name: _sums(sums) for name, sums in pupil.by_range.items()} for pupil in reply.pupils
        }

    async def month(self, class_id: UUID, month: str) -> MonthFact:
        """The month sheet of a class (`month`: YYYY-MM)."""
        request = attendance_pb2.GetMonthRequest(class_id=str(class_id), month=month)
        reply = await self._ask("attendance", self._attendance.GetMonth, request)
        statistics = reply.statistics
        return MonthFact(
            month=month,
            days=tuple((day.on, _enum(attendance_pb2.DayState, day.state), day.note, day.taken) for day in reply.days),
            pupils=tuple(
                (
                    UUID(pupil.pupil_id),
                    tuple((cell.sign, cell.outside, cell.corrected) for cell in pupil.cells),
                    _sums(pupil.sums),
                )
                for pupil in reply.pupils
            ),
            symbols=tuple((s.sign, s.label, _enum(attendance_pb2.Category, s.category)) for s in reply.symbols),
            statistics={
                name: getattr(statistics, name)
                for name in (
                    "on_roll_before", "entered", "left", "on_roll", "lesson_days", "excused_total", "required_total",
                    "absent_total", "present_total", "rate",
                )
            },
        )  # fmt: skip

    async def _ask(self, service: str, method: Any, request: Any) -> Any:
        metadata = await self._clients.on_behalf(self._call, service)  # type: ignore[arg-type]
        try:
            return await method(request, metadata=metadata, timeout=_DEADLINE_S)
        except grpc.aio.AioRpcError as error:
            raise_for(error)


def _holds(period: common_pb2.Period, today: date) -> bool:
    day = today.isoformat()
    return period.starts_on <= day and (not period.ends_on or period.ends_on >= day)


def _enum(kind: Any, value: int) -> str:
    """Lower-case name without its prefix: DAY_STATE_LESSON → lesson."""
    name = str(kind.Name(value))
    prefix = str(kind.Name(0)).removesuffix("UNSPECIFIED")
    return name.removeprefix(prefix).lower()


def _name(name: common_pb2.Name) -> str:
    return "　".join(part for part in (name.family, name.middle, name.given) if part)


def _formal(names: common_pb2.PersonNames) -> str:
    return _name(names.official) or _name(names.display)


def _school(school: roster_pb2.School) -> School:
    return School(school.id, school.name, school.address, _SCHOOL_KIND.get(school.kind, "elementary"))


def _event(event: roster_pb2.EnrolmentEvent) -> EventFact:
    return EventFact(
        kind=_enum(roster_pb2.EnrolmentEventKind, event.kind),
        school_id=event.school_id,
        effective_on=event.effective_on,
        left_on=event.left_on,
        school_grade=event.school_grade,
        counterpart_name=event.counterpart_name,
        counterpart_address=event.counterpart_address,
        reason=event.reason,
        struck=event.struck,
        recorded_on=day_in_jst(event.recorded_at.ToDatetime(UTC)).isoformat() if event.HasField("recorded_at") else "",
    )


def _staff(staff: Iterable[roster_pb2.DatedStaff]) -> tuple[StaffFact, ...]:
    return tuple(
        StaffFact(_name(each.name), each.period.starts_on, each.period.ends_on, _POST_WORDS.get(each.post, ""))
        for each in staff
    )


def _names(names: Iterable[roster_pb2.DatedName]) -> tuple[DatedText, ...]:
    return tuple(
        DatedText(dated.kind, _name(dated.name), dated.period.starts_on, dated.period.ends_on) for dated in names
    )


def _guardian(guardian: roster_pb2.Guardian) -> GuardianFact:
    return GuardianFact(
        _formal(guardian.names), _name(guardian.names.kana), guardian.address, guardian.rank or 99,
        guardian.period.ends_on,
    )  # fmt: skip


def _register(sheet: roster_pb2.RegisterSheet) -> Register:
    years = tuple(
        YearFact(
            school_year=year.school_year,
            school_grade=year.school_grade,
            class_id=year.class_id,
            class_name=year.class_name,
            number=year.number,
            principals=_staff(year.principals),
            homeroom_teachers=_staff(year.homeroom_teachers),
        )
        for year in sorted(sheet.years, key=lambda year: year.school_year)
    )
    last = years[-1] if years else None
    return Register(
        pupil_id=UUID(sheet.pupil.id),
        school=_school(sheet.school),
        class_id=sheet.pupil.class_id or (last.class_id if last else ""),
        school_grade=sheet.pupil.school_grade or (last.school_grade if last else "P1"),
        number=sheet.pupil.number or (last.number if last else 0),
        sex=_SEX.get(sheet.pupil.sex, ""),
        birth_on=sheet.pupil.birth_on,
        display_name=_name(sheet.pupil.names.display),
        names=_names(sheet.names),
        addresses=tuple(
            DatedText("address", address.text, address.period.starts_on, address.period.ends_on)
            for address in sheet.addresses
        ),
        guardians=tuple(map(_guardian, sheet.guardians)),
        events=tuple(_event(event) for enrolment in sheet.enrolments for event in enrolment.events),
        years=years,
        prior_history=sheet.prior_history,
        next_school=sheet.next_school,
        next_school_address=sheet.next_school_address,
        former_guardians=tuple(map(_guardian, sheet.former_guardians)),
        principals=_staff(sheet.principals),
        enrolled=sheet.pupil.enrolled,
    )


def _curriculum(told: grades_pb2.CurriculumYear) -> Curriculum:
    return Curriculum(
        told.school_year,
        told.school_grade,
        tuple(
            SubjectFact(
                each.subject.key,
                each.subject.label,
                each.subject.is_subject,
                tuple(ColumnFact(c.key, _enum(grades_pb2.CellKind, c.kind), c.label) for c in each.columns),
            )
            for each in told.subjects
        ),
    )


def _sums(sums: attendance_pb2.Sums) -> SumsFact:
    return SumsFact(
        lesson_days=sums.lesson_days,
        excused=sums.excused,
        required=sums.required,
        absent=sums.absent,
        present=sums.present,
        absent_illness=sums.absent_illness,
        absent_other=sums.absent_other,
        late=sums.late,
        early=sums.early,
        remarks=tuple(sums.remarks),
    )
