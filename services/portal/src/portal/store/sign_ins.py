"""Queries on sign-ins under way, and on logout tokens already used."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from portal.store.tables import sign_ins, spent_logout_tokens


async def add(connection: AsyncConnection, values: Mapping[str, Any]) -> None:
    await connection.execute(insert(sign_ins).values(**values))


async def take(connection: AsyncConnection, state_hash: bytes, now: datetime) -> dict[str, Any] | None:
    """Removes and returns it: a state is good once."""
    query = delete(sign_ins).where(sign_ins.c.state_hash == state_hash, sign_ins.c.expires_at > now)
    row = (await connection.execute(query.returning(sign_ins))).mappings().first()
    return dict(row) if row else None


async def spend_logout_token(connection: AsyncConnection, token_id: str, expires_at: datetime) -> bool:
    """False if this token was used before."""
    query = upsert(spent_logout_tokens).values(token_id=token_id, expires_at=expires_at).on_conflict_do_nothing()
    return (await connection.execute(query.returning(spent_logout_tokens.c.token_id))).first() is not None


async def remove_ended(connection: AsyncConnection, now: datetime) -> None:
    await connection.execute(delete(sign_ins).where(sign_ins.c.expires_at <= now))
    await connection.execute(delete(spent_logout_tokens).where(spent_logout_tokens.c.expires_at <= now))
