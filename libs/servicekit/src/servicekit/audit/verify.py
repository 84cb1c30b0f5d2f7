"""Checks the chain with nothing but the two tables: for an auditor with a read-only address of the database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from servicekit.audit.chain import COLUMNS, GENESIS, link

_UNSEALED_FOR = timedelta(minutes=10)
_MOST_TOLD = 1000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a tenant's log."""

    tenant: str
    seq: int | None
    entry_id: UUID | None
    what: str


@dataclass(frozen=True, slots=True)
class Head:
    """The newest link of a tenant: noted elsewhere, it proves later that nothing was cut off the end."""

    tenant: str
    seq: int
    hash: str
    entries: int


def _tenants(connection: psycopg.Connection[Any]) -> list[str]:
    """All tenants of the log: directly as a superuser or auditor role, else through the seals one may see."""
    rows = connection.execute(
        "SELECT tenant_id FROM audit_log UNION SELECT tenant_id FROM audit_seals ORDER BY 1"
    ).fetchall()
    return [row[0] for row in rows]


def verify(
    dsn: str, tenant: str | None = None, *, on_head: Callable[[Head], None] | None = None
) -> Iterator[Finding]:
    """Walks the chain of `tenant` (all: None) in the database at `dsn` and yields what is wrong.

    A role under row security sees one tenant at a time: it must name `tenant`. Raises psycopg.Error."""
    with psycopg.connect(dsn.replace("postgresql+psycopg://", "postgresql://")) as connection:
        connection.execute("SET default_transaction_read_only = on")
        for one in [tenant] if tenant else _tenants(connection):
            connection.execute("SELECT set_config('komu.tenant', %s, false)", (one,))
            yield from _verify_tenant(connection, one, on_head)


def _verify_tenant(
    connection: psycopg.Connection[Any], tenant: str, on_head: Callable[[Head], None] | None
) -> Iterator[Finding]:
    previous, expected_seq, told = GENESIS, 1, 0
    with connection.cursor(name="komu_audit", row_factory=dict_row) as cursor:
        cursor.itersize = 2000
        cursor.execute(
            f"SELECT s.seq, s.entry_id, s.previous, s.hash, {', '.join('l.' + name for name in COLUMNS)}"  # noqa: S608
            " FROM audit_seals s LEFT JOIN audit_log l ON l.tenant_id = s.tenant_id AND l.id = s.entry_id"
            " WHERE s.tenant_id = %s ORDER BY s.seq",
            (tenant,),
        )
        for row in cursor:
            found = []
            seq, entry_id = row["seq"], row["entry_id"]
            if seq != expected_seq:
                found.append(Finding(tenant, seq, entry_id, f"links {expected_seq} to {seq - 1} are missing"))
            if bytes(row["previous"]) != previous:
                found.append(Finding(tenant, seq, entry_id, "does not follow the link before it"))
            if row["id"] is None:
                found.append(Finding(tenant, seq, entry_id, "the entry was removed"))
            elif link(bytes(row["previous"]), row) != bytes(row["hash"]):
                found.append(Finding(tenant, seq, entry_id, "the entry or its link was altered"))
            previous, expected_seq = bytes(row["hash"]), seq + 1
            for finding in found:
                told += 1
                if told <= _MOST_TOLD:
                    yield finding
    unsealed = connection.execute(
        "SELECT l.id, l.at < clock_timestamp() - %s, p.entry_id IS NULL FROM audit_log l"
        " LEFT JOIN audit_seals s ON s.tenant_id = l.tenant_id AND s.entry_id = l.id"
        " LEFT JOIN audit_pending p ON p.tenant_id = l.tenant_id AND p.entry_id = l.id"
        " WHERE l.tenant_id = %s AND s.entry_id IS NULL AND (p.entry_id IS NULL OR l.at < clock_timestamp() - %s)"
        " LIMIT %s",
        (_UNSEALED_FOR, tenant, _UNSEALED_FOR, _MOST_TOLD),
    ).fetchall()
    for entry_id, _old, put_in in unsealed:
        what = "waits for no seal and has none: put in, or its link was cut off" if put_in else "unsealed for long"
        yield Finding(tenant, None, entry_id, what)
    if on_head is not None:
        counted = connection.execute("SELECT count(*) FROM audit_log WHERE tenant_id = %s", (tenant,)).fetchone()
        on_head(Head(tenant, expected_seq - 1, previous.hex(), counted[0] if counted else 0))
