"""転入: what another municipality sent is compared, accepted or not received."""

import asyncio
from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import StreamingResponse
from jpschool.school_year import school_year_of
from komu.dataexchange.v1 import transfers_pb2 as pb
from komu.roster.v1 import roster_pb2
from servicekit.clock import today_jst
from servicekit.errors import Conflict, Invalid, Violation

from portal.nav import NavItem
from portal.pages.transfers import HANDLERS, names_of, violations
from portal.rpc import Rpc, rpc
from portal.session import SignedIn, signed_in
from portal.transfer_words import ARRIVAL_STATES, ARRIVAL_STEPS, CUSTODY, GRADES, NOTICE_STATES, OURS, RECEIPTS, SEX
from portal.typed import Version
from portal.view import redirect, view

router = APIRouter()
NAV = [NavItem("転入", "/arrivals", roles=set(HANDLERS), order=31)]

User = Annotated[SignedIn, Depends(signed_in)]
Calls = Annotated[Rpc, Depends(rpc)]
Short = Annotated[str, Form(max_length=100)]
Long = Annotated[str, Form(max_length=500)]

FILES = ("application/pdf", "application/zip")


@router.get("/arrivals")
async def arrivals(
    request: Request, user: User, rpc: Calls, state: Annotated[str, Query(max_length=20)] = "", before: str = ""
) -> Response:
    """What arrived for the schools one serves, newest first."""
    found, asked = await asyncio.gather(
        rpc.dataexchange.ListArrivals(pb.ListArrivalsRequest(state=state, before_arrival_id=before, limit=50)),
        rpc.dataexchange.ListNotices(pb.ListNoticesRequest(direction="out", limit=50)),
    )
    facts = {
        "notices": asked.notices,
        "notice_states": NOTICE_STATES,
        "arrivals": found.arrivals,
        "more": found.more,
        "state": state,
        "states": ARRIVAL_STATES,
    }
    return view(request, "transfers/arrivals.html", facts, title="転入")


@router.get("/arrivals/received/{pupil_id}")
async def received(request: Request, pupil_id: str, user: User, rpc: Calls) -> Response:
    """What came with a child from former schools."""
    documents, names = await asyncio.gather(
        rpc.dataexchange.ListReceivedDocuments(pb.ListReceivedDocumentsRequest(pupil_id=pupil_id)),
        names_of(rpc, [pupil_id]),
    )
    facts = {
        "documents": documents.documents, "name": names.get(pupil_id, ""), "custody": CUSTODY, "pupil_id": pupil_id,
    }  # fmt: skip
    return view(request, "transfers/received.html", facts, title="前の学校から受けた書類")


@router.get("/arrivals/{arrival_id}")
async def arrival(request: Request, arrival_id: str, user: User, rpc: Calls) -> Response:
    """One 転入: the child beside the children of our register, the papers, accept or refuse."""
    return await _arrival_page(request, user, rpc, arrival_id)


async def _arrival_page(
    request: Request, user: SignedIn, rpc: Rpc, arrival_id: str, errors: Iterable[Violation] = (),
    typed: dict[str, str] | None = None, status: int = 200,
) -> Response:  # fmt: skip
    found, me = await asyncio.gather(
        rpc.dataexchange.GetArrival(pb.GetArrivalRequest(arrival_id=arrival_id)),
        rpc.roster.WhoAmI(roster_pb2.WhoAmIRequest()),
    )
    names = await names_of(rpc, (change.actor_id for change in found.history))
    given = typed or {
        "accepted_on": today_jst().isoformat(), "school_grade": _current_grade(found), "reason": "", "school": "",
    }  # fmt: skip
    facts = {
        "arrival": found, "names": names, "states": ARRIVAL_STATES, "receipt_names": RECEIPTS, "custody": CUSTODY,
        "steps": ARRIVAL_STEPS, "organisations": {found.from_organisation: found.from_organisation_name}, "ours": OURS,
        "sex": SEX, "schools": [(school.id, school.name) for school in me.schools], "grades": GRADES, "typed": given,
        "errors": list(errors), "open": found.state in ("verified", "matched"),
        "columns": ["項目", "届いた書類", *(f"名簿の候補 {n}" for n in range(1, len(found.candidates) + 1))],
    }  # fmt: skip
    return view(request, "transfers/arrival.html", facts, title="転入の詳細", status=status)


def _current_grade(arrival: pb.Arrival) -> str:
    """The 学年 of the running school year, if the record tells it."""
    year = school_year_of(today_jst())
    known = {line.school_year: line.school_grade for line in arrival.learner.years}
    return known.get(year, arrival.learner.pupil.school_grade)


@router.post("/arrivals/{arrival_id}/match")
async def match(
    request: Request, arrival_id: str, user: User, rpc: Calls, version: Version, pupil: Short = ""
) -> Response:
    """A person decides who it is; `new` for a child new to us."""
    if not pupil:
        chosen = [Violation("", "名簿の児童生徒か「新しい児童生徒」を選んでください。")]
        return await _arrival_page(request, user, rpc, arrival_id, chosen, status=422)
    asked = pb.MatchArrivalRequest(arrival_id=arrival_id, pupil_id="" if pupil == "new" else pupil, version=version)
    try:
        await rpc.dataexchange.MatchArrival(asked)
    except (Invalid, Conflict) as error:
        return await _arrival_page(request, user, rpc, arrival_id, violations(error), status=409)
    return redirect(request, f"/arrivals/{arrival_id}", notice="照合しました。受入れ日を入力してください。")


@router.post("/arrivals/{arrival_id}/accept")
async def accept(
    request: Request, arrival_id: str, user: User, rpc: Calls, version: Version,
    school: Short = "", accepted_on: Short = "", school_grade: Short = "",
) -> Response:  # fmt: skip
    """転入学: on our roll from that day; the former school gets the receipt with the date."""
    typed = {"accepted_on": accepted_on, "school_grade": school_grade, "school": school, "reason": ""}
    missing = [
        Violation(name, words)
        for name, value, words in (
            ("school", school, "受け入れる学校を選んでください。"),
            ("accepted_on", accepted_on, "受入れ日を入力してください。"),
            ("school_grade", school_grade, "学年を選んでください。"),
        )
        if not value
    ]
    if missing:
        return await _arrival_page(request, user, rpc, arrival_id, missing, typed, 422)
    asked = pb.AcceptArrivalRequest(
        arrival_id=arrival_id, school_id=school, accepted_on=accepted_on, school_grade=school_grade, version=version
    )
    try:
        await rpc.dataexchange.AcceptArrival(asked, timeout=30)
    except (Invalid, Conflict) as error:
        status = 409 if isinstance(error, Conflict) else 422
        return await _arrival_page(request, user, rpc, arrival_id, violations(error), typed, status)
    return redirect(request, f"/arrivals/{arrival_id}", notice="受け入れました。学級は名簿の画面で決めてください。")


@router.post("/arrivals/{arrival_id}/refuse")
async def refuse(
    request: Request, arrival_id: str, user: User, rpc: Calls, version: Version,
    code: Short = "declined", reason: Long = "",
) -> Response:  # fmt: skip
    """受け取らない: everything of the child is erased here, the sender gets the reason."""
    asked = pb.RefuseArrivalRequest(arrival_id=arrival_id, code=code, reason=reason, version=version)
    try:
        await rpc.dataexchange.RefuseArrival(asked)
    except (Invalid, Conflict) as error:
        typed = {"accepted_on": "", "school_grade": "", "school": "", "reason": reason}
        return await _arrival_page(request, user, rpc, arrival_id, violations(error, "reason"), typed, 409)
    notice = "受け取らないことを相手に知らせます。届いた書類は消去しました。"
    return redirect(request, f"/arrivals/{arrival_id}", notice=notice)


@router.get("/arrivals/{arrival_id}/part")
async def part(
    request: Request, arrival_id: str, user: User, rpc: Calls, path: Annotated[str, Query(max_length=400)]
) -> Response:
    """One document of the package, as it was signed by the sender."""
    stream = rpc.dataexchange.GetArrivalPart(pb.GetArrivalPartRequest(arrival_id=arrival_id, path=path), timeout=60)
    header = (await anext(stream)).header

    async def chunks() -> Any:
        async for message in stream:
            yield message.chunk

    name = header.path.rsplit("/", 1)[-1]
    media_type = header.media_type if header.media_type in FILES else "text/plain; charset=utf-8"
    shown = "inline" if media_type != "application/zip" else "attachment"
    headers = {
        "Content-Disposition": f'{shown}; filename="{name}"', "Cache-Control": "no-store",
        "X-Frame-Options": "SAMEORIGIN",
        "Content-Length": str(header.bytes),
    }  # fmt: skip
    return StreamingResponse(chunks(), media_type=media_type, headers=headers)
