"""What the board decided for a school year, and every decision with what stood before it (for the undoing)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from servicekit.db import Transaction
from sqlalchemy import delete, insert, select

from attendance.domain.marks import DEFAULT_REASONS, Category, Symbol
from attendance.store.marks import symbols_of
from attendance.store.tables import reasons, symbols

Content = tuple[Symbol | str, ...]


class Topic(StrEnum):
    """What is decided on its own, with a version of its own."""

    SYMBOLS = "symbols"
    REASONS = "reasons"


class Kind(StrEnum):
    """How a decision came about."""

    CHANGED = "changed"
    COPIED = "copied"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision as it was made: what stood before and what since."""

    version: int
    kind: Kind
    before: Content
    after: Content
    decided_by: UUID
    decided_at: datetime


async def content(tx: Transaction, topic: Topic, school_year: int) -> Content:
    """What holds in that year; where nothing was decided, the defaults."""
    if topic is Topic.SYMBOLS:
        return tuple((await symbols_of(tx, [school_year]))[school_year].values())
    query = select(reasons.c.text).where(reasons.c.school_year == school_year).order_by(reasons.c.position)
    return tuple((await tx.execute(query)).scalars()) or DEFAULT_REASONS


async def last(tx: Transaction, topic: Topic, school_year: int) -> Decision | None:
    """The newest decision, or None where nothing was decided."""
    found = await tx.execute(
        """SELECT version, kind, before, after, decided_by, decided_at FROM board_decisions
            WHERE tenant_id = :tenant AND topic = :topic AND school_year = :school_year
            ORDER BY version DESC LIMIT 1""",
        {"tenant": tx.tenant, "topic": topic.value, "school_year": school_year},
    )
    row = found.one_or_none()
    if row is None:
        return None
    before, after = (_content(topic, side) for side in (row.before, row.after))
    return Decision(row.version, Kind(row.kind), before, after, row.decided_by, row.decided_at)


async def decide(tx: Transaction, topic: Topic, school_year: int, decision: Decision) -> bool:
    """Write a decision as version `decision.version`; False when that version is there already."""
    kept = await tx.execute(
        """INSERT INTO board_decisions (tenant_id, topic, school_year, version, kind, before, after, decided_by,
                                        decided_at)
           VALUES (:tenant, :topic, :school_year, :version, :kind, CAST(:before AS jsonb), CAST(:after AS jsonb),
                   :decided_by, :decided_at)
           ON CONFLICT DO NOTHING RETURNING version""",
        {
            "tenant": tx.tenant,
            "topic": topic.value,
            "school_year": school_year,
            "version": decision.version,
            "kind": decision.kind.value,
            "before": _json(decision.before),
            "after": _json(decision.after),
            "decided_by": decision.decided_by,
            "decided_at": decision.decided_at,
        },
    )
    if kept.one_or_none() is None:
        return False
    table = symbols if topic is Topic.SYMBOLS else reasons
    await tx.execute(delete(table).where(table.c.school_year == school_year))
    rows = [
        {"tenant_id": tx.tenant, "school_year": school_year, "position": position, **_columns(one)}
        for position, one in enumerate(decision.after)
    ]
    await tx.execute(insert(table), rows)
    return True


def _columns(one: Symbol | str) -> dict[str, Any]:
    return {"text": one} if isinstance(one, str) else asdict(one) | {"category": one.category.value}


def _json(side: Content) -> str:
    return json.dumps([one if isinstance(one, str) else _columns(one) for one in side], ensure_ascii=False)


def _content(topic: Topic, side: Any) -> Content:
    plain = json.loads(side) if isinstance(side, str) else side
    if topic is Topic.REASONS:
        return tuple(plain)
    return tuple(Symbol(**one | {"category": Category(one["category"])}) for one in plain)
