"""転出と転入: the record of a child on its way between municipalities."""

import asyncio
from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import StreamingResponse
from jpschool.school_year import school_year_of
from komu.dataexchange.v1 import transfers_pb2 as pb
from komu.roster.v1 import roster_pb2
from servicekit.clock import today_jst
from servicekit.errors import Conflict, Invalid, KomuError, Violation

from portal import text
from portal.asked_by import AskedBy, asked_by
from portal.nav import NavItem
from portal.rpc import Rpc, ServiceAway, rpc
from portal.session import SignedIn, signed_in
from portal.typed import Version
from portal.view import redirect, view

OFFICE = ("office", "vice_principal", "principal")
HANDLERS = (*OFFICE, "board_admin")

router = APIRouter()
NAV = [
    NavItem("転出", "/transfers", roles=set(HANDLERS), order=30),
    NavItem("転入", "/arrivals", roles=set(HANDLERS), order=31),
]

User = Annotated[SignedIn, Depends(signed_in)]
Calls = Annotated[Rpc, Depends(rpc)]
Short = Annotated[str, Form(max_length=100)]
Long = Annotated[str, Form(max_length=500)]

APPROVAL_S = 90.0

TRANSFER_STATES = {
    "drafted": ("校長の承認待ち", "warn"),
    "approved": ("承認済み", "plain"),
    "sealed": ("送信待ち", "plain"),
    "sent": ("送信済み", "plain"),
    "received": ("相手が受信", "plain"),
    "accepted": ("相手が受入れ", "good"),
    "closed": ("完了", "good"),
    "refused": ("受け取られませんでした", "bad"),
    "withdrawn": ("取下げ", "plain"),
    "expired": ("送信できませんでした", "bad"),
}
ARRIVAL_STATES = {
    "received": ("受信", "plain"),
    "verified": ("照合待ち", "warn"),
    "matched": ("受入れ待ち", "warn"),
    "accepted": ("受入れ済み", "good"),
    "refused": ("受け取らない", "bad"),
    "withdrawn": ("相手が取下げ", "plain"),
}
NOTICE_STATES = {
    "sent": ("送信中", "plain"),
    "received": ("相手に届きました", "plain"),
    "answered": ("書類が届きました", "good"),
    "refused": ("受け取られませんでした", "bad"),
    "expired": ("送信できませんでした", "bad"),
}
STEPS = {
    "drafted": "起案",
    "approved": "校長が承認",
    "sealed": "署名・封緘",
    "sent": "送信",
    "received": "相手が受信",
    "accepted": "相手が受入れ",
    "closed": "転学を処理",
    "refused": "受取拒否",
    "withdrawn": "取下げ",
    "expired": "送信を断念",
}
ARRIVAL_STEPS = {
    "received": "受信",
    "verified": "署名と内容を確認",
    "matched": "照合",
    "accepted": "受入れ",
    "refused": "受取拒否",
    "withdrawn": "相手が取下げ",
}
OURS = "この教育委員会"
RECEIPTS = {
    "received": "受信",
    "accepted": "受入れ",
    "refused": "受取拒否",
    "withdrawn": "取下げ",
    "superseded": "差替え",
}
CUSTODY = {"copy": "写し", "extract": "抄本", "original": "原本"}
FILES = ("application/pdf", "application/zip")
MOVING = {"approved", "sealed", "sent", "received", "accepted"}
SEX = {1: "男", 2: "女", 3: "その他"}
GRADES = [
    ("", "選んでください"),
    *((f"P{n}", f"小学{n}年") for n in range(1, 7)),
    *((f"J{n}", f"中学{n}年") for n in range(1, 4)),
]


# ── 転出 ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@router.get("/transfers")
async def departures(
    request: Request, user: User, rpc: Calls, state: Annotated[str, Query(max_length=20)] = "", before: str = ""
) -> Response:
    """転出 of the schools one serves, newest first."""
    found, asked = await asyncio.gather(
        rpc.dataexchange.ListTransfers(pb.ListTransfersRequest(state=state, before_transfer_id=before, limit=50)),
        rpc.dataexchange.ListNotices(pb.ListNoticesRequest(direction="in", state="received", limit=50)),
    )
    names = await names_of(rpc, (one.pupil_id for one in found.transfers))
    facts = {
        "transfers": found.transfers,
        "notices": asked.notices,
        "more": found.more,
        "names": names,
        "state": state,
        "states": TRANSFER_STATES,
    }
    return view(request, "transfers/departures.html", facts, title="転出")


@router.get("/transfers/new")
async def new_departure(
    request: Request,
    user: User,
    rpc: Calls,
    q: Annotated[str, Query(max_length=100)] = "",
    pupil: Annotated[str, Query(max_length=40)] = "",
    notice: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """First the child, then where it goes; `notice`: the 照会 that is answered."""
    return await _draft_page(request, rpc, q=q, pupil_id=pupil, notice_id=notice)


@router.post("/transfers/new")
async def draft(
    request: Request,
    user: User,
    rpc: Calls,
    pupil: Short,
    destination: Short = "",
    left_on: Short = "",
    reason: Long = "",
    notice: Short = "",
) -> Response:
    """転学 is entered: the register knows, and the 校長 is asked."""
    organisation, _, school = destination.partition("|")
    typed = {"destination": destination, "left_on": left_on, "reason": reason}
    missing = []
    if not organisation:
        missing.append(Violation("destination", "転出先を選んでください。"))
    if not left_on:
        missing.append(Violation("left_on", "最後の登校日を入力してください。"))
    if missing:
        return await _draft_page(
            request, rpc, pupil_id=pupil, notice_id=notice, typed=typed, errors=missing, status=422
        )
    asked = pb.DraftTransferRequest(
        pupil_id=pupil, to_organisation=organisation, to_school_code=school, left_on=left_on, reason=reason,
        notice_id=notice,
    )  # fmt: skip
    try:
        made = await rpc.dataexchange.DraftTransfer(asked, timeout=20)
    except (Invalid, Conflict) as error:
        status = 409 if isinstance(error, Conflict) else 422
        return await _draft_page(
            request, rpc, pupil_id=pupil, notice_id=notice, typed=typed, errors=violations(error), status=status
        )
    return redirect(request, f"/transfers/{made.id}", notice="転出を起案しました。校長の承認後に送信します。")


async def _draft_page(
    request: Request,
    rpc: Rpc,
    *,
    q: str = "",
    pupil_id: str = "",
    notice_id: str = "",
    typed: dict[str, str] | None = None,
    errors: Iterable[Violation] = (),
    status: int = 200,
) -> Response:
    found, chosen, organisations, notice = [], None, None, None
    if notice_id:
        notice = await rpc.dataexchange.GetNotice(pb.GetNoticeRequest(notice_id=notice_id))
    if pupil_id:
        chosen, organisations = await asyncio.gather(
            rpc.roster.GetPupil(roster_pb2.GetPupilRequest(pupil_id=pupil_id)),
            rpc.dataexchange.ListOrganisations(pb.ListOrganisationsRequest()),
        )
    elif q.strip():
        found = (await rpc.roster.SearchPupils(roster_pb2.SearchPupilsRequest(query=q.strip(), limit=30))).pupils
    facts = {
        "q": q, "found": found, "chosen": chosen, "directory": organisations, "today": today_jst().isoformat(),
        "destinations": destinations(organisations),
        "typed": typed or {"destination": _asker(notice), "left_on": "", "reason": ""}, "inquiry": notice,
        "errors": list(errors),
    }  # fmt: skip
    return view(request, "transfers/new.html", facts, title="転出の起案", status=status)


def _asker(notice: pb.Notice | None) -> str:
    """The school that asks, as the choice of the form."""
    return f"{notice.organisation}|{notice.school_code}" if notice else ""


def destinations(directory: Any) -> list[tuple[str, str]]:
    options = [("", "選んでください")]
    for organisation in directory.organisations if directory else ():
        if organisation.status != "active":
            continue
        options += [
            (f"{organisation.id}|{one.code}", f"{organisation.name} {one.name}") for one in organisation.schools
        ]
        options.append((f"{organisation.id}|", f"{organisation.name}(学校は教育委員会が決める)"))
    return options


@router.get("/transfers/{transfer_id}")
async def departure(
    request: Request, transfer_id: str, user: User, rpc: Calls, seen: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """One 転出: where it stands, what went, what came back. `seen`: the state the open page shows."""
    if seen and asked_by(request) is AskedBy.HTMX:
        now = await rpc.dataexchange.GetTransfer(pb.GetTransferRequest(transfer_id=transfer_id))
        return renewal(now.state, seen)
    return await _departure_page(request, user, rpc, transfer_id)


def renewal(state: str, seen: str) -> Response:
    """What an open page hears that asks whether its state still holds: nothing, or to show itself anew."""
    if state == seen:
        return Response(status_code=204)
    return Response(status_code=204, headers={"HX-Refresh": "true"})  # what can be done has changed, too


async def _departure_page(
    request: Request, user: SignedIn, rpc: Rpc, transfer_id: str, errors: Iterable[Violation] = (), status: int = 200
) -> Response:
    found = await rpc.dataexchange.GetTransfer(pb.GetTransferRequest(transfer_id=transfer_id))
    names = await names_of(rpc, [found.pupil_id, *(change.actor_id for change in found.history)])
    facts = {
        "transfer": found, "names": names, "states": TRANSFER_STATES, "receipt_names": RECEIPTS, "custody": CUSTODY,
        "steps": STEPS, "organisations": {found.to_organisation: found.to_organisation_name}, "ours": OURS,
        "moving": found.state in MOVING, "may_approve": found.state == "drafted" and user.holds("principal"),
        "may_withdraw": _may_withdraw(user, found.state), "errors": list(errors),
    }  # fmt: skip
    return view(request, "transfers/departure.html", facts, title="転出の詳細", status=status)


def _may_withdraw(user: SignedIn, state: str) -> bool:
    if state == "drafted":
        return user.holds(*OFFICE)
    return user.holds("principal") and state in ("approved", "sealed", "sent", "received")


@router.post("/transfers/{transfer_id}/approve")
async def approve(request: Request, transfer_id: str, user: User, rpc: Calls, version: Version) -> Response:
    """校長 approves: the papers are made, signed, sealed and sent."""
    try:
        await rpc.dataexchange.ApproveTransfer(
            pb.ApproveTransferRequest(transfer_id=transfer_id, version=version), timeout=APPROVAL_S
        )
    except (Invalid, Conflict) as error:
        return await _departure_page(request, user, rpc, transfer_id, violations(error), 409)
    return redirect(request, f"/transfers/{transfer_id}", notice="承認しました。書類に署名し、封緘して送信します。")


@router.post("/transfers/{transfer_id}/withdraw")
async def withdraw(
    request: Request, transfer_id: str, user: User, rpc: Calls, version: Version, reason: Long = ""
) -> Response:
    """取下げ, with the reason on record and told to the other side."""
    try:
        await rpc.dataexchange.WithdrawTransfer(
            pb.WithdrawTransferRequest(transfer_id=transfer_id, version=version, reason=reason)
        )
    except (Invalid, Conflict) as error:
        return await _departure_page(request, user, rpc, transfer_id, violations(error, "reason"), 409)
    return redirect(request, f"/transfers/{transfer_id}", notice="取り下げました。")


# ── 転入 ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


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


def violations(error: Invalid | Conflict, field: str = "") -> list[Violation]:
    found = list(error.violations) if isinstance(error, Invalid) else []
    return found or [Violation(field, error.message)]


async def names_of(rpc: Rpc, person_ids: Iterable[str]) -> dict[str, str]:
    """What people are called; a page stays useful when the register does not answer."""
    wanted = sorted({one for one in person_ids if one})
    if not wanted:
        return {}
    try:
        reply = await rpc.roster.GetPeopleNames(roster_pb2.GetPeopleNamesRequest(person_ids=wanted[:500]))
    except (ServiceAway, KomuError):
        return {}
    return {person.person_id: text.full_name(person.names.display) for person in reply.people}
