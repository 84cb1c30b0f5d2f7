"""Reading the log: who looked at or changed a record, newest first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from servicekit.clock import JST
from servicekit.db import Transaction
from servicekit.errors import Invalid, Violation
from servicekit.json import dumps_text

READ_SUFFIX = ".read"
_MOST = 200
_FIRST_YEAR, _LAST_YEAR = 1900, 2199


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


@dataclass(frozen=True, slots=True)
class AuditQuestion:
    """A page of the log of one place. Empty filters leave everything in; both days (in Japan) belong to it."""

    place_id: UUID
    subject_id: UUID | None
    actor_id: UUID | None
    kind: str
    """"read", "change", or "" for both."""
    from_on: date | None
    to_on: date | None
    before_entry: UUID | None
    limit: int

    @property
    def from_at(self) -> datetime | None:
        """Inclusive."""
        return datetime.combine(self.from_on, time(), JST) if self.from_on else None

    @property
    def to_at(self) -> datetime | None:
        """Exclusive: the end of the last day."""
        return datetime.combine(self.to_on + timedelta(days=1), time(), JST) if self.to_on else None


def question_of(request: Any) -> AuditQuestion:
    """What a `komu.common.v1.ReadAuditRequest` asks. Raises: Invalid, with the field that is wrong."""
    if request.kind not in ("", "read", "change"):
        raise Invalid("記録の種類が正しくありません。", [Violation("kind", "閲覧（read）か変更（change）です。")])
    return AuditQuestion(
        _id(request.school_id, "school_id"),
        _id(request.subject_id, "subject_id") if request.subject_id else None,
        _id(request.actor_id, "actor_id") if request.actor_id else None,
        request.kind,
        _day(request.from_on, "from_on") if request.from_on else None,
        _day(request.to_on, "to_on") if request.to_on else None,
        _id(request.before_entry_id, "before_entry_id") if request.before_entry_id else None,
        request.limit or 50,
    )


def _id(text: str, field: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        wrong = Violation(field, f"「{text[:60]}」は UUID ではありません。")
        raise Invalid("識別子の形が正しくありません。", [wrong]) from None


def _day(text: str, field: str) -> date:
    found = re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})", text, re.ASCII)
    try:
        if found is None:
            raise ValueError(text)
        on = date(*map(int, found.groups()))
        if not _FIRST_YEAR <= on.year <= _LAST_YEAR:
            raise ValueError(text)
        return on
    except ValueError:
        wrong = Violation(field, f"「{text[:30]}」は日付（例：2026-04-07）ではありません。")
        raise Invalid("日付の形が正しくありません。", [wrong]) from None


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


async def read_asked(tx: Transaction, subject_ids: Sequence[UUID], asked: AuditQuestion) -> AuditPage:
    """The page that was asked for, of entries about `subject_ids`. Who may see them is the caller's policy."""
    return await read_audit(
        tx,
        subject_ids=subject_ids,
        actor_id=asked.actor_id,
        kind=asked.kind,
        from_at=asked.from_at,
        to_at=asked.to_at,
        before_entry=asked.before_entry,
        limit=asked.limit,
    )


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
