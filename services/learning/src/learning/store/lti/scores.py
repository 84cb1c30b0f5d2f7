"""Line items and scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from servicekit.db import Transaction
from sqlalchemy import Row, text

from learning.domain.lti.scores import LineItem, Score

_ITEM = (
    "i.id, i.deployment_id, i.class_id, i.link_id, i.label, i.score_maximum, i.resource_id, i.tag, i.starts_at, "
    "i.ends_at"
)
_SCORE = "s.pupil_id, s.given, s.maximum, s.activity, s.grading, s.comment, s.scored_at"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which line items of a tool in a class (AGS 2.0, 3.2.9): None = all."""

    deployment_id: UUID
    class_id: UUID
    link_id: UUID | None = None
    resource_id: str | None = None
    tag: str | None = None
    after: UUID | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Told:
    """A score beside its line item, as a teacher reads it."""

    item: LineItem
    score: Score
    received_at: datetime
    set_aside_at: datetime | None


async def items(tx: Transaction, asked: Asked) -> list[LineItem]:
    """In the order they were made; one more than `limit` tells that there are more."""
    rows = await tx.execute(
        text(f"""
            SELECT {_ITEM} FROM lti_line_items i
             WHERE i.tenant_id = :tenant AND i.class_id = :class_id AND i.deployment_id = :deployment_id
               AND (CAST(:link_id AS uuid) IS NULL OR i.link_id = :link_id)
               AND (CAST(:resource_id AS text) IS NULL OR i.resource_id = :resource_id)
               AND (CAST(:tag AS text) IS NULL OR i.tag = :tag)
               AND (CAST(:after AS uuid) IS NULL OR i.id > :after)
             ORDER BY i.id LIMIT :limit"""),  # noqa: S608
        {
            "tenant": tx.tenant,
            "class_id": asked.class_id,
            "deployment_id": asked.deployment_id,
            "link_id": asked.link_id,
            "resource_id": asked.resource_id,
            "tag": asked.tag,
            "after": asked.after,
            "limit": asked.limit + 1,
        },
    )
    return [_item(row) for row in rows]


async def item(tx: Transaction, item_id: UUID) -> LineItem | None:
    found = await tx.execute(
        text(f"SELECT {_ITEM} FROM lti_line_items i WHERE i.tenant_id = :tenant AND i.id = :id"),  # noqa: S608
        {"tenant": tx.tenant, "id": item_id},
    )
    row = found.one_or_none()
    return _item(row) if row else None


async def item_of_link(tx: Transaction, link_id: UUID) -> UUID | None:
    """The one line item of a link; None where there is none or several (AGS 2.0, 3.1.2)."""
    found = await tx.execute(
        text("SELECT id FROM lti_line_items WHERE tenant_id = :tenant AND link_id = :link_id LIMIT 2"),
        {"tenant": tx.tenant, "link_id": link_id},
    )
    rows = found.all()
    return rows[0].id if len(rows) == 1 else None


async def add_items(tx: Transaction, made: Sequence[LineItem]) -> None:
    rows = [_values(tx, one) | {"created_at": tx.now} for one in made]
    if rows:
        await tx.execute(
            text("""
                INSERT INTO lti_line_items (tenant_id, id, deployment_id, class_id, link_id, label, score_maximum,
                                            resource_id, tag, starts_at, ends_at, created_at)
                VALUES (:tenant, :id, :deployment_id, :class_id, :link_id, :label, :score_maximum, :resource_id, :tag,
                        :starts_at, :ends_at, :created_at)"""),
            rows,
        )


async def change_item(tx: Transaction, changed: LineItem) -> None:
    await tx.execute(
        text("""
            UPDATE lti_line_items
               SET label = :label, score_maximum = :score_maximum, resource_id = :resource_id, tag = :tag,
                   starts_at = :starts_at, ends_at = :ends_at
             WHERE tenant_id = :tenant AND id = :id"""),
        {
            key: value
            for key, value in _values(tx, changed).items()
            if key not in ("deployment_id", "class_id", "link_id")
        },
    )


async def remove_item(tx: Transaction, item_id: UUID) -> None:
    """With its scores."""
    await tx.execute(
        text("DELETE FROM lti_line_items WHERE tenant_id = :tenant AND id = :id"), {"tenant": tx.tenant, "id": item_id}
    )


async def scored_at(tx: Transaction, item_id: UUID, pupil_id: UUID) -> datetime | None:
    """Of the score that is here; locked until this transaction ends."""
    found = await tx.execute(
        text("""
            SELECT scored_at FROM lti_scores
             WHERE tenant_id = :tenant AND line_item_id = :item_id AND pupil_id = :pupil_id FOR UPDATE"""),
        {"tenant": tx.tenant, "item_id": item_id, "pupil_id": pupil_id},
    )
    row = found.one_or_none()
    return row.scored_at if row else None


async def put_score(tx: Transaction, item_id: UUID, score: Score) -> bool:
    """A newer one replaces an older one and is looked at anew; False when a newer one came in between."""
    kept = await tx.execute(
        text("""
            INSERT INTO lti_scores (tenant_id, line_item_id, pupil_id, given, maximum, activity, grading, comment,
                                    scored_at, received_at)
            VALUES (:tenant, :item_id, :pupil_id, :given, :maximum, :activity, :grading, :comment, :scored_at, :now)
            ON CONFLICT (tenant_id, line_item_id, pupil_id) DO UPDATE
               SET given = excluded.given, maximum = excluded.maximum, activity = excluded.activity,
                   grading = excluded.grading, comment = excluded.comment, scored_at = excluded.scored_at,
                   received_at = excluded.received_at, set_aside_by = NULL, set_aside_at = NULL
             WHERE lti_scores.scored_at < excluded.scored_at
            RETURNING pupil_id"""),
        {
            "tenant": tx.tenant,
            "item_id": item_id,
            "pupil_id": score.pupil_id,
            "given": score.given,
            "maximum": score.maximum,
            "activity": score.activity,
            "grading": score.grading,
            "comment": score.comment,
            "scored_at": score.scored_at,
            "now": tx.now,
        },
    )
    return kept.one_or_none() is not None


async def scores(tx: Transaction, item_id: UUID, pupil_id: UUID | None, after: UUID | None, limit: int) -> list[Score]:
    """Of a line item, by child; one more than `limit` tells that there are more."""
    rows = await tx.execute(
        text(f"""
            SELECT {_SCORE} FROM lti_scores s
             WHERE s.tenant_id = :tenant AND s.line_item_id = :item_id
               AND (CAST(:pupil_id AS uuid) IS NULL OR s.pupil_id = :pupil_id)
               AND (CAST(:after AS uuid) IS NULL OR s.pupil_id > :after)
             ORDER BY s.pupil_id LIMIT :limit"""),  # noqa: S608
        {"tenant": tx.tenant, "item_id": item_id, "pupil_id": pupil_id, "after": after, "limit": limit + 1},
    )
    return [_score(row) for row in rows]


async def told_of_class(tx: Transaction, class_id: UUID, after: tuple[UUID, UUID] | None, limit: int) -> list[Told]:
    """Every score of a class, newest line item first; one more than `limit` tells that there are more."""
    params: dict[str, Any] = {"tenant": tx.tenant, "class_id": class_id, "limit": limit + 1}
    onwards = ""
    if after is not None:
        onwards = "AND (i.id < :item_id OR (i.id = :item_id AND s.pupil_id > :pupil_id))"
        params |= {"item_id": after[0], "pupil_id": after[1]}
    rows = await tx.execute(
        text(f"""
            SELECT {_ITEM}, {_SCORE}, s.received_at, s.set_aside_at
              FROM lti_line_items i JOIN lti_scores s ON s.tenant_id = i.tenant_id AND s.line_item_id = i.id
             WHERE i.tenant_id = :tenant AND i.class_id = :class_id {onwards}
             ORDER BY i.id DESC, s.pupil_id LIMIT :limit"""),  # noqa: S608
        params,
    )
    return [Told(_item(row), _score(row), row.received_at, row.set_aside_at) for row in rows]


async def set_aside(tx: Transaction, class_id: UUID, which: Sequence[tuple[UUID, UUID]], by: UUID | None) -> int:
    """Puts scores of the class aside, or with `by` None back. Returns how many were there."""
    kept = await tx.execute(
        text("""
            UPDATE lti_scores s
               SET set_aside_by = :by,
                   set_aside_at = CASE WHEN CAST(:by AS uuid) IS NOT NULL THEN CAST(:now AS timestamptz) END
              FROM unnest(CAST(:items AS uuid[]), CAST(:pupils AS uuid[])) AS w (item_id, pupil_id)
              JOIN lti_line_items i ON i.tenant_id = :tenant AND i.id = w.item_id AND i.class_id = :class_id
             WHERE s.tenant_id = :tenant AND s.line_item_id = w.item_id AND s.pupil_id = w.pupil_id
            RETURNING s.pupil_id"""),
        {
            "tenant": tx.tenant,
            "class_id": class_id,
            "items": [item for item, _ in which],
            "pupils": [pupil for _, pupil in which],
            "by": by,
            "now": tx.now,
        },
    )
    return len(kept.all())


def _values(tx: Transaction, one: LineItem) -> dict[str, Any]:
    return {
        "tenant": tx.tenant,
        "id": one.id,
        "deployment_id": one.deployment_id,
        "class_id": one.class_id,
        "link_id": one.link_id,
        "label": one.label,
        "score_maximum": one.score_maximum,
        "resource_id": one.resource_id,
        "tag": one.tag,
        "starts_at": one.starts_at,
        "ends_at": one.ends_at,
    }


def _item(row: Row[tuple[object, ...]]) -> LineItem:
    return LineItem(
        row.id, row.deployment_id, row.class_id, row.link_id, row.label, row.score_maximum, row.resource_id, row.tag,
        row.starts_at, row.ends_at,
    )  # fmt: skip


def _score(row: Row[tuple[object, ...]]) -> Score:
    return Score(row.pupil_id, row.given, row.maximum, row.activity, row.grading, row.comment, row.scored_at)
