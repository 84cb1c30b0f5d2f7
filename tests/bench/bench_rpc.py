"""A guarded read (mTLS, certificate list, token, right, policy, row security, SQL) against a bare grpc.aio echo.

    python tests/bench/bench_rpc.py            # goal: at least half of the echo's throughput

Servers run in a process of their own; both are measured in turns within one run, the middle ratio counts.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import yaml
from komu.common.v1 import common_pb2

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from servicekit import process  # noqa: E402
from servicekit.db import Database  # noqa: E402
from servicekit.settings import ServiceSettings  # noqa: E402
from servicekit.testing import PostgresServer, TestAuthority, TokenIssuer, an_actor  # noqa: E402

from libs.servicekit.tests import sample  # noqa: E402

GOAL = 0.5
AT_ONCE = 32
ROUNDS = 7
ROUND_S = 1.0
ECHO = "/bench.Echo/Echo"


class Echo:
    """The limit: a method that gives back what it got."""

    async def echo(self, request: common_pb2.Job, context: Any) -> common_pb2.Job:
        return request


def serve_echo(ready: Connection) -> None:
    async def run() -> None:
        server = grpc.aio.server()
        handler = grpc.unary_unary_rpc_method_handler(
            Echo().echo, request_deserializer=common_pb2.Job.FromString,
            response_serializer=common_pb2.Job.SerializeToString,
        )
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bench.Echo", {"Echo": handler}),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        process.settled()
        ready.send(port)
        await server.wait_for_termination()

    process.run(run())  # on the product's loop: what is compared is the guard, not the loop


def serve_notes(ready: Connection, settings: dict[str, Any], profile: str | None) -> None:
    async def run() -> None:
        service = sample.build(ServiceSettings(**settings))
        await service.start()
        process.settled()
        ready.send(service.port)
        await asyncio.get_running_loop().run_in_executor(None, ready.poll, None)

    if profile is None:
        process.run(run())
        return
    import cProfile

    profiler = cProfile.Profile()
    profiler.runcall(process.run, run())
    profiler.dump_stats(profile)


def cpu_s(pid: int) -> float:
    """Processor time a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def throughput(call: Any, pid: int) -> tuple[float, float]:
    """Calls per second of `AT_ONCE` callers that ask without a pause, and the server's µs of processor per call."""
    until = time.perf_counter() + ROUND_S
    done = 0

    async def ask() -> None:
        nonlocal done
        while time.perf_counter() < until:
            await call()
            done += 1

    started, used = time.perf_counter(), cpu_s(pid)
    await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
    return done / (time.perf_counter() - started), (cpu_s(pid) - used) / done * 1e6


async def measure(profile: str | None = None) -> float:
    folder = Path(tempfile.mkdtemp(prefix="komu-bench-"))
    authority, issuer, postgres = TestAuthority(folder), TokenIssuer(), PostgresServer()
    await issuer.start()
    postgres.start()
    spawn = multiprocessing.get_context("spawn")
    workers = []
    try:
        place = postgres.create_service("roster", directory=sample.MIGRATIONS)
        calls = folder / "calls.yaml"
        calls.write_text(yaml.safe_dump(sample.CALLS))
        settings = {
            "service": "roster", "database_url": place.app_url, "tls_cert": str(authority.cert("roster")),
            "tls_key": str(authority.key("roster")), "tls_ca": str(authority.ca_file),
            "identity_issuer": issuer.url, "identity_jwks_url": issuer.jwks_url, "calls_file": str(calls),
        }
        ports = []
        for target, more in ((serve_echo, ()), (serve_notes, (settings, profile))):
            here, there = spawn.Pipe()
            worker = spawn.Process(target=target, args=(there, *more), daemon=True)
            worker.start()
            workers.append((worker, here))
            ports.append(await asyncio.to_thread(here.recv))
        actor, note = an_actor("bench", "teacher"), uuid4()
        database = Database(place.app_url)
        for number in range(100):
            async with database.transaction("bench" if number else "other") as tx:
                await tx.execute(
                    "INSERT INTO notes (tenant_id, id, text) VALUES (:t, :i, :x)",
                    {"t": tx.tenant, "i": note if number == 1 else uuid4(), "x": "髙橋 𠮷野"},
                )
        await database.close()

        bare = grpc.aio.insecure_channel(f"127.0.0.1:{ports[0]}")
        echo = bare.unary_unary(
            ECHO, request_serializer=common_pb2.Job.SerializeToString, response_deserializer=common_pb2.Job.FromString
        )
        secure = grpc.aio.secure_channel(
            f"127.0.0.1:{ports[1]}",
            grpc.ssl_channel_credentials(
                authority.ca_file.read_bytes(), authority.key("portal").read_bytes(),
                authority.cert("portal").read_bytes(),
            ),
        )
        read = sample.NoteStub(secure).GetNote
        metadata = (("authorization", f"Bearer {issuer.token(actor, 'roster')}"),)
        question = common_pb2.GetJobRequest(job_id=str(note))
        answer = await read(question, metadata=metadata, timeout=5)
        assert answer.label == "髙橋 𠮷野"

        async def ask_echo() -> None:
            await echo(answer, timeout=5)

        async def ask_note() -> None:
            await read(question, metadata=metadata, timeout=5)

        echo_pid, notes_pid = (worker.pid or 0 for worker, _ in workers)
        await throughput(ask_echo, echo_pid)
        await throughput(ask_note, notes_pid)
        ratios = []
        for _ in range(ROUNDS):
            limit, limit_us = await throughput(ask_echo, echo_pid)
            guarded, guarded_us = await throughput(ask_note, notes_pid)
            ratios.append(guarded / limit)
            print(
                f"  echo {limit:6.0f}/s {limit_us:5.0f} µs   guarded read {guarded:6.0f}/s {guarded_us:5.0f} µs   "
                f"{guarded / limit:.2f}", flush=True,
            )
        await bare.close()
        await secure.close()
        return statistics.median(ratios)
    finally:
        for worker, here in workers:
            here.close()
            worker.join(5 if profile else 0.1)
            worker.terminate()
        await issuer.stop()
        postgres.stop()


def main() -> int:
    profile = sys.argv[2] if sys.argv[1:2] == ["--profile"] else None
    ratio = asyncio.run(measure(profile))
    print(f"guarded read / bare echo: {ratio:.2f} (goal ≥ {GOAL:.2f})")
    return 0 if ratio >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
