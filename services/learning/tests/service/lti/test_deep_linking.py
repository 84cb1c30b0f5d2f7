"""A teacher chooses in the tool, the class gets links with line items; a forged or repeated answer adds nothing."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
from komu.learning.v1 import lti_pb2 as pb
from komu.learning.v1.lti_pb2_grpc import LtiScoreServiceStub
from servicekit.errors import Refused, Unseen

from tests.support.lti_tool import Launched

from .conftest import Browser, Form, Platform, in_thread

DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"


async def choosing(platform: Platform, browser: Browser) -> Launched:
    asked = pb.ChooseToolContentRequest(
        class_id=str(platform.school.homeroom_id), deployment_id=platform.deployment_id
    )
    opened = await platform.teacher.ChooseToolContent(asked)
    assert (await browser.launch(opened.url)).status_code == 200, platform.tool.refused
    return platform.tool.launches[-1]


async def links(platform: Platform) -> list[pb.LtiLink]:
    request = pb.GetClassToolsRequest(class_id=str(platform.school.homeroom_id))
    return list((await platform.teacher.GetClassTools(request)).links)


async def test_what_was_chosen_lies_ready_and_takes_scores(platform: Platform, browser: Browser):
    launch = await choosing(platform, browser)
    form = Form(launch.choose("たし算", "ひき算"))
    answer = await browser.post(form.action, form.fields)
    assert (answer.status_code, answer.headers["location"][-36:]) == (303, str(platform.school.homeroom_id))
    again = await browser.post(form.action, form.fields)
    assert again.status_code == 400
    chosen = await links(platform)
    assert [link.title for link in chosen] == ["たし算", "ひき算"]
    opened = await browser.launch(await platform.open(chosen[1]))
    assert opened.status_code == 200
    launch = platform.tool.launches[-1]
    assert launch.get_launch_data()["https://purl.imsglobal.org/spec/lti/claim/custom"] == {"unit": "2"}
    pupil = platform.school.pupils[2]
    await in_thread(lambda: launch.give_points(7, str(pupil)))
    scores = platform.school.caller(LtiScoreServiceStub, platform.school.teacher_id, "teacher")
    asked = pb.ListToolScoresRequest(class_id=str(platform.school.homeroom_id), limit=1)
    told = await scores.ListToolScores(asked)
    [score] = told.scores
    assert (score.label, score.tool_name, score.pupil_id, score.score) == ("ひき算", "計算ドリル", str(pupil), 7)
    key = pb.ToolScoreKey(line_item_id=score.line_item_id, pupil_id=score.pupil_id)
    await scores.SetToolScoresAside(pb.SetToolScoresAsideRequest(class_id=asked.class_id, scores=[key]))
    assert (await scores.ListToolScores(asked)).scores[0].set_aside
    await in_thread(lambda: launch.give_points(9, str(pupil)))
    [newer] = (await scores.ListToolScores(asked)).scores
    assert (newer.score, newer.set_aside) == (9, False)
    board = platform.school.caller(LtiScoreServiceStub, platform.school.principal_id, "board_admin")
    with pytest.raises(Refused):
        await board.ListToolScores(asked)


@pytest.mark.parametrize(
    "wrong",
    [
        {"aud": "https://elsewhere.example"},
        {"exp": 1},
        {DL + "data": "somebody's"},
        {DL + "data": None},
        {"https://purl.imsglobal.org/spec/lti/claim/deployment_id": "0"},
        {"https://purl.imsglobal.org/spec/lti/claim/message_type": "LtiResourceLinkRequest"},
        {"nonce": ""},
        {DL + "content_items": "none"},
        {DL + "content_items": [{"type": "ltiResourceLink", "title": "\x00"}]},
        {DL + "content_items": [{"type": "ltiResourceLink", "custom": {"a": "\ud800"}}]},
        {DL + "content_items": [{"type": "link", "url": "javascript:alert(1)"}]},
        {DL + "content_items": [{"type": "ltiResourceLink", "lineItem": {"scoreMaximum": 0}}]},
        {DL + "content_items": [{"type": "ltiResourceLink", "title": "x" * 5000}]},
    ],
)
async def test_a_forged_answer_puts_nothing_there(platform: Platform, browser: Browser, wrong: dict[str, Any]):
    launch = await choosing(platform, browser)
    deep_link = launch.get_deep_link()
    good = deep_link.get_message_jwt([])
    address = launch.get_launch_data()[DL + "deep_linking_settings"]["deep_link_return_url"]
    answer = await browser.post(address, {"JWT": deep_link.encode_jwt(good | wrong)})
    assert answer.status_code == 400
    assert await links(platform) == []
    assert (await browser.post(address, {"JWT": deep_link.encode_jwt(good)})).status_code == 303


async def test_unsigned_noise_and_other_keys(platform: Platform, browser: Browser):
    launch = await choosing(platform, browser)
    good = launch.get_deep_link().get_message_jwt([])
    address = launch.get_launch_data()[DL + "deep_linking_settings"]["deep_link_return_url"]
    for token in ("", "a.b.c", jwt.encode(good, "", "none"), jwt.encode(good, "x" * 32, "HS256")):
        assert (await browser.post(address, {"JWT": token})).status_code == 400
    assert (await browser.get(address)).status_code == 405


async def test_children_do_not_choose(platform: Platform):
    asked = pb.ChooseToolContentRequest(
        class_id=str(platform.school.homeroom_id), deployment_id=platform.deployment_id
    )
    with pytest.raises((Refused, Unseen)):
        await platform.person(platform.school.pupils[0], "student").ChooseToolContent(asked)
