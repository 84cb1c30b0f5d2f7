"""学習ツールの接続: the board opens the record store (xAPI) to a tool, gives it a new secret, closes it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from komu.learning.v1 import tool_clients_pb2 as pb
from servicekit.errors import Invalid, Violation

from portal.nav import NavItem
from portal.rpc import Rpc, rpc
from portal.session import SignedIn, signed_in
from portal.typed import Version
from portal.view import redirect, view

router = APIRouter(prefix="/tools")
NAV = [NavItem("学習ツールの接続", "/tools", roles={"board_admin"}, order=65)]

User = Annotated[SignedIn, Depends(signed_in)]
Calls = Annotated[Rpc, Depends(rpc)]
Short = Annotated[str, Form(max_length=200)]
Long = Annotated[str, Form(max_length=1000)]

READING = {"own": pb.READING_OWN, "all": pb.READING_ALL}
READING_WORDS = {
    pb.READING_OWN: "自分が送った記録だけ",
    pb.READING_ALL: "教育委員会のすべての記録",
}


@router.get("")
async def overview(request: Request, user: User, rpc: Calls) -> Response:
    """Every tool, open ones first."""
    answer = await rpc.learning.ListToolClients(pb.ListToolClientsRequest())
    clients = sorted(answer.clients, key=lambda one: one.HasField("disabled_at"))
    facts = {"clients": clients, "reading": READING_WORDS}
    return view(request, "tools/overview.html", facts, title="学習ツールの接続")


@router.get("/new")
async def new(request: Request, user: User) -> Response:
    """The form."""
    return _form(request, {"name": "", "purpose": "", "reading": "own"})


def _form(request: Request, typed: dict[str, str], errors: Iterable[Violation] = (), status: int = 200) -> Response:
    facts = {"typed": typed, "errors": list(errors)}
    return view(request, "tools/new.html", facts, title="学習ツールを登録する", status=status)


@router.post("/new")
async def register(
    request: Request, user: User, rpc: Calls, name: Short = "", purpose: Long = "", reading: Short = ""
) -> Response:
    """Key and secret, this once."""
    asked = pb.RegisterToolClientRequest(
        name=name, purpose=purpose, reading=READING.get(reading, pb.READING_UNSPECIFIED)
    )
    try:
        opened = await rpc.learning.RegisterToolClient(asked)
    except Invalid as invalid:
        return _form(request, {"name": name, "purpose": purpose, "reading": reading}, invalid.violations, 422)
    return _opened(request, opened)


@router.post("/{client_id}/renew")
async def renew(request: Request, client_id: str, user: User, rpc: Calls, version: Version = 0) -> Response:
    """The old secret ends with this."""
    asked = pb.ChangeToolClientRequest(client_id=client_id, version=version)
    return _opened(request, await rpc.learning.RenewToolClientSecret(asked))


@router.post("/{client_id}/stop")
async def stop(request: Request, client_id: str, user: User, rpc: Calls, version: Version = 0) -> Response:
    """What it wrote stays."""
    closed = await rpc.learning.DisableToolClient(pb.ChangeToolClientRequest(client_id=client_id, version=version))
    return redirect(request, "/tools", notice=f"「{closed.name}」の接続を停止しました。")


def _opened(request: Request, opened: pb.OpenedToolClient) -> Response:
    response = view(request, "tools/opened.html", {"opened": opened, "reading": READING_WORDS}, title="接続のかぎ")
    response.headers["cache-control"] = "no-store"
    return response
