"""Imports and exports of rosters: their history."""

# ruff: noqa: S608  (only column lists of this module are put into a statement, never a value)

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from servicekit.db import Transaction
from servicekit.errors import Unseen
from servicekit.json import dumps_text

from dataexchange.domain.oneroster.findings import Finding, Severity
from dataexchange.domain.oneroster.imports import Import, Kind, Outcome, State, Upload

_LISTED = (
    "id, kind, file_name, sha256, bytes, state, uploaded_by, uploaded_at, profile, errors_total, notes_total, "
    "rows_by_file, school_year, applied_by, applied_at, failure"
)


async def add(tx: Transaction, import_id: UUID, upload: Upload, by: UUID) -> None:
    await tx.execute(
        "INSERT INTO imports (tenant_id, id, kind, file_name, sha256, bytes, state, uploaded_by, uploaded_at) VALUES "
        "(current_setting('komu.tenant'), :id, :kind, :name, :sha256, :bytes, 'checking', :by, :now)",
        {
            "id": import_id,
            "kind": upload.kind.value,
            "name": upload.file_name,
            "sha256": upload.sha256,
            "bytes": upload.bytes,
            "by": by,
            "now": tx.now,
        },
    )


async def keep_outcome(tx: Transaction, import_id: UUID, outcome: Outcome, state: State) -> None:
    findings = [
        [one.code, one.severity.value, one.file, one.row, one.column, one.value, one.reason] for one in outcome.findings
    ]
    await tx.execute(
        "UPDATE imports SET state = :state, findings = CAST(:findings AS jsonb), errors_total = :errors, "
        "notes_total = :notes, profile = :profile, rows_by_file = CAST(:rows AS jsonb), school_year = :year "
        "WHERE id = :id",
        {
            "id": import_id,
            "state": state.value,
            "findings": dumps_text(findings),
            "errors": outcome.findings.errors_total,
            "notes": outcome.findings.notes_total,
            "profile": outcome.profile,
            "rows": dumps_text(dict(outcome.rows_by_file)),
            "year": outcome.school_year,
        },
    )


async def set_state(tx: Transaction, import_id: UUID, state: State, *, failure: str = "") -> None:
    await tx.execute(
        "UPDATE imports SET state = :state, failure = :failure WHERE id = :id",
        {"id": import_id, "state": state.value, "failure": failure},
    )


async def note_applying(tx: Transaction, import_id: UUID, by: UUID, *, confirmed_shrink: bool) -> None:
    await tx.execute(
        "UPDATE imports SET state = 'applying', applied_by = :by, confirmed_shrink = :shrink, failure = '' "
        "WHERE id = :id",
        {"id": import_id, "by": by, "shrink": confirmed_shrink},
    )


async def note_applied(tx: Transaction, import_id: UUID) -> None:
    await tx.execute(
        "UPDATE imports SET state = 'applied', applied_at = :now, failure = '' WHERE id = :id AND state <> 'applied'",
        {"id": import_id, "now": tx.now},
    )


async def get(tx: Transaction, import_id: UUID, *, lock: bool = False) -> Import:
    """With its findings. Raises: Unseen."""
    found = await tx.execute(
        f"SELECT {_LISTED}, findings FROM imports WHERE id = :id{' FOR UPDATE' if lock else ''}", {"id": import_id}
    )
    row = found.one_or_none()
    if row is None:
        raise Unseen("この取込は見つかりません。")
    return _import(row, row.findings)


async def page(tx: Transaction, before: UUID | None, limit: int) -> list[Import]:
    """Newest first, without findings; ids are UUIDv7 and so in order of time."""
    found = await tx.execute(
        f"SELECT {_LISTED} FROM imports WHERE CAST(:before AS uuid) IS NULL OR id < :before "
        "ORDER BY id DESC LIMIT :limit",
        {"before": before, "limit": limit},
    )
    return [_import(row, ()) for row in found]


async def add_export(tx: Transaction, export: Mapping[str, Any]) -> None:
    await tx.execute(
        "INSERT INTO roster_exports (tenant_id, id, school_id, profile, purpose, recipient, file_name, sha256, bytes, "
        "rows_by_file, exported_by, exported_at) VALUES (current_setting('komu.tenant'), :id, :school, :profile, "
        ":purpose, :recipient, :file_name, :sha256, :bytes, CAST(:rows AS jsonb), :by, :now)",
        export,
    )


def _import(row: Any, findings: Any) -> Import:
    return Import(
        id=row.id,
        upload=Upload(Kind(row.kind), row.file_name, row.sha256, row.bytes),
        state=State(row.state),
        uploaded_by=row.uploaded_by,
        uploaded_at=row.uploaded_at,
        profile=row.profile,
        findings=tuple(
            Finding(code, Severity(severity), file, number, column, value, reason)
            for code, severity, file, number, column, value, reason in findings
        ),
        errors_total=row.errors_total,
        notes_total=row.notes_total,
        rows_by_file=row.rows_by_file,
        school_year=row.school_year,
        applied_by=row.applied_by,
        applied_at=row.applied_at,
        failure=row.failure,
    )
