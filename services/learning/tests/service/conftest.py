"""Learning's real server on real PostgreSQL, and a school told by roster's events as they come in real life."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest_asyncio
from komu.common.v1 import common_pb2
from komu.roster.v1 import events_pb2, roster_pb2
from learning.app import build
from learning.consumers import on_class_roster_changed, on_school_changed, on_staff_duties_changed
from learning.settings import Settings
from servicekit.testing import Caller, FixedClock, RunningService, an_actor

from services.learning.tests.service.record_store import Board, Tool


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running(grpc_service: Callable[..., Awaitable[RunningService]]) -> RunningService:
    clock = FixedClock(datetime(2026, 11, 20, 6, 0, tzinfo=UTC))
    return await grpc_service(build, settings=Settings, clock=clock)


@dataclass
class School:
    """A 小学校 with 3年1組 (three children) and 3年2組 (two) in school year 2026, its people, and callers for them."""

    running: RunningService
    tenant: str
    id: UUID = field(default_factory=uuid4)
    homeroom_id: UUID = field(default_factory=uuid4)
    other_class_id: UUID = field(default_factory=uuid4)
    pupils: list[UUID] = field(default_factory=lambda: [uuid4() for _ in range(3)])
    other_pupils: list[UUID] = field(default_factory=lambda: [uuid4() for _ in range(2)])
    teacher_id: UUID = field(default_factory=uuid4)
    subject_teacher_id: UUID = field(default_factory=uuid4)
    principal_id: UUID = field(default_factory=uuid4)

    def caller(self, stub: Any, person_id: UUID, role: str) -> Caller[Any]:
        return self.running.caller(stub, an_actor(self.tenant, role, person_id=person_id, strong=False))

    def class_event(
        self, class_id: UUID, name: str, pupils: list[UUID], version: int = 1
    ) -> events_pb2.ClassRosterChanged:
        told = roster_pb2.Class(
            id=str(class_id), school_id=str(self.id), school_year=2026, school_grade="P3", name=name,
            kind=roster_pb2.CLASS_KIND_HOMEROOM,
        )  # fmt: skip
        period = common_pb2.Period(starts_on="2026-04-01")
        members = [
            roster_pb2.ClassMember(pupil_id=str(pupil), number=number, period=period)
            for number, pupil in enumerate(pupils, 1)
        ]
        roster = roster_pb2.ClassRoster(**{"class": told}, members=members, version=version)
        return events_pb2.ClassRosterChanged(roster=roster)

    def staff_event(
        self, staff_id: UUID, post: roster_pb2.Post, duty: roster_pb2.Duty | None = None
    ) -> events_pb2.StaffDutiesChanged:
        period = common_pb2.Period(starts_on="2026-04-01")
        post_here = roster_pb2.Appointment(staff_id=str(staff_id), school_id=str(self.id), post=post, period=period)
        if duty is not None:
            duty.school_id = str(self.id)
            duty.period.CopyFrom(period)
        return events_pb2.StaffDutiesChanged(
            duties=roster_pb2.StaffDuties(
                staff_id=str(staff_id), appointments=[post_here], duties=[duty] if duty else [], version=1
            )
        )


@pytest_asyncio.fixture(loop_scope="session")
async def school(running: RunningService, tenant: str) -> School:
    return await told(School(running, tenant))


async def told(made: School) -> School:
    """The school as roster's events bring it."""
    event = roster_pb2.School(
        id=str(made.id), code="B127210000018", name="青空小学校", kind=roster_pb2.SCHOOL_KIND_ELEMENTARY
    )
    homeroom = roster_pb2.Duty(kind=roster_pb2.DUTY_KIND_HOMEROOM, class_id=str(made.homeroom_id))
    subject = roster_pb2.Duty(kind=roster_pb2.DUTY_KIND_SUBJECT, class_id=str(made.homeroom_id), subject="music")
    async with made.running.database.transaction(made.tenant) as tx:
        await on_school_changed(tx, events_pb2.SchoolChanged(school=event))
        await on_class_roster_changed(tx, made.class_event(made.homeroom_id, "3年1組", made.pupils))
        await on_class_roster_changed(tx, made.class_event(made.other_class_id, "3年2組", made.other_pupils))
        for person, post, duty in (
            (made.teacher_id, roster_pb2.POST_TEACHER, homeroom),
            (made.subject_teacher_id, roster_pb2.POST_TEACHER, subject),
            (made.principal_id, roster_pb2.POST_PRINCIPAL, None),
        ):
            await on_staff_duties_changed(tx, made.staff_event(person, post, duty))
    return made


@pytest_asyncio.fixture(loop_scope="session")
async def board(running: RunningService, tenant: str) -> AsyncIterator[Board]:
    opened = Board(running, tenant)
    yield opened
    await opened.http.aclose()


@pytest_asyncio.fixture(loop_scope="session")
async def tool(board: Board) -> Tool:
    return await board.tool()
