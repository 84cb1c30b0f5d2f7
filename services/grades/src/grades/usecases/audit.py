"""Who looked at and who changed the marks of a school."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from servicekit.audit.query import AuditPage
from servicekit.auth import Actor
from servicekit.db import Transaction
from servicekit.errors import Invalid, Violation

from grades import policy
from grades.domain.terms import JST
from grades.store import audit
from grades.usecases.facts import require_school, standing


@dataclass(frozen=True, slots=True)
class AuditAsked:
    """Days are Japanese calendar days, both inclusive."""

    school_id: UUID
    subject_id: UUID | None
    actor_id: UUID | None
    kind: str
    from_on: date | None
    to_on: date | None
    before_entry: UUID | None
    limit: int


async def read_audit(tx: Transaction, actor: Actor, asked: AuditAsked) -> AuditPage:
    """Raises: Unseen, Refused, Invalid."""
    if asked.kind not in ("", "read", "change"):
        raise Invalid("記録の種類が正しくありません。", [Violation("kind", "readかchangeです。")])
    await require_school(tx, asked.school_id)
    policy.may_read_audit(actor, await standing(tx, actor), asked.school_id).enforce()
    return await audit.entries(
        tx,
        audit.Entries(
            asked.school_id,
            asked.subject_id,
            asked.actor_id,
            asked.kind,
            _midnight(asked.from_on),
            _midnight(asked.to_on + timedelta(days=1) if asked.to_on else None),
            asked.before_entry,
            asked.limit,
        ),
    )


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), JST) if day else None
