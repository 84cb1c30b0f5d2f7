"""OneRoster 1.2 REST against the same SQL through psycopg, served bare by the same server; deep pages too.

    python tests/bench/bench_oneroster_rest.py [--profile FILE]

5,500 users, 40,000 enrolments. Server in a process of its own on the product's loop, plain HTTP, connections that are
kept; everything is measured in turns within one run, the middle ratio counts. The list is asked twice over: always the
same page, which the server remembers with its version, and every time another one, which it has to read. Both are held
to the goal; so are pages near the beginning and the end that nobody asked for before.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import random
import statistics
import sys
import time
from collections.abc import Iterator
from itertools import cycle
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from dataexchange.domain.rest.scopes import SCOPES  # noqa: E402
from dataexchange.domain.roster_objects import making  # noqa: E402
from dataexchange.domain.roster_objects.making import Made, Placement  # noqa: E402
from dataexchange.domain.roster_objects.sources import Board, Duty, Member, Names, School, SchoolClass  # noqa: E402
from dataexchange.rest_api import RestApp  # noqa: E402
from dataexchange.store import roster_objects  # noqa: E402
from dataexchange.usecases import partners  # noqa: E402
from servicekit import process  # noqa: E402
from servicekit.db import Database  # noqa: E402
from servicekit.http import HttpServer  # noqa: E402
from servicekit.testing import PostgresServer  # noqa: E402

TENANT = "bench"
CLASSES, PUPILS, LESSONS = 157, 35, 6
AT_ONCE, ROUNDS, ROUND_S = 16, 5, 1.0
USERS = "/ims/oneroster/rostering/v1p2/users"
ENROLLMENTS = "/ims/oneroster/rostering/v1p2/enrollments"
GOALS = {"list": 0.6, "list, another page": 0.6, "one": 0.5, "p50": 1.1, "p95": 1.3}
_PAGE = """SELECT string_agg(body, ',' ORDER BY ordinal) FROM oneroster_objects
    WHERE kind = 'user' AND ordinal > %s AND ordinal <= %s"""
_OTHER = "{other}"
"""In a path: an offset that differs from one request to the next."""
_ONE = "SELECT body FROM oneroster_objects WHERE kind = 'user' AND sourced_id = %s"


def roster() -> list[Made]:
    """One school with 157 classes; lessons with a teacher of their own make the enrolments many."""
    board = Board(str(uuid4()), "479901", "青空市教育委員会")
    school = School(str(uuid4()), "B147299100018", "青空市立あおぞら小学校")
    subjects = ("japanese", "arithmetic", "science", "music", "social_studies", "physical_education")[:LESSONS]
    teacher = str(uuid4())
    made = [making.board_org(board), making.school_org(board, school)]
    for number in range(CLASSES):
        members = tuple(Member(str(uuid4()), one + 1, "2026-04-01", "", "P3") for one in range(PUPILS))
        one = SchoolClass(str(uuid4()), school.id, 2026, "P3", f"3年{number}組", "homeroom", members)
        made += making.of_class(
            board, school, one, [Duty(teacher, "subject", one.id, key, "2026-04-01", "") for key in subjects]
        )
        for member in members:
            place = Placement(one.id, school.id, "P3", "2026-04-01", "2027-03-31")
            made += making.pupil(member.pupil_id, Names("青空", "花子", "", "アオゾラ", "ハナコ"), [place])
    return made


def serve(ready: Connection, url: str, plain_url: str, profile: str | None) -> None:
    async def run() -> None:
        database = Database(url)
        free: asyncio.Queue[psycopg.AsyncConnection[Any]] = asyncio.Queue()
        for _ in range(8):
            free.put_nowait(
                await psycopg.AsyncConnection.connect(
                    plain_url, autocommit=True, prepare_threshold=0, options=f"-c komu.tenant={TENANT}"
                )
            )

        async def bare(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "http":
                return
            content = b"hello"
            if scope["path"] != "/hello":
                connection = await free.get()
                try:
                    if scope["path"] == "/list":
                        after = int(scope["query_string"].partition(b"=")[2] or 0)
                        cursor = await connection.execute(_PAGE, (after, after + 100))
                    else:
                        cursor = await connection.execute(_ONE, (scope["path"][5:],))
                    row = await cursor.fetchone()
                finally:
                    free.put_nowait(connection)
                content = b'{"users":[%s]}' % (row[0] if row else "").encode()
            headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": content})

        server = HttpServer(RestApp(database, bare), "127.0.0.1:0")
        await server.start()
        process.settled()
        ready.send(server.port)
        await asyncio.get_running_loop().run_in_executor(None, ready.poll, None)

    if profile is None:
        process.run(run())
        return
    import cProfile

    profiler = cProfile.Profile()
    profiler.runcall(process.run, run())
    profiler.dump_stats(profile)


class Client:
    """A kept-alive connection that reads nothing of an answer but its length: the client shares the processors."""

    def __init__(self, port: int, token: str) -> None:
        self._port, self._token = port, token
        self.total = b""
        """`X-Total-Count` of the last answer."""
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> bytes:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=2**20)
        reader, writer = self._streams
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self._token}\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert head.startswith(b"http/1.1 200"), head
        self.total = head.partition(b"x-total-count: ")[2].partition(b"\r\n")[0]
        length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
        return await reader.readexactly(length)

    async def time_ms(self, path: str) -> float:
        """How long one request takes, alone."""
        started = time.perf_counter()
        await self.get(path)
        return (time.perf_counter() - started) * 1000


async def per_second(clients: list[Client], path: str, others: Iterator[int]) -> float:
    until = time.perf_counter() + ROUND_S
    done = 0

    async def ask(client: Client) -> None:
        nonlocal done
        while time.perf_counter() < until:
            await client.get(path.replace(_OTHER, str(next(others))) if _OTHER in path else path)
            done += 1

    started = time.perf_counter()
    await asyncio.gather(*map(ask, clients))
    return done / (time.perf_counter() - started)


async def measure(profile: str | None) -> bool:
    postgres = PostgresServer()
    postgres.start()
    here, there = multiprocessing.get_context("spawn").Pipe()
    worker = None
    try:
        place = postgres.create_service("dataexchange")
        database = Database(place.app_url)
        made = roster()
        async with database.transaction(TENANT) as tx:
            started = time.perf_counter()
            await roster_objects.put(tx, "rostering", made)
            wanted = partners.Wanted("計測", "計測", frozenset(SCOPES), frozenset())
            partner, secret = await partners.enter(tx, uuid4(), wanted, "secret")
            issued = await partners.issue_token(tx, partner.client_id(TENANT), secret, None)
            assert issued is not None
            counts = await tx.scalar("SELECT totals FROM oneroster_state")
        took = time.perf_counter() - started
        print(f"{counts['user']} users, {counts['enrollment']} enrolments, entered in {took:.1f} s")
        async with database.reading(TENANT) as tx:
            one = await tx.scalar("SELECT sourced_id FROM oneroster_objects WHERE kind = 'user' AND ordinal = 99")
        await database.close()
        with psycopg.connect(place.superuser_dsn, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        plain_url = place.app_url.replace("postgresql+psycopg://", "postgresql://")
        worker = multiprocessing.get_context("spawn").Process(
            target=serve, args=(there, place.app_url, plain_url, profile), daemon=True
        )
        worker.start()
        port = await asyncio.to_thread(here.recv)
        clients = [Client(port, issued[0]) for _ in range(AT_ONCE)]
        fine = await _ratios(clients, one)
        return await _pages(clients[0], counts["enrollment"]) and fine
    finally:
        if worker is not None:
            here.send("end")
            worker.join(10)
        postgres.stop()


async def _ratios(clients: list[Client], one: str) -> bool:
    asked = {
        "hello": "/hello", "bare list": "/list", "list": USERS, "bare one": f"/one/{one}", "one": f"{USERS}/{one}",
        "bare list, another page": f"/list?offset={_OTHER}", "list, another page": f"{USERS}?offset={_OTHER}",
    }  # fmt: skip
    others = cycle(random.Random(0).sample(range(5_000), 5_000))  # more pages than are remembered
    found: dict[str, list[float]] = {name: [] for name in asked}
    for number in range(ROUNDS + 1):
        for name, path in asked.items():
            rate = await per_second(clients, path, others)
            if number:  # the first round warms up
                found[name].append(rate)
    middle = {name: statistics.median(rates) for name, rates in found.items()}
    print("requests/s: " + ", ".join(f"{name} {rate:.0f}" for name, rate in middle.items()))
    fine = True
    for name in ("list", "list, another page", "one"):
        ratio = statistics.median(
            ours / bare for ours, bare in zip(found[name], found[f"bare {name}"], strict=True)
        )
        fine &= ratio >= GOALS[name]
        print(f"{name}: {ratio:.0%} of the bare answer (goal {GOALS[name]:.0%})")
    wanted = 800 * middle["hello"] / 6000
    for name in ("list", "list, another page"):
        fine &= middle[name] >= wanted
        print(f"{name}: {middle[name]:.0f}/s; scaled by the hello the goal is {wanted:.0f}/s")
    return fine


async def _pages(client: Client, total: int) -> bool:
    """Whole pages of 100, none asked for before: one place after the other, the first ones and the last ones."""
    fine = True
    rounds = 400
    for words, more in (("plain", ""), ("filtered and sorted", "&filter=role%3D'student'&sort=beginDate")):
        await client.get(f"{ENROLLMENTS}?limit=1{more}")  # an order is found once
        count = int(client.total) if more else total
        taken: list[list[float]] = [[], []]
        for at in range(rounds):
            for times, offset in zip(taken, (at, count - 100 - at), strict=True):
                times.append(await client.time_ms(f"{ENROLLMENTS}?offset={offset}{more}"))
        first, last = (times[20:] for times in taken)
        p50 = statistics.median(last) / statistics.median(first)
        p95 = statistics.quantiles(last, n=20)[18] / statistics.quantiles(first, n=20)[18]
        fine &= p50 <= GOALS["p50"] and p95 <= GOALS["p95"]
        print(
            f"last page, {words}: p50 {statistics.median(last):.2f} ms, {p50:.2f}× of the first "
            f"(goal {GOALS['p50']}×), p95 {p95:.2f}× (goal {GOALS['p95']}×)"
        )
    return fine


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--profile")
    sys.exit(0 if asyncio.run(measure(parser.parse_args().profile)) else 1)
