"""Reading the log: who looked at or changed a record, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from servicekit.db import Transaction
from servicekit.json import dumps_text

READ_SUFFIX = ".read"
_MOST = 200


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the log. `before`/`after`: plain JSON of the changed fields."""

    id: UUID
    at: datetime
    actor_id: UUID | None
    action: str
    object_id: str
    subject_id: UUID | None
    information_class: int
    before: Any
    after: Any
    sealed: bool


@dataclass(frozen=True, slots=True)
class AuditPage:
    """`more`: older entries follow; ask again with `before_entry` = id of the last one."""

    entries: Sequence[AuditEntry]
    more: bool


def board_subject(tenant: str) -> UUID:
    """What entries about the board itself are about: its decisions, and the doors it opens. No person has this id."""
    return uuid5(NAMESPACE_URL, f"komu:board:{tenant}")


async def read_audit(
    tx: Transaction,
    *,
    subject_ids: Sequence[UUID] | None = None,
    object_id: UUID | str | None = None,
    actor_id: UUID | None = None,
    kind: str = "",
    from_at: datetime | None = None,
    to_at: datetime | None = None,
    before_entry: UUID | None = None,
    limit: int = 50,
) -> AuditPage:
    """Entries of the tenant, newest first. `kind`: "read" (actions ending in `.read`), "change" or both.

    Who may see them is the caller's policy; `subject_ids` limits to the records of those persons."""
    limit = min(max(limit, 1), _MOST)
    conditions = ["l.tenant_id = :tenant"]
    params: dict[str, Any] = {"tenant": tx.tenant, "limit": limit + 1}
    for column, value in (("object_id", object_id), ("actor_id", actor_id)):
        if value is not None:
            conditions.append(f"l.{column} = :{column}")
            params[column] = str(value) if column == "object_id" else value
    if subject_ids is not None:
        conditions.append("l.subject_id = ANY(:subject_ids)")
        params["subject_ids"] = list(subject_ids)
    if kind == "read":
        conditions.append("l.action LIKE '%.read'")
    elif kind == "change":
        conditions.append("l.action NOT LIKE '%.read'")
    if from_at is not None:
        conditions.append("l.at >= :from_at")
        params["from_at"] = from_at
    if to_at is not None:
        conditions.append("l.at < :to_at")
        params["to_at"] = to_at
    if before_entry is not None:
        conditions.append("l.id < :before_entry")
        params["before_entry"] = before_entry
    result = await tx.execute(
        "SELECT l.id, l.at, l.actor_id, l.action, l.object_id, l.subject_id, l.information_class, l.before, l.after,"  # noqa: S608
        " s.entry_id IS NOT NULL AS sealed FROM audit_log l"
        " LEFT JOIN audit_seals s ON s.tenant_id = l.tenant_id AND s.entry_id = l.id"
        f" WHERE {' AND '.join(conditions)} ORDER BY l.id DESC LIMIT :limit",
        params,
    )
    rows = [AuditEntry(**row) for row in result.mappings()]
    return AuditPage(rows[:limit], len(rows) > limit)


def to_proto(page: AuditPage, service: str) -> Any:
    """`komu.common.v1.ReadAuditReply` of a page."""
    from komu.common.v1 import common_pb2

    reply = common_pb2.ReadAuditReply(more=page.more)
    for entry in page.entries:
        message = reply.entries.add(
            id=str(entry.id), actor_id=str(entry.actor_id or ""), action=entry.action, object_id=entry.object_id,
            subject_id=str(entry.subject_id or ""), information_class=entry.information_class, sealed=entry.sealed,
            before_json="" if entry.before is None else dumps_text(entry.before),
            after_json="" if entry.after is None else dumps_text(entry.after), service=service,
        )
        message.at.FromDatetime(entry.at.astimezone(UTC))
    return reply
