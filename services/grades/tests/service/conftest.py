"""A 小学校 with two classes and a 中学校 class, told by roster's events; today is 2026-11-21."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from grades.app import build
from grades.consumers import on_class_roster_changed, on_school_changed, on_staff_duties_changed
from grades.settings import GradesSettings
from komu.common.v1 import common_pb2
from komu.grades.v1 import grades_pb2 as pb
from komu.grades.v1.grades_pb2_grpc import GradesServiceStub
from komu.roster.v1 import events_pb2, roster_pb2
from servicekit.auth import STRONG_LEVEL, Actor
from servicekit.testing import Caller, FixedClock, RunningService

YEAR = 2026
NOW = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running(grpc_service: Callable[..., Awaitable[RunningService]], clock: FixedClock) -> RunningService:
    return await grpc_service(build, settings=GradesSettings, clock=clock)


def a_duty(kind: int, school: UUID, klass: UUID | None = None, subject: str = "", **more: Any) -> roster_pb2.Duty:
    return roster_pb2.Duty(
        id=str(uuid4()),
        kind=kind,
        school_id=str(school),
        class_id=str(klass) if klass else "",
        subject=subject,
        period=common_pb2.Period(starts_on=more.pop("starts_on", "2026-04-01"), ends_on=more.pop("ends_on", "")),
        **more,
    )


@dataclass
class World:
    """A board. `as_(name)` calls in that person's name."""

    running: RunningService
    tenant: str
    school: UUID = field(default_factory=uuid4)
    other_school: UUID = field(default_factory=uuid4)
    class31: UUID = field(default_factory=uuid4)
    class32: UUID = field(default_factory=uuid4)
    class_j1: UUID = field(default_factory=uuid4)
    pupils: list[UUID] = field(default_factory=lambda: [uuid4() for _ in range(4)])
    pupils_j1: list[UUID] = field(default_factory=lambda: [uuid4() for _ in range(2)])
    people: dict[str, tuple[UUID, str]] = field(default_factory=dict)

    def as_(self, name: str, *, strong: bool = True, minutes_ago: int = 0) -> Caller[GradesServiceStub]:
        """`strong`: a second factor was given, `minutes_ago`."""
        person, role = self.people[name]
        at = self.running.service.clock() - timedelta(minutes=minutes_ago)
        levels = {1: at, STRONG_LEVEL: at} if strong else {1: at}
        return self.running.caller(GradesServiceStub, Actor(self.tenant, person, frozenset({role}), levels, "session"))

    async def tell(self, *events: Any) -> None:
        followers = {
            events_pb2.SchoolChanged: on_school_changed,
            events_pb2.ClassRosterChanged: on_class_roster_changed,
            events_pb2.StaffDutiesChanged: on_staff_duties_changed,
        }
        for event in events:
            async with self.running.database.transaction(self.tenant) as tx:
                await followers[type(event)](tx, event)

    def a_class(
        self,
        klass: UUID,
        name: str,
        grade: str,
        members: Sequence[roster_pb2.ClassMember],
        version: int = 1,
        school: UUID | None = None,
    ) -> events_pb2.ClassRosterChanged:
        told = roster_pb2.ClassRoster(members=members, version=version)
        getattr(told, "class").CopyFrom(
            roster_pb2.Class(
                id=str(klass),
                school_id=str(school or self.school),
                school_year=YEAR,
                school_grade=grade,
                name=name,
                kind=roster_pb2.CLASS_KIND_HOMEROOM,
            )
        )
        return events_pb2.ClassRosterChanged(roster=told)

    def members(self, pupils: Sequence[UUID], starts_on: str = "2026-04-01", ends_on: str = "") -> list[Any]:
        return [
            roster_pb2.ClassMember(
                pupil_id=str(pupil), number=at, period=common_pb2.Period(starts_on=starts_on, ends_on=ends_on)
            )
            for at, pupil in enumerate(pupils, start=1)
        ]

    def staff(
        self, name: str, role: str, post: int, *duties: roster_pb2.Duty, school: UUID | None = None, version: int = 1
    ) -> events_pb2.StaffDutiesChanged:
        person = self.people.setdefault(name, (uuid4(), role))[0]
        return events_pb2.StaffDutiesChanged(
            duties=roster_pb2.StaffDuties(
                staff_id=str(person),
                appointments=[
                    roster_pb2.Appointment(
                        staff_id=str(person),
                        school_id=str(school or self.school),
                        post=post,
                        period=common_pb2.Period(starts_on="2026-04-01"),
                    )
                ],
                duties=duties,
                version=version,
            )
        )

    def sheet(self, subject: str = "japanese", term: str = "2", klass: UUID | None = None) -> pb.GetSheetRequest:
        return pb.GetSheetRequest(class_id=str(klass or self.class31), subject=subject, term=term)

    def save(
        self,
        *edits: tuple[UUID, str, str, int],
        subject: str = "japanese",
        term: str = "2",
        klass: UUID | None = None,
        key: str = "",
    ) -> pb.SaveCellsRequest:
        return pb.SaveCellsRequest(
            class_id=str(klass or self.class31),
            subject=subject,
            term=term,
            idempotency_key=key or str(uuid4()),
            edits=[
                pb.CellEdit(pupil_id=str(pupil), column=column, value=value, expected_version=version)
                for pupil, column, value, version in edits
            ],
        )

    def term(self, term: str = "2") -> dict[str, Any]:
        return {"school_id": str(self.school), "school_year": YEAR, "term": term}


@pytest_asyncio.fixture(loop_scope="session")
async def world(running: RunningService, tenant: str) -> World:
    made = World(running, tenant)
    kinds = roster_pb2
    homeroom, subject = kinds.DUTY_KIND_HOMEROOM, kinds.DUTY_KIND_SUBJECT
    teacher = kinds.POST_TEACHER
    await made.tell(
        events_pb2.SchoolChanged(
            meta=common_pb2.EventMeta(aggregate_version=1),
            school=roster_pb2.School(id=str(made.school), name="青空第一小学校", kind=kinds.SCHOOL_KIND_ELEMENTARY),
        ),
        made.a_class(made.class31, "3年1組", "P3", made.members(made.pupils)),
        made.a_class(made.class32, "3年2組", "P3", []),
        made.a_class(made.class_j1, "1年1組", "J1", made.members(made.pupils_j1), school=made.other_school),
        made.staff("homeroom", "teacher", teacher, a_duty(homeroom, made.school, made.class31)),
        made.staff("next door", "teacher", teacher, a_duty(homeroom, made.school, made.class32)),
        made.staff("music", "teacher", teacher, a_duty(subject, made.school, made.class31, "music")),
        made.staff("free", "teacher", teacher),
        made.staff("principal", "principal", kinds.POST_PRINCIPAL),
        made.staff("vice", "vice_principal", kinds.POST_VICE_PRINCIPAL),
        made.staff("head", "teacher", teacher, a_duty(kinds.DUTY_KIND_GRADE_HEAD, made.school, school_grade="P3")),
        made.staff(
            "jh homeroom",
            "teacher",
            teacher,
            a_duty(homeroom, made.other_school, made.class_j1),
            school=made.other_school,
        ),
        made.staff(
            "jh maths",
            "teacher",
            teacher,
            a_duty(subject, made.other_school, made.class_j1, "mathematics"),
            school=made.other_school,
        ),
        made.staff("jh principal", "principal", kinds.POST_PRINCIPAL, school=made.other_school),
    )
    return made
