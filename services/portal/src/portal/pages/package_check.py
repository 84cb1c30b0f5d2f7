"""パッケージの検査: anybody's OneRoster package against its profile. Nothing is imported and nothing kept."""

from collections.abc import AsyncIterator, Sequence
from itertools import groupby
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Request, Response, UploadFile
from komu.dataexchange.v1 import exports_pb2 as pb
from servicekit.errors import Invalid, Violation

from portal.nav import NavItem
from portal.pages.imports import SEVERITIES, as_csv, inert
from portal.rpc import Rpc, rpc
from portal.session import SignedIn, signed_in
from portal.view import view

MIB = 1024 * 1024
CHECK_WITHIN_S = 300.0
SHOWN_PER_FILE = 100
_CHUNK = 256 * 1024

router = APIRouter(prefix="/package-check")
NAV = [NavItem("パッケージの検査", "/package-check", roles={"board_admin"}, order=62)]
UPLOADS = {"/package-check": 65 * MIB}

User = Annotated[SignedIn, Depends(signed_in)]
Calls = Annotated[Rpc, Depends(rpc)]


@router.get("")
async def form(request: Request, user: User, rpc: Calls) -> Response:
    """Choose a file, and a profile where it must be a certain one."""
    return await _page(request, rpc)


@router.post("")
async def check(
    request: Request,
    user: User,
    rpc: Calls,
    file: Annotated[UploadFile, File()],
    profile: Annotated[str, Form(max_length=20)] = "",
    answer: Annotated[str, Form(max_length=5)] = "",
) -> Response:
    """Every finding by file, on the page or as CSV."""
    if not file.filename:
        return await _page(request, rpc, errors=[Violation("file", "ファイルを選んでください。")], status=422)
    try:
        found = await rpc.dataexchange.CheckPackage(_parts(profile, file), timeout=CHECK_WITHIN_S)
    except Invalid as problem:
        told = problem.violations or [Violation("file", problem.message)]
        return await _page(request, rpc, profile=profile, errors=told, status=422)
    if answer == "csv":
        return as_csv(f"検査結果_{file.filename}.csv", _rows(found))
    return await _page(request, rpc, profile=profile, found=found, name=file.filename)


async def _parts(profile: str, file: UploadFile) -> AsyncIterator[pb.CheckPackageRequest]:
    yield pb.CheckPackageRequest(header=pb.CheckHeader(file_name=file.filename or "", profile=profile))
    while chunk := await file.read(_CHUNK):
        yield pb.CheckPackageRequest(chunk=chunk)


def _rows(found: pb.CheckPackageReply) -> list[list[Any]]:
    rows: list[list[Any]] = [["種類", "ファイル", "行", "列", "値", "理由", "どうするか", "コード"]]
    for one in found.findings:
        severity = SEVERITIES.get(one.severity, one.severity)
        where = [severity, one.file, one.row or "", one.column]
        rows.append([*where, inert(one.value), one.reason, one.remedy, one.code])
    return rows


async def _page(
    request: Request,
    rpc: Rpc,
    *,
    profile: str = "",
    found: pb.CheckPackageReply | None = None,
    name: str = "",
    errors: Sequence[Violation] = (),
    status: int = 200,
) -> Response:
    profiles = (await rpc.dataexchange.ListProfiles(pb.ListProfilesRequest())).profiles
    by_file = sorted(found.findings, key=lambda one: one.file) if found else []
    facts = {
        "found": found,
        "name": name,
        "groups": [(file, list(group)) for file, group in groupby(by_file, key=lambda one: one.file)],
        "shown": SHOWN_PER_FILE,
        "profiles": [("", "パッケージが名乗る形式"), *((one.key, one.label) for one in profiles)],
        "profile": profile,
        "errors": errors,
    }
    return view(request, "package_check/check.html", facts, title="パッケージの検査", status=status)
