"""転入の予定と照会: the receiving office tells the former school; the former school's office answers with a 転出."""

import asyncio
from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from komu.common.v1 import common_pb2
from komu.dataexchange.v1 import transfers_pb2 as pb
from komu.roster.v1 import roster_pb2
from servicekit.errors import Conflict, Invalid, Violation

from portal.asked_by import AskedBy, asked_by
from portal.pages.transfers import OFFICE, destinations, names_of, renewal, violations
from portal.rpc import Rpc, rpc
from portal.session import SignedIn, signed_in
from portal.transfer_words import NOTICE_STATES
from portal.typed import Version
from portal.view import redirect, view

router = APIRouter()

User = Annotated[SignedIn, Depends(signed_in)]
Calls = Annotated[Rpc, Depends(rpc)]
Short = Annotated[str, Form(max_length=100)]
Long = Annotated[str, Form(max_length=500)]

ASKED_STATES = {
    "received": ("対応待ち", "warn"),
    "answered": ("転出を起案済み", "good"),
    "refused": ("対応しない", "plain"),
}
MOVING = {"sent", "received"}  # the other side moves it: the open page of the asker looks again
STEPS = {
    "sent": "知らせを作成", "received": "届いた", "answered": "回答", "refused": "対応しない", "expired": "送信を断念",
}  # fmt: skip
FIELDS = (
    "destination",
    "family",
    "given",
    "kana_family",
    "kana_given",
    "birth_on",
    "pupil_id",
    "expected_on",
    "school",
)


@router.get("/notices/new")
async def new_notice(request: Request, user: User, rpc: Calls) -> Response:
    """転入の予定を相手に知らせる."""
    return await _form(request, rpc, dict.fromkeys(FIELDS, ""))


async def _form(
    request: Request, rpc: Rpc, typed: dict[str, str], errors: Iterable[Violation] = (), status: int = 200
) -> Response:
    directory, me = await asyncio.gather(
        rpc.dataexchange.ListOrganisations(pb.ListOrganisationsRequest()),
        rpc.roster.WhoAmI(roster_pb2.WhoAmIRequest()),
    )
    facts = {
        "typed": typed, "errors": list(errors), "destinations": destinations(directory), "directory": directory,
        "schools": [(school.id, school.name) for school in me.schools],
    }  # fmt: skip
    return view(request, "transfers/notice_new.html", facts, title="転入の予定を相手に知らせる", status=status)


@router.post("/notices/new")
async def send(
    request: Request, user: User, rpc: Calls, destination: Short = "", family: Short = "", given: Short = "",
    kana_family: Short = "", kana_given: Short = "", birth_on: Short = "", pupil_id: Short = "",
    expected_on: Short = "", school: Short = "", not_protected: Short = "",
) -> Response:  # fmt: skip
    """Sealed and on its way; tried again for 7 days."""
    given_values = (destination, family, given, kana_family, kana_given, birth_on, pupil_id, expected_on, school)
    typed = dict(zip(FIELDS, given_values, strict=True))
    organisation, _, school_code = destination.partition("|")
    missing = [
        Violation(name, words)
        for name, value, words in (
            ("school", school, "受け入れる学校を選んでください。"),
            ("destination", organisation, "前の学校を選んでください。"),
            ("expected_on", expected_on, "受入れ予定日を入力してください。"),
            ("not_protected", not_protected, "支援措置の対象でないことを確かめてください。"),
        )
        if not value
    ]
    if missing:
        return await _form(request, rpc, typed, missing, 422)
    asked = pb.SendNoticeRequest(
        from_school_id=school, to_organisation=organisation, to_school_code=school_code, pupil_id=pupil_id.strip(),
        name=common_pb2.Name(family=family.strip(), given=given.strip()),
        kana=common_pb2.Name(family=kana_family.strip(), given=kana_given.strip()),
        birth_on=birth_on, expected_on=expected_on, not_protected=bool(not_protected),
    )  # fmt: skip
    try:
        sent = await rpc.dataexchange.SendNotice(asked)
    except (Invalid, Conflict) as error:
        found = [Violation("family", one.message) if one.field == "name" else one for one in violations(error)]
        return await _form(request, rpc, typed, found, 422)
    return redirect(request, f"/notices/{sent.id}", notice="転入の予定を送信します。")


@router.get("/notices/{notice_id}")
async def notice(
    request: Request, notice_id: str, user: User, rpc: Calls, seen: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """One notice: what was told, how far it came; for the asked side the children it may mean.

    `seen`: the state the open page shows.
    """
    if seen and asked_by(request) is AskedBy.HTMX:
        now = await rpc.dataexchange.GetNotice(pb.GetNoticeRequest(notice_id=notice_id))
        return renewal(now.state, seen)
    return await _page(request, user, rpc, notice_id)


async def _page(
    request: Request, user: SignedIn, rpc: Rpc, notice_id: str, errors: Iterable[Violation] = (), status: int = 200
) -> Response:
    found = await rpc.dataexchange.GetNotice(pb.GetNoticeRequest(notice_id=notice_id))
    asked = found.direction == "in"
    facts = {
        "inquiry": found, "asked": asked, "states": ASKED_STATES if asked else NOTICE_STATES, "steps": STEPS,
        "names": await names_of(rpc, (change.actor_id for change in found.history)), "errors": list(errors),
        "moving": not asked and found.state in MOVING,
        "open": asked and found.state == "received" and user.holds(*OFFICE),
        "columns": ["項目", "照会の内容", *(f"名簿の候補 {n}" for n in range(1, len(found.candidates) + 1))],
    }  # fmt: skip
    title = "転入先からの照会" if asked else "転入の予定"
    return view(request, "transfers/notice.html", facts, title=title, status=status)


@router.post("/notices/{notice_id}/refuse")
async def refuse(
    request: Request, notice_id: str, user: User, rpc: Calls, version: Version, reason: Long = ""
) -> Response:
    """対応しない: noted here only; the asker is told nothing."""
    try:
        await rpc.dataexchange.RefuseNotice(pb.RefuseNoticeRequest(notice_id=notice_id, reason=reason, version=version))
    except (Invalid, Conflict) as error:
        return await _page(request, user, rpc, notice_id, violations(error, "reason"), 409)
    return redirect(request, f"/notices/{notice_id}", notice="対応しないことを記録しました。相手には知らせません。")
