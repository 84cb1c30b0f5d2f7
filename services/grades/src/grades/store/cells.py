"""Cells and their history. A save is one statement for any number of cells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from servicekit.db import Transaction
from sqlalchemy import Row, text

from grades.domain.cells import Cell, CellChange, CellEdit, CellKey


@dataclass(frozen=True, slots=True)
class Place:
    """Which sheet of which school year; with a `CellKey` it names one cell."""

    school_id: UUID
    school_year: int
    term: str
    subject: str


def _cell(row: Row[tuple[object, ...]]) -> Cell:
    return Cell(CellKey(row.pupil_id, row.column_key), row.value, row.version, row.updated_by, row.updated_at)


def _sheet(tx: Transaction, place: Place) -> dict[str, object]:
    return {
        "tenant": tx.tenant,
        "school_id": place.school_id,
        "school_year": place.school_year,
        "term": place.term,
        "subject": place.subject,
    }


_IN_SHEET = """tenant_id = :tenant AND school_id = :school_id AND school_year = :school_year
       AND term = :term AND subject = :subject"""


async def of_pupils(tx: Transaction, place: Place, pupil_ids: Sequence[UUID]) -> Sequence[Cell]:
    """Every cell of the sheet that was ever filled (cleared ones too: their version matters)."""
    statement = text(
        "SELECT pupil_id, column_key, value, version, updated_by, updated_at FROM cells"  # noqa: S608
        f" WHERE {_IN_SHEET} AND pupil_id = ANY(:pupil_ids)"
    )
    rows = await tx.execute(statement, _sheet(tx, place) | {"pupil_ids": list(pupil_ids)})
    return [_cell(row) for row in rows]


async def at(tx: Transaction, place: Place, keys: Sequence[CellKey]) -> Mapping[CellKey, Cell]:
    """What stands in these cells now."""
    statement = text(f"""
        SELECT pupil_id, column_key, value, version, updated_by, updated_at
          FROM cells JOIN unnest(CAST(:pupils AS uuid[]), CAST(:columns AS text[])) AS k (pupil_id, column_key)
               USING (pupil_id, column_key)
         WHERE {_IN_SHEET}""")  # noqa: S608
    rows = await tx.execute(
        statement,
        _sheet(tx, place) | {"pupils": [key.pupil_id for key in keys], "columns": [key.column for key in keys]},
    )
    found = (_cell(row) for row in rows)
    return {cell.key: cell for cell in found}


# One statement: an edit writes where the cell still has the version its writer saw (or does not exist and was seen
# empty) and the value differs. History takes `before` from the snapshot: a write in between would differ in version.
_WRITE = text("""
    WITH edit AS (
        SELECT * FROM unnest(
            CAST(:pupils AS uuid[]), CAST(:columns AS text[]), CAST(:values AS text[]), CAST(:versions AS bigint[])
        ) AS e (pupil_id, column_key, value, expected)
    ), standing AS (
        SELECT pupil_id, column_key, c.value, c.version
          FROM cells c JOIN edit USING (pupil_id, column_key)
         WHERE c.tenant_id = :tenant AND c.school_id = :school_id AND c.school_year = :school_year
           AND c.term = :term AND c.subject = :subject
    ), written AS (
        INSERT INTO cells AS c (tenant_id, school_id, school_year, pupil_id, term, subject, column_key,
                                value, version, updated_by, updated_at)
        SELECT :tenant, :school_id, :school_year, e.pupil_id, :term, :subject, e.column_key,
               e.value, e.expected + 1, :actor_id, :at
          FROM edit e LEFT JOIN standing s USING (pupil_id, column_key)
         WHERE (s.version IS NOT NULL AND s.version = e.expected)
            OR (s.version IS NULL AND e.expected = 0 AND e.value <> '')
         ORDER BY e.pupil_id, e.column_key
        ON CONFLICT (tenant_id, school_id, school_year, pupil_id, term, subject, column_key) DO UPDATE
           SET value = excluded.value, version = excluded.version,
               updated_by = excluded.updated_by, updated_at = excluded.updated_at
         WHERE c.version = excluded.version - 1 AND c.value <> excluded.value
        RETURNING c.pupil_id, c.column_key, c.value, c.version, c.updated_by, c.updated_at
    ), kept AS (
        INSERT INTO cell_changes (tenant_id, school_id, school_year, pupil_id, term, subject, column_key,
                                  version, before, after, actor_id, at)
        SELECT :tenant, :school_id, :school_year, w.pupil_id, :term, :subject, w.column_key,
               w.version, coalesce(s.value, ''), w.value, :actor_id, :at
          FROM written w LEFT JOIN standing s USING (pupil_id, column_key)
        RETURNING pupil_id, column_key, before
    )
    SELECT w.*, k.before FROM written w JOIN kept k USING (pupil_id, column_key)
""")


@dataclass(frozen=True, slots=True)
class Written:
    """A cell as saved, and what stood there before."""

    cell: Cell
    before: str


async def write(tx: Transaction, place: Place, edits: Sequence[CellEdit], *, actor_id: UUID) -> Sequence[Written]:
    """Save every edit whose version still holds; the others are left out of the answer. Rows lock in one order."""
    if not edits:
        return []
    rows = await tx.execute(
        _WRITE,
        _sheet(tx, place)
        | {
            "pupils": [edit.key.pupil_id for edit in edits],
            "columns": [edit.key.column for edit in edits],
            "values": [edit.value for edit in edits],
            "versions": [edit.expected_version for edit in edits],
            "actor_id": actor_id,
            "at": tx.now,
        },
    )
    return [Written(_cell(row), row.before) for row in rows]


async def history(tx: Transaction, place: Place, key: CellKey) -> Sequence[CellChange]:
    """Every change of one cell, newest first."""
    statement = text(
        "SELECT at, actor_id, before, after FROM cell_changes"  # noqa: S608
        f" WHERE {_IN_SHEET} AND pupil_id = :pupil_id AND column_key = :column ORDER BY version DESC"
    )
    rows = await tx.execute(statement, _sheet(tx, place) | {"pupil_id": key.pupil_id, "column": key.column})
    return [CellChange(row.at, row.actor_id, row.before, row.after) for row in rows]


@dataclass(frozen=True, slots=True)
class RecordCell:
    """A filled cell as forms and packages need it."""

    pupil_id: UUID
    school_id: UUID
    school_year: int
    term: str
    subject: str
    column: str
    value: str


async def records(
    tx: Transaction, pupil_ids: Sequence[UUID], *, school_years: Sequence[int], terms: Sequence[str]
) -> Sequence[RecordCell]:
    """Filled cells of these pupils; `school_years` empty = all."""
    statement = text("""
        SELECT pupil_id, school_id, school_year, term, subject, column_key, value FROM cells
         WHERE tenant_id = :tenant AND pupil_id = ANY(:pupil_ids) AND term = ANY(:terms) AND value <> ''
           AND (cardinality(CAST(:years AS int[])) = 0 OR school_year = ANY(:years))
         ORDER BY pupil_id, school_year, term, subject, column_key""")
    params = {"tenant": tx.tenant, "pupil_ids": list(pupil_ids), "terms": list(terms), "years": list(school_years)}
    return [
        RecordCell(row.pupil_id, row.school_id, row.school_year, row.term, row.subject, row.column_key, row.value)
        for row in await tx.execute(statement, params)
    ]
