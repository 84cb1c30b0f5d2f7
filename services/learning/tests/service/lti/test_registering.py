"""A tool registers itself by the board's invitation: once, and without knowing anybody."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from komu.learning.v1 import lti_pb2 as pb
from komu.learning.v1.lti_pb2_grpc import LtiToolServiceStub
from pylti1p3.exception import LtiException
from servicekit.errors import Conflict, Invalid, Refused

from tests.support.lti_tool import LtiTool

from .conftest import Platform, in_thread


async def invitation(platform: Platform) -> tuple[str, str]:
    asked = pb.InviteLtiToolRequest(registration_url=platform.tool.url("/register?plan=a"), purpose="算数の練習")
    query = parse_qs(urlsplit((await platform.board.InviteLtiTool(asked)).url).query)
    assert query["plan"] == ["a"]
    return query["openid_configuration"][0], query["registration_token"][0]


async def test_a_tool_registers_itself_once(platform: Platform):
    with LtiTool() as tool:
        about, token = await invitation(platform)
        told = await in_thread(lambda: tool.registration(about, token))
        found = (await platform.board.ListLtiTools(pb.ListLtiToolsRequest())).tools[0]
        assert (found.client_id, found.dynamic, found.facts.purpose) == (told["client_id"], True, "算数の練習")
        assert (list(found.facts.claims), list(found.facts.school_ids)) == ([], [])
        assert found.facts.deep_linking
        with pytest.raises(LtiException):
            await in_thread(lambda: tool.registration(about, token))


async def test_what_is_no_registration_is_refused(platform: Platform):
    _, token = await invitation(platform)

    async def post(bearer: str, body: str, kind: str = "application/json") -> int:
        headers = {"authorization": f"Bearer {bearer}", "content-type": kind}
        async with httpx.AsyncClient(trust_env=False) as http:
            return (await http.post(f"{platform.issuer}/lti/register", content=body, headers=headers)).status_code

    assert await post("x", "{}") == 401
    assert await post(token[:-1] + "_", "{}") == 401
    assert await post(token, "{}", "text/plain") == 415
    empty = json.dumps({"https://purl.imsglobal.org/spec/lti-tool-configuration": {}})
    for body in ("", "[]", "{}", "[" * 20_000, empty):
        assert await post(token, body) == 400
    with pytest.raises(Invalid):
        await platform.board.InviteLtiTool(pb.InviteLtiToolRequest(registration_url="javascript:1", purpose=""))


async def test_keys_are_published_before_they_sign(platform: Platform):
    before = (await platform.board.ListLtiKeys(pb.ListLtiKeysRequest())).keys
    assert [key.state for key in before][-1:] == ["signing"]
    after = await platform.board.RotateLtiKeys(pb.RotateLtiKeysRequest())
    assert [key.state for key in after.keys] == ["coming", "signing"]
    async with httpx.AsyncClient(trust_env=False) as http:
        shown = (await http.get(f"{platform.issuer}/lti/jwks")).json()["keys"]
    assert [key["kid"] for key in shown] == [key.kid for key in after.keys]
    assert not {"d", "p", "q"} & {name for key in shown for name in key}
    with pytest.raises(Conflict):
        await platform.board.RotateLtiKeys(pb.RotateLtiKeysRequest())
    teacher = platform.school.caller(LtiToolServiceStub, platform.school.teacher_id, "teacher")
    with pytest.raises(Refused):
        await teacher.ListLtiKeys(pb.ListLtiKeysRequest())


async def test_a_registration_is_checked_and_another_version_is_not_overwritten(platform: Platform):
    with pytest.raises(Invalid) as refused:
        await platform.board.RegisterLtiTool(pb.RegisterLtiToolRequest(facts=pb.LtiToolFacts(name="\x00")))
    fields = {one.field for one in refused.value.violations}
    assert fields == {"name", "purpose", "login_url", "target_link_uri", "redirect_uris", "jwks_url"}
    with pytest.raises(Conflict):
        await platform.board.ChangeLtiTool(
            pb.ChangeLtiToolRequest(tool_id=platform.registered.id, version=9, facts=platform.registered.facts)
        )
