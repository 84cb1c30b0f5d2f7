"""Who looked and who changed what, for the 校長: the school's own records only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from servicekit.audit import AuditPage, board_subject, read_audit
from servicekit.auth import Actor
from servicekit.clock import JST
from servicekit.db import Transaction

from attendance import policy
from attendance.store import register
from attendance.usecases import standing


@dataclass(frozen=True, slots=True)
class AskedEntries:
    """A page of the log; empty filters leave everything in."""

    school_id: UUID
    subject_id: UUID | None
    actor_id: UUID | None
    kind: str
    from_on: date | None
    to_on: date | None
    before_entry: UUID | None
    limit: int


async def read_entries(tx: Transaction, actor: Actor, asked: AskedEntries) -> AuditPage:
    """Entries about the school, its classes, its children, and what the board decided. Raises: Unseen, Refused."""
    policy.may_read_audit(actor, await standing.of_school(tx, actor, asked.school_id)).enforce()
    subjects = await register.subjects_of_school(tx, asked.school_id)
    if asked.subject_id is not None:
        subjects = [asked.subject_id] if asked.subject_id in set(subjects) else []
    else:
        subjects.append(board_subject(tx.tenant))  # its decisions bind, and are read at, every school
    return await read_audit(
        tx,
        subject_ids=subjects,
        actor_id=asked.actor_id,
        kind=asked.kind,
        from_at=_start(asked.from_on),
        to_at=_start(asked.to_on + timedelta(days=1)) if asked.to_on else None,
        before_entry=asked.before_entry,
        limit=asked.limit or 50,
    )


def _start(on: date | None) -> datetime | None:
    return datetime.combine(on, time(), JST) if on else None
