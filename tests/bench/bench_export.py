"""An export of 200,000 rows, written, checked and kept, against PostgreSQL COPY OUT of the same rows.

    python -m tests.bench.bench_export         # goal: at least 40 % of COPY's rate, and memory that does not grow

The export is the job of the service (`handing_out.write`) in a process of its own: projected objects to a ZIP, our own
check of every cell, the package into the database. COPY writes the same quoted CSV from plain tables on the same server
into a file. Both in turns; the middle ratio counts. Peak memory is told for two sizes of board.
"""

from __future__ import annotations

import asyncio
import io
import multiprocessing
import statistics
import tempfile
import time
import zipfile
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from dataexchange.domain.oneroster.exporting import out_id
from dataexchange.domain.oneroster.exports import Wish
from dataexchange.domain.oneroster.profile import V6
from dataexchange.domain.roster_objects import bodies, making
from dataexchange.domain.roster_objects.making import Made, Placement
from dataexchange.domain.roster_objects.sources import Board, Duty, Member, Names, Post, School, SchoolClass, Staff
from dataexchange.usecases import handing_out
from jpschool.codes import school_code_check_digit
from jpschool.school_year import school_year_of
from servicekit.clock import today_jst
from servicekit.db import Database
from servicekit.jobs import JobContext
from servicekit.testing import PostgresServer, an_actor

GOAL = 0.4
ROUNDS = 3
SIZES = (50_000, 200_000)
PUPILS = 33
NAMES = Names("試験", "花子", "", "シケン", "ハナコ")
YEAR = school_year_of(today_jst())
TODAY = today_jst().isoformat()
COLUMNS = (
    "tenant_id", "kind", "ordinal", "sourced_id", "status", "date_last_modified", "refs", "source_id", "class_id",
    "person_id", "digest", "body",
)  # fmt: skip


def objects(key: str, rows: int) -> Iterator[Made]:
    """Schools of 12 classes with 33 children: three rows a child (user, role, enrolment)."""
    board = Board(out_id(key, "board"), "479901", "試験市教育委員会")
    yield making.board_org(board)
    first, last = f"{YEAR}-04-01", f"{YEAR + 1}-03-31"
    for number in range(-(-rows // (12 * (PUPILS + 1) * 3))):
        twelve = f"B14729{100_000 + number:06d}"
        id_ = out_id(key, "school", str(number))
        school = School(id_, twelve + school_code_check_digit(twelve), f"第{number}小学校")
        yield making.school_org(board, school)
        for place in range(12):
            grade, class_id = f"P{place // 2 + 1}", out_id(id_, str(place))
            pupils = [out_id(class_id, str(n)) for n in range(PUPILS)]
            members = tuple(Member(who, n, first, last, grade) for n, who in enumerate(pupils, 1))
            room = SchoolClass(class_id, id_, YEAR, grade, f"{grade[1]}年{place % 2 + 1}組", "homeroom", members)
            duty = Duty(out_id(class_id, "t"), "homeroom", class_id, "", first, last)
            yield from making.of_class(board, school, room, [duty])
            teacher = Staff(duty.staff_id, (Post(id_, "teacher", first, last),), (duty,))
            staff = making.staff_user(board, teacher, NAMES, TODAY)
            assert staff is not None
            yield staff
            for who in pupils:
                yield from making.pupil(who, NAMES, [Placement(class_id, id_, grade, first, last)])


async def fill(url: str, tenant: str, rows: int) -> None:
    database = Database(url)
    made = list({(one.kind, one.id): one for one in objects(tenant, rows)}.values())
    async with database.transaction(tenant) as tx:
        now = bodies.to_milliseconds(tx.now)
        await tx.copy_in(
            "oneroster_objects",
            COLUMNS,
            (
                (tenant, one.kind, number, one.id, "active", now, sorted(one.refs), one.source or None,
                 one.class_id or None, one.person or None, b"", bodies.body(one.id, "active", now, one.content))
                for number, one in enumerate(made)
            ),
        )  # fmt: skip
    await database.close()


async def _export(url: str, tenant: str) -> tuple[float, UUID]:
    database = Database(url)
    actor = an_actor(tenant, "board_admin")
    wish = Wish(V6.key, (), "試験", "測る")
    async with database.transaction(tenant, actor) as tx:
        found = await handing_out.start(tx, actor, wish)
    async with database.reading(tenant) as tx:
        row = (await tx.execute("SELECT * FROM jobs WHERE id = :id", {"id": found.job_id})).mappings().one()
    started = time.perf_counter()
    await handing_out.write(JobContext(database, dict(row)))
    seconds = time.perf_counter() - started
    async with database.reading(tenant, actor) as tx:
        found, _ = await handing_out.look(tx, actor, found.id)
        if found.state != "ready":
            raise AssertionError(f"{found.state}: {found.failure} {found.findings[:3]}")
    await database.close()
    return seconds, found.id


def export(answer: Connection, url: str, tenant: str) -> None:
    """In a process of its own: seconds, peak memory in MiB, the export."""
    seconds, export_id = asyncio.run(_export(url, tenant))
    status = Path("/proc/self/status").read_text()  # getrusage would tell the parent's peak where that was higher
    answer.send((seconds, int(status.split("VmHWM:")[1].split()[0]) / 1024, export_id))


def exported(url: str, tenant: str) -> tuple[float, float, UUID]:
    ours, theirs = multiprocessing.Pipe()
    worker = multiprocessing.get_context("spawn").Process(target=export, args=(theirs, url, tenant))
    worker.start()
    theirs.close()
    found: tuple[float, float, UUID] = ours.recv()
    worker.join()
    return found


def load_plain(dsn: str, package: bytes) -> int:
    """The package's rows in plain tables. Returns how many."""
    total = 0
    with zipfile.ZipFile(io.BytesIO(package)) as archive, psycopg.connect(dsn) as connection:
        for name in (one.removesuffix(".csv") for one in archive.namelist() if one != "manifest.csv"):
            columns = ", ".join(f'"{column}" text' for column in V6.header(name))
            connection.execute(f'CREATE TABLE "plain_{name}" ({columns}, PRIMARY KEY ("sourcedId"))')
            with connection.cursor().copy(f'COPY "plain_{name}" FROM STDIN (FORMAT csv, HEADER)') as copy:
                copy.write(archive.read(f"{name}.csv"))
            counted: Any = connection.execute(f'SELECT count(*) FROM "plain_{name}"').fetchone()
            total += counted[0]
    return total


def copy_seconds(dsn: str, target: Path) -> float:
    with psycopg.connect(dsn) as connection:
        found = connection.execute("SELECT tablename FROM pg_tables WHERE tablename LIKE 'plain_%'").fetchall()
        started = time.perf_counter()
        with target.open("wb") as file:
            for (table,) in found:
                statement = f'COPY "{table}" TO STDOUT (FORMAT csv, HEADER, FORCE_QUOTE *)'
                with connection.cursor().copy(statement) as copy:
                    for part in copy:
                        file.write(part)
        return time.perf_counter() - started


def content(dsn: str, export_id: UUID) -> bytes:
    with psycopg.connect(dsn) as connection:
        parts = connection.execute(
            "SELECT content FROM export_files WHERE export_id = %s ORDER BY part", (export_id,)
        ).fetchall()
        return b"".join(bytes(part) for (part,) in parts)


def main() -> None:
    postgres = PostgresServer()
    postgres.start()
    try:
        service = postgres.create_service("dataexchange")
        for size in SIZES:
            asyncio.run(fill(service.app_url, f"bench-{size}", size))
        with psycopg.connect(service.superuser_dsn, autocommit=True) as connection:
            connection.execute("ANALYZE")
        peaks = {size: exported(service.app_url, f"bench-{size}") for size in SIZES}
        rows = load_plain(service.superuser_dsn, content(service.superuser_dsn, peaks[SIZES[-1]][2]))
        ratios = []
        with tempfile.TemporaryDirectory() as folder:
            for number in range(ROUNDS):
                copied = copy_seconds(service.superuser_dsn, Path(folder) / "plain.csv")
                seconds, _, _ = exported(service.app_url, f"bench-{SIZES[-1]}")
                ratios.append(copied / seconds)
                print(f"round {number + 1}: COPY OUT {copied:.2f} s, export {seconds:.2f} s, {copied / seconds:.0%}")
    finally:
        postgres.stop()
    for size, (_, peak, _) in peaks.items():
        print(f"peak memory at about {size:,} rows: {peak:.0f} MiB")
    print(f"{rows:,} rows: {statistics.median(ratios):.0%} of COPY OUT (goal {GOAL:.0%})")


if __name__ == "__main__":
    main()
