"""連携先: the board lets other systems ask for its roster over OneRoster REST, and shuts them out."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from komu.dataexchange.v1 import partners_pb2 as pb
from komu.roster.v1 import roster_pb2
from servicekit.errors import Invalid, Violation

from portal.nav import NavItem
from portal.rpc import Rpc, rpc
from portal.session import SignedIn, signed_in
from portal.view import redirect, view

router = APIRouter(prefix="/partners")
NAV = [NavItem("連携先", "/partners", roles={"board_admin"}, order=63)]

User = Annotated[SignedIn, Depends(signed_in)]
Calls = Annotated[Rpc, Depends(rpc)]
Many = Annotated[list[str] | None, Form(max_length=200)]

USUAL = ("roster-core.readonly", "roster.readonly")


@router.get("")
async def overview(
    request: Request, user: User, rpc: Calls, before: Annotated[str, Query(max_length=40)] = ""
) -> Response:
    """Everybody who may ask, and where they ask."""
    listed = await rpc.dataexchange.ListPartners(pb.ListPartnersRequest(before_partner_id=before))
    facts = {
        "listed": listed, "words": {one.scope: one.words for one in listed.scopes},
        "schools": {school.id: school.name for school in await _schools(rpc)},
        "next_url": f"/partners?before={listed.partners[-1].id}" if listed.more else None,
    }  # fmt: skip
    return view(request, "partners/overview.html", facts, title="連携先")


@router.get("/records")
async def records(
    request: Request, user: User, rpc: Calls, before: Annotated[int, Query(ge=0, lt=2**31)] = 0
) -> Response:
    """What partners wrote."""
    listed = await rpc.dataexchange.ListPartnerLineItems(pb.ListPartnerLineItemsRequest(before=before))
    next_url = f"/partners/records?before={listed.items[-1].position}" if listed.more else None
    facts = {"items": listed.items, "next_url": next_url}
    return view(request, "partners/records.html", facts, title="連携先が書いた学習の記録")


@router.get("/new")
async def new(request: Request, user: User, rpc: Calls) -> Response:
    """Who, what for, how much, which schools."""
    return await _form(request, rpc, {"scopes": USUAL})


async def _form(
    request: Request, rpc: Rpc, typed: dict[str, Any], errors: Sequence[Violation] = (), status: int = 200
) -> Response:
    listed = await rpc.dataexchange.ListPartners(pb.ListPartnersRequest(limit=1))
    facts = {"typed": typed, "errors": errors, "scopes": listed.scopes, "schools": await _schools(rpc)}
    return view(request, "partners/new.html", facts, title="新しい連携先", status=status)


@router.post("/new")
async def add(
    request: Request, user: User, rpc: Calls, name: Annotated[str, Form(max_length=200)] = "",
    purpose: Annotated[str, Form(max_length=1000)] = "", scopes: Many = None, schools: Many = None,
) -> Response:  # fmt: skip
    """The secret is on this page once and nowhere else."""
    asked = pb.AddPartnerRequest(name=name, purpose=purpose, scopes=scopes or (), school_ids=schools or ())
    try:
        added = await rpc.dataexchange.AddPartner(asked)
    except Invalid as invalid:
        typed = {"name": name, "purpose": purpose, "scopes": scopes or (), "schools": schools or ()}
        return await _form(request, rpc, typed, invalid.violations, 422)
    return await _secret(request, rpc, added)


@router.post("/{partner_id}/secret")
async def renew(request: Request, partner_id: str, user: User, rpc: Calls) -> Response:
    """A new secret; the old one opens nothing any more."""
    renewed = await rpc.dataexchange.RenewPartnerSecret(pb.RenewPartnerSecretRequest(partner_id=partner_id))
    return await _secret(request, rpc, renewed)


async def _secret(request: Request, rpc: Rpc, found: pb.PartnerSecret) -> Response:
    listed = await rpc.dataexchange.ListPartners(pb.ListPartnersRequest(limit=1))
    response = view(request, "partners/secret.html", {"found": found, "listed": listed}, title="シークレットの控え")
    response.headers["Cache-Control"] = "no-store"
    return response


@router.post("/{partner_id}/disable")
async def disable(request: Request, partner_id: str, user: User, rpc: Calls) -> Response:
    """Its tokens end now."""
    partner = await rpc.dataexchange.SetPartnerDisabled(
        pb.SetPartnerDisabledRequest(partner_id=partner_id, disabled=True)
    )
    return redirect(request, "/partners", notice=f"{partner.name}を停止しました。発行済みのトークンも使えません。")


@router.post("/{partner_id}/enable")
async def enable(request: Request, partner_id: str, user: User, rpc: Calls) -> Response:
    """With the secret it had."""
    partner = await rpc.dataexchange.SetPartnerDisabled(pb.SetPartnerDisabledRequest(partner_id=partner_id))
    return redirect(request, "/partners", notice=f"{partner.name}を再開しました。")


async def _schools(rpc: Rpc) -> Sequence[roster_pb2.School]:
    schools: Sequence[roster_pb2.School] = (await rpc.roster.ListSchools(roster_pb2.ListSchoolsRequest())).schools
    return schools
