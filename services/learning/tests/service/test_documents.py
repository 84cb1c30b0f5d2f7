"""State and profiles, with the concurrency rules of each version."""

from __future__ import annotations

from uuid import uuid4

import pytest

from services.learning.tests.service.record_store import Board, Tool

AGENT = '{"mbox": "mailto:pupil@school.example"}'
JSON = {"content-type": "application/json"}
PLACES = {
    "activities/state": ({"activityId": "https://drill.example/1", "agent": AGENT}, "stateId"),
    "activities/profile": ({"activityId": "https://drill.example/1"}, "profileId"),
    "agents/profile": ({"agent": AGENT}, "profileId"),
}


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
async def test_documents_come_back_merge_and_go(tool: Tool, path: str, version: str):
    tool.version = version
    shelf, name = PLACES[path]
    place = {**shelf, name: "bookmark"}
    assert (await tool.ask("GET", path, place)).status_code == 404
    assert (await tool.ask("POST", path, place, content=b'{"page": 1, "b": 1}', headers=JSON)).status_code == 204
    assert (await tool.ask("POST", path, place, content=b'{"page": 2}', headers=JSON)).status_code == 204
    answer = await tool.ask("GET", path, place)
    assert answer.json() == {"page": 2, "b": 1}
    assert answer.headers["etag"][0] == answer.headers["etag"][41] == '"'
    assert answer.headers["content-type"] == "application/json"
    assert (await tool.ask("GET", path, shelf)).json() == ["bookmark"]
    later = {"since": "2100-01-01T00:00:00Z"}
    assert (await tool.ask("GET", path, {**shelf, **later})).json() == []
    assert (await tool.ask("POST", path, place, content=b"[1]", headers=JSON)).status_code == 400
    text = {"content-type": "text/plain"}
    assert (await tool.ask("POST", path, place, content=b"x", headers=text)).status_code == 400
    head = await tool.ask("HEAD", path, place)
    assert head.headers["etag"] == answer.headers["etag"]
    assert (await tool.ask("DELETE", path, place)).status_code == 204
    assert (await tool.ask("GET", path, place)).status_code == 404


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
async def test_who_has_not_looked_does_not_overwrite(tool: Tool, path: str, version: str):
    tool.version = version
    shelf, name = PLACES[path]
    place = {**shelf, name: "p"}

    async def put(content: bytes, **headers: str) -> int:
        given = {"content-type": "text/plain", **{one.replace("_", "-"): value for one, value in headers.items()}}
        return (await tool.ask("PUT", path, place, content=content, headers=given)).status_code

    if version == "1.0.3" and path == "agents/profile":
        assert await put(b"first") == 400  # it MUST include one of the headers (Communication 3.1)
    assert await put(b"first", if_none_match="*") == 204
    assert await put(b"second", if_none_match="*") == 412
    free = version == "1.0.3" and path == "activities/state"  # 1.0.3 wants no header there (Communication 2.3)
    assert await put(b"second") == (204 if free else 409)
    tag = (await tool.ask("GET", path, place)).headers["etag"]
    assert await put(b"third", if_match='"1234"') == 412
    assert await put(b"third", if_match=tag) == 204
    assert (await tool.ask("DELETE", path, place, headers={"if-match": tag})).status_code == 412
    assert (await tool.ask("GET", path, place)).content == b"third"


async def test_state_is_kept_by_registration_and_removed_at_once(tool: Tool):
    shelf = PLACES["activities/state"][0]
    registered = {**shelf, "registration": str(uuid4())}
    for place in (shelf, registered):
        given = await tool.ask("PUT", "activities/state", {**place, "stateId": "s"}, content=b"x", headers=JSON)
        assert given.status_code == 204
    assert (await tool.ask("DELETE", "activities/state", registered)).status_code == 204
    assert (await tool.ask("GET", "activities/state", {**shelf, "stateId": "s"})).status_code == 200
    assert (await tool.ask("GET", "activities/state", {**registered, "stateId": "s"})).status_code == 404
    assert (await tool.ask("DELETE", "agents/profile", PLACES["agents/profile"][0])).status_code == 400


async def test_documents_belong_to_the_client(board: Board):
    tool, other = await board.tool(), await board.tool()
    place = {**PLACES["activities/profile"][0], "profileId": "p"}
    assert (await tool.ask("PUT", "activities/profile", place, content=b"x", headers=JSON)).status_code == 204
    assert (await other.ask("GET", "activities/profile", place)).status_code == 404
    assert (await other.ask("DELETE", "activities/profile", place)).status_code == 204
    assert (await tool.ask("GET", "activities/profile", place)).status_code == 200
