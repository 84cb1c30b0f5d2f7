"""The platform's keys. They belong to the deployment, not to a board; private halves lie sealed."""

from __future__ import annotations

from collections.abc import Sequence

from servicekit.db import Transaction
from servicekit.json import dumps_text
from sqlalchemy import text

from learning.domain.lti.keys import PlatformKey

_COLUMNS = "kid, public, created_at, signs_from"


async def alone(tx: Transaction) -> None:
    """From here on nobody else makes or destroys keys until this transaction ends."""
    await tx.execute(text("SELECT pg_advisory_xact_lock(hashtext('lti_keys'))"))


async def all_keys(tx: Transaction) -> list[PlatformKey]:
    """Every key that was not destroyed."""
    rows = await tx.execute(
        text(f"SELECT {_COLUMNS} FROM lti_keys WHERE tenant_id = :tenant AND private_sealed IS NOT NULL"),  # noqa: S608
        {"tenant": tx.tenant},
    )
    return [PlatformKey(row.kid, row.public, row.created_at, row.signs_from) for row in rows]


async def private_half(tx: Transaction, kid: str) -> bytes:
    """Sealed; as `add` was given it."""
    return bytes(
        await tx.scalar(
            text("SELECT private_sealed FROM lti_keys WHERE tenant_id = :tenant AND kid = :kid"),
            {"tenant": tx.tenant, "kid": kid},
        )
    )


async def add(tx: Transaction, key: PlatformKey, private_sealed: bytes) -> None:
    await tx.execute(
        text("""
            INSERT INTO lti_keys (tenant_id, kid, public, private_sealed, created_at, signs_from)
            VALUES (:tenant, :kid, CAST(:public AS jsonb), :sealed, :created_at, :signs_from)"""),
        {
            "tenant": tx.tenant,
            "kid": key.kid,
            "public": dumps_text(key.public),
            "sealed": private_sealed,
            "created_at": key.created_at,
            "signs_from": key.signs_from,
        },
    )


async def destroy(tx: Transaction, kids: Sequence[str]) -> None:
    """The private halves go; that a key was there stays readable."""
    await tx.execute(
        text("UPDATE lti_keys SET private_sealed = NULL WHERE tenant_id = :tenant AND kid = ANY(:kids)"),
        {"tenant": tx.tenant, "kids": list(kids)},
    )
