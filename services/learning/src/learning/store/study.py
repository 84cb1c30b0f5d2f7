"""Results of answers, by pupil. A voided statement counts no more, whenever it was voided."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from servicekit.db import Transaction
from sqlalchemy import Row, text

from learning.domain.study import Result
from learning.domain.study_pictures import Sums

_NOT_VOIDED = """
    NOT EXISTS (SELECT FROM statement_voids v WHERE v.tenant_id = r.tenant_id AND v.target_id = r.statement_id
                 AND (v.of_anyone OR v.client_id = r.client_id))"""


async def add(tx: Transaction, results: Sequence[tuple[UUID, Result]]) -> None:
    """Keeps (client, result) of stored statements; one that is here already stays."""
    await tx.execute(
        text("""
            INSERT INTO study_results (tenant_id, client_id, statement_id, pupil_id, whole, activity, name, unit,
                                       subject, codes, purposes, scaled, duration_s, platform, at)
            SELECT :tenant, client, id, pupil, whole, activity, name, unit, subject,
                   string_to_array(codes, E'\\x1e'), string_to_array(purposes, E'\\x1e'),
                   scaled, duration, platform, at
              FROM unnest(
                CAST(:clients AS uuid[]), CAST(:ids AS uuid[]), CAST(:pupils AS uuid[]), CAST(:wholes AS boolean[]),
                CAST(:activities AS text[]),
                CAST(:names AS text[]), CAST(:units AS text[]), CAST(:subjects AS text[]), CAST(:codes AS text[]),
                CAST(:purposes AS text[]), CAST(:scaled AS float8[]), CAST(:durations AS int[]),
                CAST(:platforms AS text[]), CAST(:ats AS timestamptz[]))
                AS g(client, id, pupil, whole, activity, name, unit, subject, codes, purposes, scaled, duration,
                     platform, at)
            ON CONFLICT DO NOTHING"""),
        {
            "tenant": tx.tenant,
            "clients": [client_id for client_id, _ in results],
            "ids": [one.statement_id for _, one in results],
            "pupils": [one.pupil_id for _, one in results],
            "wholes": [one.whole for _, one in results],
            "activities": [one.activity for _, one in results],
            "names": [one.name for _, one in results],
            "units": [one.unit for _, one in results],
            "subjects": [one.subject for _, one in results],
            "codes": ["\x1e".join(one.codes) for _, one in results],
            "purposes": ["\x1e".join(one.purposes) for _, one in results],
            "scaled": [one.scaled for _, one in results],
            "durations": [one.duration_s for _, one in results],
            "platforms": [one.platform for _, one in results],
            "ats": [one.at for _, one in results],
        },
    )


_SEEN = f"""
    r.tenant_id = :tenant AND r.pupil_id = ANY(:pupils) AND r.at >= :since
    AND (CAST(:subjects AS text[]) IS NULL OR r.subject = ANY(:subjects)) AND {_NOT_VOIDED}"""
_SUMS = f"""
    WITH last AS (
      SELECT DISTINCT ON (r.pupil_id, r.activity) r.unit, r.subject, r.pupil_id, r.activity, r.scaled, r.at
        FROM study_results r WHERE NOT r.whole AND {_SEEN}
       ORDER BY r.pupil_id, r.activity, r.at DESC, r.statement_id DESC)
    SELECT unit, pupil_id, max(subject) AS subject, round(avg(scaled)::numeric, 6)::float8 AS mean,
           count(DISTINCT activity) AS questions, max(at) AS last_at
      FROM last GROUP BY GROUPING SETS ((unit, pupil_id), (unit)) ORDER BY unit, pupil_id NULLS FIRST"""  # noqa: S608


async def unit_sums(
    tx: Transaction, pupil_ids: Sequence[UUID], since: datetime, subjects: Sequence[str] | None
) -> list[Sums]:
    """Every unit one of these children answered in since then; `subjects` None = all."""
    rows = await tx.execute(
        text(_SUMS), {"tenant": tx.tenant, "pupils": list(pupil_ids), "since": since, "subjects": subjects}
    )
    heads: dict[str, Row[tuple[Any, ...]]] = {}
    means: dict[str, dict[UUID, float]] = {}
    for row in rows:
        if row.pupil_id is None:
            heads[row.unit] = row
        else:
            means.setdefault(row.unit, {})[row.pupil_id] = row.mean
    return [Sums(unit, head.subject, head.questions, head.last_at, means[unit]) for unit, head in heads.items()]


async def scored_bodies(
    tx: Transaction, verbs: Collection[str], after: tuple[datetime, UUID] | None, limit: int
) -> list[tuple[UUID, UUID, datetime, str]]:
    """(client, statement, stored, body) of statements with these verbs, oldest first, behind `after`."""
    stored, last = after or (datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0))
    rows = await tx.execute(
        text("""
            SELECT client_id, id, stored, body FROM statements
             WHERE tenant_id = :tenant AND verb = ANY(CAST(:verbs AS uuid[])) AND (stored, id) > (:stored, :last)
             ORDER BY stored, id LIMIT :limit"""),
        {"tenant": tx.tenant, "verbs": list(verbs), "stored": stored, "last": last, "limit": limit},
    )
    return [(row.client_id, row.id, row.stored, row.body) for row in rows]


async def forget(tx: Transaction) -> None:
    """Drops every result of the board, for laying them anew."""
    await tx.execute(text("DELETE FROM study_results WHERE tenant_id = :tenant"), {"tenant": tx.tenant})


async def of_pupils(
    tx: Transaction,
    pupil_ids: Sequence[UUID],
    since: datetime,
    subjects: Sequence[str] | None,
    *,
    unit: str | None = None,
    most: int | None = None,
) -> list[Result]:
    """What these children did since then, newest first; with `unit` of that unit only."""
    rows = await tx.execute(
        text(f"""
            SELECT r.* FROM study_results r
             WHERE {_SEEN} AND (CAST(:unit AS text) IS NULL OR r.unit = :unit)
             ORDER BY r.at DESC, r.statement_id DESC LIMIT :most"""),  # noqa: S608
        {
            "tenant": tx.tenant,
            "pupils": list(pupil_ids),
            "since": since,
            "subjects": subjects,
            "unit": unit,
            "most": most,
        },
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
