"""Who issued and who opened, for the 校長 of the school. What a preview reads is noted where it is read from."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from servicekit.audit import AuditPage, read_audit
from servicekit.auth import Actor
from servicekit.db import Transaction

from reports import policy
from reports.domain.standing import Standing
from reports.store import archive


@dataclass(frozen=True, slots=True)
class AskedEntries:
    """The question; empty fields do not limit. `from_at` inclusive, `to_at` exclusive."""

    school_id: UUID
    subject_id: UUID | None
    actor_id: UUID | None
    kind: str
    from_at: datetime | None
    to_at: datetime | None
    before_entry: UUID | None
    limit: int


async def read_entries(tx: Transaction, actor: Actor, standing: Standing, asked: AskedEntries) -> AuditPage:
    """Entries about the pupils for whom the school issued something. Raises: Unseen, Refused."""
    policy.may_read_audit(actor, standing, asked.school_id).enforce()
    subjects = await archive.subjects_of(tx, asked.school_id, asked.subject_id)
    return await read_audit(
        tx,
        subject_ids=subjects,
        actor_id=asked.actor_id,
        kind=asked.kind,
        from_at=asked.from_at,
        to_at=asked.to_at,
        before_entry=asked.before_entry,
        limit=asked.limit or 50,
    )
