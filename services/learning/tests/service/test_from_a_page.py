"""Learning content in a browser, at an address of its own, reaches the record store (CORS)."""

from __future__ import annotations

from services.learning.tests.service.record_store import Board, Tool

PAGE = {"Origin": "https://drill.example"}


async def test_a_browser_may_ask_for_every_page(board: Board):
    asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization, if-match"}
    answer = await board.http.options("/xapi/activities/state", headers={**PAGE, **asked})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


async def test_answers_and_refusals_can_be_read_there(board: Board, tool: Tool):
    stranger = {**tool.headers(), "authorization": "Basic bm9ib2R5Ong="}
    for headers, status in ((tool.headers(), 200), (stranger, 401)):
        answer = await board.http.get("/xapi/statements", headers={**PAGE, **headers})
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "ETag" in answer.headers["access-control-expose-headers"]
