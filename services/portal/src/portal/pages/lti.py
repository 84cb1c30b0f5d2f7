"""学習ツール(LTI): the board registers tools, decides what they may know and where they are used; the keys."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from komu.learning.v1 import lti_pb2 as pb
from servicekit.errors import Conflict, Invalid, Unseen, Violation
from starlette.datastructures import FormData

from portal.nav import NavItem
from portal.rpc import Rpc, rpc
from portal.session import SignedIn, signed_in
from portal.typed import Version, version_of
from portal.view import redirect, view

router = APIRouter(prefix="/lti")
NAV = [NavItem("学習ツール（LTI）", "/lti", roles={"board_admin"}, order=64)]

User = Annotated[SignedIn, Depends(signed_in)]
Calls = Annotated[Rpc, Depends(rpc)]
Typed = Annotated[str, Form(max_length=3000)]

CLAIMS = {
    pb.LTI_CLAIM_NAME: "表示名（氏名）",
    pb.LTI_CLAIM_CLASS: "学級の名前",
    pb.LTI_CLAIM_SCHOOL_GRADE: "児童生徒の学年",
}
"""What may be told, in the words of the form. Everything else a launch says is without a name."""
KEY_STATES = {
    "coming": ("公開済み・これから使う", "plain"),
    "signing": ("署名に使用中", "good"),
    "ending": ("まもなく廃止", "warn"),
}
_TEXTS = ("name", "purpose", "login_url", "target_link_uri", "jwks_url", "public_keys")


@router.get("")
async def overview(request: Request, user: User, rpc: Calls) -> Response:
    """Every tool, and what its provider has to know about us."""
    found = await rpc.learning.ListLtiTools(pb.ListLtiToolsRequest())
    facts = {"found": found, "platform": found.platform, "claims": CLAIMS}
    return view(request, "lti/overview.html", facts, title="学習ツール（LTI）")


@router.get("/new")
async def new(request: Request, user: User, rpc: Calls) -> Response:
    return await _form(request, rpc, pb.LtiToolFacts())


@router.post("/new")
async def register(request: Request, user: User, rpc: Calls) -> Response:
    asked = _typed(await request.form())
    try:
        tool = await rpc.learning.RegisterLtiTool(pb.RegisterLtiToolRequest(facts=asked))
    except Invalid as invalid:
        return await _form(request, rpc, asked, errors=invalid.violations, status=422)
    notice = "登録しました。client_id とデプロイメントIDを、ツールの提供者に伝えてください。"
    return redirect(request, f"/lti/tools/{tool.id}", notice=notice)


@router.post("/invite")
async def invite(
    request: Request, user: User, rpc: Calls, registration_url: Typed = "", invite_purpose: Typed = ""
) -> Response:
    """The tool registers itself on its own page, which gets a token for one registration."""
    asked = pb.InviteLtiToolRequest(registration_url=registration_url, purpose=invite_purpose)
    try:
        invited = await rpc.learning.InviteLtiTool(asked)
    except Invalid as invalid:
        return await _form(request, rpc, pb.LtiToolFacts(), errors=invalid.violations, status=422, inviting=asked)
    return view(request, "lti/invited.html", {"invited": invited}, title="学習ツールの自動登録")


@router.get("/tools/{tool_id}")
async def tool(request: Request, tool_id: str, user: User, rpc: Calls) -> Response:
    found, one = await _found(rpc, tool_id)
    return _form_page(request, found, one.facts, one)


@router.post("/tools/{tool_id}")
async def change(request: Request, tool_id: str, user: User, rpc: Calls) -> Response:
    form = await request.form()
    asked = _typed(form)
    version = version_of(form.get("version", ""))
    try:
        await rpc.learning.ChangeLtiTool(pb.ChangeLtiToolRequest(tool_id=tool_id, version=version, facts=asked))
    except (Invalid, Conflict) as error:
        found, one = await _found(rpc, tool_id)
        return _form_page(request, found, asked, one, errors=_said(error), status=422)
    return redirect(request, f"/lti/tools/{tool_id}", notice="保存しました。次に開くときから変わります。")


@router.post("/tools/{tool_id}/disable")
async def disable(request: Request, tool_id: str, user: User, rpc: Calls, version: Version) -> Response:
    try:
        await rpc.learning.DisableLtiTool(pb.DisableLtiToolRequest(tool_id=tool_id, version=version))
    except Conflict as conflict:
        found, one = await _found(rpc, tool_id)
        return _form_page(request, found, one.facts, one, errors=_said(conflict), status=409)
    return redirect(request, "/lti", notice="停止しました。このツールは、もう開けません。")


@router.get("/keys")
async def keys(request: Request, user: User, rpc: Calls) -> Response:
    return await _keys(request, rpc)


@router.post("/keys")
async def rotate(request: Request, user: User, rpc: Calls) -> Response:
    """The successor is published."""
    try:
        await rpc.learning.RotateLtiKeys(pb.RotateLtiKeysRequest())
    except Conflict as conflict:
        return await _keys(request, rpc, errors=_said(conflict), status=409)
    return redirect(request, "/lti/keys", notice="次の鍵を公開しました。24時間後から署名に使います。")


async def _keys(request: Request, rpc: Rpc, errors: Sequence[Violation] = (), status: int = 200) -> Response:
    found = await rpc.learning.ListLtiKeys(pb.ListLtiKeysRequest())
    facts = {
        "found": found, "states": KEY_STATES, "errors": errors,
        "waits": any(key.state == "coming" for key in found.keys),
    }  # fmt: skip
    return view(request, "lti/keys.html", facts, title="署名の鍵", status=status)


async def _found(rpc: Rpc, tool_id: str) -> tuple[Any, Any]:
    """All tools and that one. Raises: Unseen."""
    found = await rpc.learning.ListLtiTools(pb.ListLtiToolsRequest())
    one = next((tool for tool in found.tools if tool.id == tool_id), None)
    if one is None:
        raise Unseen
    return found, one


async def _form(
    request: Request, rpc: Rpc, typed: pb.LtiToolFacts, errors: Sequence[Violation] = (), status: int = 200,
    inviting: pb.InviteLtiToolRequest | None = None,
) -> Response:  # fmt: skip
    found = await rpc.learning.ListLtiTools(pb.ListLtiToolsRequest())
    return _form_page(request, found, typed, None, errors=errors, status=status, inviting=inviting)


def _form_page(
    request: Request, found: Any, typed: pb.LtiToolFacts, one: Any, errors: Sequence[Violation] = (), status: int = 200,
    inviting: pb.InviteLtiToolRequest | None = None,
) -> Response:  # fmt: skip
    facts = {
        "typed": typed, "tool": one, "platform": found.platform, "schools": found.schools, "claims": CLAIMS,
        "errors": errors,
        "inviting": inviting or pb.InviteLtiToolRequest(), "in_use": one is None or not one.HasField("disabled_at"),
    }  # fmt: skip
    return view(request, "lti/tool.html", facts, title=one.facts.name if one else "学習ツールの登録", status=status)


def _typed(form: FormData) -> pb.LtiToolFacts:
    """The form as it was filled; what is wrong with it, the service says."""
    texts = {name: str(form.get(name, "")).strip() for name in _TEXTS}
    return pb.LtiToolFacts(
        **texts,
        redirect_uris=[line.strip() for line in str(form.get("redirect_uris", "")).splitlines() if line.strip()],
        claims=[int(value) for value in map(str, form.getlist("claims")) if value in map(str, CLAIMS)],  # type: ignore[misc]
        deep_linking=bool(form.get("deep_linking")),
        school_ids=[str(value) for value in form.getlist("school_ids")],
    )


def _said(error: Invalid | Conflict) -> list[Violation]:
    if isinstance(error, Invalid) and error.violations:
        return error.violations
    return [Violation("", error.message)]
