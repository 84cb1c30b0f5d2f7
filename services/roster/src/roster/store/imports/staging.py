"""Rows between upload and apply."""

# Statements are put together from constants of this module; values are always parameters.
# ruff: noqa: S608
from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from servicekit.db import Transaction
from sqlalchemy import text

_KEY = ("tenant_id", "import_id")
_NAMES = ("display_family", "display_given", "display_middle", "kana_family", "kana_given", "kana_middle")
_OFFICIAL = ("official_family", "official_given", "official_middle")

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "stage_orgs": (*_KEY, "id", "source_id", "name", "code", "kind", "address"),
    "stage_classes": (
        *_KEY, "id", "source_id", "school_id", "school_year", "school_grade", "name", "kind", "subject",
    ),
    "stage_people": (
        *_KEY, "id", "source_id", "kind", *_NAMES, "school_id", "school_grade", "home_class_id", "sort_key",
        "search_text",
    ),
    "stage_members": (*_KEY, "class_id", "person_id", "person_source_id", "number", "starts_on", "ends_on"),
    "stage_appointments": (
        *_KEY, "id", "person_id", "person_source_id", "org_id", "post", "starts_on", "ends_on",
    ),
    "stage_duties": (
        *_KEY, "id", "person_id", "person_source_id", "class_id", "kind", "subject", "starts_on", "ends_on",
    ),
    "stage_supplements": (
        *_KEY, "person_id", *_OFFICIAL, "alias_family", "alias_given", "alias_middle", "sex", "birth_on",
        "postal_code", "address", "address_on", "admitted_on", "prior_history", "protected_address", "search_text",
    ),
    "stage_guardians": (
        *_KEY, "pupil_id", "id", "rank", "relationship", *_NAMES, *_OFFICIAL, "phone", "address",
    ),
}  # fmt: skip
"""Staging table → its columns."""


@dataclass(frozen=True, slots=True)
class Import:
    """One uploaded file on its way into the register."""

    id: UUID
    source: str
    bulk: bool
    supplement: bool
    school_year: int
    state: str
    rows: int
    staged_at: datetime
    job_id: UUID | None
    change: dict[str, Any] | None


async def begin(
    tx: Transaction, import_id: UUID, *, source: str, bulk: bool, supplement: bool, school_year: int, by: UUID | None
) -> None:
    """Enter the import; what was staged under the same id before is forgotten."""
    await forget(tx, import_id)
    await tx.execute(
        text("""
            INSERT INTO imports (tenant_id, id, source, bulk, supplement, school_year, state, rows, staged_at,
                staged_by)
            VALUES (:tenant, :id, :source, :bulk, :supplement, :year, 'staged', 0, :at, :by)
            ON CONFLICT (tenant_id, id) DO UPDATE SET source = excluded.source, bulk = excluded.bulk,
                supplement = excluded.supplement, school_year = excluded.school_year, state = 'staged', rows = 0,
                staged_at = excluded.staged_at, staged_by = excluded.staged_by, job_id = NULL, change = NULL"""),
        {
            "tenant": tx.tenant, "id": import_id, "source": source, "bulk": bulk, "supplement": supplement,
            "year": school_year, "at": tx.now, "by": by,
        },
    )  # fmt: skip


Columns = Sequence[Sequence[Any]]
"""Values of one staging table, column by column in the order of `COLUMNS`."""


async def put(tx: Transaction, tables: Mapping[str, Columns]) -> int:
    """COPY rows towards their staging tables; tells how many.

    COPY cannot write under row security, so rows land in a table of this transaction and are inserted from there.
    """
    for table, columns in tables.items():
        names = ", ".join(COLUMNS[table])
        await tx.execute(text(f"CREATE TEMP TABLE landing (LIKE {table}) ON COMMIT DROP"))
        await tx.copy_text("landing", COLUMNS[table], _copy_text(columns))
        await tx.execute(text(f"INSERT INTO {table} ({names}) SELECT {names} FROM landing"))
        await tx.execute(text("DROP TABLE landing"))
    return sum(len(columns[0]) for columns in tables.values())


_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def _copy_text(columns: Columns) -> str:
    lines = map("\t".join, zip(*map(_column_text, columns), strict=True))
    return "\n".join(lines) + "\n"


def _column_text(values: Sequence[Any]) -> Sequence[str]:
    if set(map(type, values)) == {str}:
        together = "".join(values)
        if not any(sign in together for sign in "\\\t\n\r"):
            return values
    return [r"\N" if value is None else str(value).translate(_ESCAPES) for value in values]


async def staged(tx: Transaction, import_id: UUID, rows: int) -> None:
    """Close the staging: names are resolved to people, 学校コード of 学校補足 to schools that the register knows."""
    await tx.execute(
        text("""UPDATE stage_orgs s SET id = e.id, source_id = e.source_id, kind = e.kind FROM schools e
                WHERE s.import_id = :id AND s.source_id = '' AND e.code = s.code AND e.name = s.name
                  AND e.closed_on IS NULL"""),
        {"id": import_id},
    )
    for table in ("stage_members", "stage_appointments", "stage_duties"):
        await tx.execute(
            text(f"""UPDATE {table} s SET person_id = p.id FROM persons p
                     WHERE s.import_id = :id AND s.person_id IS NULL AND p.source_id = s.person_source_id"""),
            {"id": import_id},
        )
    await tx.execute(text("UPDATE imports SET rows = :rows WHERE id = :id"), {"id": import_id, "rows": rows})


async def get(tx: Transaction, import_id: UUID, *, lock: bool = False) -> Import | None:
    """The import, locked against a second apply when asked."""
    query = "SELECT * FROM imports WHERE id = :id" + (" FOR UPDATE" if lock else "")
    row = (await tx.execute(text(query), {"id": import_id})).one_or_none()
    if row is None:
        return None
    return Import(
        row.id, row.source, row.bulk, row.supplement, row.school_year, row.state, row.rows, row.staged_at, row.job_id,
        row.change,
    )  # fmt: skip


async def set_state(tx: Transaction, import_id: UUID, state: str, *, job_id: UUID | None = None) -> None:
    """Move the import to its next state."""
    await tx.execute(
        text("""UPDATE imports SET state = :state, job_id = coalesce(CAST(:job AS uuid), job_id),
                applied_at = CASE WHEN :state = 'applied' THEN CAST(:now AS timestamptz) ELSE applied_at END
                WHERE id = :id"""),
        {"id": import_id, "state": state, "job": job_id, "now": tx.now},
    )


async def keep_change(tx: Transaction, import_id: UUID, change: Mapping[str, Any]) -> None:
    """Keep the comparison, so that looking again costs nothing."""
    await tx.execute(
        text("UPDATE imports SET change = CAST(:change AS jsonb), state = 'compared' WHERE id = :id"),
        {"id": import_id, "change": json.dumps(change, ensure_ascii=False)},
    )


async def forget(tx: Transaction, import_id: UUID) -> None:
    """Drop the staged rows."""
    for table in COLUMNS:
        await tx.execute(text(f"DELETE FROM {table} WHERE import_id = :id"), {"id": import_id})
