"""The record store against PostgreSQL itself and against a bare HTTP answer, in one run on the same cores.

    python -m tests.bench.bench_xapi [--rows N] [--seconds S]

Eight clients, statements of about 900 bytes with Japanese labels, fsync on. `COPY` and `insert` write the same JSON
into one table with a primary key over eight connections; `bare` reads a body and answers 204 on the same HTTP server.
Reads: `--rows` statements (default 5,000,000) of 3,000 pupils, put in by SQL behind the store's back, over the API.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import multiprocessing
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import orjson
import psycopg
import uvloop
from learning.domain.tool_clients import Reading, ToolClient, hash_of, key_of
from learning.domain.xapi.actors import key_of as digest
from learning.http_api import record_store
from learning.settings import Settings
from learning.store import tool_clients
from servicekit.db import Database
from servicekit.http import HttpServer, SecurityHeaders
from servicekit.testing import PostgresServer
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.support.xapi_statements import HOME, Statements, pupil, verb

CLIENTS = 8
BATCH = 100
GOALS = {"batches of 100 / COPY": 0.50, "one by one / insert": 0.40}
TENANT = "bench"


def serve(ready: Connection, url: str) -> None:
    """The HTTP side of learning in this process."""

    async def bare(request: Request) -> Response:
        await request.body()
        return Response(status_code=204)

    async def run() -> None:
        settings = Settings(database_url=url, learning_url="http://lrs.bench")
        routes = [Route("/bare", bare, methods=["POST"]), *record_store(Database(url, pool_size=CLIENTS), settings)]
        server = HttpServer(Starlette(routes=routes, middleware=[Middleware(SecurityHeaders)]), "127.0.0.1:0")
        await server.start()
        ready.send(server.port)
        await asyncio.get_running_loop().run_in_executor(None, ready.poll, None)

    uvloop.run(run())


class Line:
    """One kept-alive connection; as little client as possible, since it works on the same cores."""

    def __init__(self, port: int, authorization: str) -> None:
        self._port = port
        self._head = (
            f"Host: lrs\r\nAuthorization: {authorization}\r\nX-Experience-API-Version: 1.0.3\r\n"
            "Content-Type: application/json\r\n"
        )

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, limit=2**24)

    async def ask(self, method: str, path: str, body: bytes = b"") -> bytes:
        """The body of the answer. Raises AssertionError for another status than 200 and 204."""
        head = f"{method} {path} HTTP/1.1\r\n{self._head}Content-Length: {len(body)}\r\n\r\n".encode()
        self._writer.write(head + body)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        place = head.find(b"content-length:")
        length = int(head[place + 15 : head.index(b"\r", place)]) if place > 0 else 0
        answer = await self._reader.readexactly(length)
        assert head[9:12] in (b"200", b"204"), (head, answer)
        return answer


async def per_second(works: list[Callable[[], Awaitable[int]]], seconds: float) -> float:
    """How much all of `works` do in a second, side by side."""
    until = time.perf_counter() + seconds

    async def keep_on(work: Callable[[], Awaitable[int]]) -> int:
        done = 0
        while time.perf_counter() < until:
            done += await work()
        return done

    started = time.perf_counter()
    total = sum(await asyncio.gather(*(keep_on(work) for work in works)))
    return total / (time.perf_counter() - started)


async def fresh_client(database: Database) -> str:
    """Authorization of a client that reads everything."""
    client = ToolClient(uuid4(), "bench", "bench", Reading.ALL, uuid4(), datetime.now(UTC), None, 1)
    async with database.transaction(TENANT) as tx:
        await tool_clients.add(tx, client, hash_of("secret"))
    return "Basic " + base64.b64encode(f"{key_of(TENANT, client.id)}:secret".encode()).decode()


async def limits(dsn: str, seconds: float) -> tuple[float, float]:
    """Statements a second by COPY in batches, and one INSERT at a time; each transaction on disk."""
    lines = [await psycopg.AsyncConnection.connect(dsn) for _ in range(CLIENTS)]
    await lines[0].execute("CREATE TABLE plain (id uuid PRIMARY KEY, stored timestamptz DEFAULT now(), body text)")
    await lines[0].execute("CREATE INDEX ON plain (stored, id)")
    await lines[0].commit()

    def copying(line: Any, supply: Statements) -> Callable[[], Awaitable[int]]:
        async def work() -> int:
            async with line.cursor() as cursor, cursor.copy("COPY plain (id, body) FROM STDIN") as copy:
                for one in supply.batch(BATCH):
                    await copy.write_row((one["id"], orjson.dumps(one).decode()))
            await line.commit()
            return BATCH

        return work

    def inserting(line: Any, supply: Statements) -> Callable[[], Awaitable[int]]:
        async def work() -> int:
            one = supply.one()
            await line.execute("INSERT INTO plain (id, body) VALUES (%s, %s)", (one["id"], orjson.dumps(one).decode()))
            await line.commit()
            return 1

        return work

    copied = await per_second([copying(line, Statements(seed)) for seed, line in enumerate(lines)], seconds)
    inserted = await per_second([inserting(line, Statements(100 + seed)) for seed, line in enumerate(lines)], seconds)
    for line in lines:
        await line.close()
    return copied, inserted


def fill(dsn: str, rows: int) -> None:
    """`rows` statements of 3,000 pupils, as the store keeps them, over the month so far."""
    verbs = [digest(verb(number)) for number in range(4)]
    body = orjson.dumps({**Statements(7).one(), "version": "1.0.0", "authority": {}}).decode()
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE TEMPORARY TABLE pupils (number int PRIMARY KEY, key uuid)")
        with connection.cursor().copy("COPY pupils FROM STDIN") as copy:
            for number in range(3000):
                copy.write_row((number, digest("account", HOME, pupil(number))))
        connection.execute("SELECT setseed(0.5)")
        connection.execute(
            "INSERT INTO statements SELECT %(tenant)s,"
            " date_trunc('month', now()) + n * ((now() - date_trunc('month', now())) / %(rows)s),"
            " gen_random_uuid(), %(client)s, (%(verbs)s::uuid[])[1 + (n %% 7) %% 4], key,"
            " ('00000000-0000-0000-0000-' || lpad((n %% 4000)::text, 12, '0'))::uuid, NULL, 1, true, %(body)s"
            " FROM generate_series(1, %(rows)s) n JOIN pupils ON number = (n %% 3000 * 7919) %% 3000",
            {"tenant": TENANT, "rows": rows, "client": uuid4(), "verbs": verbs, "body": body},
        )
        connection.execute("VACUUM ANALYZE")


async def reading(line: Line) -> tuple[float, float]:
    """p95 of agent + verb + since in ms; last page against the first, both as medians over pages of 100."""
    since = quote(datetime.now(UTC).replace(day=1).isoformat().replace("+00:00", "Z"))
    times = []
    for number in range(400):
        agent = quote(orjson.dumps({"account": {"homePage": HOME, "name": pupil(number * 7 % 3000)}}))
        started = time.perf_counter()
        await line.ask("GET", f"/xapi/statements?agent={agent}&verb={quote(verb(number))}&since={since}&limit=50")
        times.append((time.perf_counter() - started) * 1000)
    pages = []
    agent = quote(orjson.dumps({"account": {"homePage": HOME, "name": pupil(5)}}))
    path = f"/xapi/statements?agent={agent}&limit=50"
    while path:
        taken = []
        for _ in range(15):
            started = time.perf_counter()
            answer = await line.ask("GET", path)
            taken.append(time.perf_counter() - started)
        found = orjson.loads(answer)
        if len(found["statements"]) == 50:  # a shorter last page would be an unfair gain
            pages.append(min(taken))
        path = found["more"]
    return statistics.quantiles(times, n=20)[-1], pages[-1] / pages[0]


async def measure(rows: int, seconds: float) -> dict[str, float]:
    postgres = PostgresServer(durable=True)
    postgres.start()
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    made = postgres.create_service("learning")
    worker = spawn.Process(target=serve, args=(there, made.app_url), daemon=True)
    worker.start()
    database = Database(made.app_url)
    try:
        port = await asyncio.to_thread(here.recv)
        authorization = await fresh_client(database)
        lines = [Line(port, authorization) for _ in range(CLIENTS)]
        for line in lines:
            await line.open()
        small = orjson.dumps(Statements(1).one())

        def bare(line: Line) -> Callable[[], Awaitable[int]]:
            async def work() -> int:
                await line.ask("POST", "/bare", small)
                return 1

            return work

        def posting(line: Line, supply: Statements, size: int) -> Callable[[], Awaitable[int]]:
            async def work() -> int:
                await line.ask("POST", "/xapi/statements", orjson.dumps(supply.batch(size)))
                return size

            return work

        for number in range(100):  # warms up, until each of the drill's 4,000 questions has been heard of
            await lines[0].ask("POST", "/xapi/statements", orjson.dumps(Statements(1000 + number).batch(200)))
        copied, inserted = await limits(postgres.dsn("postgres"), seconds)
        for line in lines:
            await line.open()  # the server closes what is silent for some seconds
        answers = await per_second([bare(line) for line in lines], seconds)
        batches = await per_second([posting(line, Statements(n), BATCH) for n, line in enumerate(lines)], seconds)
        single = await per_second([posting(line, Statements(200 + n), 1) for n, line in enumerate(lines)], seconds)
        print(f"  bare answers {answers:,.0f}/s   COPY {copied:,.0f}/s   insert {inserted:,.0f}/s")
        print(f"  record store: batches {batches:,.0f} statements/s   one by one {single:,.0f}/s", flush=True)
        await asyncio.to_thread(fill, made.superuser_dsn, rows)
        await lines[0].open()
        p95, last = await reading(lines[0])
        print(f"  {rows:,} statements: agent+verb+since p95 {p95:.1f} ms   last page / first {last:.2f}")
        return {"batches of 100 / COPY": batches / copied, "one by one / insert": single / inserted}
    finally:
        await database.close()
        worker.terminate()
        postgres.stop()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--seconds", type=float, default=5.0)
    asked = parser.parse_args()
    ratios = asyncio.run(measure(asked.rows, asked.seconds))
    for name, ratio in ratios.items():
        print(f"{name}: {ratio:.2f} (goal ≥ {GOALS[name]:.2f})")
    return 0 if all(ratio >= GOALS[name] for name, ratio in ratios.items()) else 1


if __name__ == "__main__":
    sys.exit(main())
