"""Queries on sessions. Takes hashes, never secrets; returns rows as they stand."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from servicekit.db import Database
from sqlalchemy import LargeBinary, and_, bindparam, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from portal.store.tables import sessions

PREVIOUS_SECRET_GOOD_FOR = timedelta(seconds=60)
"""After the secret was renewed, requests already under way may still carry the former one for this long."""


_LIVE = select(sessions).where(
    or_(
        sessions.c.secret_hash == bindparam("secret", type_=LargeBinary),
        and_(
            sessions.c.previous_hash == bindparam("secret", type_=LargeBinary),
            sessions.c.renewed_at > bindparam("former_since"),
        ),
    ),
    sessions.c.expires_at > bindparam("now"),
    sessions.c.seen_at > bindparam("seen_since"),
)
"""The session of a secret: neither idle too long nor past its end."""


def _limits(secret_hash: bytes, now: datetime, idle: timedelta) -> dict[str, Any]:
    former_since = now - PREVIOUS_SECRET_GOOD_FOR
    return {"secret": secret_hash, "now": now, "former_since": former_since, "seen_since": now - idle}


async def glance(database: Database, secret_hash: bytes, now: datetime, idle: timedelta) -> dict[str, Any] | None:
    """The live session of this secret in one round trip: every request begins with it."""
    row = (await database.alone(_LIVE, _limits(secret_hash, now, idle))).mappings().first()
    return dict(row) if row else None


async def find_locked(
    connection: AsyncConnection, secret_hash: bytes, now: datetime, idle: timedelta
) -> dict[str, Any] | None:
    """The live session of this secret; others wait for us until `connection` commits."""
    row = (await connection.execute(_LIVE.with_for_update(), _limits(secret_hash, now, idle))).mappings().first()
    return dict(row) if row else None


async def add(connection: AsyncConnection, values: Mapping[str, Any]) -> None:
    await connection.execute(insert(sessions).values(**values))


async def save(connection: AsyncConnection, secret_hash: bytes, values: Mapping[str, Any]) -> None:
    await connection.execute(update(sessions).where(sessions.c.secret_hash == secret_hash).values(**values))


async def remove(connection: AsyncConnection, secret_hash: bytes) -> None:
    await connection.execute(delete(sessions).where(sessions.c.secret_hash == secret_hash))


async def remove_of_identity_session(connection: AsyncConnection, identity_session: str) -> int:
    return (await connection.execute(delete(sessions).where(sessions.c.identity_session == identity_session))).rowcount


async def remove_of_subject(connection: AsyncConnection, subject: str) -> int:
    return (await connection.execute(delete(sessions).where(sessions.c.subject == subject))).rowcount


async def of_subject(connection: AsyncConnection, subject: str, now: datetime, idle: timedelta) -> list[dict[str, Any]]:
    """Live sessions of one person, newest first."""
    query = select(sessions).where(
        sessions.c.subject == subject, sessions.c.expires_at > now, sessions.c.seen_at > now - idle
    )
    found = await connection.execute(query.order_by(sessions.c.created_at.desc()))
    return [dict(row) for row in found.mappings()]


async def remove_ended(connection: AsyncConnection, now: datetime, idle: timedelta) -> int:
    ended = or_(sessions.c.expires_at <= now, sessions.c.seen_at <= now - idle)
    return (await connection.execute(delete(sessions).where(ended))).rowcount


async def remove_others_of_subject(connection: AsyncConnection, subject: str, kept: bytes) -> int:
    query = delete(sessions).where(sessions.c.subject == subject, sessions.c.secret_hash != kept)
    return (await connection.execute(query)).rowcount
