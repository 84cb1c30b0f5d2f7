"""A school of two classes on 20 November 2026, told by roster's events as they come in real life."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from attendance.app import build
from attendance.consumers import on_class_roster_changed, on_school_changed, on_staff_duties_changed
from attendance.settings import Settings
from komu.attendance.v1.attendance_pb2_grpc import AttendanceServiceStub
from komu.common.v1 import common_pb2
from komu.roster.v1 import events_pb2, roster_pb2
from servicekit.testing import Caller, FixedClock, RunningService, an_actor

FRIDAY = "2026-11-20"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running(grpc_service: Callable[..., Awaitable[RunningService]]) -> RunningService:
    clock = FixedClock(datetime(2026, 11, 20, 6, 0, tzinfo=UTC))
    return await grpc_service(build, settings=Settings, clock=clock)


@dataclass
class School:
    """A school, its people, and callers for them."""

    running: RunningService
    tenant: str
    id: UUID = field(default_factory=uuid4)
    homeroom_id: UUID = field(default_factory=uuid4)
    other_class_id: UUID = field(default_factory=uuid4)
    pupils: list[UUID] = field(default_factory=lambda: sorted((uuid4() for _ in range(5)), key=str))
    teacher_id: UUID = field(default_factory=uuid4)
    other_teacher_id: UUID = field(default_factory=uuid4)
    principal_id: UUID = field(default_factory=uuid4)

    def as_person(self, person_id: UUID, role: str) -> Caller[AttendanceServiceStub]:
        actor = an_actor(self.tenant, role, person_id=person_id, strong=False)
        return self.running.caller(AttendanceServiceStub, actor)

    @property
    def teacher(self) -> Caller[AttendanceServiceStub]:
        return self.as_person(self.teacher_id, "teacher")

    @property
    def other_teacher(self) -> Caller[AttendanceServiceStub]:
        return self.as_person(self.other_teacher_id, "teacher")

    @property
    def principal(self) -> Caller[AttendanceServiceStub]:
        return self.as_person(self.principal_id, "principal")

    def class_event(self, class_id: UUID, name: str, pupils: list[UUID], version: int = 1, starts: str = "2026-04-01"):
        return events_pb2.ClassRosterChanged(
            meta=common_pb2.EventMeta(id=str(uuid4()), tenant=self.tenant, aggregate_id=str(class_id)),
            roster=roster_pb2.ClassRoster(
                **{
                    "class": roster_pb2.Class(
                        id=str(class_id),
                        school_id=str(self.id),
                        school_year=2026,
                        school_grade="P3",
                        name=name,
                        kind=roster_pb2.CLASS_KIND_HOMEROOM,
                    )
                },
                members=[
                    roster_pb2.ClassMember(
                        pupil_id=str(pupil), number=number, period=common_pb2.Period(starts_on=starts)
                    )
                    for number, pupil in enumerate(pupils, 1)
                ],
                version=version,
            ),
        )

    def staff_event(self, staff_id: UUID, post: int, class_id: UUID | None):
        period = common_pb2.Period(starts_on="2026-04-01")
        duties = [
            roster_pb2.Duty(
                id=str(uuid4()),
                kind=roster_pb2.DUTY_KIND_HOMEROOM,
                staff_id=str(staff_id),
                school_id=str(self.id),
                class_id=str(class_id),
                period=period,
            )
        ]
        return events_pb2.StaffDutiesChanged(
            duties=roster_pb2.StaffDuties(
                staff_id=str(staff_id),
                appointments=[
                    roster_pb2.Appointment(staff_id=str(staff_id), school_id=str(self.id), post=post, period=period)
                ],
                duties=duties if class_id else [],
                version=1,
            )
        )


@pytest_asyncio.fixture(loop_scope="session")
async def school(running: RunningService, tenant: str) -> School:
    made = School(running, tenant)
    async with running.database.transaction(tenant) as tx:
        await on_school_changed(
            tx,
            events_pb2.SchoolChanged(
                school=roster_pb2.School(id=str(made.id), kind=roster_pb2.SCHOOL_KIND_ELEMENTARY)
            ),
        )
        await on_class_roster_changed(tx, made.class_event(made.homeroom_id, "3年1組", made.pupils))
        await on_class_roster_changed(tx, made.class_event(made.other_class_id, "3年2組", []))
        await on_staff_duties_changed(
            tx, made.staff_event(made.teacher_id, roster_pb2.POST_TEACHER, made.homeroom_id)
        )
        await on_staff_duties_changed(
            tx, made.staff_event(made.other_teacher_id, roster_pb2.POST_TEACHER, made.other_class_id)
        )
        await on_staff_duties_changed(tx, made.staff_event(made.principal_id, roster_pb2.POST_PRINCIPAL, None))
    return made


@pytest.fixture
def friday() -> str:
    return FRIDAY
