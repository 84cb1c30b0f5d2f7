"""A board's small roster as OneRoster objects, and a partner that asks for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import httpx
from dataexchange.domain.rest.scopes import SCOPES
from dataexchange.domain.roster_objects import making
from dataexchange.domain.roster_objects.making import Made, Placement
from dataexchange.domain.roster_objects.sources import Board, Duty, Member, Names, Post, School, SchoolClass, Staff
from dataexchange.rest_api import RestApp
from dataexchange.store import roster_objects as store
from dataexchange.usecases import partners
from dataexchange.usecases.partners import Wanted
from servicekit.db import Database
from starlette.responses import PlainTextResponse

ROSTERING = "/ims/oneroster/rostering/v1p2"
GRADEBOOK = "/ims/oneroster/gradebook/v1p2"
RESOURCES = "/ims/oneroster/resources/v1p2"


def id_of(number: int, group: int = 4) -> str:
    return f"{group}0000000-0000-4000-8000-{number:012d}"


class World:
    """Two schools with a class each; pupils 1 to `pupils` in the first, 1001 and 1002 in the second."""

    def __init__(self, pupils: int = 5) -> None:
        self.board = Board(id_of(1, 1), "479901", "青空市教育委員会")
        self.schools = [
            School(id_of(1, 2), "B147299100018", "あおぞら小学校"),
            School(id_of(2, 2), "C147299100027", "あおぞら中学校"),
        ]
        self.teacher = id_of(1, 5)
        self.classes = [
            self._class(1, self.schools[0], "P3", "3年1組", range(1, pupils + 1)),
            self._class(2, self.schools[1], "J1", "1年1組", (1001, 1002)),
        ]

    @staticmethod
    def _class(number: int, school: School, grade: str, name: str, pupils: Iterable[int]) -> SchoolClass:
        members = tuple(Member(id_of(one), one % 1000, "2026-04-01", "", grade) for one in pupils)
        return SchoolClass(id_of(number, 3), school.id, 2026, grade, name, "homeroom", members)

    def objects(self) -> list[Made]:
        made = [making.board_org(self.board), *(making.school_org(self.board, one) for one in self.schools)]
        for school, one in zip(self.schools, self.classes, strict=True):
            duties = [Duty(self.teacher, "homeroom", one.id, "", "2026-04-01", "")] if school.elementary else []
            made += making.of_class(self.board, school, one, duties)
            for member in one.members:
                place = Placement(one.id, school.id, one.school_grade, "2026-04-01", "2027-03-31")
                names = Names(f"青空{member.pupil_id[-4:]}", "花", "", "アオゾラ", "ハナ")
                made += making.pupil(member.pupil_id, names, [place])
        staff = Staff(self.teacher, (Post(self.schools[0].id, "teacher", "2026-04-01", ""),), ())
        user = making.staff_user(self.board, staff, Names("𠮷田", "担朗", "", "ヨシダ", "タンロウ"), "2026-04-01")
        return [*made, user] if user else made


class Partner:
    """A client of the board with its secret, and the HTTP it speaks."""

    def __init__(self, http: httpx.AsyncClient, client_id: str, secret: str, partner_id: UUID) -> None:
        self.http, self.client_id, self.secret, self.id = http, client_id, secret, partner_id
        self.token = ""

    async def sign_in(self, **form: str) -> httpx.Response:
        answer = await self.http.post(
            "/oauth/token", data={"grant_type": "client_credentials", **form}, auth=(self.client_id, self.secret)
        )
        if answer.status_code == 200:
            self.token = answer.json()["access_token"]
        return answer

    async def get(self, path: str, base: str = ROSTERING, **parameters: Any) -> httpx.Response:
        return await self.send("GET", path, base, params=parameters)

    async def send(self, method: str, path: str, base: str = GRADEBOOK, **how: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}", **how.pop("headers", {})}
        return await self.http.request(method, base + path, headers=headers, **how)


@asynccontextmanager
async def http(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    app = RestApp(database, PlainTextResponse("elsewhere"))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="https://exchange.test") as client:
        yield client


async def fill(database: Database, tenant: str, world: World) -> None:
    async with database.transaction(tenant) as tx:
        await store.put(tx, "rostering", world.objects())


async def a_partner(
    database: Database, tenant: str, client: httpx.AsyncClient, scopes: Iterable[str] = SCOPES,
    school_ids: Iterable[str] = (),
) -> Partner:  # fmt: skip
    wanted = Wanted("みらい学習eポータル", "名簿の連携", frozenset(scopes), frozenset(school_ids))
    async with database.transaction(tenant) as tx:
        partner, secret = await partners.enter(tx, uuid4(), wanted, "a-secret-of-the-test")
    found = Partner(client, partner.client_id(tenant), secret, partner.id)
    assert (await found.sign_in()).status_code == 200
    return found
