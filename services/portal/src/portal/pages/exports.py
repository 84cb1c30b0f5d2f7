"""名簿の出力: to whom, what for, in which profile; written as a job, checked, downloaded, and kept on record."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import StreamingResponse
from komu.dataexchange.v1 import exports_pb2 as pb
from komu.roster.v1 import roster_pb2
from servicekit.errors import Conflict, Invalid, Violation

from portal import text
from portal.nav import NavItem
from portal.rpc import Rpc, if_allowed, rpc
from portal.session import SignedIn, signed_in
from portal.view import redirect, view

DOWNLOAD_WITHIN_S = 120.0
_BASES_OFFERED = 20

router = APIRouter(prefix="/exports")
NAV = [NavItem("名簿の出力", "/exports", roles={"board_admin"}, order=61)]

User = Annotated[SignedIn, Depends(signed_in)]
Calls = Annotated[Rpc, Depends(rpc)]

STATES = {
    "writing": ("作成中", "key"),
    "ready": ("提供できます", "good"),
    "refused": ("渡せない内容あり", "bad"),
    "failed": ("作成できず", "bad"),
    "cancelled": ("取りやめ", "plain"),
}
MODES = {"bulk": "全件", "delta": "差分"}


@router.get("")
async def overview(
    request: Request, user: User, rpc: Calls, before: Annotated[str, Query(max_length=40)] = ""
) -> Response:
    """Ask for a package; below it, 提供の記録."""
    return await _overview(request, rpc, before=before)


async def _overview(
    request: Request,
    rpc: Rpc,
    *,
    before: str = "",
    given: dict[str, Any] | None = None,
    errors: Sequence[Violation] = (),
    status: int = 200,
) -> Response:
    listed, profiles, schools = await asyncio.gather(
        rpc.dataexchange.ListExports(pb.ListExportsRequest(before_export_id=before)),
        rpc.dataexchange.ListProfiles(pb.ListProfilesRequest()),
        rpc.roster.ListSchools(roster_pb2.ListSchoolsRequest()),
    )
    bases = [one for one in listed.exports if one.state == "ready" and one.kept][:_BASES_OFFERED]
    facts = {
        "exports": listed.exports,
        "names": await _names(rpc, {one.requested_by for one in listed.exports}),
        "profiles": [(one.key, one.label) for one in profiles.profiles],
        "bases": [("", "全件"), *((one.id, _since(one)) for one in bases)],
        "schools": schools.schools,
        "school_names": {one.id: one.name for one in schools.schools},
        "states": STATES,
        "modes": MODES,
        "given": given or {"profile": "interop-v6", "schools": []},
        "errors": errors,
        "next_url": f"/exports?before={listed.exports[-1].id}" if listed.more else None,
    }
    return view(request, "exports/overview.html", facts, title="名簿の出力", status=status)


def _since(one: Any) -> str:
    return f"{text.moment(one.finished_at)}の「{one.recipient}」への出力からの差分"


@router.post("")
async def start(
    request: Request,
    user: User,
    rpc: Calls,
    profile: Annotated[str, Form(max_length=20)] = "",
    school: Annotated[list[str] | None, Form()] = None,
    base: Annotated[str, Form(max_length=40)] = "",
    recipient: Annotated[str, Form(max_length=200)] = "",
    purpose: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Begin; the page then shows the bar."""
    schools = school or []
    try:
        found = await rpc.dataexchange.StartExport(
            pb.StartExportRequest(
                profile=profile, school_ids=schools, recipient=recipient, purpose=purpose, base_export_id=base
            )
        )
    except (Invalid, Conflict) as problem:
        given = {"profile": profile, "schools": schools, "base": base, "recipient": recipient, "purpose": purpose}
        if isinstance(problem, Conflict):
            return await _overview(request, rpc, given=given, errors=[Violation("base", problem.message)], status=409)
        return await _overview(request, rpc, given=given, errors=problem.violations, status=422)
    return redirect(request, f"/exports/{found.id}")


@router.get("/{export_id}")
async def look(request: Request, export_id: str, user: User, rpc: Calls) -> Response:
    """How far it is; then the download, or everything that may not leave."""
    found = await rpc.dataexchange.GetExport(pb.GetExportRequest(export_id=export_id))
    schools = (await rpc.roster.ListSchools(roster_pb2.ListSchoolsRequest())).schools if found.school_ids else ()
    facts = {
        "found": found,
        "schools": [one.name for one in schools if one.id in found.school_ids],
        "names": await _names(rpc, {found.requested_by}),
        "states": STATES,
        "modes": MODES,
    }
    return view(request, "exports/export.html", facts, title="名簿の出力")


@router.get("/{export_id}/progress")
async def progress(request: Request, export_id: str, user: User, rpc: Calls) -> Response:
    """The bar; once it is over, the whole page again."""
    found = await rpc.dataexchange.GetExport(pb.GetExportRequest(export_id=export_id))
    if found.state != "writing":
        return redirect(request, f"/exports/{export_id}")
    return view(request, "exports/progress.html", {"found": found}, title="出力の進み具合")


@router.post("/{export_id}/cancel")
async def cancel(request: Request, export_id: str, user: User, rpc: Calls) -> Response:
    await rpc.dataexchange.CancelExport(pb.CancelExportRequest(export_id=export_id))
    return redirect(request, f"/exports/{export_id}")


@router.get("/{export_id}/download")
async def download(export_id: str, user: User, rpc: Calls) -> Response:
    """The package; each download is on the log before the first byte."""
    parts = rpc.dataexchange.DownloadExport(pb.DownloadExportRequest(export_id=export_id), timeout=DOWNLOAD_WITHIN_S)
    first = await anext(parts)

    async def content() -> AsyncIterator[bytes]:
        async for part in parts:
            yield part.chunk

    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(first.header.file_name)}",
        "X-Content-SHA256": first.header.sha256,
    }
    return StreamingResponse(content(), media_type="application/zip", headers=headers)


async def _names(rpc: Rpc, person_ids: set[str]) -> dict[str, str]:
    wanted = sorted(person_ids - {""})
    if not wanted:
        return {}
    reply = await if_allowed(rpc.roster.GetPeopleNames(roster_pb2.GetPeopleNamesRequest(person_ids=wanted)))
    return {one.person_id: text.full_name(one.names.display) for one in reply.people} if reply else {}
