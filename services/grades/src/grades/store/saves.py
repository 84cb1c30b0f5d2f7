"""Saves already done, so that one sent again after a lost answer is answered and not done again."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from servicekit.db import Transaction
from sqlalchemy import text

KEPT = timedelta(days=7)
"""Longer than any browser keeps trying."""


@dataclass(frozen=True, slots=True)
class DoneEdit:
    """What became of one edit: no value, only what a page needs to go on."""

    outcome: str
    version: int


@dataclass(frozen=True, slots=True)
class Done:
    """An earlier save under the same key."""

    digest: str
    edits: tuple[DoneEdit, ...]


async def begin(tx: Transaction, actor_id: UUID, idempotency_key: str, digest: str) -> Done | None:
    """Claim the key; the earlier save when somebody already did (a twin still under way is waited for)."""
    params = {"tenant": tx.tenant, "actor_id": actor_id, "key": idempotency_key, "digest": digest, "at": tx.now}
    claimed = await tx.execute(
        text("""
            INSERT INTO saves (tenant_id, actor_id, idempotency_key, digest, at)
            VALUES (:tenant, :actor_id, :key, :digest, :at) ON CONFLICT DO NOTHING RETURNING 1"""),
        params,
    )
    if claimed.one_or_none() is not None:
        return None
    row = (
        await tx.execute(
            text("""
                SELECT digest, outcomes FROM saves
                 WHERE tenant_id = :tenant AND actor_id = :actor_id AND idempotency_key = :key"""),
            params,
        )
    ).one()
    return Done(row.digest, tuple(DoneEdit(*edit) for edit in row.outcomes))


async def give_back(tx: Transaction, actor_id: UUID, idempotency_key: str) -> None:
    """Release the key of a save that could not begin (locked), so that it may be tried again later."""
    await tx.execute(
        text("DELETE FROM saves WHERE tenant_id = :tenant AND actor_id = :actor_id AND idempotency_key = :key"),
        {"tenant": tx.tenant, "actor_id": actor_id, "key": idempotency_key},
    )


async def finish(tx: Transaction, actor_id: UUID, idempotency_key: str, edits: Sequence[DoneEdit]) -> None:
    """Keep what became of each edit, and forget what nobody will send again."""
    await tx.execute(
        text("""
            UPDATE saves SET outcomes = CAST(:outcomes AS jsonb)
             WHERE tenant_id = :tenant AND actor_id = :actor_id AND idempotency_key = :key"""),
        {
            "tenant": tx.tenant,
            "actor_id": actor_id,
            "key": idempotency_key,
            "outcomes": json.dumps([[edit.outcome, edit.version] for edit in edits]),
        },
    )
    await tx.execute(
        text("DELETE FROM saves WHERE tenant_id = :tenant AND at < :before"),
        {"tenant": tx.tenant, "before": tx.now - KEPT},
    )
