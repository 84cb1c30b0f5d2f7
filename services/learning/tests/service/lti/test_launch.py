"""A tool is opened from a class; an independent library finds the message good, and forged ones go nowhere."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from komu.learning.v1 import lti_pb2 as pb
from servicekit.errors import Refused, Unseen

from .conftest import Browser, Form, Platform, facts

LTI = "https://purl.imsglobal.org/spec/lti/claim/"


def changed(url: str, **values: str | None) -> str:
    """The address with other parameters; None takes one away."""
    query = dict(parse_qsl(urlsplit(url).query)) | values
    return url.split("?")[0] + "?" + urlencode({name: value for name, value in query.items() if value is not None})


async def test_a_teacher_opens_a_tool_and_nothing_but_the_id_is_told(platform: Platform, browser: Browser):
    launch = await platform.launched(browser)
    said = launch.get_launch_data()
    assert said["sub"] == str(platform.school.teacher_id)
    assert said[LTI + "deployment_id"] == platform.deployment_id
    assert said[LTI + "resource_link"]["title"] == "九九"
    assert said[LTI + "context"]["id"] == str(platform.school.homeroom_id)
    assert "label" not in said[LTI + "context"]
    assert launch.check_teacher_access()
    assert not {"name", "email", "given_name", LTI + "custom"} & set(said)
    assert said[LTI + "lis"] == {"person_sourcedid": str(platform.school.teacher_id)}


async def test_what_the_board_allowed_is_told(platform: Platform, browser: Browser):
    claims = [pb.LTI_CLAIM_CLASS, pb.LTI_CLAIM_SCHOOL_GRADE]
    asked = facts(platform.tool, platform.school, claims=claims)
    version = platform.registered.version
    tool_id = platform.registered.id
    await platform.board.ChangeLtiTool(pb.ChangeLtiToolRequest(tool_id=tool_id, version=version, facts=asked))
    launch = await platform.launched(browser, platform.school.pupils[0], "student")
    said = launch.get_launch_data()
    assert said[LTI + "custom"] == {"grade": "P3", "classname": "3年1組"}
    assert said[LTI + "context"]["label"] == "3年1組"
    assert launch.check_student_access()


async def test_only_people_of_the_class_open_its_tools(platform: Platform):
    link = await platform.link()
    with pytest.raises(Unseen):
        await platform.open(link, platform.school.other_pupils[0], "student")
    with pytest.raises(Refused):
        await platform.person(platform.school.principal_id, "board_admin").GetClassTools(
            pb.GetClassToolsRequest(class_id=str(platform.school.homeroom_id))
        )
    assert await platform.open(link, platform.school.principal_id, "principal")


async def test_every_step_is_good_once_and_in_one_browser(platform: Platform, browser: Browser):
    door = await platform.open(await platform.link())
    asked = await browser.authorization(door)
    assert (await browser.get(door)).status_code == 400
    thief = Browser()
    stolen = await thief.get(asked)
    assert stolen.status_code == 400
    assert "ブラウザー" in stolen.text
    await thief.http.aclose()
    answer = await browser.get(asked)
    assert answer.status_code == 200
    assert (await browser.get(asked)).status_code == 400
    form = Form(answer.text)
    assert (await browser.post(form.action, form.fields)).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "nobody"},
        {"client_id": "aozora." + "0" * 32},
        {"client_id": None},
        {"redirect_uri": "http://localhost:9/launch"},
        {"redirect_uri": None},
        {"response_type": "code"},
        {"response_mode": "query"},
        {"prompt": "login"},
        {"scope": "profile"},
        {"nonce": ""},
        {"login_hint": "0" * 32},
        {"lti_message_hint": "x" * 43},
        {"lti_message_hint": "\x00"},
        {"state": "x" * 5000},
    ],
)
async def test_a_forged_request_is_refused_with_a_sentence(platform: Platform, browser: Browser, wrong: dict[str, str]):
    asked = await browser.authorization(await platform.open(await platform.link()))
    answer = await browser.get(changed(asked, **wrong))
    assert answer.status_code == 400
    assert "。</p>" in answer.text
    assert (await browser.get(asked)).status_code == 200, "the forged one used nothing up"


async def test_a_tool_that_was_switched_off_is_not_opened(platform: Platform, browser: Browser):
    link = await platform.link()
    door = await platform.open(link)
    request = pb.DisableLtiToolRequest(tool_id=platform.registered.id, version=platform.registered.version)
    await platform.board.DisableLtiTool(request)
    assert (await browser.get(door)).status_code == 400
    with pytest.raises(Unseen):
        await platform.open(link)
