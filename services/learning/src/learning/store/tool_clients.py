"""Clients of the record store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

from servicekit.db import Transaction
from sqlalchemy import Row, insert, select, update

from learning.domain.tool_clients import Reading, ToolClient, Use
from learning.store.tables import tool_clients

_SHOWN = [column for column in tool_clients.c if column.name not in ("tenant_id", "secret_hash")]


async def add(tx: Transaction, client: ToolClient, secret_hash: bytes) -> None:
    await tx.execute(insert(tool_clients).values(tenant_id=tx.tenant, secret_hash=secret_hash, **asdict(client)))


async def all_of_board(tx: Transaction) -> Sequence[ToolClient]:
    """Newest first; those that are closed stay readable."""
    rows = await tx.execute(select(*_SHOWN).order_by(tool_clients.c.created_at.desc(), tool_clients.c.id))
    return [_client(row) for row in rows]


async def uses(tx: Transaction) -> dict[UUID, Use]:
    """By client; who never came is not in it."""
    rows = await tx.execute(
        "SELECT client_id, last_used_at, statements FROM tool_client_use WHERE tenant_id = :tenant",
        {"tenant": tx.tenant},
    )
    return {row.client_id: Use(row.last_used_at, row.statements) for row in rows}


async def one(tx: Transaction, client_id: UUID) -> ToolClient | None:
    row = (await tx.execute(select(*_SHOWN).where(tool_clients.c.id == client_id))).one_or_none()
    return _client(row) if row else None


async def with_secret(tx: Transaction, client_id: UUID) -> tuple[ToolClient, bytes] | None:
    """The client and the hash of its secret; None where there is none in this board."""
    query = select(*_SHOWN, tool_clients.c.secret_hash).where(tool_clients.c.id == client_id)
    row = (await tx.execute(query)).one_or_none()
    return (_client(row), bytes(row.secret_hash)) if row else None


async def change(tx: Transaction, client: ToolClient, secret_hash: bytes | None = None) -> bool:
    """Writes `client` over the version before it; False when somebody was faster."""
    values = {"disabled_at": client.disabled_at, "version": client.version}
    kept = await tx.execute(
        update(tool_clients)
        .where(tool_clients.c.id == client.id, tool_clients.c.version == client.version - 1)
        .values(**values, **({"secret_hash": secret_hash} if secret_hash is not None else {}))
        .returning(tool_clients.c.id)
    )
    return kept.one_or_none() is not None


def _client(row: Row[tuple[object, ...]]) -> ToolClient:
    return ToolClient(
        id=row.id,
        name=row.name,
        purpose=row.purpose,
        reading=Reading(row.reading),
        created_by=row.created_by,
        created_at=row.created_at,
        disabled_at=row.disabled_at,
        version=row.version,
    )
