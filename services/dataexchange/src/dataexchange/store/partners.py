"""連携先 and their tokens."""

# ruff: noqa: S608  (only a column list of this module is put into a statement, never a value)

from datetime import datetime
from typing import Any
from uuid import UUID

from servicekit.db import Transaction
from sqlalchemy import Row

from dataexchange.domain.partners import Grant, LineItem, Partner

_COLUMNS = "id, name, purpose, scopes, school_ids, created_at, disabled_at, last_used_at, version"


def _partner(row: Row[Any]) -> Partner:
    fields = dict(row._mapping)
    return Partner(**{**fields, "scopes": frozenset(row.scopes), "school_ids": frozenset(row.school_ids)})


async def add(tx: Transaction, partner: Partner, secret_sha256: bytes) -> None:
    await tx.execute(
        "INSERT INTO oneroster_partners (tenant_id, id, name, purpose, scopes, school_ids, secret_sha256, created_at, "
        "updated_by) VALUES (current_setting('komu.tenant'), :id, :name, :purpose, :scopes, :schools, :secret, :now, "
        ":by) ON CONFLICT (tenant_id, id) DO UPDATE SET name = excluded.name, purpose = excluded.purpose, "
        "scopes = excluded.scopes, school_ids = excluded.school_ids, secret_sha256 = excluded.secret_sha256",
        {
            "id": partner.id, "name": partner.name, "purpose": partner.purpose, "scopes": sorted(partner.scopes),
            "schools": sorted(partner.school_ids), "secret": secret_sha256, "now": partner.created_at,
            "by": tx.actor.person_id if tx.actor else None,
        },
    )  # fmt: skip


async def page(tx: Transaction, before: UUID | None, limit: int) -> list[Partner]:
    """Newest first."""
    found = await tx.execute(
        f"SELECT {_COLUMNS} FROM oneroster_partners WHERE CAST(:before AS uuid) IS NULL OR id < :before "
        "ORDER BY id DESC LIMIT :limit",
        {"before": before, "limit": limit},
    )
    return [_partner(row) for row in found]


async def find(tx: Transaction, partner_id: UUID, *, lock: bool = False) -> Partner | None:
    found = await tx.execute(
        f"SELECT {_COLUMNS} FROM oneroster_partners WHERE id = :id" + (" FOR UPDATE" if lock else ""),
        {"id": partner_id},
    )
    row = found.first()
    return _partner(row) if row else None


async def secret_of(tx: Transaction, partner_id: UUID) -> bytes | None:
    """Of a partner that is not disabled."""
    kept = await tx.scalar(
        "SELECT secret_sha256 FROM oneroster_partners WHERE id = :id AND disabled_at IS NULL", {"id": partner_id}
    )
    return bytes(kept) if kept is not None else None


async def change(
    tx: Transaction, partner_id: UUID, *, disabled_at: datetime | None, secret_sha256: bytes | None
) -> None:  # fmt: skip
    """The state, and the secret where a new one is given. Every token ends."""
    await tx.execute(
        "UPDATE oneroster_partners SET disabled_at = :disabled, secret_sha256 = coalesce(:secret, secret_sha256), "
        "version = version + 1, updated_at = :now, updated_by = :by WHERE id = :id",
        {
            "disabled": disabled_at, "secret": secret_sha256, "now": tx.now, "id": partner_id,
            "by": tx.actor.person_id if tx.actor else None,
        },
    )  # fmt: skip
    await tx.execute("DELETE FROM oneroster_tokens WHERE partner_id = :id", {"id": partner_id})


async def add_token(tx: Transaction, sha256: bytes, grant: Grant) -> None:
    """The token, and that its partner was here. Tokens whose time is over go."""
    await tx.execute("DELETE FROM oneroster_tokens WHERE partner_id = :id AND expires_at < :now",
                     {"id": grant.partner_id, "now": tx.now})  # fmt: skip
    await tx.execute(
        "INSERT INTO oneroster_tokens (tenant_id, sha256, partner_id, scopes, expires_at) "
        "VALUES (current_setting('komu.tenant'), :sha256, :id, :scopes, :expires)",
        {"sha256": sha256, "id": grant.partner_id, "scopes": sorted(grant.scopes), "expires": grant.expires_at},
    )
    await tx.execute("UPDATE oneroster_partners SET last_used_at = :now WHERE id = :id",
                     {"now": tx.now, "id": grant.partner_id})  # fmt: skip


async def grant_of(tx: Transaction, sha256: bytes) -> Grant | None:
    """What a token opens; None when it is unknown or was ended."""
    found = await tx.execute(
        "SELECT t.partner_id, t.scopes, p.school_ids, t.expires_at FROM oneroster_tokens t "
        "JOIN oneroster_partners p ON p.id = t.partner_id WHERE t.sha256 = :sha256 AND p.disabled_at IS NULL",
        {"sha256": sha256},
    )
    row = found.first()
    if row is None:
        return None
    return Grant(tx.tenant, row.partner_id, frozenset(row.scopes), frozenset(row.school_ids), row.expires_at)


async def hold_token(tx: Transaction, sha256: bytes) -> UUID | None:
    """The partner of a token, which cannot be ended before this transaction is; None when it was."""
    found = await tx.scalar("SELECT partner_id FROM oneroster_tokens WHERE sha256 = :sha256 FOR SHARE",
                            {"sha256": sha256})  # fmt: skip
    return found if found is None else UUID(str(found))


async def line_items(tx: Transaction, before: int, limit: int) -> list[LineItem]:
    """What partners wrote, newest first; `before`: a position, 0 for the newest."""
    found = await tx.execute(
        "SELECT l.ordinal AS position, l.doc ->> 'title' AS title, coalesce(c.doc ->> 'title', '') AS class_name, "
        "coalesce(s.doc ->> 'name', '') AS school_name, coalesce(p.name, '') AS partner_name, "
        "(SELECT count(*) FROM oneroster_objects r WHERE r.kind = 'result' AND r.status = 'active' "
        "AND r.class_id = l.class_id AND r.refs @> ARRAY['lineItem:' || l.sourced_id]) AS results, "
        "l.date_last_modified AS changed_at FROM oneroster_objects l "
        "LEFT JOIN oneroster_objects c ON c.kind = 'class' AND c.sourced_id = l.class_id "
        "LEFT JOIN oneroster_objects s ON s.kind = 'org' AND s.sourced_id = l.doc #>> '{school,sourcedId}' "
        "LEFT JOIN oneroster_partners p ON p.id = CAST(nullif(l.written_by, '') AS uuid) "
        "WHERE l.kind = 'lineItem' AND l.status = 'active' AND (:before = 0 OR l.ordinal < :before) "
        "ORDER BY l.ordinal DESC LIMIT :limit",
        {"before": before, "limit": limit},
    )
    return [LineItem(**row._mapping) for row in found]
