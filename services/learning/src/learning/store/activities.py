"""Canonical definitions of activities."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson
from servicekit.db import Transaction

from learning.domain.xapi.actors import key_of

_KNOWN = "SELECT id, definition FROM activities WHERE tenant_id = :tenant AND key = ANY(CAST(:keys AS uuid[]))"
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended(:tenant, 2))"


async def definitions(tx: Transaction, ids: Collection[str], *, to_change: bool = False) -> dict[str, dict[str, Any]]:
    """By IRI. `to_change`: nobody else of the board changes any until this transaction ends."""
    asked = (_KNOWN, {"tenant": tx.tenant, "keys": [key_of(one) for one in ids]})
    if to_change:
        _, rows = await tx.execute_all((_ONE_AT_A_TIME, {"tenant": tx.tenant}), asked)
    else:
        rows = await tx.execute(*asked)
    return {row.id: orjson.loads(row.definition) for row in rows}


async def save(tx: Transaction, changed: Mapping[str, dict[str, Any]]) -> None:
    """Definitions by IRI."""
    rows: Sequence[tuple[str, str]] = sorted((key_of(one), one) for one in changed)
    await tx.execute(
        "INSERT INTO activities (tenant_id, key, id, definition) SELECT :tenant, k, i, d"
        " FROM unnest(CAST(:keys AS uuid[]), CAST(:ids AS text[]), CAST(:definitions AS text[])) AS a(k, i, d)"
        " ON CONFLICT (tenant_id, key) DO UPDATE SET definition = excluded.definition",
        {
            "tenant": tx.tenant,
            "keys": [key for key, _ in rows],
            "ids": [one for _, one in rows],
            "definitions": [orjson.dumps(changed[one]).decode() for _, one in rows],
        },
    )
