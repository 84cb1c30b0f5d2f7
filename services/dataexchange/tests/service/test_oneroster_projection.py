"""The projection against the real register: what it told, the objects made of it, who is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from uuid import UUID

import pytest
import pytest_asyncio
from dataexchange.app import build
from dataexchange.demo import files_of
from dataexchange.domain.demo.boards import BOARDS, demo_id
from dataexchange.domain.roster_objects.making import Made
from dataexchange.rebuild import rebuild
from dataexchange.settings import Settings
from dataexchange.store import roster_objects as store
from roster.app import build as build_roster
from roster.settings import Settings as RosterSettings
from servicekit.db import Database, Transaction
from servicekit.testing import RunningService, ServiceDatabase, TestAuthority

from services.dataexchange.tests.service.test_imports import Administrator


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def deployment(
    grpc_service: Callable[..., Awaitable[RunningService]],
    service_db: Callable[..., ServiceDatabase],
    authority: TestAuthority,
) -> tuple[RunningService, RunningService]:
    roster = await grpc_service(
        build_roster, settings=RosterSettings, service="roster", database=service_db("roster"),
        tls_cert=authority.cert("roster"), tls_key=authority.key("roster"),
    )  # fmt: skip
    return roster, await grpc_service(build, settings=Settings, service_addresses={"roster": roster.address})


async def copied(exchange: RunningService, tenant: str) -> Database:
    """The register told whole; returns when every object is made."""
    database: Database = exchange.service.database
    await rebuild(exchange.service.settings, [tenant])
    async with asyncio.timeout(60):
        while True:
            async with database.reading(tenant) as tx:
                if not await tx.scalar("SELECT count(*) FROM oneroster_sources WHERE stale"):
                    return database
            await asyncio.sleep(0.05)


async def test_a_board_as_oneroster_objects(deployment: tuple[RunningService, RunningService], tenant: str):
    board = replace(BOARDS["hoshi"], tenant=tenant, staff_like="hoshi")
    administrator = Administrator(deployment, tenant, demo_id(f"{tenant}.board"))
    package = files_of(board)[0].content
    assert (await administrator.bring_in(package)).state == "applied"
    database = await copied(deployment[1], tenant)
    async with database.reading(tenant) as tx:
        totals = await tx.scalar("SELECT totals FROM oneroster_state WHERE service = 'rostering'")
        counted = await tx.execute(
            "SELECT kind, count(*) AS n, max(ordinal) AS last, count(DISTINCT ordinal) AS different "
            "FROM oneroster_objects GROUP BY kind"
        )
        for row in counted:
            assert row.n == row.last == row.different == totals[row.kind]
        user = await tx.scalar(
            "SELECT doc FROM oneroster_objects WHERE kind = 'user' AND sourced_id = :id",
            {"id": demo_id(f"{tenant}.es.teacher1")},
        )
        version = await tx.scalar("SELECT version FROM oneroster_state")
    assert totals["user"] == 245
    assert totals["demographics"] == 219
    assert totals["org"] == 3
    assert user["familyName"] == "星﨑"
    assert [role["role"] for role in user["roles"]] == ["teacher"]

    await copied(deployment[1], tenant)
    async with database.reading(tenant) as tx:
        assert await tx.scalar("SELECT version FROM oneroster_state") == version  # nothing was said anew


@pytest.fixture
def thing() -> Made:
    return Made("org", "a", {"name": "一"}, source=str(UUID(int=1)))


async def test_an_object_that_is_gone_stays_to_be_told(tx: Transaction, thing: Made):
    await store.put(tx, "rostering", [thing, Made("org", "b", {"name": "二"}, source=str(UUID(int=1)))])
    assert await store.put(tx, "rostering", [thing]) == 0
    assert await store.put(tx, "rostering", [replace(thing, content={"name": "三"})]) == 1
    await store.retire(tx, "rostering", [UUID(int=1)], [("org", "a")])
    rows = (await tx.execute("SELECT sourced_id, status, ordinal, body FROM oneroster_objects ORDER BY ordinal")).all()
    assert [(row.sourced_id, row.status, row.ordinal) for row in rows] == [("a", "active", 1), ("b", "tobedeleted", 2)]
    assert '"status":"tobedeleted"' in rows[1].body
    await store.put(tx, "rostering", [Made("org", "c", {}), Made("org", "b", {"name": "二"}, source=str(UUID(int=1)))])
    rows = (await tx.execute("SELECT sourced_id, status, ordinal FROM oneroster_objects ORDER BY ordinal")).all()
    assert [tuple(row) for row in rows] == [("a", "active", 1), ("b", "active", 2), ("c", "active", 3)]


async def test_an_older_version_changes_nothing(tx: Transaction):
    school = UUID(int=5)
    assert await store.keep_source(tx, "school", school, 2, {"name": "二"}, ())
    assert not await store.keep_source(tx, "school", school, 1, {"name": "一"}, ())
    assert [one.facts for one in await store.stale(tx, "school", None, 9)] == [{"name": "二"}]
