"""Damaged statements are turned away, never an error of ours; a killed process loses nothing it acknowledged."""

from __future__ import annotations

import asyncio
import copy
import multiprocessing
from multiprocessing.connection import Connection
from typing import Any
from uuid import uuid4

import httpx
import orjson
import uvloop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from learning.http_api import record_store
from learning.settings import Settings
from servicekit.db import Database
from servicekit.http import HttpServer
from servicekit.testing import ServiceDatabase
from starlette.applications import Starlette

from services.learning.tests.service.record_store import Board, Tool, a_statement
from services.learning.tests.unit.test_xapi_rules import WHOLE

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


def places(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to everything inside."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, one in inner for found in ((*way, key), *places(one, (*way, key)))]


@st.composite
def damaged(draw: st.DrawFn) -> dict[str, Any]:
    """A whole statement with one to three places replaced, removed or added to."""
    statement = copy.deepcopy(WHOLE)
    for _ in range(draw(st.integers(1, 3))):
        way = draw(st.sampled_from(places(statement)))
        holder: Any = statement
        for key in way[:-1]:
            holder = holder[key]
        how = draw(st.sampled_from(("replace", "remove", "add")))
        if how == "remove":
            del holder[way[-1]]
        elif how == "add" and isinstance(holder, dict):
            holder[draw(st.text(max_size=8))] = draw(ANYTHING)
        else:
            holder[way[-1]] = draw(ANYTHING)
    return {**statement, "id": str(uuid4())} if draw(st.booleans()) else statement


async def test_no_damage_makes_an_error_of_ours(tool: Tool):
    loop = asyncio.get_running_loop()

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(damaged(), st.sampled_from(("1.0.3", "2.0.0")))
    def send(statement: dict[str, Any], version: str) -> None:
        try:
            content = orjson.dumps(statement)
        except (orjson.JSONEncodeError, TypeError):  # integers beyond 64 bits
            return
        more = {"content-type": "application/json", "x-experience-api-version": version}
        sent = tool.ask("POST", "statements", content=content, headers=more)
        answer = asyncio.run_coroutine_threadsafe(sent, loop).result()
        assert answer.status_code in (200, 400, 409), answer.text

    await asyncio.to_thread(send)


def serve(ready: Connection, url: str) -> None:
    async def run() -> None:
        app = Starlette(routes=record_store(Database(url), Settings(database_url=url, learning_url="http://lrs.test")))
        server = HttpServer(app, "127.0.0.1:0")
        await server.start()
        ready.send(server.port)
        await asyncio.get_running_loop().run_in_executor(None, ready.poll, None)

    uvloop.run(run())


async def test_what_was_acknowledged_is_there_after_a_kill_and_no_batch_by_half(
    board: Board, service_db: Any, service: str
):
    tool = await board.tool()
    made: ServiceDatabase = service_db(service)
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    worker = spawn.Process(target=serve, args=(there, made.app_url), daemon=True)
    worker.start()
    there.close()  # a process that does not come up ends the waiting
    port = await asyncio.to_thread(here.recv)
    acknowledged: list[str] = []
    sent: list[list[str]] = []
    enough = asyncio.Event()

    async def keep_sending(http: httpx.AsyncClient) -> None:
        headers = {**tool.headers(), "content-type": "application/json"}
        while True:
            batch = [a_statement(id=str(uuid4())) for _ in range(20)]
            sent.append([one["id"] for one in batch])
            try:
                answer = await http.post("/xapi/statements", content=orjson.dumps(batch), headers=headers)
            except httpx.HTTPError:
                return
            assert answer.status_code == 200
            acknowledged.extend(answer.json())
            if len(acknowledged) >= 200:
                enough.set()

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as http:
        senders = [asyncio.create_task(keep_sending(http)) for _ in range(4)]
        reached = asyncio.create_task(enough.wait())
        await asyncio.wait([reached, *senders], return_when=asyncio.FIRST_COMPLETED)
        worker.kill()
        await asyncio.gather(*senders)
    kept: set[str] = set()
    answer = await tool.ask("GET", "statements", {"limit": "500"})
    while True:
        kept |= {one["id"] for one in answer.json()["statements"]}
        if not answer.json()["more"]:
            break
        answer = await tool.http.get(answer.json()["more"], headers=tool.headers())
    assert set(acknowledged) <= kept
    assert {len(kept & set(batch)) for batch in sent} <= {0, 20}
