"""An invented board with a 小学校 and a 中学校, entered as in real life: by a roster file."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest_asyncio
from komu.common.v1 import common_pb2
from komu.roster.v1 import roster_pb2
from komu.roster.v1.roster_pb2_grpc import RosterServiceStub
from roster.app import build
from roster.settings import Settings
from servicekit.auth import STRONG_LEVEL, Actor
from servicekit.testing import Caller, FixedClock, RunningService, an_actor

NOW = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
YEAR = common_pb2.Period(starts_on="2026-04-01", ends_on="2027-03-31")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running(grpc_service: Callable[..., Awaitable[RunningService]]) -> RunningService:
    clock = FixedClock(NOW)
    return await grpc_service(build, settings=Settings, clock=clock)


def a_name(family: str, given: str) -> common_pb2.Name:
    return common_pb2.Name(family=family, given=given)


class Board:
    """A board, what its roster file says, and its people as callers."""

    def __init__(self, running: RunningService, tenant: str) -> None:
        self.running, self.tenant = running, tenant
        self.board_id, self.elementary, self.lower = (str(uuid4()) for _ in range(3))
        self.class_31, self.class_32, self.class_j1 = (str(uuid4()) for _ in range(3))
        self.school_year = 2026
        self.people: dict[str, str] = {}
        self.rows: dict[str, roster_pb2.StageRow] = {}
        self._codes = f"{uuid4().int % 10**10:010}"
        self._describe()

    def _describe(self) -> None:
        self.put(
            "org-board",
            org=roster_pb2.StageOrg(source_id=self.board_id, name="試験市教育委員会", code="011000", is_board=True),
        )
        self.org("elementary", self.elementary, "試験市立けやき小学校", "B1" + self._codes + "1")
        self.org("lower", self.lower, "試験市立けやき中学校", "C1" + self._codes + "2")
        self.a_class("31", self.class_31, self.elementary, "P3", "3年1組")
        self.a_class("32", self.class_32, self.elementary, "P3", "3年2組")
        self.a_class("j1", self.class_j1, self.lower, "J1", "1年1組")
        for key, post, org in (
            ("principal", roster_pb2.POST_PRINCIPAL, self.elementary),
            ("vice", roster_pb2.POST_VICE_PRINCIPAL, self.elementary),
            ("office", roster_pb2.POST_OFFICE, self.elementary), ("teacher", roster_pb2.POST_TEACHER, self.elementary),
            ("teacher2", roster_pb2.POST_TEACHER, self.elementary), ("jh_teacher", roster_pb2.POST_TEACHER, self.lower),
            ("jh_principal", roster_pb2.POST_PRINCIPAL, self.lower),
        ):  # fmt: skip
            self.a_person(key, roster_pb2.PERSON_KIND_STAFF, ("先生", key), ("センセイ", "ア"), org)
            self.put(
                f"post-{key}",
                appointment=roster_pb2.StageAppointment(
                    person_source_id=self.people[key], org_source_id=org, post=post, period=YEAR
                ),
            )
        self.a_homeroom("teacher", self.class_31)
        self.a_homeroom("teacher2", self.class_32)
        for number, (family, given, kana_family, kana_given) in enumerate(
            (("髙橋", "花", "タカハシ", "ハナ"), ("山﨑", "𠮷", "ヤマザキ", "キチ"), ("阿部", "一", "アベ", "ハジメ")),
            1,
        ):
            self.a_pupil(
                f"pupil{number}",
                (family, given),
                (kana_family, kana_given),
                self.elementary,
                "P3",
                self.class_31,
                number,
            )
        self.a_pupil("pupil4", ("王", "小明"), ("オウ", "ショウメイ"), self.elementary, "P3", self.class_32, 1)
        self.a_pupil("pupil_j", ("港", "海"), ("ミナト", "ウミ"), self.lower, "J1", self.class_j1, 1)

    def put(self, key: str, **row: object) -> None:
        self.rows[key] = roster_pb2.StageRow(**row)  # type: ignore[arg-type]

    def org(self, key: str, source_id: str, name: str, code: str) -> None:
        self.put(f"org-{key}", org=roster_pb2.StageOrg(source_id=source_id, name=name, code=code))

    def a_class(self, key: str, source_id: str, org: str, school_grade: str, name: str) -> None:
        self.put(
            f"class-{key}",
            **{
                "class": roster_pb2.StageClass(
                    source_id=source_id, org_source_id=org, school_year=2026, school_grade=school_grade, name=name,
                    kind=roster_pb2.CLASS_KIND_HOMEROOM,
                )
            },
        )  # fmt: skip

    def a_person(
        self, key: str, kind: roster_pb2.PersonKind, name: tuple[str, str], kana: tuple[str, str], org: str,
        school_grade: str = "", home_class: str = "",
    ) -> str:  # fmt: skip
        person = self.people.setdefault(key, str(uuid4()))
        self.put(
            f"person-{key}",
            person=roster_pb2.StagePerson(
                source_id=person, person_id=person, kind=kind, org_source_id=org, school_grade=school_grade,
                names=common_pb2.PersonNames(display=a_name(*name), kana=a_name(*kana)),
                home_class_source_id=home_class,
            ),
        )  # fmt: skip
        return person

    def a_pupil(
        self,
        key: str,
        name: tuple[str, str],
        kana: tuple[str, str],
        org: str,
        school_grade: str,
        room: str,
        number: int,
    ) -> str:
        person = self.a_person(key, roster_pb2.PERSON_KIND_PUPIL, name, kana, org, school_grade, room)
        self.put(
            f"member-{key}",
            member=roster_pb2.StageMember(class_source_id=room, person_source_id=person, number=number, period=YEAR),
        )
        return person

    def a_homeroom(self, key: str, room: str) -> None:
        self.put(
            f"duty-{key}-{room}",
            duty=roster_pb2.StageDuty(
                person_source_id=self.people[key], class_source_id=room, kind=roster_pb2.DUTY_KIND_HOMEROOM, period=YEAR
            ),
        )

    # --- people ------------------------------------------------------------------------------------------------------

    def as_person(
        self, key: str, role: str, *, strong: bool = False, stub: type[Any] = RosterServiceStub
    ) -> Caller[Any]:
        return self.running.caller(stub, self.actor(key, role, strong=strong))

    def actor(self, key: str, role: str, *, strong: bool = False) -> Actor:
        actor = an_actor(self.tenant, role, person_id=UUID(self.people[key]))
        return replace(actor, levels={1: NOW, STRONG_LEVEL: NOW} if strong else {1: NOW})

    @property
    def admin(self) -> Caller[RosterServiceStub]:
        return self.board_admin(RosterServiceStub)

    def board_admin(self, stub: type[Any]) -> Caller[Any]:
        actor = replace(an_actor(self.tenant, "board_admin"), levels={1: NOW, STRONG_LEVEL: NOW})
        return self.running.caller(stub, actor)

    @property
    def teacher(self) -> Caller[RosterServiceStub]:
        return self.as_person("teacher", "teacher")

    @property
    def principal(self) -> Caller[RosterServiceStub]:
        return self.as_person("principal", "principal")

    @property
    def office(self) -> Caller[RosterServiceStub]:
        return self.as_person("office", "office")

    def person(self, key: str) -> UUID:
        return UUID(self.people[key])

    # --- the import --------------------------------------------------------------------------------------------------

    async def stage(
        self, rows: Iterable[roster_pb2.StageRow] | None = None, *, bulk: bool = True, supplement: bool = False,
        caller: Caller[RosterServiceStub] | None = None,
    ) -> str:  # fmt: skip
        import_id = str(uuid4())
        header = roster_pb2.StageHeader(
            import_id=import_id, source="名簿.zip", bulk=bulk, supplement=supplement, school_year=self.school_year
        )
        sent = list(self.rows.values()) if rows is None else list(rows)
        parts = [roster_pb2.StageRosterRequest(header=header)]
        parts += [
            roster_pb2.StageRosterRequest(rows=roster_pb2.StageRows(rows=sent[start : start + 10]))
            for start in range(0, len(sent), 10)
        ]
        reply = await (caller or self.admin).StageRoster(iter(parts))
        assert reply.rows >= len(sent)
        return import_id

    async def change(self, import_id: str) -> roster_pb2.RosterChange:
        return await self.admin.GetRosterChange(roster_pb2.GetRosterChangeRequest(import_id=import_id))

    async def apply(self, import_id: str, *, confirm_shrink: bool = False) -> common_pb2.Job:
        job = await self.admin.ApplyRosterChange(
            roster_pb2.ApplyRosterChangeRequest(import_id=import_id, confirm_shrink=confirm_shrink)
        )
        async with asyncio.timeout(20):
            while job.state in (common_pb2.JOB_STATE_WAITING, common_pb2.JOB_STATE_RUNNING):
                job = await self.admin.GetJob(common_pb2.GetJobRequest(job_id=job.id))
        return job

    async def take_in(self, rows: Iterable[roster_pb2.StageRow] | None = None, **more: bool) -> common_pb2.Job:
        confirm = more.pop("confirm_shrink", False)
        return await self.apply(await self.stage(rows, **more), confirm_shrink=confirm)

    async def roster(self, class_id: str, *, whole_year: bool = False, on: str = "") -> roster_pb2.GetClassRosterReply:
        return await self.principal.GetClassRoster(
            roster_pb2.GetClassRosterRequest(class_id=class_id, whole_year=whole_year, on=on)
        )


@pytest_asyncio.fixture(loop_scope="session")
async def board(running: RunningService, tenant: str) -> Board:
    """Imported and ready."""
    made = Board(running, tenant)
    job = await made.take_in()
    assert job.state == common_pb2.JOB_STATE_DONE, job.label
    return made
