"""転出: a child leaves for another municipality; 事務 drafts, the 校長 approves, the papers go."""

import asyncio
from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from komu.dataexchange.v1 import transfers_pb2 as pb
from komu.roster.v1 import roster_pb2
from servicekit.clock import today_jst
from servicekit.errors import Conflict, Invalid, KomuError, Violation

from portal import text
from portal.asked_by import AskedBy, asked_by
from portal.nav import NavItem
from portal.rpc import Rpc, ServiceAway, rpc
from portal.session import SignedIn, signed_in
from portal.transfer_words import CUSTODY, OURS, RECEIPTS, STEPS, TRANSFER_STATES
from portal.typed import Version
from portal.view import redirect, view

OFFICE = ("office", "vice_principal", "principal")
HANDLERS = (*OFFICE, "board_admin")

router = APIRouter()
NAV = [NavItem("転出", "/transfers", roles=set(HANDLERS), order=30)]

User = Annotated[SignedIn, Depends(signed_in)]
Calls = Annotated[Rpc, Depends(rpc)]
Short = Annotated[str, Form(max_length=100)]
Long = Annotated[str, Form(max_length=500)]

APPROVAL_S = 90.0
MOVING = {"approved", "sealed", "sent", "received", "accepted"}


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
