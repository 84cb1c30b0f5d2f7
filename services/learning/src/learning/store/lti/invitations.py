"""Invitations: a tool may register itself once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from servicekit.db import Transaction
from sqlalchemy import text

from learning.store.lti.launches import digest


@dataclass(frozen=True, slots=True)
class Invitation:
    """`tool_id` is there once it was used."""

    id: UUID
    purpose: str
    invited_by: UUID
    expires_at: datetime
    tool_id: UUID | None


async def add(tx: Transaction, one: Invitation, secret: str) -> None:
    await tx.execute(
        text("""
            INSERT INTO lti_invitations (tenant_id, id, token_hash, purpose, invited_by, expires_at)
            VALUES (:tenant, :id, :hash, :purpose, :invited_by, :expires_at)"""),
        {
            "tenant": tx.tenant,
            "id": one.id,
            "hash": digest(secret),
            "purpose": one.purpose,
            "invited_by": one.invited_by,
            "expires_at": one.expires_at,
        },
    )


async def one(tx: Transaction, invitation_id: UUID, secret: str) -> Invitation | None:
    """Locked until this transaction ends."""
    found = await tx.execute(
        text("""
            SELECT id, purpose, invited_by, expires_at, tool_id FROM lti_invitations
             WHERE tenant_id = :tenant AND id = :id AND token_hash = :hash FOR UPDATE"""),
        {"tenant": tx.tenant, "id": invitation_id, "hash": digest(secret)},
    )
    row = found.one_or_none()
    return Invitation(row.id, row.purpose, row.invited_by, row.expires_at, row.tool_id) if row else None


async def use(tx: Transaction, invitation_id: UUID, tool_id: UUID) -> None:
    await tx.execute(
        text("UPDATE lti_invitations SET tool_id = :tool_id WHERE tenant_id = :tenant AND id = :id"),
        {"tenant": tx.tenant, "id": invitation_id, "tool_id": tool_id},
    )
