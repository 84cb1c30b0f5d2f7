"""Chains new audit entries, tenant by tenant, in the order the sealer finds them committed."""

from __future__ import annotations

import asyncio
import contextlib
import logging

import psycopg
from psycopg.rows import dict_row

from servicekit.audit.chain import COLUMNS, GENESIS, link
from servicekit.db import TENANT, Database
from servicekit.errors import Unavailable
from servicekit.telemetry import AUDIT_UNSEALED

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 2.0
_REST_S = 0.25
_BATCH = 500


class Sealer:
    """One loop per process; an advisory lock per tenant keeps two of them from writing the same link."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._wake = asyncio.Event()
        database.on_audit(self._wake.set)

    async def run(self) -> None:
        """Until cancelled. A database that is away is waited for."""
        while True:
            self._wake.clear()
            try:
                await self.seal_all()
            except (psycopg.Error, Unavailable) as error:
                log.warning("sealing waits for the database: %s", type(error).__name__)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY_S):
                    await self._wake.wait()
            await asyncio.sleep(_REST_S)  # one chain step for many entries

    async def seal_all(self) -> int:
        """Seals what waits now. Returns the number of entries sealed."""
        async with self._database.plumbing() as raw:
            cursor = await raw.execute("SELECT tenant_id, count(*) FROM audit_pending GROUP BY tenant_id")
            waiting = await cursor.fetchall()
        AUDIT_UNSEALED.set(sum(count for _, count in waiting))
        sealed = 0
        for tenant, _ in waiting:
            while count := await self.seal(tenant):
                sealed += count
                if count < _BATCH:
                    break
        return sealed

    async def seal(self, tenant: str) -> int:
        """Seals up to 500 waiting entries of `tenant`."""
        if TENANT.match(tenant) is None:
            raise ValueError("not a tenant")
        async with self._database.transaction(tenant) as tx:
            raw = tx.raw
            await raw.execute("SELECT pg_advisory_xact_lock(hashtextextended('komu.seal.' || %s, 0))", (tenant,))
            cursor = raw.cursor(row_factory=dict_row)
            await cursor.execute(
                f"SELECT {', '.join('l.' + name for name in COLUMNS)}"  # noqa: S608 - constant columns
                " FROM audit_pending p JOIN audit_log l ON l.tenant_id = p.tenant_id AND l.id = p.entry_id"
                " WHERE p.tenant_id = %s ORDER BY l.at, l.id LIMIT %s",
                (tenant, _BATCH),
            )
            rows = await cursor.fetchall()
            if not rows:
                return 0
            head = await (
                await raw.execute(
                    "SELECT seq, hash FROM audit_seals WHERE tenant_id = %s ORDER BY seq DESC LIMIT 1", (tenant,)
                )
            ).fetchone()
            seq, previous = head or (0, GENESIS)
            links = []
            for row in rows:
                seq += 1
                current = link(previous, row)
                links.append((seq, row["id"], previous, current))
                previous = current
            await raw.execute(
                "INSERT INTO audit_seals (tenant_id, seq, entry_id, previous, hash)"
                " SELECT %s, * FROM unnest(%s::bigint[], %s::uuid[], %s::bytea[], %s::bytea[])",
                (tenant, *(list(column) for column in zip(*links, strict=True))),
            )
            await raw.execute(
                "DELETE FROM audit_pending WHERE tenant_id = %s AND entry_id = ANY(%s)",
                (tenant, [row["id"] for row in rows]),
            )
        return len(rows)
