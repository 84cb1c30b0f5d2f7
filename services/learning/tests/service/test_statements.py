"""Statements in and out, as a tool does it."""

from __future__ import annotations

from uuid import uuid4

from komu.learning.v1 import tool_clients_pb2 as pb
from learning.domain.xapi.formats import timestamp

from services.learning.tests.service.record_store import ANSWERED, URL, VOIDED, Board, Tool, a_statement


async def test_a_statement_comes_back_as_it_was_sent(tool: Tool):
    sent = a_statement(timestamp="2026-11-20T09:00:00+09:00")
    posted = await tool.post(sent)
    assert posted.status_code == 200, posted.text
    [statement_id] = posted.json()
    answer = await tool.ask("GET", "statements", {"statementId": statement_id})
    assert answer.status_code == 200, answer.text
    got = answer.json()
    assert {name: got[name] for name in sent} == sent
    assert got["authority"]["account"] == {"homePage": URL, "name": tool.key}
    assert got["version"] == "1.0.0"
    assert answer.headers["x-experience-api-version"] == "1.0.3"
    while answer.headers["x-experience-api-consistent-through"] < got["stored"]:
        # a transaction that began before is still under way, the relay's for one: it ends, and the promise follows
        answer = await tool.ask("GET", "statements")
    assert answer.headers["last-modified"].endswith("GMT")


async def test_nothing_is_promised_that_a_transaction_under_way_may_still_bring(board: Board, tool: Tool):
    [statement_id] = (await tool.post(a_statement())).json()
    async with board.running.database.transaction(board.tenant) as tx:
        began = timestamp(await tx.scalar("SELECT now()"))
        for parameters in ({}, {"statementId": statement_id}):
            answer = await tool.ask("GET", "statements", parameters)
            assert answer.headers["x-experience-api-consistent-through"] < began


async def test_put_once_is_kept_and_again_is_the_same_or_a_conflict(tool: Tool):
    place = {"statementId": str(uuid4())}
    sent = a_statement()
    assert (await tool.ask("PUT", "statements", place, json=sent)).status_code == 204
    again = {**sent, "verb": {"id": ANSWERED, "display": {"en": "another display"}}}
    assert (await tool.ask("PUT", "statements", place, json=again)).status_code == 204
    other = {**sent, "verb": {"id": "http://adlnet.gov/expapi/verbs/attempted"}}
    assert (await tool.ask("PUT", "statements", place, json=other)).status_code == 409
    assert len(await tool.find()) == 1


async def test_a_batch_is_kept_whole_or_not_at_all(tool: Tool):
    first = a_statement(id=str(uuid4()))
    assert (await tool.post([first, {**first, "id": first["id"].upper()}])).status_code == 400
    assert (await tool.post([a_statement(), {**a_statement(), "verb": {}}])).status_code == 400
    assert (await tool.post(first)).status_code == 200
    clash = {**first, "object": {"id": "https://drill.example/another"}}
    assert (await tool.post([a_statement(), clash])).status_code == 409
    assert [one["id"] for one in await tool.find()] == [first["id"]]


async def test_every_filter(tool: Tool):
    pupil = {"mbox": "mailto:pupil@School.example"}
    unit = {"id": "https://drill.example/unit/1"}
    registration = str(uuid4())
    plain = a_statement()
    about = a_statement(actor={"objectType": "Group", "member": [pupil]}, object=unit)
    related = a_statement(
        context={"instructor": pupil, "registration": registration, "contextActivities": {"parent": unit}}
    )
    ids = (await tool.post([plain, about, related])).json()
    agent = '{"mbox": "mailto:pupil@school.example"}'

    async def found(**params: str) -> list[int]:
        return [ids.index(one["id"]) for one in await tool.find(**params, ascending="true")]

    assert await found() == [0, 1, 2]
    assert await found(agent=agent) == [1]
    assert await found(agent=agent, related_agents="true") == [1, 2]
    assert await found(activity=unit["id"]) == [1]
    assert await found(activity=unit["id"], related_activities="true") == [1, 2]
    assert await found(activity=unit["id"], related_activities="true", agent=agent, related_agents="true") == [1, 2]
    assert await found(registration=registration) == [2]
    assert await found(verb=ANSWERED) == [0, 1, 2]
    assert await found(verb=VOIDED) == []
    authority = f'{{"account": {{"homePage": "{URL}", "name": "{tool.key}"}}}}'
    assert await found(agent=authority, related_agents="true") == [0, 1, 2]
    stored = [one["stored"] for one in await tool.find(ascending="true")]
    assert await found(since=stored[0]) == [1, 2]
    assert await found(until=stored[1]) == [0, 1]
    assert [ids.index(one["id"]) for one in await tool.find(limit="2")] == [2, 1]


async def test_pages_hold_together(tool: Tool):
    ids = (await tool.post([a_statement() for _ in range(7)])).json()
    for ascending, expected in (("true", ids), ("false", ids[::-1])):
        answer = await tool.ask("GET", "statements", {"limit": "3", "ascending": ascending, "verb": ANSWERED})
        seen = [one["id"] for one in answer.json()["statements"]]
        while more := answer.json()["more"]:
            answer = await tool.http.get(more, headers=tool.headers())
            seen += [one["id"] for one in answer.json()["statements"]]
        assert seen == expected


async def test_a_client_reads_its_own_and_another_board_sees_nothing(board: Board, running: object):
    tool, other, everything = await board.tool(), await board.tool(), await board.tool(reading=pb.READING_ALL)
    [statement_id] = (await tool.post(a_statement())).json()
    assert len(await tool.find()) == len(await everything.find()) == 1
    assert await other.find() == []
    stranger = await Board(running, f"{board.tenant}-x").tool(reading=pb.READING_ALL)  # type: ignore[arg-type]
    for reader, status in ((tool, 200), (everything, 200), (other, 404), (stranger, 404)):
        answer = await reader.ask("GET", "statements", {"statementId": statement_id})
        assert answer.status_code == status


async def test_voiding(board: Board):
    tool, other = await board.tool(), await board.tool()
    [statement_id] = (await tool.post(a_statement())).json()
    voiding = {
        "actor": {"mbox": "mailto:a@b.example"},
        "verb": {"id": VOIDED},
        "object": {"objectType": "StatementRef", "id": statement_id},
    }
    assert (await other.post(voiding)).status_code == 403
    [voiding_id] = (await tool.post(voiding)).json()
    assert (await tool.ask("GET", "statements", {"statementId": statement_id})).status_code == 404
    assert (await tool.ask("GET", "statements", {"voidedStatementId": statement_id})).status_code == 200
    assert [one["id"] for one in await tool.find()] == [voiding_id]
    assert [one["id"] for one in await tool.find(verb=ANSWERED)] == [voiding_id]  # by what it speaks of
    [unvoiding_id] = (await tool.post({**voiding, "object": {"objectType": "StatementRef", "id": voiding_id}})).json()
    assert (await tool.ask("GET", "statements", {"statementId": voiding_id})).status_code == 200
    assert [one["id"] for one in await tool.find(verb=ANSWERED)] == [unvoiding_id, voiding_id]


async def test_a_void_and_a_reference_may_come_before_their_statement(tool: Tool):
    statement = a_statement(id=str(uuid4()))
    ref = {"objectType": "StatementRef", "id": statement["id"]}
    [note] = (await tool.post(a_statement(verb={"id": "http://example.com/noted"}, object=ref))).json()
    [void] = (await tool.post(a_statement(verb={"id": VOIDED}, object=ref))).json()
    assert (await tool.post(statement)).status_code == 200
    assert [one["id"] for one in await tool.find(verb=ANSWERED)] == [void, note]
    assert (await tool.ask("GET", "statements", {"statementId": statement["id"]})).status_code == 404
