"""名簿の出力: a package is asked for, written, checked by our own checker, offered; who got what stays on record.

Birth, sex, address, guardians, official names are not in what it is written from (`roster_objects`): they cannot leave.
"""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from queue import Queue
from typing import IO, Any
from uuid import UUID

from jpschool.school_year import school_year_of
from servicekit import jobs
from servicekit.audit import board_subject
from servicekit.auth import Actor
from servicekit.clock import day_in_jst
from servicekit.db import Transaction
from servicekit.errors import Conflict, Invalid, Violation
from servicekit.ids import uuid7
from servicekit.jobs import JobContext, JobStatus
from servicekit.json import dumps_text

from dataexchange.domain.oneroster.check import Purpose, check_package
from dataexchange.domain.oneroster.delta import write_delta
from dataexchange.domain.oneroster.exports import Export, State, Wish, year_to_send
from dataexchange.domain.oneroster.findings import Findings
from dataexchange.domain.oneroster.writer import PackageWriter, Part, package_name
from dataexchange.store import exports as store
from dataexchange.store import roster_tables as tables

JOB = "roster.export"
STEPS = len(tables.FILES) + 3
_IN_MEMORY_BYTES = 8 * 1024 * 1024
_PARTS_AHEAD = 16  # fetched, not deflated yet (some 10 MiB): work while PostgreSQL sorts the next table
_LEVEL = 1  # of compression: a third of the time for a fifth more bytes
_BEHIND = "名簿の変更を出力用の控えに反映している途中です。1分ほど待ってから、もう一度出力してください。"
_NO_ROSTER = "名簿がまだありません。先に名簿を取り込んでください。"
_NO_CHANGE = "前回の出力から変わったところはありません。渡すものはありません。"


class NotOffered(Exception):
    """Nothing may leave; why, and what our checker found."""

    def __init__(self, state: State, failure: str, findings: Findings | None = None) -> None:
        super().__init__(failure)
        self.state, self.failure, self.findings = state, failure, findings


async def start(tx: Transaction, actor: Actor, wish: Wish) -> Export:
    """Ask for a package. Raises: Invalid, naming what is missing; Conflict, when there is nothing to compare with."""
    problems = wish.problems()
    _, known = await tables.codes(tx, wish.school_ids)
    if len(known) != len(set(wish.school_ids)):
        problems.append(("schools", "学校を選び直してください（名簿にない学校があります）。"))
    if problems:
        raise Invalid("入力を確かめてください。", [Violation(field, message) for field, message in problems])
    wish = replace(wish, school_ids=tuple(sorted(set(wish.school_ids))))
    if wish.since is not None:
        base = await store.last_before(tx, wish, wish.since)
        if base is None:
            raise Conflict("その日時までに、この提供先への出力がありません。全件で出力してください。", reason="NO_BASE")
        wish = replace(wish, base=base)
    if wish.base is not None:
        why = wish.why_not_from(await store.get(tx, wish.base))
        if why:
            raise Conflict(why, reason="BASE_UNUSABLE")
    export_id = uuid7()
    job_id = await jobs.start(tx, JOB, {"export_id": str(export_id)})
    await store.add(tx, export_id, wish, job_id, actor.person_id)
    tx.audit(
        "roster_export.requested",
        export_id,
        after={"profile": wish.profile, "recipient": wish.recipient, "purpose": wish.purpose, "base": wish.base},
        subject_id=_about(tx, wish),
    )
    return await store.get(tx, export_id)


def _about(tx: Transaction, wish: Wish) -> UUID:
    """The school whose children leave; of several schools it is the board that hands out."""
    return wish.school_ids[0] if len(wish.school_ids) == 1 else board_subject(tx.tenant)


async def look(tx: Transaction, actor: Actor, export_id: UUID) -> tuple[Export, JobStatus]:
    """One export with its findings, and its job. Raises: Unseen."""
    found = await store.get(tx, export_id)
    return found, await jobs.get(tx, found.job_id)


async def note_stopped(tx: Transaction, actor: Actor, export_id: UUID, state: State) -> Export:
    """The job was cancelled, or gave up."""
    why = "出力を取りやめました。" if state is State.CANCELLED else "途中で止まりました。もう一度出力してください。"
    await store.end(tx, export_id, state, why)
    return await store.get(tx, export_id)


async def cancel(tx: Transaction, actor: Actor, export_id: UUID) -> Export:
    """Stop writing; what is offered already stays."""
    found = await store.get(tx, export_id, lock=True)
    if found.state is State.WRITING:
        await jobs.cancel(tx, found.job_id)
        tx.audit("roster_export.cancelled", export_id, subject_id=_about(tx, found.wish))
    return found


async def history(tx: Transaction, actor: Actor, before: UUID | None, limit: int) -> tuple[list[Export], bool]:
    """Newest first, and whether there are older ones."""
    found = await store.page(tx, before, limit + 1)
    return found[:limit], len(found) > limit


async def note_download(tx: Transaction, actor: Actor, export_id: UUID) -> Export:
    """Each time it leaves is on the log, before the first byte. Raises: Unseen, Conflict."""
    found = await store.get(tx, export_id)
    if found.state is not State.READY or not found.kept:
        raise Conflict("この出力の内容は残っていません。もう一度出力してください。", reason="NOT_KEPT")
    what = {"recipient": found.wish.recipient, "sha256": found.sha256}
    tx.audit("roster_export.downloaded", export_id, after=what, subject_id=_about(tx, found.wish))
    return found


def content(tx: Transaction, export_id: UUID) -> AsyncIterator[bytes]:
    """The package, part by part."""
    return store.content(tx, export_id, "package")


async def write(job: JobContext) -> str:
    """The job: all of it is offered, or nothing. Running twice after a crash writes it anew."""
    export_id = UUID(job.args["export_id"])
    async with job.reading() as tx:
        export = await store.get(tx, export_id)
    if export.state is not State.WRITING:
        return str(export_id)
    try:
        with _temporary() as whole, _temporary() as changes:
            name, now = await _write_whole(job, export, whole)
            job.progress(len(tables.FILES), STEPS, "書き出した名簿を確認しています")
            rows = await asyncio.to_thread(_proven, whole, name, export)
            package = whole
            if export.wish.base is not None:
                job.check_cancelled()
                job.progress(len(tables.FILES) + 1, STEPS, "前回からの変化を取り出しています")
                await _write_changes(job, export, whole, changes, now)
                rows = await asyncio.to_thread(_proven, changes, name, export)
                package = changes
            job.check_cancelled()
            job.progress(len(tables.FILES) + 2, STEPS, "保存しています")
            digest, size = await asyncio.to_thread(_measured, package)
            async with job.transaction() as tx:
                export = await store.get(tx, export_id, lock=True)
                await store.keep(tx, export_id, "package", package)
                if package is not whole:
                    await store.keep(tx, export_id, "state", whole)
                made = {"file_name": name, "sha256": digest, "bytes": size, "rows": dumps_text(rows)}
                await store.finish(tx, export_id, made)
                await store.add_record(tx, export, made)
                await store.forget_older(tx, export)
                tx.audit(
                    "roster.exported",
                    export_id,
                    after={"recipient": export.wish.recipient, "purpose": export.wish.purpose, "sha256": digest},
                    subject_id=_about(tx, export.wish),
                )
    except NotOffered as why:
        async with job.transaction() as tx:
            await store.end(tx, export_id, why.state, why.failure, why.findings)
            tx.audit(
                "roster_export.not_offered", export_id, after={"state": why.state}, subject_id=_about(tx, export.wish)
            )
    job.progress(STEPS, STEPS, "終わりました")
    return str(export_id)


def _temporary() -> IO[bytes]:
    return tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)


async def _write_whole(job: JobContext, export: Export, target: IO[bytes]) -> tuple[str, datetime]:
    """Everything of one moment, as bulk. Returns the name of the file and that moment."""
    async with job.reading() as tx:
        await tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        if await tables.is_stale(tx):
            raise NotOffered(State.FAILED, _BEHIND)
        known = {year: (id_, first, last) for id_, year, first, last in await tables.sessions(tx)}
        year = year_to_send(list(known), school_year_of(day_in_jst(tx.now)))
        if year is None:
            raise NotOffered(State.FAILED, _NO_ROSTER)
        board, schools = await tables.codes(tx, export.wish.school_ids)
        session, first, last = known[year]
        parameters: dict[str, Any] = {"session": session, "first": first, "last": last, "schools": None}
        if export.wish.school_ids:
            parameters["schools"] = [str(one) for one in export.wish.school_ids]
        with PackageWriter(target, export.profile, level=_LEVEL) as writer:
            await _fetch(job, tx, export, parameters, writer)
        now = tx.now
    code = schools[0] if len(schools) == 1 else board
    return package_name(code, day_in_jst(now).isoformat()), now


async def _fetch(
    job: JobContext, tx: Transaction, export: Export, parameters: Mapping[str, Any], writer: PackageWriter
) -> None:
    """One table after the other; a thread deflates what has come while PostgreSQL makes the next."""
    waiting: Queue[Part | None] = Queue(_PARTS_AHEAD)
    with ThreadPoolExecutor(1) as thread:
        deflated = asyncio.get_running_loop().run_in_executor(thread, writer.take, waiting)
        try:
            for number, file in enumerate(tables.FILES):
                job.check_cancelled()
                job.progress(number, STEPS, f"{file}を書き出しています")
                async with aclosing(tables.lines(tx, export.profile, file, parameters)) as parts:
                    async for text, rows in parts:
                        await asyncio.to_thread(waiting.put, Part(file, text.encode(), rows))
        finally:
            await asyncio.to_thread(waiting.put, None)
            await deflated


def _proven(package: IO[bytes], name: str, export: Export) -> dict[str, int]:
    """Rows by file of what our own checker finds right. Raises: NotOffered with everything that is wrong."""
    size = package.seek(0, 2)
    checked = check_package(package, size, name, purpose=Purpose.PROVISION, chosen=export.profile)
    if not checked.findings.clean:
        found = f"渡せない内容が{checked.findings.errors_total}件あります。"
        failure = f"{found}名簿を直してから、もう一度出力してください。"
        raise NotOffered(State.REFUSED, failure, checked.findings)
    return checked.rows_by_file


async def _write_changes(
    job: JobContext, export: Export, whole: IO[bytes], target: IO[bytes], now: datetime
) -> None:
    base = export.wish.base
    assert base is not None
    with _temporary() as before:
        async with job.reading() as tx:
            kind = "state" if await store.has_state(tx, base) else "package"
            async for block in store.content(tx, base, kind):
                before.write(block)
        if not before.tell():
            raise NotOffered(State.FAILED, "前回の出力の内容が残っていません。全件で出力してください。")
        at = now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        with PackageWriter(target, export.profile, mode="delta", level=_LEVEL) as writer:
            await asyncio.to_thread(write_delta, writer, before, whole, at)
    if not writer.rows_by_file:
        raise NotOffered(State.FAILED, _NO_CHANGE)


def _measured(package: IO[bytes]) -> tuple[str, int]:
    digest = hashlib.sha256()
    package.seek(0)
    while block := package.read(store.PART_BYTES):
        digest.update(block)
    return digest.hexdigest(), package.tell()
