"""名簿の出力 against the real register: every profile, one school, what changed, what may not leave, who may."""

from __future__ import annotations

import asyncio
import io
import re
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from dataexchange.app import build
from dataexchange.demo import files_of
from dataexchange.domain.demo.boards import BOARDS, demo_id
from dataexchange.domain.oneroster.check import Purpose, check_package
from dataexchange.domain.oneroster.profile import PUBLISHED, profile_named
from dataexchange.settings import Settings
from komu.dataexchange.v1 import exports_pb2 as pb
from komu.dataexchange.v1.exports_pb2_grpc import ExportServiceStub
from roster.app import build as build_roster
from roster.settings import Settings as RosterSettings
from servicekit.db import Database
from servicekit.errors import Conflict, Invalid, Refused, Unseen
from servicekit.testing import RunningService, ServiceDatabase, TestAuthority, an_actor

from services.dataexchange.tests.service.test_imports import Administrator
from services.dataexchange.tests.service.test_oneroster_projection import copied

Deployment = tuple[RunningService, RunningService]
# Addresses, birth days, guardians and sexes of the demo, as cells hold them.
FORBIDDEN = re.compile(r'"(みらい県[^"]*|(19|201)\d+-\d\d-\d\d|母|父|male|female)"')


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def deployment(
    grpc_service: Callable[..., Awaitable[RunningService]],
    service_db: Callable[..., ServiceDatabase],
    authority: TestAuthority,
) -> Deployment:
    roster = await grpc_service(
        build_roster, settings=RosterSettings, service="roster", database=service_db("roster"),
        tls_cert=authority.cert("roster"), tls_key=authority.key("roster"),
    )  # fmt: skip
    return roster, await grpc_service(build, settings=Settings, service_addresses={"roster": roster.address})


class Board:
    """A board with the small demo roster, and its administrator."""

    def __init__(self, deployment: Deployment, tenant: str, database: Database) -> None:
        self.tenant, self.database = tenant, database
        self._exchange = deployment[1]
        person = UUID(demo_id(f"{tenant}.board"))
        self.exports = self._exchange.caller(
            ExportServiceStub, an_actor(tenant, "board_admin", person_id=person, strong=False)
        )

    async def export(self, profile: str = "interop-v6", **more: Any) -> pb.Export:
        asked = {"recipient": "見本学習eポータル", "purpose": "年度更新", **more}
        found = await self.exports.StartExport(pb.StartExportRequest(profile=profile, **asked))
        async with asyncio.timeout(60):
            while found.state == "writing":
                await asyncio.sleep(0.05)
                found = await self.exports.GetExport(pb.GetExportRequest(export_id=found.id))
        return found

    async def content(self, found: pb.Export) -> bytes:
        parts = await self.exports.DownloadExport(pb.DownloadExportRequest(export_id=found.id))
        return b"".join(part.chunk for part in parts)

    async def schools(self) -> dict[str, str]:
        async with self.database.reading(self.tenant) as tx:
            rows = await tx.execute(
                "SELECT sourced_id, doc ->> 'identifier' AS code FROM oneroster_objects WHERE kind = 'org' "
                "AND doc ->> 'type' = 'school' ORDER BY sourced_id"
            )
            return {row.sourced_id: row.code for row in rows}


@pytest_asyncio.fixture(loop_scope="session")
async def board(deployment: Deployment, tenant: str) -> Board:
    demo = replace(BOARDS["hoshi"], tenant=tenant, staff_like="hoshi")
    administrator = Administrator(deployment, tenant, demo_id(f"{tenant}.board"))
    for file in files_of(demo)[:2]:
        assert (await administrator.bring_in(file.content, file.kind)).state == "applied"
    return Board(deployment, tenant, await copied(deployment[1], tenant))


def tables(content: bytes) -> dict[str, list[str]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name).decode().split("\r\n")[:-1] for name in archive.namelist()}


async def test_a_board_is_handed_out_in_every_profile(board: Board):
    for profile in PUBLISHED:
        found = await board.export(profile.key)
        assert (found.state, found.failure, list(found.findings)) == ("ready", "", [])
        content = await board.content(found)
        checked = check_package(
            io.BytesIO(content), len(content), found.file_name, purpose=Purpose.CONFORMANCE, chosen=profile
        )  # fmt: skip
        assert list(checked.findings) == []
        assert dict(found.rows_by_file) == checked.rows_by_file
        assert found.rows_by_file["users"] == 245
        written = tables(content)
        assert all(line.startswith('"') and line.endswith('"') for lines in written.values() for line in lines)
        assert not content.startswith(b"\xef\xbb\xbf")
        said = "\n".join(line for lines in written.values() for line in lines)
        assert FORBIDDEN.findall(said) == []
        year = written["academicSessions.csv"][1].split(",")
        assert year[-1] == ('"2026"' if profile.whole_years else '"2027"')
    listed = (await board.exports.ListExports(pb.ListExportsRequest(limit=5))).exports
    assert [one.profile for one in listed] == [one.key for one in reversed(PUBLISHED)][:5]


async def test_one_school_says_nothing_of_another(board: Board):
    (one, code), (other, _) = (await board.schools()).items()
    found = await board.export(school_ids=[one])
    assert found.state == "ready", (found.failure, list(found.findings)[:3])
    assert found.file_name.endswith(f"_{code}.zip")
    content = await board.content(found)
    assert other not in "".join(line for lines in tables(content).values() for line in lines)
    assert 0 < found.rows_by_file["users"] < 245
    async with board.database.reading(board.tenant) as tx:
        record = (await tx.execute("SELECT * FROM roster_exports WHERE id = :id", {"id": UUID(found.id)})).one()
        noted = await tx.execute("SELECT action FROM audit_log WHERE object_id = :id ORDER BY id", {"id": found.id})
    assert (record.recipient, record.purpose, record.sha256) == ("見本学習eポータル", "年度更新", found.sha256)
    assert record.school_ids == [UUID(one)]
    assert [row.action for row in noted] == [
        "roster_export.requested", "roster.exported", "roster_export.downloaded",
    ]  # fmt: skip


async def test_what_changed_since_the_last_time(board: Board):
    first = await board.export()
    nothing = await board.export(base_export_id=first.id)
    assert (nothing.state, "変わったところはありません" in nothing.failure) == ("failed", True)
    await rename_one_pupil(board, "見本", "辻")
    changed = await board.export(base_export_id=first.id)
    assert (changed.state, changed.mode, dict(changed.rows_by_file)) == ("ready", "delta", {"users": 1})
    row = tables(await board.content(changed))["users.csv"][1].split(",")
    assert (row[1], row[7]) == ('"active"', '"見本"')
    again = await board.export(base_export_id=changed.id)  # from the whole roster as it was at that delta
    assert again.state == "failed"
    with pytest.raises(Conflict, match="同じ形式"):
        await board.export("interop-v5", base_export_id=first.id)
    request = pb.StartExportRequest(profile="interop-v6", recipient="見本学習eポータル", purpose="差分")
    request.since.FromSeconds(1)
    with pytest.raises(Conflict, match="全件で出力"):
        await board.exports.StartExport(request)


async def rename_one_pupil(board: Board, family: str, given: str) -> None:
    """As the projection would, when the register tells it."""
    async with board.database.transaction(board.tenant) as tx:
        await tx.execute(
            "UPDATE oneroster_objects SET body = CAST(CAST(body AS jsonb) || jsonb_build_object('familyName', "
            "CAST(:family AS text), 'givenName', CAST(:given AS text)) AS text) WHERE kind = 'user' AND sourced_id = "
            "(SELECT min(sourced_id) FROM oneroster_objects WHERE kind = 'user' AND refs @> ARRAY['is:student'])",
            {"family": family, "given": given},
        )


async def test_what_may_not_leave_is_told_and_nothing_is_offered(board: Board):
    await rename_one_pupil(board, "髙橋", "花")
    found = await board.export("ims-1.2")
    assert (found.state, found.errors_total) == ("refused", 1)
    told = found.findings[0]
    assert (told.code, told.file, told.column, told.value) == (
        "text.outside_jis_x_0213", "users.csv", "familyName", "髙橋",
    )  # fmt: skip
    assert told.row
    assert told.remedy
    with pytest.raises(Conflict):
        await board.content(found)
    async with board.database.reading(board.tenant) as tx:
        assert await tx.scalar("SELECT count(*) FROM roster_exports WHERE id = :id", {"id": UUID(found.id)}) == 0


async def test_who_may_and_what_must_be_said(board: Board, deployment: Deployment):
    with pytest.raises(Invalid) as problem:
        await board.export("v9", recipient=" ", purpose="", school_ids=[demo_id("nobody")])
    assert [one.field for one in problem.value.violations] == ["profile", "recipient", "purpose", "schools"]
    found = await board.export()
    other = deployment[1].caller(ExportServiceStub, an_actor("another", "board_admin"))
    with pytest.raises(Unseen):
        await other.GetExport(pb.GetExportRequest(export_id=found.id))
    teacher = deployment[1].caller(ExportServiceStub, an_actor(board.tenant, "teacher"))
    with pytest.raises(Refused):
        await teacher.ListExports(pb.ListExportsRequest())


async def test_anybodys_package_is_checked_and_nothing_kept(board: Board):
    from services.dataexchange.tests.unit.oneroster_files import AFile

    data = AFile().put("users", 1, "metadata.jp.kanaGivenName", "はな").zipped()

    async def parts(profile: str) -> AsyncIterator[pb.CheckPackageRequest]:
        yield pb.CheckPackageRequest(header=pb.CheckHeader(file_name="RO_20260401_479901.zip", profile=profile))
        yield pb.CheckPackageRequest(chunk=data)

    told = await board.exports.CheckPackage(parts(""))
    assert (told.profile, told.errors_total) == ("interop-v6", 1)
    assert (told.findings[0].row, told.findings[0].remedy) == (3, "全角カタカナに直してください。")
    told = await board.exports.CheckPackage(parts("interop-v5"))
    assert "manifest.oneroster_version" in [one.code for one in told.findings]
    assert profile_named(told.profile) is not None
    with pytest.raises(Invalid):
        await board.exports.CheckPackage(parts("v9"))
