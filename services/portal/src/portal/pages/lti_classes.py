"""学級のツール: what lies ready in a class, opened in a window of its own; what tools tell about the children."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from komu.learning.v1 import lti_pb2 as pb
from komu.roster.v1 import roster_pb2
from servicekit.errors import Invalid, Refused, Violation
from starlette.responses import RedirectResponse

from portal.nav import NavItem
from portal.pages.lti import CLAIMS
from portal.rpc import Rpc, ServiceAway, or_away, rpc
from portal.session import SignedIn, signed_in
from portal.view import redirect, view

TEACHERS = {"teacher", "vice_principal", "principal"}
router = APIRouter(prefix="/lti/classes")
NAV = [NavItem("学級のツール", "/lti/classes", roles=TEACHERS, order=35)]

User = Annotated[SignedIn, Depends(signed_in)]
Calls = Annotated[Rpc, Depends(rpc)]

GRADING = {
    "FullyGraded": "採点済み", "Pending": "採点待ち", "PendingManual": "教員の採点待ち", "Failed": "採点できず",
    "NotReady": "採点前",
}  # fmt: skip
ACTIVITY = {
    "Initialized": "未着手", "Started": "開始", "InProgress": "取り組み中", "Submitted": "提出済み",
    "Completed": "完了",
}  # fmt: skip
"""Progress as AGS 2.0 names it."""
_AT_ONCE = 200


@router.get("")
async def classes(request: Request, user: User, rpc: Calls) -> Response:
    """Classes the person works with."""
    found = await rpc.learning.ListLtiClasses(pb.ListLtiClassesRequest())
    if len(found.classes) == 1:
        return redirect(request, f"/lti/classes/{found.classes[0].id}")
    return view(request, "lti/classes.html", {"classes": found.classes}, title="学級のツール")


@router.get("/{class_id}")
async def of_class(request: Request, class_id: str, user: User, rpc: Calls) -> Response:
    return await _page(request, rpc, class_id)


async def _page(
    request: Request,
    rpc: Rpc,
    class_id: str,
    title: str = "",
    deployment: str = "",
    errors: list[Violation] | None = None,
) -> Response:
    found = await rpc.learning.GetClassTools(pb.GetClassToolsRequest(class_id=class_id))
    facts = {
        "found": found, "klass": getattr(found, "class"), "claims": CLAIMS, "typed": title, "chosen": deployment,
        "errors": errors or [],
    }  # fmt: skip
    return view(request, "lti/class.html", facts, title="学級のツール", status=422 if errors else 200)


@router.post("/{class_id}/links")
async def add(
    request: Request, class_id: str, user: User, rpc: Calls,
    deployment: Annotated[str, Form(max_length=40)] = "", title: Annotated[str, Form(max_length=1000)] = "",
) -> Response:  # fmt: skip
    """The tool itself lies ready under a title."""
    asked = pb.AddToolLinkRequest(class_id=class_id, deployment_id=deployment, title=title)
    try:
        await rpc.learning.AddToolLink(asked)
    except Invalid as invalid:
        return await _page(request, rpc, class_id, title, deployment, invalid.violations)
    return redirect(request, f"/lti/classes/{class_id}", notice="学級に置きました。")


@router.post("/{class_id}/links/{link_id}/remove")
async def remove(request: Request, class_id: str, link_id: str, user: User, rpc: Calls) -> Response:
    await rpc.learning.RemoveToolLink(pb.RemoveToolLinkRequest(link_id=link_id))
    return redirect(request, f"/lti/classes/{class_id}", notice="学級から取り外しました。")


@router.get("/{class_id}/links/{link_id}/open")
async def open_link(request: Request, class_id: str, link_id: str, user: User, rpc: Calls) -> Response:
    """Into the tool; only from our own pages."""
    _from_our_pages(request)
    opened = await rpc.learning.OpenToolLink(pb.OpenToolLinkRequest(link_id=link_id))
    return RedirectResponse(opened.url, 303)


@router.get("/{class_id}/choose")
async def choose(
    request: Request, class_id: str, user: User, rpc: Calls, deployment: Annotated[str, Query(max_length=40)] = ""
) -> Response:
    """Into the tool, to choose what the class gets (deep linking)."""
    _from_our_pages(request)
    asked = pb.ChooseToolContentRequest(class_id=class_id, deployment_id=deployment)
    opened = await rpc.learning.ChooseToolContent(asked)
    return RedirectResponse(opened.url, 303)


@router.get("/{class_id}/scores")
async def scores(
    request: Request, class_id: str, user: User, rpc: Calls, after: Annotated[str, Query(max_length=100)] = ""
) -> Response:
    """What tools told of the children, beside the marks."""
    found, members = await asyncio.gather(
        rpc.learning.ListToolScores(pb.ListToolScoresRequest(class_id=class_id, after_key=after, limit=_AT_ONCE)),
        or_away(rpc.roster.GetClassRoster(roster_pb2.GetClassRosterRequest(class_id=class_id, whole_year=True))),
    )
    entries = [] if isinstance(members, ServiceAway) else members.entries
    facts = {
        "found": found, "klass": getattr(found, "class"), "grading": GRADING, "activity": ACTIVITY,
        "pupils": {entry.pupil.id: entry.pupil for entry in entries},
        "next_url": f"/lti/classes/{class_id}/scores?after={found.next_key}" if found.next_key else None,
    }  # fmt: skip
    return view(request, "lti/scores.html", facts, title="ツールから届いた得点")


@router.post("/{class_id}/scores")
async def set_aside(
    request: Request, class_id: str, user: User, rpc: Calls,
    item: Annotated[str, Form(max_length=40)] = "", pupil: Annotated[str, Form(max_length=40)] = "",
    back: Annotated[str, Form(max_length=1)] = "",
) -> Response:  # fmt: skip
    """One score out of sight, or back."""
    key = pb.ToolScoreKey(line_item_id=item, pupil_id=pupil)
    asked = pb.SetToolScoresAsideRequest(class_id=class_id, scores=[key], back=bool(back))
    await rpc.learning.SetToolScoresAside(asked)
    notice = "確認待ちに戻しました。" if back else "確認済みにしました。"
    return redirect(request, f"/lti/classes/{class_id}/scores", notice=notice)


def _from_our_pages(request: Request) -> None:
    """Another site must not make a person open a tool (docs/adr/0030). Raises: Refused."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Refused(
            "ほかのサイトからは学習ツールを開けません。「学級のツール」から開いてください。", reason="NOT_FROM_HERE"
        )
