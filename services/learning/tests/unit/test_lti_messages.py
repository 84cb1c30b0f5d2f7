"""What a tool may send, and where it may live: pure rules, and noise that must never be more than a refusal."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from learning.clients.tool_keys import are_public
from learning.domain.lti import deep_linking, jose, launches, registration, scores
from learning.domain.lti.claims import ROLES
from learning.domain.lti.launches import PersonKind
from learning.domain.lti.plain import plain
from learning.domain.lti.refusals import LtiRefusal
from learning.domain.lti.tools import (
    Origin,
    Tool,
    ToolFacts,
    arranged,
    client_id_of,
    is_address,
    read_client_id,
)

NOW = datetime(2026, 11, 20, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
NAMED = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        (
            "label", "scoreMaximum", "scoreGiven", "timestamp", "userId", "activityProgress", "gradingProgress",
            "comment", "resourceLinkId", "startDateTime", "iss", "aud", "iat", "exp", "redirect_uris",
            registration.TOOL_CONFIGURATION, deep_linking.DEEP_LINKING + "content_items",
            deep_linking.DEEP_LINKING + "data",
        ),
        JSON,
    ),
)  # fmt: skip


def refusal_of(read: Any, *given: Any, **more: Any) -> LtiRefusal | None:
    try:
        read(*given, **more)
    except LtiRefusal as refusal:
        return refusal
    return None


def refused_or_read(read: Any, *given: Any, **more: Any) -> None:
    refusal = refusal_of(read, *given, **more)
    assert refusal is None or (400 <= refusal.status < 500 and refusal.message.endswith("。"))


@given(JSON | NAMED)
def test_noise_is_refused_with_a_sentence(body: Any):
    refused_or_read(scores.read_line_item, body)
    refused_or_read(scores.read_score, body)
    refused_or_read(registration.read_registration, body, "目的")
    if isinstance(body, dict):
        refused_or_read(jose.check_claims, body, issuer="a", audiences=["b"], now=NOW)
        message = {deep_linking.LTI + "message_type": deep_linking.MESSAGE, deep_linking.LTI + "version": "1.3.0"}
        response = {deep_linking.DEEP_LINKING + "data": "d", deep_linking.LTI + "deployment_id": "1"}
        refused_or_read(deep_linking.read_response, message | response | body, local=False)
        texts = {name: value for name, value in body.items() if isinstance(value, str)}
        refused_or_read(launches.read_request, texts)


def test_what_a_database_cannot_keep_is_refused():
    assert plain({"a": ["字", 1, None]}) == {"a": ["字", 1, None]}
    deep: Any = []
    for _ in range(40):
        deep = [deep]
    for value in ("\x00", {"a\ud800": 1}, [["\udfff"]], deep):
        assert refusal_of(plain, value) is not None


@given(st.text(max_size=200) | st.from_regex(r"[\w-]{0,40}\.[\w-]{0,40}\.[\w-]{0,40}", fullmatch=True))
def test_noise_is_no_token(token: str):
    refused_or_read(jose.look_at, token)
    refused_or_read(jose.read, token, [])
    refused_or_read(launches.read_ticket, token)
    refused_or_read(registration.read_token, token)


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://tool.example/launch?a=1", True),
        ("http://tool.example/launch", False),
        ("https:///launch", False),
        ("https://user@tool.example/", False),
        ("https://tool.example/#part", False),
        ("https://tool.example:99999/", False),
        ("https://[::1", False),
        ("https://tool.example/\nx", False),
        ("https://tool.example\\@evil.example/", False),
        ("javascript:alert(1)", False),
        ("https://ツール.example/", False),
        ("", False),
    ],
)
def test_only_plain_https_addresses_are_taken(url: str, good: bool):
    assert is_address(url, local=False) is good


def test_on_one_machine_http_is_good_enough():
    assert is_address("http://localhost:9000/login", local=True)


@pytest.mark.parametrize(
    ("addresses", "public"),
    [
        (["93.184.216.34"], True),
        (["93.184.216.34", "10.0.0.1"], False),
        (["127.0.0.1"], False),
        (["169.254.169.254"], False),
        (["192.168.0.1"], False),
        (["100.64.0.1"], False),
        (["::1"], False),
        (["fe80::1%eth0"], False),
        (["::ffff:10.0.0.1"], False),
        (["224.0.0.1"], False),
        ([], False),
    ],
)
def test_keys_are_not_fetched_from_our_own_network(addresses: list[str], public: bool):
    assert are_public(addresses) is public


def test_a_client_id_names_the_board():
    tool_id = uuid4()
    assert read_client_id(client_id_of("aozora", tool_id)) == ("aozora", tool_id)
    assert read_client_id(f"Aozora.{tool_id.hex}") is None
    assert read_client_id(f"aozora.{tool_id.hex}\n") is None


def test_a_school_keeps_its_deployment_id_when_it_comes_back():
    facts = ToolFacts("a", "b", "https://t.example/l", "https://t.example/", ("https://t.example/",))
    school, other, first, second = (UUID(int=number) for number in range(1, 5))
    tool = Tool(UUID(int=9), facts, Origin.BY_HAND, (), UUID(int=8), NOW, None, 1)
    using = arranged(tool, [school], [first])
    assert [(one.id, one.active) for one in using] == [(first, True)]
    moved = arranged(Tool(tool.id, facts, tool.origin, using, tool.created_by, NOW, None, 2), [other], [second])
    assert {(one.id, one.school_id, one.active) for one in moved} == {(second, other, True), (first, school, False)}
    back = arranged(Tool(tool.id, facts, tool.origin, moved, tool.created_by, NOW, None, 3), [school], [UUID(int=7)])
    assert {(one.id, one.active) for one in back} == {(first, True), (second, False)}


def test_everybody_has_a_role_in_the_class_and_one_in_the_school():
    assert set(ROLES) == set(PersonKind)
    for roles in ROLES.values():
        assert [role.split("#")[0].rsplit("/", 1)[1] for role in roles] == ["membership", "person"]


def test_an_older_score_does_not_replace_a_newer_one():
    score = scores.Score(uuid4(), 1, 1, "Completed", "FullyGraded", "", NOW)
    scores.check_newer(score, None, NOW)
    with pytest.raises(LtiRefusal) as refused:
        scores.check_newer(score, NOW, NOW)
    assert refused.value.status == 409
