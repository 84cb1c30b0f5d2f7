"""閲覧・変更の記録: who looked at and who changed the register of a school."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from servicekit.audit import AuditPage
from servicekit.audit import read_audit as read_log
from servicekit.auth import Actor
from servicekit.clock import JST
from servicekit.db import Transaction
from servicekit.errors import Unseen

from roster import policy
from roster.store import pupils, schools
from roster.usecases.views import standing_of


@dataclass(frozen=True, slots=True)
class AuditQuestion:
    """Whose records, which kind, which days (both inclusive)."""

    school_id: UUID
    subject_id: UUID | None
    actor_id: UUID | None
    kind: str
    from_on: date | None
    to_on: date | None
    before_entry: UUID | None
    limit: int


async def read_audit(tx: Transaction, actor: Actor, question: AuditQuestion) -> AuditPage:
    """Entries about the school and its pupils, newest first; for its 校長 and the board."""
    policy.may_read_audit(actor, await standing_of(tx, actor), question.school_id).enforce()
    if not await schools.schools(tx, [question.school_id], closed=True):
        raise Unseen
    subjects = [question.school_id, *await pupils.ever_at(tx, question.school_id)]
    if question.subject_id is not None:
        if question.subject_id not in subjects:
            raise Unseen
        subjects = [question.subject_id]
    return await read_log(
        tx, subject_ids=subjects, actor_id=question.actor_id, kind=question.kind,
        from_at=_midnight(question.from_on), to_at=_midnight(question.to_on, days=1),
        before_entry=question.before_entry, limit=question.limit or 50,
    )  # fmt: skip


def _midnight(day: date | None, days: int = 0) -> datetime | None:
    return datetime.combine(day + timedelta(days=days), time(), JST) if day else None
