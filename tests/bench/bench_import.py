"""A OneRoster package of 50,000 rows, check + apply, against PostgreSQL COPY of the same rows.

    python -m tests.bench.bench_import         # goal: at least a quarter of COPY's rate
    python -m tests.bench.bench_import --profile FILE   # cProfile of both: FILE.dataexchange, FILE.roster

The way of a person: upload over gRPC with mTLS and a token, every check of every cell and reference, rows staged in the
register, compared, applied as a job with history, rolls and events, asked ten times a second how far it is.
dataexchange and roster run as processes of their own. COPY loads the package's CSV files as they are into plain tables
with a primary key on the same server. Every round is another board; both sides in turns, the middle ratio counts.
"""

from __future__ import annotations

import asyncio
import io
import multiprocessing
import statistics
import sys
import tempfile
import time
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import psycopg
from dataexchange.domain.oneroster.exporting import (
    OutClass,
    OutDuty,
    OutMember,
    OutPerson,
    OutRegister,
    OutSchool,
    OutStaff,
    out_id,
    write_tables,
)
from dataexchange.domain.oneroster.profile import V6
from dataexchange.domain.oneroster.writer import PackageWriter
from jpschool.codes import school_code_check_digit
from jpschool.school_grade import SchoolGrade
from komu.dataexchange.v1 import imports_pb2, imports_pb2_grpc
from servicekit.testing import PostgresServer, TestAuthority, TokenIssuer, an_actor, calls_file

GOAL = 0.25
ROUNDS = 3
SCHOOLS = 40
PUPILS_PER_CLASS = 33
CLASSES_PER_GRADE = 2
CHUNK = 256 * 1024


def board(round_number: int) -> OutRegister:
    """40 小学校 with 12 classes each: about 16,000 children, 50,000 rows."""
    key = f"bench-{round_number}"
    schools = tuple(_school(key, round_number * 1000 + number) for number in range(SCHOOLS))
    return OutRegister(out_id(key, "board"), "479901", "試験市教育委員会", 2026, schools)


def _school(key: str, number: int) -> OutSchool:
    twelve = f"B14729{100_000 + number:06d}"
    id_ = out_id(key, "school", str(number))
    staff: list[OutStaff] = []
    classes = []
    for school_grade in [one for one in SchoolGrade if one.elementary]:
        for place in range(CLASSES_PER_GRADE):
            class_id = out_id(id_, school_grade, str(place))
            teacher = _person(f"{class_id}-t", "担任", "")
            staff.append(OutStaff(teacher, "teacher"))
            members = tuple(
                OutMember(_person(f"{class_id}-{n}", f"児童{n}", school_grade), n + 1, "2026-04-01", "2027-03-31")
                for n in range(PUPILS_PER_CLASS)
            )
            duty = OutDuty(teacher.id, "homeroom", "", "2026-04-01", "2027-03-31")
            classes.append(
                OutClass(
                    class_id, 2026, school_grade, f"{school_grade[1]}年{place + 1}組", "homeroom", members, (duty,)
                )
            )
    code = twelve + school_code_check_digit(twelve)
    return OutSchool(id_, code, f"第{number}小学校", tuple(classes), tuple(staff))


def _person(key: str, given: str, school_grade: str) -> OutPerson:
    return OutPerson(out_id(key), "試験", given, "", "シケン", "ハナコ", "", school_grade)


def package(register: OutRegister) -> tuple[bytes, int]:
    target = io.BytesIO()
    writer = PackageWriter(target, V6)
    write_tables(writer, register)
    writer.finish()
    return target.getvalue(), sum(writer.rows_by_file.values())


def serve(ready: Connection, service: str, settings: dict[str, Any], profile: str | None) -> None:
    """One service in this process until the pipe closes."""

    async def run() -> None:
        if service == "roster":
            from roster.app import build as build_roster
            from roster.settings import Settings as RosterSettings

            running: Any = build_roster(RosterSettings(**settings))
        else:
            from dataexchange.app import build as build_exchange
            from dataexchange.settings import Settings as ExchangeSettings

            running = build_exchange(ExchangeSettings(**settings))
        await running.start()
        ready.send(running.port)
        await asyncio.get_running_loop().run_in_executor(None, ready.poll, None)

    if profile is None:
        asyncio.run(run())
        return
    import cProfile

    profiler = cProfile.Profile()
    profiler.runcall(asyncio.run, run())
    profiler.dump_stats(f"{profile}.{service}")


def copy_seconds(dsn: str, content: bytes, round_number: int) -> float:
    """The limit: the same CSV files by COPY, one transaction."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        tables = {name: archive.read(f"{name}.csv") for name in V6.files if f"{name}.csv" in archive.namelist()}
    with psycopg.connect(dsn) as connection:
        for name in tables:
            columns = ", ".join(f'"{column}" text' for column in V6.header(name))
            connection.execute(f'CREATE TABLE "{name}_{round_number}" ({columns}, PRIMARY KEY ("sourcedId"))')
        connection.commit()
        started = time.perf_counter()
        for name, data in tables.items():
            with connection.cursor().copy(f'COPY "{name}_{round_number}" FROM STDIN (FORMAT csv, HEADER)') as copy:
                for start in range(0, len(data), CHUNK):
                    copy.write(data[start : start + CHUNK])
        connection.commit()
        return time.perf_counter() - started


class Person:
    """A board's administrator at the service's door."""

    def __init__(self, channel: grpc.aio.Channel, token: str) -> None:
        self._service = imports_pb2_grpc.ImportServiceStub(channel)
        self._metadata = (("authorization", f"Bearer {token}"),)

    async def import_seconds(self, content: bytes) -> tuple[float, float]:
        """Seconds of upload + check + stage + compare, and of the apply."""

        async def parts() -> AsyncIterator[imports_pb2.UploadImportRequest]:
            yield imports_pb2.UploadImportRequest(
                header=imports_pb2.UploadHeader(file_name="RO_20260401_479901.zip", kind="oneroster")
            )
            for start in range(0, len(content), CHUNK):
                yield imports_pb2.UploadImportRequest(chunk=content[start : start + CHUNK])

        started = time.perf_counter()
        found = await self._service.UploadImport(parts(), timeout=300, metadata=self._metadata)
        checked = time.perf_counter()
        if found.state != "staged" or found.change.problems:
            raise AssertionError(f"{found.state}: {list(found.findings)[:3]} {list(found.change.problems)}")
        found = await self._service.ApplyImport(
            imports_pb2.ApplyImportRequest(import_id=found.id), timeout=300, metadata=self._metadata
        )
        while found.state == "applying":
            await asyncio.sleep(0.1)
            found = await self._service.GetImport(
                imports_pb2.GetImportRequest(import_id=found.id), timeout=300, metadata=self._metadata
            )
        if found.state != "applied":
            raise AssertionError(f"{found.state}: {found.failure}")
        return checked - started, time.perf_counter() - checked


async def measure(rounds: int, profile: str | None) -> float:
    folder = Path(tempfile.mkdtemp(prefix="komu-bench-"))
    authority, issuer, postgres = TestAuthority(folder), TokenIssuer(), PostgresServer()
    await issuer.start()
    postgres.start()
    spawn = multiprocessing.get_context("spawn")
    workers: list[tuple[Any, Connection]] = []
    try:
        addresses: dict[str, str] = {}
        for service in ("roster", "dataexchange"):
            settings = {
                "service": service,
                "database_url": postgres.create_service(service).app_url,
                "tls_cert": str(authority.cert(service)),
                "tls_key": str(authority.key(service)),
                "tls_ca": str(authority.ca_file),
                "grpc_address": "127.0.0.1:0",
                "identity_issuer": issuer.url,
                "identity_jwks_url": issuer.jwks_url,
                "identity_token_url": issuer.token_url,
                "exchange_client_id": issuer.client_id,
                "exchange_client_secret": issuer.client_secret,
                "calls_file": str(calls_file()),
                "service_addresses": dict(addresses),
            }
            here, there = spawn.Pipe()
            worker = spawn.Process(target=serve, args=(there, service, settings, profile), daemon=True)
            worker.start()
            workers.append((worker, here))
            addresses[service] = f"127.0.0.1:{await asyncio.to_thread(here.recv)}"
        credentials = grpc.ssl_channel_credentials(
            authority.ca_file.read_bytes(), authority.key("portal").read_bytes(), authority.cert("portal").read_bytes()
        )
        limit_dsn = postgres.url("postgres").replace("postgresql+psycopg://", "postgresql://")
        ratios = []
        async with grpc.aio.secure_channel(addresses["dataexchange"], credentials) as channel:
            for number in range(rounds + 1):
                register = board(number)
                if number == 0:  # warms up both sides, counts for nothing
                    register = replace(register, schools=register.schools[:1])
                content, rows = package(register)
                actor = an_actor(f"b-{uuid4().hex[:12]}", "board_admin")
                limit_s = await asyncio.to_thread(copy_seconds, limit_dsn, content, number)
                check_s, apply_s = await Person(channel, issuer.token(actor, "dataexchange")).import_seconds(content)
                if number == 0:
                    continue
                ratios.append(limit_s / (check_s + apply_s))
                print(
                    f"  {rows:,} rows: COPY {limit_s:.2f} s   check and stage {check_s:.2f} s + apply {apply_s:.2f} s"
                    f"   {ratios[-1]:.2f}",
                    flush=True,
                )
        return statistics.median(ratios)
    finally:
        for worker, here in workers:
            here.close()
            worker.join(10 if profile else 0.1)
            worker.terminate()
        await issuer.stop()
        postgres.stop()


def main() -> int:
    profile = sys.argv[2] if sys.argv[1:2] == ["--profile"] else None
    ratio = asyncio.run(measure(1 if profile else ROUNDS, profile))
    print(f"import / COPY of the same rows: {ratio:.2f} (goal ≥ {GOAL:.2f})")
    return 0 if ratio >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
