"""Exports with their packages, and the record of provisions."""

# ruff: noqa: S608  (only column lists of this module are put into a statement, never a value)

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import IO, Any
from uuid import UUID

from servicekit.db import Transaction
from servicekit.errors import Unseen
from servicekit.json import dumps_text

from dataexchange.domain.oneroster.exports import KEPT_PER_RECIPIENT, Export, State, Wish
from dataexchange.domain.oneroster.findings import Finding, Findings, Severity

PART_BYTES = 512 * 1024
_LISTED = (
    "id, profile, school_ids, base_id, recipient, purpose, state, job_id, file_name, sha256, bytes, rows_by_file, "
    "errors_total, failure, requested_by, requested_at, finished_at, kept"
)


async def add(tx: Transaction, export_id: UUID, wish: Wish, job_id: UUID, by: UUID) -> None:
    await tx.execute(
        "INSERT INTO exports (tenant_id, id, profile, school_ids, base_id, recipient, purpose, job_id, requested_by, "
        "requested_at) VALUES (current_setting('komu.tenant'), :id, :profile, CAST(:schools AS uuid[]), :base, "
        ":recipient, :purpose, :job, :by, :now)",
        {
            "id": export_id,
            "profile": wish.profile,
            "schools": list(wish.school_ids),
            "base": wish.base,
            "recipient": wish.recipient,
            "purpose": wish.purpose,
            "job": job_id,
            "by": by,
            "now": tx.now,
        },
    )


async def get(tx: Transaction, export_id: UUID, *, lock: bool = False) -> Export:
    """With its findings. Raises: Unseen."""
    found = await tx.execute(
        f"SELECT {_LISTED}, findings FROM exports WHERE id = :id{' FOR UPDATE' if lock else ''}", {"id": export_id}
    )
    row = found.one_or_none()
    if row is None:
        raise Unseen("この出力は見つかりません。")
    return _export(row, row.findings)


async def page(tx: Transaction, before: UUID | None, limit: int) -> list[Export]:
    """Newest first, without findings; ids are UUIDv7 and so in order of time."""
    found = await tx.execute(
        f"SELECT {_LISTED} FROM exports WHERE CAST(:before AS uuid) IS NULL OR id < :before "
        "ORDER BY id DESC LIMIT :limit",
        {"before": before, "limit": limit},
    )
    return [_export(row, ()) for row in found]


async def last_before(tx: Transaction, wish: Wish, at: datetime) -> UUID | None:
    """The last finished export of the same profile and schools to the same recipient, at or before that instant."""
    found: UUID | None = await tx.scalar(
        "SELECT id FROM exports WHERE state = 'ready' AND profile = :profile AND recipient = :recipient "
        "AND school_ids = CAST(:schools AS uuid[]) AND finished_at <= :at ORDER BY id DESC LIMIT 1",
        {"profile": wish.profile, "recipient": wish.recipient, "schools": list(wish.school_ids), "at": at},
    )
    return found


async def keep(tx: Transaction, export_id: UUID, kind: str, content: IO[bytes]) -> None:
    """The bytes of a package, in parts."""
    content.seek(0)
    part = 0
    while block := content.read(PART_BYTES):
        await tx.execute(
            "INSERT INTO export_files (tenant_id, export_id, kind, part, content) VALUES "
            "(current_setting('komu.tenant'), :id, :kind, :part, :content)",
            {"id": export_id, "kind": kind, "part": part, "content": block},
        )
        part += 1


async def content(tx: Transaction, export_id: UUID, kind: str) -> AsyncIterator[bytes]:
    part = 0
    while True:
        block = await tx.scalar(
            "SELECT content FROM export_files WHERE export_id = :id AND kind = :kind AND part = :part",
            {"id": export_id, "kind": kind, "part": part},
        )
        if block is None:
            return
        yield bytes(block)
        part += 1


async def has_state(tx: Transaction, export_id: UUID) -> bool:
    """Whether the whole roster is kept beside a delta."""
    return bool(
        await tx.scalar(
            "SELECT EXISTS (SELECT FROM export_files WHERE export_id = :id AND kind = 'state')", {"id": export_id}
        )
    )


async def forget_older(tx: Transaction, export: Export) -> None:
    """Only the newest packages for a recipient stay; the record of the others does."""
    gone = [
        row.id
        for row in await tx.execute(
            "SELECT id FROM exports WHERE kept AND profile = :profile AND recipient = :recipient "
            "AND school_ids = CAST(:schools AS uuid[]) ORDER BY id DESC OFFSET :keep",
            {
                "profile": export.wish.profile,
                "recipient": export.wish.recipient,
                "schools": list(export.wish.school_ids),
                "keep": KEPT_PER_RECIPIENT,
            },
        )
    ]
    await tx.execute("DELETE FROM export_files WHERE export_id = ANY(:ids)", {"ids": gone})
    await tx.execute("UPDATE exports SET kept = false WHERE id = ANY(:ids)", {"ids": gone})


async def finish(tx: Transaction, export_id: UUID, made: Mapping[str, Any]) -> None:
    await tx.execute(
        "UPDATE exports SET state = 'ready', file_name = :file_name, sha256 = :sha256, bytes = :bytes, "
        "rows_by_file = CAST(:rows AS jsonb), finished_at = :now, kept = true WHERE id = :id",
        {"id": export_id, "now": tx.now, **made},
    )


async def end(
    tx: Transaction, export_id: UUID, state: State, failure: str, findings: Findings | None = None
) -> None:
    """Not offered, and why."""
    told = [
        [one.code, one.severity.value, one.file, one.row, one.column, one.value, one.reason] for one in findings or ()
    ]
    await tx.execute(
        "UPDATE exports SET state = :state, failure = :failure, findings = CAST(:findings AS jsonb), "
        "errors_total = :errors, finished_at = :now WHERE id = :id AND state = 'writing'",
        {
            "id": export_id,
            "state": state.value,
            "failure": failure,
            "findings": dumps_text(told),
            "errors": findings.errors_total if findings else 0,
            "now": tx.now,
        },
    )


async def add_record(tx: Transaction, export: Export, made: Mapping[str, Any]) -> None:
    """提供の記録: nobody changes or deletes it."""
    schools = export.wish.school_ids
    await tx.execute(
        "INSERT INTO roster_exports (tenant_id, id, school_id, school_ids, base_id, profile, purpose, recipient, "
        "file_name, sha256, bytes, rows_by_file, exported_by, exported_at) VALUES (current_setting('komu.tenant'), "
        ":id, :school, CAST(:schools AS uuid[]), :base, :profile, :purpose, :recipient, :file_name, :sha256, :bytes, "
        "CAST(:rows AS jsonb), :by, :now)",
        {
            "id": export.id,
            "school": schools[0] if len(schools) == 1 else None,
            "schools": list(schools),
            "base": export.wish.base,
            "profile": export.wish.profile,
            "purpose": export.wish.purpose,
            "recipient": export.wish.recipient,
            "by": export.requested_by,
            "now": tx.now,
            **made,
        },
    )


def _export(row: Any, findings: Any) -> Export:
    return Export(
        id=row.id,
        wish=Wish(row.profile, tuple(row.school_ids), row.recipient, row.purpose, row.base_id),
        state=State(row.state),
        job_id=row.job_id,
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        file_name=row.file_name,
        sha256=row.sha256,
        bytes=row.bytes,
        rows_by_file=row.rows_by_file,
        findings=tuple(
            Finding(code, Severity(severity), file, number, column, value, reason)
            for code, severity, file, number, column, value, reason in findings
        ),
        errors_total=row.errors_total,
        failure=row.failure,
        finished_at=row.finished_at,
        kept=row.kept,
    )
