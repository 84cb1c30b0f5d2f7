"""What a tool calls back: members, line items, scores; with its own token, about its own class, and nothing else."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from komu.learning.v1 import lti_pb2 as pb
from pylti1p3.exception import LtiServiceException
from pylti1p3.lineitem import LineItem

from tests.support.lti_tool import LtiTool

from .conftest import Browser, Platform, facts, in_thread

AGS = "https://purl.imsglobal.org/spec/lti-ags/scope/"
MEMBERSHIP = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SCORE_TYPE = "application/vnd.ims.lis.v1.score+json"
ITEM_TYPE = "application/vnd.ims.lis.v2.lineitem+json"


def assertion(tool: LtiTool, client_id: str, issuer: str, key: Any = None, **changed: Any) -> str:
    now = int(time.time())
    claims = {
        "iss": client_id, "sub": client_id, "aud": f"{issuer}/lti/token", "iat": now, "exp": now + 60,
        "jti": uuid4().hex,
    }  # fmt: skip
    return jwt.encode(claims | changed, key or tool.private_pem, algorithm="RS256", headers={"kid": tool.kid})


async def ask_token(platform: Platform, signed: str, scope: str = f"{AGS}score {AGS}lineitem", **changed: str) -> Any:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": signed,
        "scope": scope,
    }
    async with httpx.AsyncClient(trust_env=False) as http:
        return await http.post(f"{platform.issuer}/lti/token", data=form | changed)


async def a_token(platform: Platform, scope: str = f"{AGS}score {AGS}lineitem") -> str:
    signed = assertion(platform.tool, platform.registered.client_id, platform.issuer)
    return str((await ask_token(platform, signed, scope)).json()["access_token"])


def services(platform: Platform) -> str:
    tenant, school = platform.school.tenant, platform.school
    return f"{platform.issuer}/lti/services/{tenant}/{platform.deployment_id}/{school.homeroom_id}"


async def test_members_of_the_class_without_names(platform: Platform, browser: Browser):
    launch = await platform.launched(browser)
    members = await in_thread(lambda: launch.get_nrps().get_members())
    roles = {member["user_id"]: member["roles"][0].rsplit("#", 1)[1] for member in members}
    school = platform.school
    assert roles == {str(pupil): "Learner" for pupil in school.pupils} | {
        str(person): "Instructor" for person in (school.teacher_id, school.subject_teacher_id)
    }
    assert not {"name", "email", "given_name"} & set(members[0])
    page = (await in_thread(lambda: launch.get_nrps().get_members_page())), None
    assert len(page[0][0]) == 5


async def test_members_are_paged_and_narrowed_to_a_role(platform: Platform):
    await platform.link()
    token = await a_token(platform, MEMBERSHIP)
    url: str | None = f"{services(platform)}/members?limit=2&role=Learner"
    seen: list[str] = []
    async with httpx.AsyncClient(trust_env=False, headers={"authorization": f"Bearer {token}"}) as http:
        while url:
            answer = await http.get(url)
            seen += [member["user_id"] for member in answer.json()["members"]]
            url = answer.links.get("next", {}).get("url")
    assert seen == [str(pupil) for pupil in platform.school.pupils]


async def test_a_tool_keeps_line_items_and_sends_scores(platform: Platform, browser: Browser):
    launch = await platform.launched(browser)
    pupil = platform.school.pupils[0]
    await in_thread(lambda: launch.give_points(8, str(pupil)))
    ags = launch.get_ags()
    item = await in_thread(lambda: ags.find_lineitem_by_tag("free"))
    assert (item.get_label(), item.get_score_maximum()) == ("自由課題", 10)
    results = await in_thread(lambda: ags.get_grades(item))
    assert [(one["userId"], one["resultScore"], one["resultMaximum"]) for one in results] == [(str(pupil), 8, 10)]
    with pytest.raises(LtiServiceException):
        await in_thread(lambda: launch.give_points(9, str(pupil), datetime.now(UTC) - timedelta(hours=1)))
    with pytest.raises(LtiServiceException):
        await in_thread(lambda: launch.give_points(9, str(platform.school.other_pupils[0])))
    listed = await in_thread(ags.get_lineitems)
    assert [one["tag"] for one in listed] == ["free"]
    other = LineItem().set_tag("b").set_label("b").set_score_maximum(1).set_resource_id("r")
    await in_thread(lambda: ags.find_or_create_lineitem(other))
    token = await a_token(platform)
    async with httpx.AsyncClient(trust_env=False, headers={"authorization": f"Bearer {token}"}) as http:
        page = await http.get(f"{services(platform)}/lineitems?limit=1")
        assert "next" in page.links
        narrowed = await http.get(f"{services(platform)}/lineitems?resource_id=r")
        [one] = narrowed.json()
        put = await http.put(
            one["id"], content=json.dumps(one | {"label": "新しい名前"}), headers={"content-type": ITEM_TYPE}
        )
        assert put.json()["label"] == "新しい名前"
        assert (await http.delete(one["id"])).status_code == 204
        assert (await http.get(one["id"])).status_code == 404


Forge = Callable[[Platform], str]
HOUR = 3600
FORGED: dict[str, Forge] = {
    "another audience": lambda p: assertion(p.tool, p.registered.client_id, p.issuer, aud="https://elsewhere.example"),
    "expired": lambda p: assertion(p.tool, p.registered.client_id, p.issuer, iat=1, exp=2),
    "for ever": lambda p: assertion(p.tool, p.registered.client_id, p.issuer, exp=int(time.time()) + 9 * HOUR),
    "no jti": lambda p: assertion(p.tool, p.registered.client_id, p.issuer, jti=""),
    "another issuer": lambda p: assertion(p.tool, p.registered.client_id, p.issuer, iss="somebody"),
    "an unknown client": lambda p: assertion(p.tool, f"{p.school.tenant}.{'0' * 32}", p.issuer),
    "unsigned": lambda p: jwt.encode({"iss": p.registered.client_id, "sub": p.registered.client_id}, "", "none"),
    "a shared secret": lambda p: jwt.encode({"sub": p.registered.client_id}, p.tool.public_pem[27:], "HS256"),
    "another key": lambda p: assertion(p.tool, p.registered.client_id, p.issuer, key=STRANGER),
    "nothing": lambda _: "",
    "noise": lambda _: "a.b.c",
    "more noise": lambda _: "é.." + "A" * 400_000,
}


@pytest.mark.parametrize("what", FORGED)
async def test_a_forged_assertion_gets_no_token(platform: Platform, what: str):
    answer = await ask_token(platform, FORGED[what](platform))
    assert answer.status_code == 401, answer.text
    assert answer.json()["error"] == "invalid_client"


async def test_an_assertion_is_good_once_and_only_for_what_there_is(platform: Platform):
    signed = assertion(platform.tool, platform.registered.client_id, platform.issuer)
    assert (await ask_token(platform, signed, "openid")).status_code == 400
    assert (await ask_token(platform, signed, grant_type="password")).status_code == 400
    first = await ask_token(platform, signed, f"{AGS}score openid")
    assert (first.status_code, first.json()["scope"], first.json()["token_type"]) == (200, f"{AGS}score", "bearer")
    assert (await ask_token(platform, signed)).status_code == 401


async def test_another_tool_another_board_and_the_wrong_scope(platform: Platform, drill: LtiTool):
    link = await platform.link()
    token = await a_token(platform)
    made = pb.RegisterLtiToolRequest(facts=facts(drill, platform.school, name="別のツール"))
    other = await platform.board.RegisterLtiTool(made)
    signed = assertion(drill, other.client_id, platform.issuer)
    foreign = (await ask_token(platform, signed)).json()["access_token"]
    url = f"{services(platform)}/lineitems"
    body = json.dumps({"label": "九九", "scoreMaximum": 10, "resourceLinkId": link.id})

    async def post(address: str, bearer: str, kind: str = ITEM_TYPE, content: str = body) -> httpx.Response:
        headers = {"authorization": f"Bearer {bearer}", "content-type": kind}
        async with httpx.AsyncClient(trust_env=False) as http:
            return await http.post(address, content=content, headers=headers)

    mine = await post(url, token)
    assert mine.status_code == 201
    assert mine.json()["resourceLinkId"] == link.id
    assert (await post(url, foreign)).status_code == 404
    assert (await post(mine.json()["id"] + "/scores", foreign, SCORE_TYPE, "{}")).status_code == 400
    score = {
        "userId": str(platform.school.pupils[0]), "scoreGiven": 1, "scoreMaximum": 1,
        "activityProgress": "Completed", "gradingProgress": "FullyGraded", "timestamp": "2026-04-01T00:00:00+09:00",
    }  # fmt: skip
    assert (await post(mine.json()["id"] + "/scores", foreign, SCORE_TYPE, json.dumps(score))).status_code == 404
    assert (await post(url.replace(platform.school.tenant, "hoshi"), token)).status_code == 404
    assert (await post(url.replace(str(platform.school.homeroom_id), str(uuid4())), token)).status_code == 404
    reading = await a_token(platform, f"{AGS}lineitem.readonly")
    assert (await post(url, reading)).status_code == 403
    for bearer in ("x", token[:-3] + "abc", assertion(drill, platform.registered.client_id, platform.issuer)):
        assert (await post(url, bearer)).status_code == 401
    assert (await post(url, token, "application/json")).status_code == 415
    label = '{"label":"a","scoreMaximum":-1}'
    assert (await post(url, token, content='{"label":"\\ud800","scoreMaximum":1}')).status_code == 400
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(trust_env=False, headers=headers) as http:
        assert (await http.get(f"{url}?tag=%00")).status_code == 400
        assert (await http.get(f"{url}?resource_link_id=x&limit=0")).status_code in (400, 404)
    for content in ("", "[]", "{", '{"label":1}', label, "[" * 20_000, '{"a":' + "9" * 9000):
        assert (await post(url, token, content=content)).status_code == 400


async def test_a_class_without_the_tool_is_not_reached(platform: Platform):
    link = await platform.link()
    token = await a_token(platform)
    await platform.teacher.RemoveToolLink(pb.RemoveToolLinkRequest(link_id=link.id))
    async with httpx.AsyncClient(trust_env=False, headers={"authorization": f"Bearer {token}"}) as http:
        assert (await http.get(f"{services(platform)}/lineitems")).status_code == 404
