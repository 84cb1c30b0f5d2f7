"""Import and export against the real register: both services in the process, real PostgreSQL, real gRPC."""

from __future__ import annotations

import asyncio
import io
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
import yaml
from dataexchange.app import build
from dataexchange.demo import files_of
from dataexchange.domain.demo.boards import BOARDS, DemoBoard, demo_id
from dataexchange.domain.oneroster.check import check_package
from dataexchange.domain.oneroster.reader import rows_of
from dataexchange.settings import Settings
from komu.dataexchange.v1 import imports_pb2
from komu.dataexchange.v1.imports_pb2_grpc import ImportServiceStub
from komu.roster.v1 import roster_pb2
from komu.roster.v1.roster_pb2_grpc import RosterServiceStub
from roster.app import build as build_roster
from roster.settings import Settings as RosterSettings
from servicekit.errors import Conflict, Invalid, Refused, Unseen
from servicekit.testing import Caller, RunningService, ServiceDatabase, TestAuthority, an_actor, calls_file

from services.dataexchange.tests.unit.oneroster_files import AFile

NAME = "RO_20260401_479902.zip"
Deployment = tuple[RunningService, RunningService]


def _calls() -> dict[str, Any]:
    """infra/calls.yaml, and what an export needs besides."""
    calls: dict[str, Any] = yaml.safe_load(calls_file().read_text())
    calls["calls"]["roster"]["dataexchange"] = sorted({*calls["calls"]["roster"]["dataexchange"], "ListStaff"})
    return calls


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def deployment(
    grpc_service: Callable[..., Awaitable[RunningService]],
    service_db: Callable[..., ServiceDatabase],
    authority: TestAuthority,
) -> Deployment:
    roster = await grpc_service(
        build_roster,
        settings=RosterSettings,
        service="roster",
        database=service_db("roster"),
        tls_cert=authority.cert("roster"),
        tls_key=authority.key("roster"),
        calls=_calls(),
    )
    exchange = await grpc_service(build, settings=Settings, service_addresses={"roster": roster.address})
    return roster, exchange


class Administrator:
    """教育委員会の管理者 of a board nobody else uses."""

    def __init__(self, deployment: Deployment, tenant: str, person_id: str) -> None:
        roster, exchange = deployment
        actor = an_actor(tenant, "board_admin", person_id=UUID(person_id), strong=False)
        self.register: Caller[RosterServiceStub] = roster.caller(RosterServiceStub, actor)
        self.imports: Caller[ImportServiceStub] = exchange.caller(ImportServiceStub, actor)

    async def upload(
        self, content: bytes, kind: str = "oneroster", name: str = "RO_20260401_479902.zip"
    ) -> imports_pb2.Import:
        async def parts() -> AsyncIterator[imports_pb2.UploadImportRequest]:
            yield imports_pb2.UploadImportRequest(header=imports_pb2.UploadHeader(file_name=NAME, kind=kind))
            for start in range(0, len(content), 50_000):
                yield imports_pb2.UploadImportRequest(chunk=content[start : start + 50_000])

        return await self.imports.UploadImport(parts(), timeout=60)

    async def apply(self, found: imports_pb2.Import, *, confirm_shrink: bool = False) -> imports_pb2.Import:
        asked = imports_pb2.ApplyImportRequest(import_id=found.id, confirm_shrink=confirm_shrink)
        found = await self.imports.ApplyImport(asked, timeout=60)
        async with asyncio.timeout(60):
            while found.state == "applying":
                await asyncio.sleep(0.05)
                found = await self.look(found)
        return found

    async def look(self, found: imports_pb2.Import) -> imports_pb2.Import:
        return await self.imports.GetImport(imports_pb2.GetImportRequest(import_id=found.id))

    async def bring_in(
        self, content: bytes, kind: str = "oneroster", *, confirm_shrink: bool = False
    ) -> imports_pb2.Import:
        return await self.apply(await self.upload(content, kind), confirm_shrink=confirm_shrink)


@pytest.fixture
def board(tenant: str) -> DemoBoard:
    """The small demo board under a tenant of its own: other ids, other codes of nobody."""
    return replace(BOARDS["hoshi"], tenant=tenant, staff_like="hoshi")


@pytest.fixture
def files(board: DemoBoard) -> list[bytes]:
    """Its package, its 学籍補足 and its 学校補足."""
    return [one.content for one in files_of(board)]


@pytest.fixture
def administrator(deployment: Deployment, tenant: str) -> Administrator:
    return Administrator(deployment, tenant, demo_id(f"{tenant}.board"))


async def test_a_board_comes_in_whole(administrator: Administrator, files: list[bytes], tenant: str):
    found = await administrator.upload(files[0])
    assert found.state == "staged"
    assert found.errors_total == 0
    counts = {one.entity: (one.existing, one.added, one.gone) for one in found.change.entities}
    assert counts["people"] == (0, 245, 0)
    assert counts["members"] == (0, 219, 0)
    assert not found.change.needs_shrink_confirmation
    assert not found.change.problems
    done = await administrator.apply(found)
    assert done.state == "applied"
    assert done.applied_by == demo_id(f"{tenant}.board")

    schools = (await administrator.register.ListSchools(roster_pb2.ListSchoolsRequest())).schools
    assert sorted(school.name for school in schools) == ["星野町立ほしの中学校", "星野町立ほしの小学校"]
    es = next(school for school in schools if "小学校" in school.name)
    classes = (await administrator.register.ListClasses(roster_pb2.ListClassesRequest(school_id=es.id))).classes
    third = next(one for one in classes if getattr(one, "class").name == "3年1組")
    assert third.size == 35
    assert [one.staff_id for one in third.homeroom_teachers] == [demo_id(f"{tenant}.es.teacher1")]

    again = await administrator.upload(files[0])
    assert {(one.added, one.changed, one.gone) for one in again.change.entities} == {(0, 0, 0)}


async def test_what_oneroster_must_not_carry_comes_by_the_supplement(administrator: Administrator, files: list[bytes]):
    assert (await administrator.bring_in(files[0])).state == "applied"
    found = await administrator.bring_in(files[1], "supplement")
    assert found.state == "applied"
    wanted = roster_pb2.SearchPupilsRequest(query="つじもと はな", limit=10)
    pupils = (await administrator.register.SearchPupils(wanted)).pupils
    page = await administrator.register.GetPupil(roster_pb2.GetPupilRequest(pupil_id=pupils[0].id))
    official = [one.name.family for one in page.names if one.kind == "official"]
    assert official == ["辻\U000e0100本"]
    assert page.guardians
    assert page.pupil.birth_on.startswith(("2017", "2018"))


async def test_a_wrong_package_is_told_and_changes_nothing(administrator: Administrator):
    file = AFile().put("users", 1, "metadata.jp.kanaGivenName", "ﾊﾅ")
    found = await administrator.upload(file.zipped())
    assert found.state == "refused"
    assert [(one.code, one.file, one.row, one.column) for one in found.findings if one.severity == "error"] == [
        ("text.half_width_kana", "users.csv", 3, "metadata.jp.kanaGivenName")
    ]
    assert list((await administrator.register.ListSchools(roster_pb2.ListSchoolsRequest())).schools) == []
    with pytest.raises(Conflict):
        await administrator.apply(found)
    listed = await administrator.imports.ListImports(imports_pb2.ListImportsRequest())
    assert [one.state for one in listed.imports] == ["refused"]


async def test_a_file_that_would_empty_the_register_needs_a_second_word(
    administrator: Administrator, files: list[bytes]
):
    assert (await administrator.bring_in(files[0])).state == "applied"
    found = await administrator.upload(AFile().zipped())
    assert found.change.needs_shrink_confirmation
    with pytest.raises(Refused) as refusal:
        await administrator.apply(found)
    assert refusal.value.reason == "SHRINK_NOT_CONFIRMED"
    discarded = await administrator.imports.DiscardImport(imports_pb2.DiscardImportRequest(import_id=found.id))
    assert discarded.state == "discarded"
    with pytest.raises(Conflict):
        await administrator.apply(found)


async def test_applying_twice_is_once(administrator: Administrator, files: list[bytes]):
    found = await administrator.upload(files[0])
    first, second = await asyncio.gather(administrator.apply(found), administrator.apply(found))
    assert first.state == second.state == "applied"


async def test_only_the_boards_administrator(deployment: Deployment, tenant: str):
    _, exchange = deployment
    for role in ("teacher", "principal", "office"):
        caller = exchange.caller(ImportServiceStub, an_actor(tenant, role))
        with pytest.raises(Refused):
            await caller.ListImports(imports_pb2.ListImportsRequest())


async def test_school_supplement_says_where_the_schools_stand(administrator: Administrator, files: list[bytes]):
    found = await administrator.upload(files[2], "school_supplement")
    assert len(found.change.problems) == 1  # the register has no school yet
    with pytest.raises(Refused):
        await administrator.apply(found)
    await administrator.bring_in(files[0])
    found = await administrator.upload(files[2], "school_supplement")
    (schools,) = found.change.entities
    assert (schools.entity, schools.changed, dict(found.rows_by_file)) == ("schools", 2, {"学校補足": 2})
    assert (await administrator.apply(found)).state == "applied"
    schools = (await administrator.register.ListSchools(roster_pb2.ListSchoolsRequest())).schools
    assert {one.address for one in schools} == {"みらい県星野町本町1番1号", "みらい県星野町緑町2番2号"}
    again = await administrator.upload(files[2], "school_supplement")
    assert list(again.change.entities) == []


async def test_another_boards_import_does_not_exist(deployment: Deployment, administrator: Administrator):
    found = await administrator.upload(b"not a zip")
    other = Administrator(deployment, f"o-{uuid4().hex[:12]}", str(uuid4()))
    with pytest.raises(Unseen):
        await other.look(found)


async def test_kinds_and_empty_streams(administrator: Administrator):
    with pytest.raises(Invalid):
        await administrator.upload(b"x", "excel")
    assert (await administrator.upload(b"")).state == "refused"
    assert (await administrator.upload(b"", "supplement")).state == "refused"
    assert (await administrator.upload(b"", "school_supplement")).state == "refused"


async def test_what_goes_out_comes_in_again(administrator: Administrator, files: list[bytes]):
    assert (await administrator.bring_in(files[0])).state == "applied"
    wanted = imports_pb2.ExportRosterRequest(purpose="年度更新", recipient="みらい学習eポータル")
    parts = await administrator.imports.ExportRoster(wanted, timeout=60)
    header, data = parts[0].header, b"".join(part.chunk for part in parts[1:])
    checked = check_package(io.BytesIO(data), len(data), header.file_name)
    assert list(checked.findings) == []
    assert header.file_name.endswith("_479902.zip")
    rows = Counter(type(row).__name__ for row in rows_of(io.BytesIO(data), len(data), checked))
    assert rows["MemberRow"] == 219
    assert rows["DutyRow"] == 42
    again = await administrator.upload(data)
    changed = {one.entity: (one.added, one.changed, one.gone) for one in again.change.entities}
    assert changed["members"] == (0, 0, 0)
    assert changed["duties"] == (0, 0, 0)


async def test_an_export_says_for_whom_and_why(administrator: Administrator):
    with pytest.raises(Invalid):
        await administrator.imports.ExportRoster(imports_pb2.ExportRosterRequest(), timeout=60)
