"""Resource links of classes: what lies ready to be opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from servicekit.db import Transaction
from servicekit.json import dumps_text
from sqlalchemy import Row, text

_COLUMNS = "id, deployment_id, class_id, kind, title, text, url, custom, created_by, created_at"


@dataclass(frozen=True, slots=True)
class ToolLink:
    """`kind`: resource (opened by LTI) or link (an ordinary address of the tool). `url` "" = the tool's own target."""

    id: UUID
    deployment_id: UUID
    class_id: UUID
    kind: str
    title: str
    text: str
    url: str
    custom: dict[str, str]
    created_by: UUID
    created_at: datetime


async def of_class(tx: Transaction, class_id: UUID) -> list[ToolLink]:
    """Those that lie ready, oldest first."""
    rows = await tx.execute(
        text(f"""
            SELECT {_COLUMNS} FROM lti_links
             WHERE tenant_id = :tenant AND class_id = :class_id AND removed_at IS NULL ORDER BY id"""),  # noqa: S608
        {"tenant": tx.tenant, "class_id": class_id},
    )
    return [_link(row) for row in rows]


async def one(tx: Transaction, link_id: UUID) -> ToolLink | None:
    """A link that lies ready."""
    found = await tx.execute(
        text(f"SELECT {_COLUMNS} FROM lti_links WHERE tenant_id = :tenant AND id = :id AND removed_at IS NULL"),  # noqa: S608
        {"tenant": tx.tenant, "id": link_id},
    )
    row = found.one_or_none()
    return _link(row) if row else None


async def add(tx: Transaction, links: Sequence[ToolLink]) -> None:
    rows: list[dict[str, Any]] = [
        {
            "tenant": tx.tenant,
            "id": one.id,
            "deployment_id": one.deployment_id,
            "class_id": one.class_id,
            "kind": one.kind,
            "title": one.title,
            "text": one.text,
            "url": one.url,
            "custom": dumps_text(one.custom),
            "created_by": one.created_by,
            "created_at": one.created_at,
        }
        for one in links
    ]
    if rows:
        await tx.execute(
            text("""
                INSERT INTO lti_links (tenant_id, id, deployment_id, class_id, kind, title, text, url, custom,
                                       created_by, created_at)
                VALUES (:tenant, :id, :deployment_id, :class_id, :kind, :title, :text, :url, CAST(:custom AS jsonb),
                        :created_by, :created_at)"""),
            rows,
        )


async def remove(tx: Transaction, link_id: UUID) -> None:
    await tx.execute(
        text("UPDATE lti_links SET removed_at = :now WHERE tenant_id = :tenant AND id = :id"),
        {"tenant": tx.tenant, "id": link_id, "now": tx.now},
    )


def _link(row: Row[tuple[object, ...]]) -> ToolLink:
    return ToolLink(
        row.id,
        row.deployment_id,
        row.class_id,
        row.kind,
        row.title,
        row.text,
        row.url,
        row.custom,
        row.created_by,
        row.created_at,
    )
