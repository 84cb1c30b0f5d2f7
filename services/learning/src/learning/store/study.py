"""Results of answers, by pupil. A voided statement counts no more, whenever it was voided."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from servicekit.db import Transaction
from sqlalchemy import Row, text

from learning.domain.study import Result

_NOT_VOIDED = """
    NOT EXISTS (SELECT FROM statement_voids v WHERE v.tenant_id = r.tenant_id AND v.target_id = r.statement_id
                 AND (v.of_anyone OR v.client_id = r.client_id))"""


async def add(tx: Transaction, client_id: UUID, results: Sequence[Result]) -> None:
    """Keeps results of statements that were just stored; one that is here already stays."""
    await tx.execute(
        text("""
            INSERT INTO study_results (tenant_id, client_id, statement_id, pupil_id, whole, activity, name, unit,
                                       subject, codes, purposes, scaled, duration_s, platform, at)
            SELECT :tenant, :client, id, pupil, whole, activity, name, unit, subject,
                   string_to_array(codes, E'\\x1e'), string_to_array(purposes, E'\\x1e'),
                   scaled, duration, platform, at
              FROM unnest(
                CAST(:ids AS uuid[]), CAST(:pupils AS uuid[]), CAST(:wholes AS boolean[]), CAST(:activities AS text[]),
                CAST(:names AS text[]), CAST(:units AS text[]), CAST(:subjects AS text[]), CAST(:codes AS text[]),
                CAST(:purposes AS text[]), CAST(:scaled AS float8[]), CAST(:durations AS int[]),
                CAST(:platforms AS text[]), CAST(:ats AS timestamptz[]))
                AS g(id, pupil, whole, activity, name, unit, subject, codes, purposes, scaled, duration, platform, at)
            ON CONFLICT DO NOTHING"""),
        {
            "tenant": tx.tenant,
            "client": client_id,
            "ids": [one.statement_id for one in results],
            "pupils": [one.pupil_id for one in results],
            "wholes": [one.whole for one in results],
            "activities": [one.activity for one in results],
            "names": [one.name for one in results],
            "units": [one.unit for one in results],
            "subjects": [one.subject for one in results],
            "codes": ["\x1e".join(one.codes) for one in results],
            "purposes": ["\x1e".join(one.purposes) for one in results],
            "scaled": [one.scaled for one in results],
            "durations": [one.duration_s for one in results],
            "platforms": [one.platform for one in results],
            "ats": [one.at for one in results],
        },
    )


async def of_pupils(
    tx: Transaction, pupil_ids: Sequence[UUID], since: datetime, *, unit: str | None = None
) -> list[Result]:
    """Everything these children did since then; with `unit` of that unit only."""
    rows = await tx.execute(
        text(f"""
            SELECT r.* FROM study_results r
             WHERE r.tenant_id = :tenant AND r.pupil_id = ANY(:pupils) AND r.at >= :since
               AND (CAST(:unit AS text) IS NULL OR r.unit = :unit) AND {_NOT_VOIDED}
             ORDER BY r.at, r.statement_id"""),  # noqa: S608
        {"tenant": tx.tenant, "pupils": list(pupil_ids), "since": since, "unit": unit},
    )
    return [_result(row) for row in rows]


def _result(row: Row[tuple[Any, ...]]) -> Result:
    return Result(
        row.statement_id,
        row.pupil_id,
        row.whole,
        row.activity,
        row.name,
        row.unit,
        row.subject,
        tuple(row.codes),
        tuple(row.purposes),
        row.scaled,
        row.duration_s,
        row.platform,
        row.at,
    )
